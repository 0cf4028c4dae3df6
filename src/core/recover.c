/*
 * What core does before it serves: ends what a crash left half done, and
 * brings rendered files in line with the store.
 *
 *	what rendering needs to know of the machine
 *	what waited to be confirmed and was taken back meanwhile (confirm.h)
 *	each output: what is stored = what is installed, else installed, unless
 *		somebody else edited the file
 *	daemons that read one that was installed, or may have: they follow
 *	PENDING changes: UNDONE, since nobody has verified that they took
 *		effect, and nobody was told that they did
 *	the resources' own boot, when the machine (or instance) just started
 *
 * An output that cannot be brought in line is tried again while core serves;
 * until then the PENDING changes that reach it stay, and keep others from
 * beginning.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/outside.h"
#include "core/resource.h"
#include "core/serial.h"
#include "core/undo.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RETRY_MS 1000

static struct {
	struct revision *pending;
	size_t npending;
	const struct renderer *renderer;
	const struct resource *const *resource;
	char *rendered;
	bool follow[DAEMONS_MAX]; /* one of its files was brought in line */
	int daemon; /* that is being told */
	bool failed[OUTPUTS_MAX]; /* to be tried again */
	void (*refreshed[OUTPUTS_MAX])(void); /* who waits for the next try */
	bool serving; /* all is done but that */
	void (*done)(void);
} recovery;

static void next_output(void);
static void next_daemon(void);
static void next_boot(void);
static void output_start(void);
static void undo_next(const char *failed, void *);

static void
read_output(int output, op_done *done)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, (uint32_t)output);
	op_request(MSG_OP_READ_OUTPUT, &out, -1, done, NULL);
	wire_free(&out);
}

/* Is the file there, and is it exactly this? */
static bool
same(const struct op_reply *reply, const char *content, const void **installed,
    size_t *len)
{
	struct wire_in body = reply->body;
	uint8_t exists = wire_get_u8(&body);

	*installed = wire_get_bytes(&body, len);
	if (reply->error != 0 || wire_end(&body) == -1 || !exists)
		*installed = NULL;
	return *installed != NULL && content != NULL &&
	    strlen(content) == *len && memcmp(content, *installed, *len) == 0;
}

static bool
reaches(const struct revision *r, int output)
{
	const struct resource *resource = resource_find(r->resource);

	return resource != NULL && change_renders(output, resource);
}

/* Is the output one of what a PENDING revision is rendered into? */
static bool
is_pending(int output)
{
	size_t i;

	for (i = 0; i < recovery.npending; i++)
		if (recovery.pending[i].state == REVISION_PENDING &&
		    reaches(&recovery.pending[i], output))
			return true;
	return false;
}

/* Does any revision of that change reach an output that is not in line? */
static bool
must_wait(int64_t change)
{
	size_t i;
	int output;

	for (i = 0; i < recovery.npending; i++)
		for (output = 0; output < output_count; output++)
			if (recovery.pending[i].change == change &&
			    recovery.failed[output] &&
			    reaches(&recovery.pending[i], output))
				return true;
	return false;
}

/* The first PENDING revision whose change can be ended, or NULL. */
static struct revision *
undoable(void)
{
	size_t i;

	for (i = 0; i < recovery.npending; i++)
		if (recovery.pending[i].state == REVISION_PENDING &&
		    !must_wait(recovery.pending[i].change))
			return &recovery.pending[i];
	return NULL;
}

static void
output_done(void)
{
	free(recovery.rendered);
	recovery.rendered = NULL;
	if (recovery.serving) {
		recovery.daemon = 0;
		next_daemon();
		return;
	}
	recovery.renderer++;
	next_output();
}

static void
output_turn(void *arg)
{
	recovery.renderer = arg;
	output_start();
}

static void
output_again(void *arg)
{
	serial_enter(output_turn, arg);
}

static void
output_later(const struct renderer *renderer)
{
	core_after(RETRY_MS, output_again, (void *)(uintptr_t)renderer);
}

