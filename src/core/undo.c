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
	char *failed; /* of this attempt */
	void (*done)(const char *, void *); /* NULL: was called */
	void *arg;
};

static void attempt(void *);

static void
enter(void *arg)
{
	serial_enter(attempt, arg);
}

/* The end of an attempt; settled: nothing is left to do. */
static void
attempted(struct undoing *u, bool settled)
{
	const char *name = u->resource->name;
	bool first = u->done != NULL;

	if (!settled) {
		core_problem(name, "A change of %s is not yet taken back: %s",
		    name, u->failed);
		core_after(RETRY_MS, enter, u);
	} else if (!first) {
		log_info("undo.done", "%s: revision %lld", name,
		    (long long)u->revision);
		core_problem_clear(name);
	}
	if (first) {
		u->done(u->failed, u->arg);
		u->done = NULL;
	} else
		serial_leave();
	/* Told once; what is left of an attempt is not the next one's. */
	free(u->failed);
	u->failed = NULL;
	if (settled) {
		json_decref(u->record);
		free(u);
	}
}

static void
tell_store(struct undoing *u)
{
	if (store_end(core_store(), u->revision, REVISION_UNDONE, u->record) ==
	    0) {
		attempted(u, true);
		return;
	}
	log_error("store.end", "%s: %s", u->resource->name, strerror(errno));
	if (u->failed == NULL)
		u->failed = xasprintf(
		    "the store cannot be written (%s)", strerror(errno));
	attempted(u, false);
}

static void
controlled(const struct op_reply *reply, void *arg)
{
	struct undoing *u = arg;

	if (reply->error != 0) {
		log_error("undo.service", "%s: %s", u->resource->name,
		    reply->text);
		u->failed = xasprintf("%s does not come back (%s)",
		    services[u->resource->service].name, reply->text);
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
		log_error("undo.restore", "%s: %s", u->resource->name,
		    reply->text);
		u->failed =
		    xasprintf("the file cannot be restored (%s)", reply->text);
		attempted(u, false);
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
