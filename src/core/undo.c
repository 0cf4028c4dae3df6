/*
 * Taking a change back: see undo.h.
 *
 *	restore file -> reload or restart the service -> UNDONE
 *
 * A service that does not come back is told of, but nothing to wait for: what
 * it shall obey is in place.
 */
#include "core/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/op.h"
#include "core/serial.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 1000

struct undoing {
	const struct resource *resource;
	int64_t revision;
	bool installed; /* the file is still to be restored */
	bool running;
	json_t *record;
	char *failed; /* in this attempt: what, and why */
	void (*done)(const char *, void *); /* NULL: was called */
	void *arg;
};

static void attempt(void *);

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
	json_decref(u->record);
	u->record = NULL;
}

static void
settled(struct undoing *u)
{
	core_problem_clear(u->resource->name);
	log_info("undo.done", "%s: revision %lld", u->resource->name,
	    (long long)u->revision);
	leave(u);
	free(u->failed);
	free(u);
}

/* Logged once, shown by status until it is settled. */
static void
not_settled(struct undoing *u)
{
	if (u->done != NULL)
		log_error(
		    "undo.failed", "%s: %s", u->resource->name, u->failed);
	core_problem(u->resource->name,
	    "A change of %s is not yet taken back, this is tried again: %s",
	    u->resource->name, u->failed);
	core_after(RETRY_MS, enter, u);
	leave(u);
	free(u->failed);
	u->failed = NULL;
}

static void
tell_store(struct undoing *u)
{
	if (store_end(core_store(), u->revision, REVISION_UNDONE, u->record) ==
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
		u->failed = xasprintf("%s did not come back (%s)",
		    services[u->resource->service].name, reply->text);
		log_error(
		    "undo.service", "%s: %s", u->resource->name, u->failed);
	}
	tell_store(u);
}

static void
status_known(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;
	struct wire_in body = reply->body;
	struct wire_out out = { 0 };
	uint8_t state = wire_get_u8(&body);

	/* Stopped between two attempts, it was somebody's will. */
	if (u->done == NULL && reply->error == 0 && state == STATE_STOPPED) {
		tell_store(u);
		return;
	}
	wire_put_u32(&out, (uint32_t)u->resource->service);
	wire_put_u8(&out,
	    reply->error == 0 && state == STATE_RUNNING ? VERB_RELOAD :
							  VERB_RESTART);
	op_request(MSG_OP_SERVICE_CONTROL, &out, -1, controlled, u);
	wire_free(&out);
}

static void
restored(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;
	struct wire_out out = { 0 };

	if (reply->error != 0) {
		u->failed =
		    xasprintf("The file cannot be restored (%s)", reply->text);
		not_settled(u);
		return;
	}
	u->installed = false;
	if (!u->running) {
		tell_store(u);
		return;
	}
	wire_put_u32(&out, (uint32_t)u->resource->service);
	op_request(MSG_OP_SERVICE_STATUS, &out, -1, status_known, u);
	wire_free(&out);
}

static void
attempt(void *arg)
{
	struct undoing *u = arg;
	struct wire_out out = { 0 };

	if (!u->installed) {
		tell_store(u);
		return;
	}
	wire_put_u32(&out, (uint32_t)u->resource->output);
	op_request(MSG_OP_RESTORE_OUTPUT, &out, -1, restored, u);
	wire_free(&out);
}

void
undo(const struct resource *resource, int64_t revision, bool installed,
    bool running, const json_t *record, void (*done)(const char *, void *),
    void *arg)
{
	struct undoing *u = xcalloc(1, sizeof(*u));

	u->resource = resource;
	u->revision = revision;
	u->installed = installed;
	u->running = running;
	u->record = json_incref((json_t *)(uintptr_t)record);
	u->done = done;
	u->arg = arg;
	attempt(u);
}
