/*
 * The end of everything that somebody does here: see account_end.h.
 */
#include "core/account_end.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/sessions.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 5000
#define NOTE "account.end/" /* and the change's number */

/* By change: how many things are not ended yet. */
static json_t *left;

/* One kind of thing that ends, tried until it did. */
struct ending {
	int64_t change;
	enum message_type type;
	const char *what;
	uid_t uid;
	char *username;
	char *key; /* of the problem */
};

static void attempt(void *);

/* --- The note ------------------------------------------------------------- */

static json_t *
read_note(const char *name)
{
	char *text = store_value(core_store(), name);
	json_t *who =
	    text != NULL ? json_parse(text, strlen(text), NULL) : NULL;

	free(text);
	return who;
}

void
account_end_add(json_t *who, uid_t uid, const char *username, bool processes)
{
	json_array_append_new(who,
	    json_pack("{s:I, s:s, s:b}", "uid", (json_int_t)uid, "username",
		username, "processes", processes));
}

int
account_end_note(int64_t change, const json_t *who)
{
	char *name = xasprintf(NOTE "%" PRId64, change), *text;
	json_t *all = read_note(name); /* of a start that was cut off */
	int rc;

	if (all == NULL)
		all = json_array();
	json_array_extend(all, (json_t *)(uintptr_t)who);
	text = json_text(all);
	rc = store_set_value(core_store(), name, text);
	if (rc == -1)
		log_error("account.end", "%s: %s", name, strerror(errno));
	json_decref(all);
	free(text);
	free(name);
	return rc;
}

void
account_end_forget(int64_t change)
{
	char *name = xasprintf(NOTE "%" PRId64, change);

	if (store_set_value(core_store(), name, NULL) == -1)
		log_warn("account.end", "%s: %s", name, strerror(errno));
	free(name);
}

/* --- The end -------------------------------------------------------------- */

/* More of them, or less: without any the note goes. */
static void
count(int64_t change, int more)
{
	char *number = xasprintf("%" PRId64, change);
	int64_t n;

	if (left == NULL)
		left = json_object();
	n = json_int(left, number, 0) + more;
	if (n > 0)
		json_object_set_new(left, number, json_integer(n));
	else
		json_object_del(left, number);
	/* An orderly stop gives up: the next start tries again. */
	if (n == 0 && !core_stopping())
		account_end_forget(change);
	free(number);
}

static void
ending_free(struct ending *e)
{
	core_problem_clear(e->key);
	count(e->change, -1);
	free(e->username);
	free(e->key);
	free(e);
}

/* Was he let in again, whom a lock has ended? */
static bool
is_let_in(uid_t number)
{
	json_t *uid = json_integer(number);
	int64_t id = entry_by(resource_find("user"), "uid", uid);
	const json_t *user = NULL;

	json_decref(uid);
	if (id != -1)
		user = store_get(core_store(), "user", id);
	return user != NULL && !json_bool(user, "locked", false);
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
	if (e->type == MSG_OP_END_SSH)
		ssh_list_look();
	ending_free(e);
}

static void
attempt(void *arg)
{
	struct ending *e = arg;
	struct wire_out out = { 0 };

	/* Processes end with a lock; whoever was let in again keeps his. */
	if (core_stopping() ||
	    (e->type == MSG_OP_END_PROCESSES && is_let_in(e->uid))) {
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
begin(int64_t change, enum message_type type, const char *what,
    const json_t *whom)
{
	struct ending *e = xcalloc(1, sizeof(*e));

	e->change = change;
	e->type = type;
	e->what = what;
	e->uid = (uid_t)json_int(whom, "uid", -1);
	e->username = xstrdup(json_str(whom, "username", ""));
	e->key =
	    xasprintf("account.end.%d.%u", (int)type, (unsigned int)e->uid);
	count(change, 1);
	attempt(e);
}

void
account_end(int64_t change, const json_t *who)
{
	json_t *whom;
	size_t i;

	count(change, 1); /* until all have begun */
	json_array_foreach(who, i, whom) {
		sessions_end_account((uid_t)json_int(whom, "uid", -1));
		begin(change, MSG_OP_END_SSH, "SSH sessions", whom);
		if (json_bool(whom, "processes", false))
			begin(change, MSG_OP_END_PROCESSES, "processes", whom);
	}
	count(change, -1);
}

/* --- After a crash -------------------------------------------------------- */

struct seeking {
	int64_t change;
	bool committed;
};

static bool
look_at(const struct revision *r, void *arg)
{
	struct seeking *s = arg;

	if (r->change == s->change)
		s->committed = r->state == REVISION_COMMITTED;
	return false;
}

/* One of which nothing is known any more was. */
static bool
is_committed(int64_t change)
{
	struct seeking s = { .change = change, .committed = true };

	return change == ACCOUNT_END_AT_START ||
	    store_history(core_store(), change, look_at, &s) == -1 ||
	    s.committed;
}

/* Those of a note who are to be ended still; a new array. */
static json_t *
still_to_end(const json_t *note)
{
	json_t *who =
	    json_parse(json_string_value(note), json_string_length(note), NULL);
	const json_t *whom;
	size_t i;

	for (i = json_array_size(who); i-- > 0;) {
		whom = json_array_get(who, i);
		if (json_bool(whom, "processes", false) &&
		    is_let_in((uid_t)json_int(whom, "uid", -1)))
			json_array_remove(who, i);
	}
	return who;
}

void
account_end_resume(void)
{
	json_t *notes, *note, *who;
	const char *number;
	int64_t change;

	if (core_store() == NULL)
		return;
	notes = store_values(core_store(), NOTE);
	json_object_foreach(notes, number, note) {
		change = strtoll(number, NULL, 10);
		if (!is_committed(change)) {
			account_end_forget(change);
			continue;
		}
		who = still_to_end(note);
		account_end(change, who);
		json_decref(who);
	}
	json_decref(notes);
}
