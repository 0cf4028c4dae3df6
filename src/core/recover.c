/*
 * What core does before it serves: finishes or undoes what a crash left
 * half done, and brings rendered files in line with the store.
 *
 *	what rendering needs to know of the machine
 *	each PENDING revision, oldest first:
 *		without a rendered file: COMMITTED (accounts are rendered anew
 *		below, which is the same again)
 *		installed file = what it would render: COMMITTED
 *		else: UNDONE
 *	each output: what is stored = what is installed, else installed, unless
 *		somebody else edited the file
 *	accounts
 *	the resources' own boot, when the machine (or instance) just started
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/change.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static struct {
	struct revision *pending;
	size_t npending, at;
	const struct renderer *renderer;
	const struct resource *const *resource;
	char *rendered;
	bool reload; /* a file changed under its service */
	void (*done)(void);
} recovery;

static void next_pending(void);
static void next_output(void);
static void next_boot(void);

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

static void
end_pending(enum revision_state state)
{
	const struct revision *r = &recovery.pending[recovery.at++];

	log_info("recover.pending", "%s: revision %lld is %s", r->resource,
	    (long long)r->number,
	    state == REVISION_COMMITTED ? "finished" : "undone");
	if (store_end(core_store(), r->number, state, NULL) == -1)
		log_error("store.end", "%s", strerror(errno));
	next_pending();
}

static void
pending_read(const struct op_reply *reply, void *arg)
{
	const struct revision *r = &recovery.pending[recovery.at];
	const struct resource *res = resource_find(r->resource);
	struct change c = { .resource = res };
	const void *installed;
	char *content, *why = NULL;
	size_t len;
	bool there;

	(void)arg;
	c.new = xcalloc(1, res->size);
	schema_to_struct(res->fields, r->after, c.new);
	content = change_render(res->output, &c, &why);
	there = same(reply, content, &installed, &len);
	if (there)
		installed_remember(res->output, installed, len);
	schema_struct_free(res->fields, c.new);
	free(c.new);
	free(content);
	free(why);
	recovery.reload = true;
	end_pending(there ? REVISION_COMMITTED : REVISION_UNDONE);
}

static void
next_pending(void)
{
	const struct resource *res;

	if (recovery.at == recovery.npending) {
		revisions_free(recovery.pending, recovery.npending);
		recovery.renderer = renderers;
		next_output();
		return;
	}
	res = resource_find(recovery.pending[recovery.at].resource);
	if (res == NULL || res->output == -1)
		end_pending(REVISION_COMMITTED);
	else
		read_output(res->output, pending_read);
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
	recovery.renderer++;
	next_output();
}

static void
output_reloaded(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("recover.reload", "%s", reply->text);
	output_done();
}

static void
output_status(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	struct wire_out out = { 0 };

	(void)arg;
	if (reply->error != 0 || wire_get_u8(&body) != STATE_RUNNING) {
		output_done();
		return;
	}
	wire_put_u32(&out, (uint32_t)service_of(recovery.renderer->output));
	wire_put_u8(&out, VERB_RELOAD);
	op_request(MSG_OP_SERVICE_CONTROL, &out, -1, output_reloaded, NULL);
	wire_free(&out);
}

static void
output_settled(void)
{
	int service = service_of(recovery.renderer->output);
	struct wire_out out = { 0 };

	if (!recovery.reload || service == -1) {
		output_done();
		return;
	}
	wire_put_u32(&out, (uint32_t)service);
	op_request(MSG_OP_SERVICE_STATUS, &out, -1, output_status, NULL);
	wire_free(&out);
}

static void
output_installed(const struct op_reply *reply, void *arg)
{
	int output = recovery.renderer->output;

	(void)arg;
	if (reply->error != 0)
		core_problem(outputs[output].name,
		    "%s could not be installed: %s", outputs[output].name,
		    reply->text);
	else
		installed_remember(
		    output, recovery.rendered, strlen(recovery.rendered));
	output_settled();
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
		installed_remember(output, installed, len);
		output_settled();
		return;
	}
	if (installed != NULL && !recovery.reload &&
	    !installed_ours(output, installed, len)) {
		core_problem(outputs[output].name,
		    "%s/%s was edited by somebody else and is left as it is",
		    outputs[output].dir, outputs[output].file);
		log_warn("output.foreign", "%s/%s", outputs[output].dir,
		    outputs[output].file);
		output_done();
		return;
	}
	recovery.reload = true;
	wire_put_u32(&out, (uint32_t)output);
	wire_put_bytes(&out, recovery.rendered, strlen(recovery.rendered));
	op_request(MSG_OP_INSTALL_OUTPUT, &out, -1, output_installed, NULL);
	wire_free(&out);
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
	char *why = NULL;

	if (recovery.renderer->output == -1) {
		account_install(NULL, accounts_installed, NULL);
		return;
	}
	recovery.rendered =
	    change_render(recovery.renderer->output, NULL, &why);
	if (recovery.rendered == NULL) {
		core_problem(outputs[recovery.renderer->output].name,
		    "%s cannot be made: %s",
		    outputs[recovery.renderer->output].name, why);
		free(why);
		output_done();
		return;
	}
	read_output(recovery.renderer->output, output_read);
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
next_boot(void)
{
	const struct resource *r = *recovery.resource;

	if (r == NULL || !machine_started()) {
		if (store_set_value(
			core_store(), "boot_id", core_facts()->boot_id) == -1)
			log_warn("recover.boot", "%s", strerror(errno));
		recovery.done();
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
		next_pending();
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
