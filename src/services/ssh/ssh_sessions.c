/*
 * Who is here by SSH: the methods.  The list is core/ssh_list.h's.
 */
#include "services/ssh/ssh_sessions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/op.h"
#include "core/query.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* clang-format off */
static const struct field entry_fields[] = {
	{ .name = "id", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Of this session and no other one." },
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Who logged in; null when the account is gone." },
	{ .name = "uid", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "The account's number." },
	{ .name = "address", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Where the client is." },
	{ .name = "port", .type = F_INT, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "The client's TCP port." },
	{ .name = "since", .type = F_ANY, .flags = FF_REQUIRED | FF_DATE,
	  .doc = "When the client connected." },
	{ .name = "tty", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Its terminal." },
	{ .name = "command", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "What runs in its foreground." },
	{ .name = "pid", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Of the server's process that serves it." },
	FIELD_END
};
static const struct field entry = { .name = "item", .type = F_OBJECT,
	.fields = entry_fields, .doc = "A session." };
const struct field ssh_session_list = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .flags = FF_REQUIRED, .doc = "The sessions." };

const struct field ssh_terminate_params[] = {
	{ .name = "id", .type = F_STR, .flags = FF_REQUIRED, .max = 64,
	  .doc = "The session's id." },
	FIELD_END
};
const struct field ssh_terminated = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Was there such a session?" };
/* clang-format on */

char *
ssh_terminate_suffix(const json_t *params)
{
	return xstrdup(json_string_value(json_array_get(params, 0)));
}

static void
listed(json_t *sessions, int error, const char *text, void *arg)
{
	if (sessions != NULL)
		query_reply(arg, sessions);
	else
		call_fail(arg, error,
		    "The SSH sessions could not be asked for: %s", text);
}

void
ssh_sessions_run(struct call *call)
{
	ssh_list_ask(listed, call);
}

static void
terminated(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in body = reply->body;
	uint32_t n = wire_get_u32(&body);

	if (reply->error != 0) {
		call_fail(call, reply->error,
		    "The session could not be ended: %s", reply->text);
		return;
	}
	if (n > 0)
		log_info("ssh.terminated", "%s by %s",
		    json_string_value(call_param(call, 0)), call_user(call));
	ssh_list_look();
	call_reply(call, json_boolean(n > 0));
}

int
ssh_session_parse(const char *id, uint32_t *pidp, uint64_t *startp)
{
	char *end;
	unsigned long long pid, start;

	if (strspn(id, "0123456789-") != strlen(id) || *id == '-')
		return -1;
	errno = 0;
	pid = strtoull(id, &end, 10);
	if (*end != '-' || pid > INT32_MAX)
		return -1;
	id = end + 1;
	start = strtoull(id, &end, 10);
	if (end == id || *id == '-' || *end != '\0' || errno != 0)
		return -1;
	*pidp = (uint32_t)pid;
	*startp = start;
	return 0;
}

void
ssh_terminate_session_run(struct call *call)
{
	struct wire_out out = { 0 };
	uint64_t start;
	uint32_t pid;

	if (ssh_session_parse(
		json_string_value(call_param(call, 0)), &pid, &start) == -1) {
		call_reply(call, json_false());
		return;
	}
	wire_put_u32(&out, UINT32_MAX);
	wire_put_u32(&out, pid);
	wire_put_u64(&out, start);
	op_request(MSG_OP_END_SSH, &out, -1, terminated, call);
	wire_free(&out);
}
