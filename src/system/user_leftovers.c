/*
 * user.leftovers: the files that an account left behind when it was removed,
 * or would, wherever they are.  Looked for in one tree after the other; each
 * look is bounded by the monitor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/job.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/user_internal.h"

#define SHOWN_MAX 1000 /* of each tree; all are counted */
#define PATH_LENGTH 16384

/* clang-format off */
const struct field user_leftovers_params[] = {
	{ .name = "uid", .type = F_INT, .flags = FF_REQUIRED, .min = 1,
	  .max = UINT32_MAX - 1, .doc = "The account's number." },
	FIELD_END
};

static const char *const kinds[] = { "AT_JOB", "CRONTAB", "FILE", "KEYS",
	"MAIL", NULL };

static const struct field file_fields[] = {
	{ .name = "path", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Where it is." },
	{ .name = "kind", .type = F_ENUM, .choices = kinds,
	  .flags = FF_REQUIRED, .doc = "What it is." },
	FIELD_END
};
static const struct field file = { .name = "file", .type = F_OBJECT,
	.fields = file_fields, .model = "UserLeftover",
	.doc = "One of them." };

static const struct field result_fields[] = {
	{ .name = "files", .type = F_ARRAY, .fields = &file,
	  .flags = FF_REQUIRED, .doc = "The first thousand of each tree." },
	{ .name = "count", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "How many there are." },
	{ .name = "complete", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Was everything looked at?" },
	FIELD_END
};
const struct field user_leftovers_result = { .name = "result",
	.type = F_OBJECT, .fields = result_fields, .model = "UserLeftovers",
	.doc = "What there is of its files." };

/* What stands somewhere is something: the first that fits. */
static const struct {
	const char *begin, *end, *kind;
} places[] = {
	{ "/var/mail/", "", "MAIL" },
	{ "/var/spool/mail/", "", "MAIL" },
	{ "/var/spool/cron/crontabs/", "", "CRONTAB" },
	{ "/var/spool/cron/atjobs/", "", "AT_JOB" },
	{ "/", "/.ssh/authorized_keys", "KEYS" },
	{ "/", "", "FILE" }
};
/* clang-format on */

struct look {
	struct call *call;
	uint32_t tree;
	int64_t count;
	bool complete;
	json_t *files;
};

static void look_next(struct look *);

static const char *
kind_of(const char *path)
{
	size_t i = 0, len = strlen(path), end;

	for (;; i++) {
		end = strlen(places[i].end);
		if (strncmp(path, places[i].begin, strlen(places[i].begin)) ==
			0 &&
		    len >= end && strcmp(path + len - end, places[i].end) == 0)
			return places[i].kind;
	}
}

/* A name may be any bytes; where they are no text, as much as can be. */
static json_t *
shown(char *path)
{
	json_t *text = json_string(path);
	char *at;

	if (text != NULL)
		return text;
	for (at = path; *at != '\0'; at++)
		if ((unsigned char)*at >= 128)
			*at = '?';
	return json_string(path);
}

/* 0, or -1 when the answer is malformed. */
static int
take(struct look *l, struct wire_in *body)
{
	const char *kind;
	uint32_t count;
	char *path;

	l->count += (int64_t)wire_get_u64(body);
	for (count = wire_get_u32(body); count > 0 && !body->bad; count--) {
		path = wire_get_str(body, PATH_LENGTH);
		if (path == NULL)
			return -1;
		kind = kind_of(path);
		json_array_append_new(l->files,
		    json_pack("{s:o, s:s}", "path", shown(path), "kind", kind));
		free(path);
	}
	if (wire_get_u8(body) != 0)
		l->complete = false;
	return wire_end(body);
}

static void
finish(struct look *l, int error, const char *text)
{
	if (error != 0)
		call_fail(
		    l->call, error, "The files cannot be looked for: %s", text);
	else
		call_reply(l->call,
		    json_pack("{s:O, s:I, s:b}", "files", l->files, "count",
			(json_int_t)l->count, "complete", l->complete));
	json_decref(l->files);
	free(l);
}

static void
looked(const struct op_reply *reply, void *arg)
{
	struct look *l = arg;
	struct wire_in body = reply->body;

	if (reply->error != 0)
		finish(l, reply->error, reply->text);
	else if (take(l, &body) == -1)
		finish(l, EPROTO, "malformed answer");
	else {
		l->tree++;
		look_next(l);
	}
}

static void
look_next(struct look *l)
{
	struct wire_out out = { 0 };
	int trees = (int)l->tree;

	if (owned_trees[l->tree] == NULL) {
		finish(l, 0, NULL);
		return;
	}
	do
		trees++;
	while (owned_trees[trees] != NULL);
	job_progress(
	    l->call->job, 100 * (int)l->tree / trees, owned_trees[l->tree]);
	wire_put_u32(
	    &out, (uint32_t)json_integer_value(call_param(l->call, 0)));
	wire_put_u32(&out, l->tree);
	wire_put_u32(&out, SHOWN_MAX);
	op_request(MSG_OP_FILES_OF, &out, -1, looked, l);
	wire_free(&out);
}

/* One look at a time: it keeps the disks busy. */
char *
user_leftovers_lock(const json_t *params)
{
	(void)params;
	return xstrdup("user.leftovers");
}

void
user_leftovers_run(struct call *call)
{
	struct look *l = xcalloc(1, sizeof(*l));

	l->call = call;
	l->complete = true;
	l->files = json_array();
	look_next(l);
}
