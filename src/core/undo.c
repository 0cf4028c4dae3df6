/*
 * Taking a change back: see undo.h.
 *
 *	restore files, the last first -> reload or restart services -> UNDONE
 *
 * A service that does not come back is told of, but nothing to wait for: what
 * it shall obey is in place.
 */
#include "core/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/serial.h"
#include "lib/digest.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 1000

struct undoing {
	const char *resource;
	int64_t change;
	bool restore[OUTPUTS_MAX]; /* still to be restored */
	char *previous[OUTPUTS_MAX]; /* accounts only */
	char *ours[OUTPUTS_MAX]; /* shared ones only: digest of what goes */
	struct change *taken; /* until done is called */
	bool running[DAEMONS_MAX]; /* to be controlled afterwards */
	int at;
	json_t *record;
	char *failed; /* in this attempt: what, and why */
	void (*done)(const char *, void *); /* NULL: was called */
	void *arg;
};

static bool held[OUTPUTS_MAX]; /* until they are restored */

static void attempt(void *);
static void restore_next(struct undoing *);
static void control_next(struct undoing *);

static void
enter(void *arg)
{
	serial_enter(attempt, arg);
}

/*
 * The first attempt ends within the change's turn, which its done ends.  The
 * record is for that one: the outbox may have delivered it by the next.
 */
static void
leave(struct undoing *u)
{
	if (u->done == NULL) {
		serial_leave();
		return;
	}
	u->done(u->failed, u->arg);
	u->done = NULL;
	u->taken = NULL;
	json_decref(u->record);
	u->record = NULL;
}

static void
settled(struct undoing *u)
{
	int output;

	core_problem_clear(u->resource);
	log_info("undo.done", "%s: revision %lld", u->resource,
	    (long long)u->change);
	leave(u);
	for (output = 0; output < output_count; output++) {
		freezero_str(u->previous[output]);
		free(u->ours[output]);
	}
	free(u->failed);
	free(u);
}

/* Logged once, shown by status until it is settled. */
static void
not_settled(struct undoing *u)
{
	if (u->done != NULL)
		log_error("undo.failed", "%s: %s", u->resource, u->failed);
	core_problem(u->resource,
	    "A change of %s is not yet taken back, this is tried again: %s",
	    u->resource, u->failed);
	core_after(RETRY_MS, enter, u);
	leave(u);
	free(u->failed);
	u->failed = NULL;
}

static void
tell_store(struct undoing *u)
{
	if (store_end(core_store(), u->change, REVISION_UNDONE, u->record) ==
	    0) {
		settled(u);
		return;
	}
	if (u->failed == NULL)
		u->failed = xasprintf(
		    "The store cannot be written (%s)", strerror(errno));
	not_settled(u);
}

static void
controlled(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;

	if (reply->error != 0) {
		free(u->failed);
		u->failed = xasprintf("%s did not come back (%s)",
		    daemons[u->at].name, reply->text);
		log_error("undo.service", "%s: %s", u->resource, u->failed);
	}
	u->running[u->at] = false;
	control_next(u);
}

static void
status_known(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;
	struct wire_in body = reply->body;
	uint8_t state = wire_get_u8(&body);

	/* Stopped between two attempts, it was somebody's will. */
	if (u->done == NULL && reply->error == 0 && state == STATE_STOPPED) {
		u->running[u->at] = false;
		control_next(u);
		return;
	}
	op_run_verb((int)daemons[u->at].service, (uint32_t)u->at,
	    reply->error == 0 && state == STATE_RUNNING ?
		daemon_rules_of(u->at)->verb :
		VERB_RESTART,
	    controlled, u);
}

static void
control_next(struct undoing *u)
{
	for (u->at = 0; u->at < daemon_count; u->at++)
		if (u->running[u->at])
			break;
	if (u->at == daemon_count) {
		tell_store(u);
		return;
	}
	op_ask_state(
	    (int)daemons[u->at].service, (uint32_t)u->at, status_known, u);
}

static void
restored(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;
	struct wire_in body = reply->body;

	if (reply->error != 0) {
		u->failed = xasprintf("%s cannot be restored (%s)",
		    outputs[u->at].name, reply->text);
		not_settled(u);
		return;
	}
	if (u->previous[u->at] == NULL && wire_get_u8(&body) != 0) {
		installed_edited(u->at);
		if (u->taken != NULL)
			u->taken->edited = &outputs[u->at];
	}
	u->restore[u->at] = false;
	held[u->at] = false;
	restore_next(u);
}

static void
restore_next(struct undoing *u)
{
	struct wire_out out = { 0 };
	const char *previous;

	for (u->at = output_count - 1; u->at >= 0; u->at--)
		if (u->restore[u->at])
			break;
	if (u->at < 0) {
		control_next(u);
		return;
	}
	wire_put_u32(&out, (uint32_t)u->at);
	previous = u->previous[u->at];
	if (previous != NULL)
		wire_put_bytes(&out, previous, strlen(previous));
	else if (u->ours[u->at] != NULL)
		wire_put_str(&out, u->ours[u->at]);
	op_request(
	    previous != NULL ? MSG_OP_INSTALL_ACCOUNTS : MSG_OP_RESTORE_OUTPUT,
	    &out, -1, restored, u);
	wire_free(&out);
}

static void
attempt(void *arg)
{
	restore_next(arg);
}

static struct undoing *
undoing_new(const char *resource, int64_t change, const json_t *record,
    void (*done)(const char *, void *), void *arg)
{
	struct undoing *u = xcalloc(1, sizeof(*u));

	u->resource = resource;
	u->change = change;
	u->record = json_incref((json_t *)(uintptr_t)record);
	u->done = done;
	u->arg = arg;
	return u;
}

static char *
digest_of(const char *content)
{
	char *text = xmalloc(DIGEST_TEXT);

	digest_text(content, strlen(content), text);
	return text;
}

void
undo_change(struct change *c, const json_t *record,
    void (*done)(const char *, void *), void *arg)
{
	struct undoing *u =
	    undoing_new(c->resource->name, c->revision, record, done, arg);
	bool any = false;
	int i;

	for (i = 0; i < output_count; i++) {
		u->restore[i] = held[i] = c->steps[i].installed;
		any = any || u->restore[i];
		if (u->restore[i] && outputs[i].accounts)
			u->previous[i] = xstrdup(c->steps[i].previous);
		if (u->restore[i] && outputs[i].shared)
			u->ours[i] = digest_of(c->steps[i].content);
	}
	u->taken = c;
	for (i = 0; i < daemon_count; i++)
		u->running[i] =
		    any && c->reached[i].affected && c->reached[i].running;
	attempt(u);
}

void
undo_revision(const char *resource, int64_t change,
    void (*done)(const char *, void *), void *arg)
{
	attempt(undoing_new(resource, change, NULL, done, arg));
}

bool
undo_holds(int output)
{
	return held[output];
}
