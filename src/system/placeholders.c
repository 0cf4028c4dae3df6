/*
 * Texts with places for values: see placeholders.h.  The notation is that of
 * Python's str.format, which clients send, without conversions and formats.
 */
#include "system/placeholders.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

#define DIGITS "0123456789"
#define INDEX_DIGITS 4

/* Reads an index; false when there is none that could be meant. */
static bool
read_index(const char **at, size_t *next, size_t *index)
{
	size_t digits = strspn(*at, DIGITS);

	if (digits > INDEX_DIGITS)
		return false;
	*index = digits > 0 ? strtoul(*at, NULL, 10) : (*next)++;
	*at += digits;
	return true;
}

/* A member's name between brackets or after a point; caller frees. */
static char *
read_name(const char **at)
{
	bool bracket = **at == '[';
	size_t len = strcspn(++*at, bracket ? "]{}" : ".[]{}");
	char *name;

	if (len == 0 || (bracket && (*at)[len] != ']'))
		return NULL;
	name = xstrndup(*at, len);
	*at += len + (bracket ? 1 : 0);
	return name;
}

static const json_t *
member(const json_t *value, const char *name)
{
	if (json_is_array(value) && strspn(name, DIGITS) == strlen(name) &&
	    strlen(name) <= INDEX_DIGITS)
		return json_array_get(value, strtoul(name, NULL, 10));
	return json_object_get(value, name);
}

static void
put_value(struct wire_out *out, const json_t *value)
{
	if (value == NULL)
		wire_put_raw(out, "?", 1);
	else if (json_is_string(value))
		wire_put_raw(
		    out, json_string_value(value), json_string_length(value));
	else
		json_write(value, out);
}

/* From behind its opening brace to behind the closing one. */
static bool
put_place(
    struct wire_out *out, const char **at, const json_t *values, size_t *next)
{
	const json_t *value;
	size_t index;
	char *name;

	if (!read_index(at, next, &index))
		return false;
	value = json_array_get(values, index);
	while (**at == '[' || **at == '.') {
		if ((name = read_name(at)) == NULL)
			return false;
		value = member(value, name);
		free(name);
	}
	if (**at != '}')
		return false;
	++*at;
	put_value(out, value);
	return true;
}

static char *
cut(struct wire_out *out, size_t max)
{
	const char *text = (const char *)out->data;
	size_t len = out->len;
	char *result;

	if (len > max)
		for (len = max;
		     len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	result = len > 0 ? xstrndup(text, len) : xstrdup("");
	wire_free(out);
	return result;
}

char *
placeholders_fill(const char *text, const json_t *values, size_t max)
{
	const char *at = text;
	struct wire_out out = { 0 };
	size_t next = 0;

	while (*at != '\0') {
		if ((*at == '{' || *at == '}') && at[1] == at[0]) {
			if (out.len <= max)
				wire_put_raw(&out, at, 1);
			at += 2;
		} else if (*at == '{') {
			at++;
			/* Whatever comes after the cut is read only. */
			if (!put_place(&out, &at, out.len > max ? NULL : values,
				&next))
				goto bad;
		} else if (*at == '}') {
			goto bad;
		} else {
			if (out.len <= max)
				wire_put_raw(&out, at, 1);
			at++;
		}
	}
	return cut(&out, max);
bad:
	wire_free(&out);
	return NULL;
}
