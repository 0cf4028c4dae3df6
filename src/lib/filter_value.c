/*
 * Paths into entries and the comparison of values for filters.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicase.h>

#include "lib/filter_value.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

int
path_parse(const char *text, struct path *path)
{
	char *part = xmalloc(strlen(text) + 1);
	size_t len = 0;

	memset(path, 0, sizeof *path);
	for (;; text++) {
		if (*text == '\\' && text[1] == '.') {
			part[len++] = *++text;
			continue;
		}
		if (*text != '.' && *text != '\0') {
			part[len++] = *text;
			continue;
		}
		if (path->count == PATH_MAX_PARTS) {
			path_free(path);
			free(part);
			return -1;
		}
		path->parts[path->count++] = xstrndup(part, len);
		len = 0;
		if (*text == '\0')
			break;
	}
	free(part);
	return 0;
}

void
path_free(struct path *path)
{
	size_t i;

	for (i = 0; i < path->count; i++)
		free(path->parts[i]);
	memset(path, 0, sizeof *path);
}

char *
path_write(const struct path *path)
{
	struct wire_out out = { 0 };
	const char *c;
	size_t i;

	for (i = 0; i < path->count; i++) {
		if (i > 0)
			wire_put_u8(&out, '.');
		for (c = path->parts[i]; *c != '\0'; c++) {
			if (*c == '.')
				wire_put_u8(&out, '\\');
			wire_put_u8(&out, (uint8_t)*c);
		}
	}
	wire_put_u8(&out, '\0');
	return (char *)out.data;
}

bool
path_part_is_number(const char *part)
{
	return *part != '\0' && strlen(part) < 10 &&
	    strspn(part, "0123456789") == strlen(part);
}

/* One step down; NULL when there is no such member. */
static const json_t *
descend(const json_t *value, const char *part)
{
	const json_t *element;

	if (json_is_object(value))
		return json_object_get(value, part);
	if (json_is_array(value) && path_part_is_number(part)) {
		element = json_array_get(value, strtoul(part, NULL, 10));
		return element == NULL ? json_null() : element;
	}
	return NULL;
}

const json_t *
path_get(const json_t *entry, const struct path *path)
{
	size_t i;

	for (i = 0; i < path->count && entry != NULL; i++)
		entry = descend(entry, path->parts[i]);
	return entry;
}

static bool
any_from(const json_t *value, const struct path *path, size_t i,
    bool (*test)(const json_t *, const void *), const void *arg)
{
	const json_t *element;
	size_t n;

	for (; i < path->count && value != NULL; i++) {
		if (!json_is_array(value) || strcmp(path->parts[i], "*") != 0) {
			value = descend(value, path->parts[i]);
			continue;
		}
		json_array_foreach(value, n, element)
			if (any_from(element, path, i + 1, test, arg))
				return true;
		return false;
	}
	return value != NULL && test(value, arg);
}

bool
path_any(const json_t *entry, const struct path *path,
    bool (*test)(const json_t *, const void *), const void *arg)
{
	return any_from(entry, path, 0, test, arg);
}

static bool
is_number(const json_t *value)
{
	return json_is_number(value) || json_is_boolean(value);
}

static json_int_t
as_integer(const json_t *value)
{
	if (json_is_boolean(value))
		return json_is_true(value);
	return json_integer_value(value);
}

/* Exact: not every integer is a double. */
static int
integer_to_real(json_int_t i, double d)
{
	json_int_t whole;

	if (d >= 0x1p63)
		return -1;
	if (d < -0x1p63)
		return 1;
	whole = (json_int_t)d;
	if (i != whole)
		return i < whole ? -1 : 1;
	return (d < (double)whole) - (d > (double)whole);
}

static int
number_order(const json_t *a, const json_t *b)
{
	double x = json_real_value(a), y = json_real_value(b);
	json_int_t i = as_integer(a), j = as_integer(b);

	if (json_is_real(a))
		return json_is_real(b) ? (x > y) - (x < y) :
					 -integer_to_real(j, x);
	return json_is_real(b) ? integer_to_real(i, y) : (i > j) - (i < j);
}