static void
output_failed(const char *what, const char *why)
{
	int output = recovery.renderer->output;
	const char *name = outputs[output].name;

	core_problem(name, "%s %s: %s", name, what, why);
	recovery.failed[output] = true;
	if (recovery.serving)
		output_later(recovery.renderer);
	else
		log_error("recover.output", "%s %s: %s", name, what, why);
	output_done();
}

static void
daemon_controlled(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("recover.service", "%s", reply->text);
	recovery.daemon++;
	next_daemon();
}

/* One that gave up did so over what was installed before. */
static void
daemon_state(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	uint8_t state = wire_get_u8(&body);
	int daemon = recovery.daemon;

	(void)arg;
	if (reply->error != 0 ||
	    (state != STATE_RUNNING && state != STATE_FAILED)) {
		recovery.daemon++;
		next_daemon();
		return;
	}
	op_run_verb((int)daemons[daemon].service, (uint32_t)daemon,
	    state == STATE_RUNNING ? daemon_rules_of(daemon)->verb :
				     VERB_RESTART,
	    daemon_controlled, NULL);
}

/* Each is told once, however many of its files there are. */
static void
next_daemon(void)
{
	int daemon;

	while (
	    recovery.daemon < daemon_count && !recovery.follow[recovery.daemon])
		recovery.daemon++;
	daemon = recovery.daemon;
	if (daemon == daemon_count) {
		undo_next(NULL, NULL);
		return;
	}
	recovery.follow[daemon] = false;
	op_ask_state(
	    (int)daemons[daemon].service, (uint32_t)daemon, daemon_state, NULL);
}

static void
output_settled(bool changed)
{
	int output = recovery.renderer->output, daemon;

	installed_remember(
	    output, recovery.rendered, strlen(recovery.rendered));
	core_problem_clear(outputs[output].name);
	recovery.failed[output] = false;
	for (daemon = 0; daemon < daemon_count; daemon++)
		if ((changed || is_pending(output)) &&
		    daemon_reads(daemon, output))
			recovery.follow[daemon] = true;
	output_done();
}

/* It is left alone, until somebody says what becomes of it. */
static void
edited(void)
{
	int output = recovery.renderer->output;

	installed_edited(output);
	core_problem_clear(outputs[output].name);
	output_done();
}

static void
output_installed(const struct op_reply *reply, void *arg)
{
	int output = recovery.renderer->output;

	(void)arg;
	if (reply->error == ESTALE && outputs[output].shared) {
		edited();
		return;
	}
	if (reply->error != 0) {
		output_failed("cannot be installed", reply->text);
		return;
	}
	if (!outputs[output].accounts)
		installed_answered(output, reply->body);
	output_settled(true);
}

/* there: what lies there, NULL: nothing. */
static void
install_output(const void *there, size_t len)
{
	char digest[DIGEST_TEXT];
	int output = recovery.renderer->output;
	struct wire_out out = { 0 };

	if (recovery.renderer->look != NULL)
		installed_expect(
		    output, recovery.rendered, strlen(recovery.rendered));
	wire_put_u32(&out, (uint32_t)output);
	wire_put_bytes(&out, recovery.rendered, strlen(recovery.rendered));
	if (there != NULL && outputs[output].shared) {
		digest_text(there, len, digest);
		wire_put_str(&out, digest);
	}
	op_request(outputs[output].accounts ? MSG_OP_INSTALL_ACCOUNTS :
					      MSG_OP_INSTALL_OUTPUT,
	    &out, -1, output_installed, NULL);
	wire_free(&out);
}

/*
 * Did somebody else edit it?  Of a PENDING change may be what is not known,
 * unless that was noted; what cannot be read may be a link that somebody made.
 */
static bool
is_edited(const struct op_reply *reply, const void *installed, size_t len)
{
	int output = recovery.renderer->output;
	bool noted = recovery.renderer->look != NULL;

	if (installed == NULL)
		return noted && reply->error != 0;
	return (noted || !is_pending(output)) &&
	    !installed_ours(output, installed, len);
}

static void
output_read(const struct op_reply *reply, void *arg)
{
	const void *installed;
	size_t len;

	(void)arg;
	if (same(reply, recovery.rendered, &installed, &len)) {
		output_settled(false);
		return;
	}
	if (is_edited(reply, installed, len)) {
		edited();
		return;
	}
	install_output(installed, len);
}

