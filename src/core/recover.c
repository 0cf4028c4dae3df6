/*
 * What core does before it serves: ends what a crash left half done, and
 * brings rendered files in line with the store.
 *
 *	what rendering needs to know of the machine
 *	PENDING revisions without a rendered file: COMMITTED (accounts are
 *		rendered anew below, which is the same again)
 *	each output: what is stored = what is installed, else installed, unless
 *		somebody else edited the file
 *	its PENDING revisions: UNDONE, since nobody has verified that they took
 *		effect, and nobody was told that they did
 *	accounts
 *	the resources' own boot, when the machine (or instance) just started
 *
 * An output that cannot be brought in line is tried again while core serves;
 * until then its PENDING revisions stay, and keep others from beginning.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/alert.h"
#include "core/change.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/serial.h"
#include "core/undo.h"
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
	bool failed[OUTPUT_COUNT]; /* to be tried again */
	bool serving; /* all is done but that */
	void (*done)(void);
} recovery;

static void next_output(void);
static void next_boot(void);
static void output_start(void);

char *
change_render(int output, struct change *c, char **whyp)
{
	const struct renderer *r;

	for (r = renderers; r->output != -1; r++)
		if (r->output == output)
			return r->render(c, whyp);
	fatal("output %d has no renderer", output);
}

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

static int
output_of(const struct revision *r)
{
	const struct resource *resource = resource_find(r->resource);

	return resource != NULL ? resource->output : -1;
}

/* The first PENDING revision of what this output is made from, or NULL. */
static struct revision *
pending_of(int output)
{
	size_t i;

	for (i = 0; i < recovery.npending; i++)
		if (recovery.pending[i].state == REVISION_PENDING &&
		    output_of(&recovery.pending[i]) == output)
			return &recovery.pending[i];
	return NULL;
}

static void
commit_pending(void)
{
	struct revision *r;

	while ((r = pending_of(-1)) != NULL) {
		log_info("recover.pending", "%s: revision %lld is finished",
		    r->resource, (long long)r->number);
		if (store_end(core_store(), r->number, REVISION_COMMITTED,
			NULL) == -1)
			core_problem("store",
			    "A change of %s cannot be stored: %s", r->resource,
			    strerror(errno));
		r->state = REVISION_COMMITTED;
	}
}

/* The service of an output's resource, or -1. */
static int
service_of(int output)
{
	const struct resource *const *r;

	for (r = resources; *r != NULL; r++)
		if ((*r)->fields != NULL && (*r)->output == output)
			return (*r)->service;
	return -1;
}

static void
output_done(void)
{
	free(recovery.rendered);
	recovery.rendered = NULL;
	if (recovery.serving) {
		serial_leave();
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
	if (recovery.serving)
		output_later(recovery.renderer);
	else {
		log_error("recover.output", "%s %s: %s", name, what, why);
		recovery.failed[output] = true;
	}
	output_done();
}

/* The output is as the store says: now the store may say so. */
static void
undo_pending(const char *failed, void *arg)
{
	struct revision *r = pending_of(recovery.renderer->output);

	(void)failed; /* told and tried again where it happens */
	(void)arg;
	if (r == NULL) {
		output_done();
		return;
	}
	log_info("recover.pending", "%s: revision %lld is undone", r->resource,
	    (long long)r->number);
	r->state = REVISION_UNDONE;
	undo(resource_find(r->resource), r->number, false, false, NULL,
	    undo_pending, NULL);
}

static void
output_controlled(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("recover.service", "%s", reply->text);
	undo_pending(NULL, NULL);
}

/* One that gave up did so over what was installed before. */
static void
output_status(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	struct wire_out out = { 0 };
	uint8_t state = wire_get_u8(&body);

	(void)arg;
	if (reply->error != 0 ||
	    (state != STATE_RUNNING && state != STATE_FAILED)) {
		undo_pending(NULL, NULL);
		return;
	}
	wire_put_u32(&out, (uint32_t)service_of(recovery.renderer->output));
	wire_put_u8(&out, state == STATE_RUNNING ? VERB_RELOAD : VERB_RESTART);
	op_request(MSG_OP_SERVICE_CONTROL, &out, -1, output_controlled, NULL);
	wire_free(&out);
}

static void
output_settled(bool changed)
{
	int output = recovery.renderer->output, service = service_of(output);
	struct wire_out out = { 0 };

	installed_remember(
	    output, recovery.rendered, strlen(recovery.rendered));
	core_problem_clear(outputs[output].name);
	if (service == -1 || (!changed && pending_of(output) == NULL)) {
		undo_pending(NULL, NULL);
		return;
	}
	wire_put_u32(&out, (uint32_t)service);
	op_request(MSG_OP_SERVICE_STATUS, &out, -1, output_status, NULL);
	wire_free(&out);
}

static void
output_installed(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		output_failed("cannot be installed", reply->text);
	else
		output_settled(true);
}

static void
output_read(const struct op_reply *reply, void *arg)
{
	int output = recovery.renderer->output;
	struct wire_out out = { 0 };
	const void *installed;
	size_t len;

	(void)arg;
	if (same(reply, recovery.rendered, &installed, &len)) {
		output_settled(false);
		return;
	}
	if (installed != NULL && pending_of(output) == NULL &&
	    !installed_ours(output, installed, len)) {
		alert_raise("ConfigurationFileEdited", outputs[output].name,
		    json_pack("{s:o}", "file",
			json_sprintf("%s/%s", outputs[output].dir,
			    outputs[output].file)));
		core_problem_clear(outputs[output].name);
		output_done();
		return;
	}
	wire_put_u32(&out, (uint32_t)output);
	wire_put_bytes(&out, recovery.rendered, strlen(recovery.rendered));
	op_request(MSG_OP_INSTALL_OUTPUT, &out, -1, output_installed, NULL);
	wire_free(&out);
}

static void
output_start(void)
{
	char *why = NULL;

	recovery.rendered =
	    change_render(recovery.renderer->output, NULL, &why);
	if (recovery.rendered == NULL)
		output_failed("cannot be made", why);
	else
		read_output(recovery.renderer->output, output_read);
	free(why);
}

static void
accounts_installed(int error, const char *text, void *arg)
{
	(void)arg;
	if (error != 0)
		core_problem(
		    "accounts", "Accounts could not be installed: %s", text);
	recovery.resource = resources;
	next_boot();
}

static void
next_output(void)
{
	if (recovery.renderer->output == -1)
		account_install(NULL, accounts_installed, NULL);
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
next_gather(void)
{
	const struct resource *r = *recovery.resource;

	if (r == NULL) {
		commit_pending();
		recovery.renderer = renderers;
		next_output();
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