/* {"$date": ms} and nothing else. */
const json_t *
date_value(const json_t *value)
{
	const json_t *ms;

	if (!json_is_object(value) || json_object_size(value) != 1)
		return NULL;
	ms = json_object_get(value, "$date");
	return json_is_integer(ms) ? ms : NULL;
}

static bool
object_equal(const json_t *a, const json_t *b)
{
	/* jansson's iterators want it writable; nothing is written. */
	json_t *object = (json_t *)(uintptr_t)a;
	const json_t *other;
	const char *key;
	json_t *member;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach(object, key, member) {
		other = json_object_get(b, key);
		if (other == NULL || !value_equal(member, other))
			return false;
	}
	return true;
}

bool
value_equal(const json_t *a, const json_t *b)
{
	const json_t *element;
	size_t i;

	if (is_number(a) && is_number(b))
		return number_order(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_array(a)) {
		if (json_array_size(a) != json_array_size(b))
			return false;
		json_array_foreach(a, i, element)
			if (!value_equal(element, json_array_get(b, i)))
				return false;
		return true;
	}
	if (json_is_object(a))
		return object_equal(a, b);
	return json_equal(a, b);
}

bool
value_order(const json_t *a, const json_t *b, int *order)
{
	if (is_number(a) && is_number(b)) {
		*order = number_order(a, b);
		return true;
	}
	/* Bytes of UTF-8 sort as their characters do. */
	if (json_is_string(a) && json_is_string(b)) {
		*order = strcmp(json_string_value(a), json_string_value(b));
		return true;
	}
	if (date_value(a) != NULL && date_value(b) != NULL) {
		*order = number_order(date_value(a), date_value(b));
		return true;
	}
	return false;
}

enum value_kind
value_kind(const json_t *value)
{
	if (json_is_null(value))
		return KIND_NULL;
	if (is_number(value))
		return KIND_NUMBER;
	if (json_is_string(value))
		return KIND_TEXT;
	if (json_is_array(value))
		return KIND_ARRAY;
	return date_value(value) != NULL ? KIND_DATE : KIND_OBJECT;
}

int
value_sort(const json_t *a, const json_t *b)
{
	const json_t *x, *y;
	size_t i;
	int order;

	if (value_kind(a) != value_kind(b))
		return value_kind(a) < value_kind(b) ? -1 : 1;
	if (value_order(a, b, &order))
		return order;
	if (!json_is_array(a))
		return 0;
	for (i = 0;; i++) {
		x = json_array_get(a, i);
		y = json_array_get(b, i);
		if (x == NULL || y == NULL)
			return (x != NULL) - (y != NULL);
		order = value_sort(x, y);
		if (order != 0)
			return order;
	}
}

/* Lower case for ASCII; false when there is something else in it. */
static bool
fold_ascii(const char *text, size_t len, char *folded)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
		folded[i] = text[i] >= 'A' && text[i] <= 'Z' ?
		    (char)(text[i] + ('a' - 'A')) :
		    text[i];
	}
	return true;
}

size_t
text_fold(const char *text, size_t len, char **buffer, size_t *size)
{
	/* One character becomes at most three, of two bytes like itself. */
	size_t room = 3 * len, folded = len;
	uint8_t *result;

	if (*size <= room) {
		*size = room + 64;
		*buffer = xreallocarray(*buffer, *size, 1);
	}
	if (!fold_ascii(text, len, *buffer)) {
		folded = room;
		result = u8_casefold((const uint8_t *)text, len, NULL, NULL,
		    (uint8_t *)*buffer, &folded);
		if (result == NULL)
			abort();
		if (result != (uint8_t *)*buffer) {
			free(*buffer);
			*size = folded + 1;
			*buffer = xreallocarray(result, *size, 1);
		}
	}
	(*buffer)[folded] = '\0';
	return folded;
}

