/*
 * The end of everything that somebody does here: see account_end.h.
 */
#include "core/account_end.h"

#include <stdlib.h>

#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/sessions.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 5000

/* One kind of thing that ends, tried until it did. */
struct ending {
	enum message_type type;
	const char *what;
	uid_t uid;
	char *username;
	char *key; /* of the problem */
};

static void attempt(void *);

static void
ending_free(struct ending *e)
{
	core_problem_clear(e->key);
	free(e->username);
	free(e->key);
	free(e);
}

/* Processes end with a lock; whoever was let in again keeps his. */
static bool
is_let_in(const struct ending *e)
{
	json_t *uid = json_integer(e->uid);
	int64_t id = entry_by(resource_find("user"), "uid", uid);
	const json_t *user = NULL;

	json_decref(uid);
	if (id != -1)
		user = store_get(core_store(), "user", id);
	return e->type == MSG_OP_END_PROCESSES && user != NULL &&
	    !json_bool(user, "locked", false);
}

static void
ended(const struct op_reply *reply, void *arg)
{
	struct ending *e = arg;
	struct wire_in body = reply->body;

	if (reply->error != 0) {
		log_error("account.end", "the %s of %s: %s", e->what,
		    e->username, reply->text);
		core_problem(e->key,
		    "%s may do nothing any more, but %s are still there: %s",
		    e->username, e->what, reply->text);
		core_after(RETRY_MS, attempt, e);
		return;
	}
	log_info("account.end", "%u %s of %s", wire_get_u32(&body), e->what,
	    e->username);
	ending_free(e);
}

static void
attempt(void *arg)
{
	struct ending *e = arg;
	struct wire_out out = { 0 };

	if (core_stopping() || is_let_in(e)) {
		ending_free(e);
		return;
	}
	wire_put_u32(&out, e->uid);
	if (e->type == MSG_OP_END_SSH) {
		wire_put_u32(&out, 0);
		wire_put_u64(&out, 0);
	}
	op_request(e->type, &out, -1, ended, e);
	wire_free(&out);
}

static void
begin(enum message_type type, const char *what, uid_t uid, const char *username)
{
	struct ending *e = xcalloc(1, sizeof(*e));

	e->type = type;
	e->what = what;
	e->uid = uid;
	e->username = xstrdup(username);
	e->key = xasprintf("account.end.%d.%u", (int)type, (unsigned int)uid);
	attempt(e);
}

void
account_end(uid_t uid, const char *username, bool processes)
{
	sessions_end_account(uid);
	begin(MSG_OP_END_SSH, "SSH sessions", uid, username);
	if (processes)
		begin(MSG_OP_END_PROCESSES, "processes", uid, username);
}
