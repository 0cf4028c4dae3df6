/*
 * The account files as the monitor reads them for core: see account_lines.h.
 */
#include "system/account_lines.h"

#include <stdlib.h>

#include "core/op.h"
#include "lib/message.h"

static int
get_user(struct wire_in *in, struct user_line *line)
{
	line->name = wire_get_str(in, MESSAGE_INLINE_MAX);
	line->managed = wire_get_u8(in) != 0;
	line->uid = wire_get_u32(in);
	line->gid = wire_get_u32(in);
	line->gecos = wire_get_str(in, MESSAGE_INLINE_MAX);
	line->home = wire_get_str(in, MESSAGE_INLINE_MAX);
	line->shell = wire_get_str(in, MESSAGE_INLINE_MAX);
	return in->bad ? -1 : 0;
}

static void
user_free(struct user_line *line)
{
	free(line->name);
	free(line->gecos);
	free(line->home);
	free(line->shell);
}

static int
get_group(struct wire_in *in, struct group_line *line)
{
	uint32_t members;
	char *name;

	line->name = wire_get_str(in, MESSAGE_INLINE_MAX);
	line->managed = wire_get_u8(in) != 0;
	line->gid = wire_get_u32(in);
	line->members = json_array();
	for (members = wire_get_u32(in); members > 0 && !in->bad; members--) {
		name = wire_get_str(in, MESSAGE_INLINE_MAX);
		if (name != NULL)
			json_array_append_new(line->members, json_string(name));
		free(name);
	}
	return in->bad ? -1 : 0;
}

static void
group_free(struct group_line *line)
{
	free(line->name);
	json_decref(line->members);
}

static void
each_user(struct wire_in *in, const struct line_readers *read, void *arg)
{
	uint32_t count = wire_get_u32(in);
	struct user_line line;
	bool more = read->user != NULL;

	for (; count > 0 && !in->bad; count--) {
		if (get_user(in, &line) == 0 && more)
			more = read->user(&line, arg);
		user_free(&line);
	}
}

static void
each_group(struct wire_in *in, const struct line_readers *read, void *arg)
{
	uint32_t count = wire_get_u32(in);
	struct group_line line;
	bool more = read->group != NULL;

	for (; count > 0 && !in->bad; count--) {
		if (get_group(in, &line) == 0 && more)
			more = read->group(&line, arg);
		group_free(&line);
	}
}

static void
each_shell(struct wire_in *in, const struct line_readers *read, void *arg)
{
	uint32_t count = wire_get_u32(in);
	bool more = read->shell != NULL;
	char *path;

	for (; count > 0 && !in->bad; count--) {
		path = wire_get_str(in, MESSAGE_INLINE_MAX);
		if (path != NULL && more)
			more = read->shell(path, arg);
		free(path);
	}
}

int
account_lines(
    const struct op_reply *reply, const struct line_readers *read, void *arg)
{
	struct wire_in in = reply->body;

	if (reply->error != 0)
		return -1;
	each_user(&in, read, arg);
	each_group(&in, read, arg);
	each_shell(&in, read, arg);
	return wire_end(&in);
}
