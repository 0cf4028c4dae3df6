/*
 * Extended JSON: a table of the forms there are, one check for each.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ejson.h"

/* 0001-01-01 to 9999-12-31, all that the API's dates can say. */
#define DATE_LEAST (-62135596800000)
#define DATE_MOST 253402300799999

static bool
is_datetime(json_t *value)
{
	json_int_t ms = json_integer_value(value);

	return json_is_integer(value) && ms >= DATE_LEAST && ms <= DATE_MOST;
}

/* So many digits at *textp, which moves past them; -1 when there are not. */
static int
digits(const char **textp, int count)
{
	int value = 0;

	for (; count > 0; count--, (*textp)++) {
		if (**textp < '0' || **textp > '9')
			return -1;
		value = value * 10 + (**textp - '0');
	}
	return value;
}

static bool
skip(const char **textp, char c)
{
	if (**textp != c)
		return false;
	(*textp)++;
	return true;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool
is_date(json_t *value)
{
	const char *text = json_string_value(value);
	int year, month, day;

	if (text == NULL || (year = digits(&text, 4)) < 1 ||
	    !skip(&text, '-') || (month = digits(&text, 2)) < 1 || month > 12 ||
	    !skip(&text, '-') || (day = digits(&text, 2)) < 1)
		return false;
	return day <= days_in(year, month) && *text == '\0';
}

static bool
is_time(json_t *value)
{
	const char *text = json_string_value(value);
	int hour, minute, second;
	size_t len;

	if (text == NULL || (hour = digits(&text, 2)) < 0 || hour > 23 ||
	    !skip(&text, ':') || (minute = digits(&text, 2)) < 0 ||
	    minute > 59 || !skip(&text, ':') ||
	    (second = digits(&text, 2)) < 0 || second > 59)
		return false;
	if (*text == '\0')
		return true;
	if (!skip(&text, '.'))
		return false;
	len = strlen(text);
	return len >= 1 && len <= 6 && strspn(text, "0123456789") == len;
}

static bool
is_set(json_t *value)
{
	json_t *member;
	size_t i;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, member)
		if (json_is_array(member) || ejson_kind(member) == EJSON_SET ||
		    (json_is_object(member) &&
			ejson_kind(member) == EJSON_PLAIN))
			return false;
	return true;
}

/* Its length, or all of the address when it has none; -1: a wrong one. */
static int
interface_length(const char *text, int most)
{
	size_t len;
	int value;

	if (text == NULL)
		return most;
	len = strlen(text);
	if (len < 1 || len > 3 || strspn(text, "0123456789") != len)
		return -1;
	value = (int)strtol(text, NULL, 10);
	return value <= most ? value : -1;
}

static bool
is_interface(json_t *value, int family, int most)
{
	char text[INET6_ADDRSTRLEN + 4], canonical[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	char *slash;
	int length;

	if (!json_is_string(value) || json_string_length(value) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%s", json_string_value(value));
	if ((slash = strchr(text, '/')) != NULL)
		*slash++ = '\0';
	length = interface_length(slash, most);
	if (length == -1 || inet_pton(family, text, address) != 1)
		return false;
	inet_ntop(family, address, canonical, sizeof(canonical));
	snprintf(text, sizeof(text), "%s/%d", canonical, length);
	json_string_set(value, text);
	return true;
}

static bool
is_ipv4_interface(json_t *value)
{
	return is_interface(value, AF_INET, 32);
}

static bool
is_ipv6_interface(json_t *value)
{
	return is_interface(value, AF_INET6, 128);
}

/* clang-format off */
static const struct {
	enum ejson_kind kind;
	const char *key;	/* of the one member, or of the value */
	bool (*check)(json_t *value);
	const char *why;
} forms[] = {
	{ EJSON_DATETIME, "$date", is_datetime,
	  "$date is not a number of milliseconds" },
	{ EJSON_DATE, "$value", is_date, "$value is not a date" },
	{ EJSON_TIME, "$time", is_time, "$time is not a time of day" },
	{ EJSON_SET, "$set", is_set,
	  "$set is not an array of simple values" },
	{ EJSON_IPV4_INTERFACE, "$ipv4_interface", is_ipv4_interface,
	  "$ipv4_interface is not an address with a length" },
	{ EJSON_IPV6_INTERFACE, "$ipv6_interface", is_ipv6_interface,
	  "$ipv6_interface is not an address with a length" },
};
/* clang-format on */

#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* Which row it is; FORMS: none. */
static size_t
form_of(const json_t *value)
{
	const char *type;
	size_t i, members = json_object_size(value);

	if (members == 2) {
		type = json_string_value(json_object_get(value, "$type"));
		if (type == NULL || strcmp(type, "date") != 0)
			return FORMS;
	} else if (members != 1)
		return FORMS;
	for (i = 0; i < FORMS; i++)
		if ((members == 2) == (forms[i].kind == EJSON_DATE) &&
		    json_object_get(value, forms[i].key) != NULL)
			return i;
	return FORMS;
}

enum ejson_kind
ejson_kind(const json_t *value)
{
	size_t form = form_of(value);

	return form == FORMS ? EJSON_PLAIN : forms[form].kind;
}

int
ejson_check(json_t *value, const char **whyp)
{
	json_t *member;
	const char *key;
	size_t i, form;

	json_array_foreach(value, i, member)
		if (ejson_check(member, whyp) == -1)
			return -1;
	json_object_foreach(value, key, member)
		if (ejson_check(member, whyp) == -1)
			return -1;
	form = form_of(value);
	if (form == FORMS)
		return 0;
	if (forms[form].check(json_object_get(value, forms[form].key)))
		return 0;
	*whyp = forms[form].why;
	return -1;
}
