/*
 * The store follows what the monitor put back: the entries get what they were
 * before, in a change of its own that names what it takes back.  Its files are
 * there already, so as a rule nothing is installed by it; what is beside files
 * is done as in any change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/confirm_internal.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/resource.h"
#include "core/sealed.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 2000
#define PROBLEM "confirm"

static struct {
	bool busy;
	void (*done)(void); /* NULL: nobody waits */
} settling;

/* Those who wait until nothing is left of it (confirm_take_back). */
static struct waiter {
	struct waiter *next;
	void (*done)(void *);
	void *arg;
} * waiters;

static void
call_waiters(void)
{
	struct waiter *w;

	while ((w = waiters) != NULL) {
		waiters = w->next;
		w->done(w->arg);
		free(w);
	}
}

struct call *
confirm_call(const char *what)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	const struct waiting *w = confirm_waiting();
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method_find(json_str(w->what, "method", ""));
	if (call->method == NULL)
		call->method = method_find("config.take_back");
	call->session = session_new(
	    "root", 0, "confirmation", CREDENTIAL_UNIX_SOCKET, full);
	call->params = json_array();
	call->given = json_array();
	call->description = xstrdup(what);
	return call;
}

/* --- The end -------------------------------------------------------------- */

static void
ended(void)
{
	void (*done)(void) = settling.done;

	settling.busy = false;
	settling.done = NULL;
	if (done != NULL)
		done();
}

static void
again(void *arg)
{
	(void)arg;
	confirm_settle();
}

static void
failed(const char *why)
{
	char *what = confirm_text();

	log_error("confirm.settle", "%s is not taken back: %s", what, why);
	core_problem(PROBLEM,
	    "%s was not confirmed and is not yet taken back, this is tried "
	    "again: %s",
	    what, why);
	free(what);
	/* At the start, core goes on by itself when it serves. */
	if (settling.done == NULL)
		core_after(RETRY_MS, again, NULL);
	ended();
	call_waiters();
}

static void
released(const struct op_reply *reply, void *arg)
{
	struct waiting *w = confirm_waiting();
	char *what;

	(void)arg;
	if (reply->error != 0 && reply->error != ESTALE) {
		failed(reply->text);
		return;
	}
	what = confirm_text();
	log_warn("confirm.over", "%s was taken back", what);
	free(what);
	core_problem_clear(PROBLEM);
	alert_raise("ChangeNotConfirmed", json_str(w->what, "resource", ""),
	    json_pack("{s:s, s:s}", "what", json_str(w->what, "resource", ""),
		"user", json_str(w->what, "username", "")));
	confirm_ended();
	ended();
	call_waiters();
}

static void
answered(json_t *answer, bool success, void *arg)
{
	(void)arg;
	if (success)
		confirm_release(true, released, NULL);
	else
		failed(json_str(json_object_get(answer, "data"), "reason",
		    json_str(answer, "message", "")));
	json_decref(answer);
}

/* --- What it was ---------------------------------------------------------- */

/* Is the entry as that change left it?  Not in a store of another time. */
static bool
is_as_left(const char *resource, int64_t id, size_t edits)
{
	int64_t change = json_int(confirm_waiting()->what, "change", 0);
	int64_t revision = store_revision(core_store(), resource, id);

	return revision >= change && revision < change + (int64_t)edits;
}

/* [{resource, entry, after}] of change_submit_back(); NULL with *whyp. */
static json_t *
former(char **whyp)
{
	const json_t *edits = json_object_get(confirm_waiting()->what, "edits");
	json_t *list = json_array(), *item, *before;
	const char *resource;
	int64_t id;
	size_t i;

	json_array_foreach(edits, i, item) {
		resource = json_str(item, "resource", "");
		id = json_int(item, "entry", -1);
		if (resource_find(resource) == NULL ||
		    !is_as_left(resource, id, json_array_size(edits)))
			continue;
		before = json_object_get(item, "before");
		before = json_is_null(before) ?
		    json_null() :
		    sealed_form.from_disk(
			STORE_REVISION, resource, id, before, whyp);
		if (before == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list,
		    json_pack("{s:s, s:I, s:o}", "resource", resource, "entry",
			(json_int_t)id, "after", before));
	}
	return list;
}

static void
submit(void)
{
	const struct waiting *w = confirm_waiting();
	char *text, *why = NULL;
	json_t *differences = former(&why);
	const json_t *kept;
	struct call *call;

	if (differences == NULL) {
		failed(why != NULL ? why : "what it was cannot be read");
		free(why);
		return;
	}
	text = xasprintf("Not confirmed, taken back: %s of %s, revision %lld",
	    json_str(w->what, "method", ""), json_str(w->what, "username", ""),
	    (long long)json_int(w->what, "change", 0));
	call = confirm_call(text);
	free(text);
	call->taker = answered;
	if ((kept = json_object_get(w->what, "kept")) != NULL)
		resource_find("service")->put_back(call, kept);
	else if (json_array_size(differences) == 0)
		call_reply(call, json_null());
	else
		change_submit_back(call, differences);
	json_decref(differences);
}

/* --- What is installed ---------------------------------------------------- */

/*
 * What the monitor put there is ours: it was.  By its digest, as somebody may
 * have edited the file since.
 */
static void
told(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	struct confirm_output outputs_held[OUTPUTS_MAX];
	size_t i, n;

	(void)arg;
	if (reply->error != 0) {
		failed(reply->text);
		return;
	}
	n = confirm_outputs(&body, outputs_held);
	for (i = 0; i < n; i++) {
		installed_known(outputs_held[i].output, outputs_held[i].digest);
		if (outputs_held[i].edited)
			installed_edited(outputs_held[i].output);
	}
	submit();
}

void
confirm_settle(void)
{
	/* Without its store core says nothing of it; a later start does. */
	if (settling.busy || core_store() == NULL)
		return;
	settling.busy = true;
	op_request(MSG_OP_HELD, NULL, -1, told, NULL);
}

void
confirm_settle_then(void (*done)(void))
{
	settling.done = done;
	confirm_settle();
}

/* --- Early ---------------------------------------------------------------- */

static void
asked(const struct op_reply *reply, void *arg)
{
	(void)arg;
	/* Confirmed, or over, meanwhile: both come to an end by themselves. */
	if (reply->error != 0)
		log_info("confirm.back", "%s", reply->text);
	if (confirm_waiting()->state == HELD_NONE)
		call_waiters();
}

void
confirm_take_back(void (*done)(void *), void *arg)
{
	struct waiting *w = confirm_waiting();
	struct waiter *waiter;
	struct wire_out out = { 0 };

	if (w->state == HELD_NONE) {
		done(arg);
		return;
	}
	waiter = xcalloc(1, sizeof(*waiter));
	waiter->done = done;
	waiter->arg = arg;
	waiter->next = waiters;
	waiters = waiter;
	wire_put_str(&out, w->id);
	op_request(MSG_OP_TAKE_BACK, &out, -1, asked, NULL);
	wire_free(&out);
}