static json_t *
fold_string(const json_t *value)
{
	size_t size = 0, len;
	char *buffer = NULL;
	json_t *result;

	len = text_fold(json_string_value(value), json_string_length(value),
	    &buffer, &size);
	result = json_stringn(buffer, len);
	free(buffer);
	return result;
}

json_t *
value_fold(const json_t *value)
{
	const json_t *element;
	json_t *folded, *result;
	size_t i;

	if (json_is_null(value))
		return json_null();
	if (json_is_string(value))
		return fold_string(value);
	if (!json_is_array(value))
		return NULL;
	result = json_array();
	json_array_foreach(value, i, element) {
		folded = json_is_array(element) ? NULL : value_fold(element);
		if (folded == NULL) {
			json_decref(result);
			return NULL;
		}
		json_array_append_new(result, folded);
	}
	return result;
}

/* Reads exactly that many digits, not above max. */
static int
digits(const char **text, int count, int max, int *value)
{
	*value = 0;
	for (; count > 0; count--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		*value = *value * 10 + (**text - '0');
	}
	return *value <= max ? 0 : -1;
}

/* A separator when the form has them; 0 or -1. */
static int
separator(const char **text, char c, bool extended)
{
	if (!extended)
		return 0;
	return *(*text)++ == c ? 0 : -1;
}

/* "", "Z", "+HH", "+HHMM" or "+HH:MM": minutes east of Greenwich. */
static int
parse_offset(const char *text, int *minutes)
{
	int hour, minute = 0, sign;

	*minutes = 0;
	if (*text == '\0' || strcmp(text, "Z") == 0)
		return 0;
	if (*text != '+' && *text != '-')
		return -1;
	sign = *text++ == '-' ? -1 : 1;
	if (digits(&text, 2, 23, &hour) == -1)
		return -1;
	if (*text == ':')
		text++;
	else if (*text == '\0')
		text = "00";
	if (digits(&text, 2, 59, &minute) == -1 || *text != '\0')
		return -1;
	*minutes = sign * (hour * 60 + minute);
	return 0;
}

/* "HH[:MM[:SS[.fraction]]]" into the time and milliseconds. */
static int
parse_time(const char **text, struct tm *tm, int *ms)
{
	int *const parts[] = { &tm->tm_hour, &tm->tm_min, &tm->tm_sec };
	bool extended = true;
	int i, scale = 100;

	for (i = 0; i < 3; i++) {
		if (i == 1)
			extended = **text == ':';
		if (i > 0 && **text != ':' && !isdigit((unsigned char)**text))
			return 0;
		if (i > 0 && separator(text, ':', extended) == -1)
			return -1;
		if (digits(text, 2, i == 0 ? 23 : 59, parts[i]) == -1)
			return -1;
	}
	if (**text != '.' && **text != ',')
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++) {
		*ms += (**text - '0') * scale;
		scale /= 10;
	}
	return 0;
}

int
date_parse(const char *text, int64_t *ms)
{
	struct tm tm = { 0 }, normal;
	int fraction = 0, offset = 0;
	time_t seconds;
	bool extended;

	if (digits(&text, 4, 9999, &tm.tm_year) == -1)
		return -1;
	extended = *text == '-';
	if (separator(&text, '-', extended) == -1 ||
	    digits(&text, 2, 12, &tm.tm_mon) == -1 ||
	    separator(&text, '-', extended) == -1 ||
	    digits(&text, 2, 31, &tm.tm_mday) == -1)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (*text == 'T' || *text == ' ') {
		text++;
		if (parse_time(&text, &tm, &fraction) == -1)
			return -1;
		if (parse_offset(text, &offset) == -1)
			return -1;
	} else if (*text != '\0') {
		return -1;
	}
	normal = tm;
	seconds = timegm(&normal);
	/* The 31st of February becomes another day: refused. */
	if (normal.tm_mday != tm.tm_mday || normal.tm_mon != tm.tm_mon)
		return -1;
	*ms = ((int64_t)seconds - offset * 60) * 1000 + fraction;
	return 0;
}