/*
 * The record of accounts says nothing of the files that it was merged into:
 * these are always merged anew, which changes nothing when nothing changed.
 */
static void
output_start(void)
{
	int output = recovery.renderer->output;
	char *why = NULL;

	/* The store is about to follow the file. */
	if (confirm_restored(output)) {
		output_done();
		return;
	}
	recovery.rendered = change_render(output, NULL, &why);
	if (recovery.rendered == NULL)
		output_failed("cannot be made", why);
	else if (outputs[output].accounts)
		install_output(NULL, 0);
	else
		read_output(output, output_read);
	free(why);
}

static void
turn_done(int output)
{
	void (*refreshed)(void) = recovery.refreshed[output];

	recovery.refreshed[output] = NULL;
	serial_leave();
	if (refreshed != NULL)
		refreshed();
}

/* Every output is in line that could be brought there. */
static void
outputs_done(void)
{
	if (recovery.serving) {
		turn_done(recovery.renderer->output);
		return;
	}
	recovery.resource = resources;
	next_boot();
}

/* What is in line is as the store says: now the store may say so. */
static void
undo_next(const char *failed, void *arg)
{
	struct revision *r = undoable();
	size_t i;

	(void)failed; /* told and tried again where it happens */
	(void)arg;
	if (r == NULL) {
		outputs_done();
		return;
	}
	log_info("recover.pending", "%s: revision %lld is undone", r->resource,
	    (long long)r->change);
	for (i = 0; i < recovery.npending; i++)
		if (recovery.pending[i].change == r->change)
			recovery.pending[i].state = REVISION_UNDONE;
	undo_revision(r->resource, r->change, undo_next, NULL);
}

static void
next_output(void)
{
	if (recovery.renderer->output == -1)
		next_daemon();
	else
		output_start();
}

/* The same boot id: only core was restarted, the services go on as they are. */
static bool
machine_started(void)
{
	char *known = store_value(core_store(), "boot_id");
	bool fresh = known == NULL || strcmp(known, core_facts()->boot_id) != 0;

	free(known);
	return fresh;
}

static void
recovered(void)
{
	const struct renderer *r;

	recovery.serving = true;
	for (r = renderers; r->output != -1; r++)
		if (recovery.failed[r->output])
			output_later(r);
	recovery.done();
	confirm_serve();
	outside_recover();
}

static void
next_boot(void)
{
	const struct resource *r = *recovery.resource;

	if (r == NULL || !machine_started()) {
		if (store_set_value(
			core_store(), "boot_id", core_facts()->boot_id) == -1)
			log_warn("recover.boot", "%s", strerror(errno));
		recovered();
		return;
	}
	recovery.resource++;
	if (r->boot != NULL)
		r->boot(next_boot);
	else
		next_boot();
}

static void
first_output(void)
{
	recovery.renderer = renderers;
	next_output();
}

static void
next_gather(void)
{
	const struct resource *r = *recovery.resource;

	if (r == NULL) {
		confirm_recover(first_output);
		return;
	}
	recovery.resource++;
	if (r->gather != NULL)
		r->gather(next_gather);
	else
		next_gather();
}

void
change_recover(void (*done)(void))
{
	recovery.done = done;
	if (core_store() == NULL) {
		done();
		return;
	}
	if (store_pending(
		core_store(), &recovery.pending, &recovery.npending) == -1)
		fatal("the store's pending revisions cannot be read");
	recovery.resource = resources;
	next_gather();
}

/* Until core serves, the start itself may have it before it or behind it. */
static void
refresh(void *arg)
{
	if (!recovery.serving)
		core_after(RETRY_MS, refresh, arg);
	else
		output_again(arg);
}

void
change_refresh(int output, void (*done)(void))
{
	const struct renderer *r;

	if (core_store() == NULL)
		return;
	recovery.refreshed[output] = done;
	for (r = renderers; r->output != -1; r++)
		if (r->output == output)
			refresh((void *)(uintptr_t)r);
}
