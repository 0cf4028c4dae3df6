/*
 * Arguments of programs, hidden: see hide.h.
 */
#include "audit/hide.h"

#include <string.h>

#include "lib/json.h"

#define HIDDEN "********"

/* clang-format off */
static const char *const services[] = { "SYSTEM", "SUDO" };

/* Members of event_data, however deep: of the kernel's records and sudo's. */
static const char *const members[] = { HIDE_SALT, "proctitle", "arguments",
	"data", "cmd", "runargv", "submitargv", "runenv", "submitenv" };
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool
is_among(const char *name, const char *const *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* As deep as json_parse() lets it be: JSON_DEPTH_MAX. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void
hide_in(json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	json_array_foreach(value, i, member)
		hide_in(member);
	json_object_foreach(value, name, member) {
		if (!is_among(name, members, COUNT(members)))
			hide_in(member);
		else if (!json_is_null(member))
			json_object_set_new(value, name, json_string(HIDDEN));
	}
}

void
record_hide_arguments(json_t *record)
{
	if (is_among(
		json_str(record, "service", ""), services, COUNT(services)))
		hide_in(json_object_get(record, "event_data"));
}

/* A letter of these names may be written as \uXXXX. */
bool
line_may_hide(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < COUNT(services); i++)
		if (memmem(line, len, services[i], strlen(services[i])) != NULL)
			return true;
	return memmem(line, len, "\\u", 2) != NULL;
}
