/*
 * The end of everything that somebody does here: see account_end.h.
 */
#include "core/account_end.h"

#include <stdlib.h>

#include "core/op.h"
#include "core/sessions.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static void
ssh_ended(const struct op_reply *reply, void *arg)
{
	char *username = arg;
	struct wire_in body = reply->body;

	if (reply->error != 0)
		log_error("account.end", "the SSH sessions of %s: %s", username,
		    reply->text);
	else
		log_info("account.end", "%u SSH sessions of %s",
		    wire_get_u32(&body), username);
	free(username);
}

static void
processes_ended(const struct op_reply *reply, void *arg)
{
	char *username = arg;
	struct wire_in body = reply->body;

	if (reply->error != 0)
		log_error("account.end", "the processes of %s: %s", username,
		    reply->text);
	else
		log_info("account.end", "%u processes of %s",
		    wire_get_u32(&body), username);
	free(username);
}

static void
end_processes(uid_t uid, const char *username)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, uid);
	op_request(
	    MSG_OP_END_PROCESSES, &out, -1, processes_ended, xstrdup(username));
	wire_free(&out);
}

void
account_end(uid_t uid, const char *username, bool processes)
{
	struct wire_out out = { 0 };

	sessions_end_account(uid);
	wire_put_u32(&out, uid);
	wire_put_u32(&out, 0);
	wire_put_u64(&out, 0);
	op_request(MSG_OP_END_SSH, &out, -1, ssh_ended, xstrdup(username));
	wire_free(&out);
	if (processes)
		end_processes(uid, username);
}
