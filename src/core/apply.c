/*
 * The middle of the apply pipeline: a change carried into the files it is
 * rendered into and the daemons that read them.
 *
 *	render		every output made from an edited resource; one that
 *			comes out as it is installed is left alone
 *	check		by the daemon it is for, one after the other
 *	guard		the services' last word, whatever it is rendered into
 *	look		did somebody else edit what is about to be replaced?
 *	status		which of the daemons run
 *	(change_begin stores the change as PENDING)
 *	install		in the order of enum output_id
 *	control		daemons that run, each by its own rule
 *	verify		from outside
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/change_internal.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/undo.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static const struct renderer *
renderer_of(int output)
{
	const struct renderer *r;

	for (r = renderers; r->output != -1; r++)
		if (r->output == output)
			return r;
	fatal("output %d has no renderer", output);
}

char *
change_render(int output, const struct change *c, char **whyp)
{
	return renderer_of(output)->render(c, whyp);
}

bool
change_renders(int output, const struct resource *resource)
{
	const struct resource *const *from;

	for (from = renderer_of(output)->from; *from != NULL; from++)
		if (*from == resource)
			return true;
	return false;
}

const struct daemon_rule *
daemon_rules_of(int daemon)
{
	const struct daemon_rule *rules;

	for (rules = daemon_rules; rules->daemon != -1; rules++)
		if (rules->daemon == daemon)
			return rules;
	fatal("daemon %d has no rules", daemon);
}

bool
daemon_reads(int daemon, int output)
{
	const int *reads;

	for (reads = daemon_rules_of(daemon)->reads; *reads != -1; reads++)
		if (*reads == output)
			return true;
	return false;
}

/* The next output, or daemon, that is affected: the count at the end. */
static int
next_step(const struct change *c, int at)
{
	while (at < output_count && !c->steps[at].affected)
		at++;
	return at;
}

static int
next_reached(const struct change *c, int at, bool running)
{
	while (at < daemon_count &&
	    (!c->reached[at].affected || (running && !c->reached[at].running)))
		at++;
	return at;
}

/* --- Before anything is touched ------------------------------------------- */

static void ask_next(struct change *);

static void
status_known(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in body = reply->body;
	uint8_t state = wire_get_u8(&body);

	/* Its running process would not be told, nor looked at. */
	if (reply->error != 0) {
		change_refuse(c, reply->error,
		    "Nothing was changed: whether %s runs is not known: %s",
		    daemons[c->at].name, reply->text);
		return;
	}
	/* One that is being restarted after a crash counts as running. */
	c->reached[c->at].running =
	    state == STATE_RUNNING || state == STATE_STARTING;
	c->at++;
	ask_next(c);
}

static void
ask_next(struct change *c)
{
	c->at = next_reached(c, c->at, false);
	if (c->at == daemon_count)
		change_begin(c);
	else
		op_ask_state((int)daemons[c->at].service, (uint32_t)c->at,
		    status_known, c);
}

static void
ask_states(struct change *c)
{
	int output, daemon;

	for (daemon = 0; daemon < daemon_count; daemon++)
		for (output = 0; output < output_count; output++)
			if (c->steps[output].affected &&
			    daemon_reads(daemon, output))
				c->reached[daemon].affected = true;
	c->at = 0;
	ask_next(c);
}

static void
look_next(struct change *c)
{
	while ((c->at = next_step(c, c->at)) < output_count &&
	    renderer_of(c->at)->look == NULL)
		c->at++;
	if (c->at == output_count)
		ask_states(c);
	else
		renderer_of(c->at)->look(c);
}

void
change_looked(struct change *c, const char *why, json_t *extra)
{
	if (why == NULL) {
		json_decref(extra);
		c->at++;
		look_next(c);
		return;
	}
	call_fail_extra(c->call, ESTALE, extra, "%s", why);
	change_finish(c);
}

void
change_replaces(struct change *c, const char *digest)
{
	struct step *step = &c->steps[c->at];

	if (step->replaces == NULL)
		step->replaces = json_object();
	json_object_set_new(step->replaces, digest, json_true());
}

static void
guard_next(struct change *c)
{
	while (c->at < daemon_count && daemon_rules_of(c->at)->guard == NULL)
		c->at++;
	if (c->at == daemon_count) {
		c->at = 0;
		look_next(c);
	} else
		daemon_rules_of(c->at)->guard(c);
}

void
change_guarded(struct change *c)
{
	if (verr_any(c->errors)) {
		change_invalid(c);
		return;
	}
	c->at++;
	guard_next(c);
}

static void check_next(struct change *);

static void
rejected(struct change *c, const char *complaint)
{
	const struct renderer *renderer = renderer_of(c->at);

	log_info("change.refused", "%s: %s", c->resource->name, complaint);
	if (renderer->rejected != NULL)
		renderer->rejected(c, complaint);
	if (verr_any(c->errors))
		change_invalid(c);
	else
		change_refuse(c, EINVAL, "%s: %s", outputs[c->at].name,
		    outputs[c->at].accounts ? complaint :
					      "refuses this configuration");
}

static void
checked(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in body = reply->body;
	uint8_t accepted = wire_get_u8(&body);
	char *complaint = wire_get_str(&body, MESSAGE_INLINE_MAX);

	if (reply->error != 0)
		change_refuse(c, reply->error, "%s could not be checked: %s",
		    outputs[c->at].name, reply->text);
	else if (!accepted)
		rejected(c, complaint);
	else {
		c->at++;
		check_next(c);
	}
	free(complaint);
}

static void
put_content(struct wire_out *out, int output, const char *content)
{
	wire_put_u32(out, (uint32_t)output);
	wire_put_bytes(out, content, strlen(content));
}

static void
check_next(struct change *c)
{
	struct wire_out out = { 0 };

	c->at = next_step(c, c->at);
	if (c->at == output_count) {
		c->at = 0;
		if (c->dry)
			c->resource->dry_run(c);
		else
			guard_next(c);
		return;
	}
	put_content(&out, c->at, c->steps[c->at].content);
	op_request(MSG_OP_CHECK_OUTPUT, &out, -1, checked, c);
	wire_free(&out);
}

static bool
is_affected(const struct change *c, int output)
{
	size_t i;

	for (i = 0; i < c->nedits; i++)
		if (change_renders(output, c->edits[i].resource))
			return true;
	return false;
}

/* 0, or -1 with *whyp. */
static int
render_step(struct change *c, int output, char **whyp)
{
	struct step *step = &c->steps[output];

	step->content = change_render(output, c, whyp);
	if (step->content == NULL)
		return -1;
	if (installed_same(output, step->content, strlen(step->content)))
		return 0;
	if (outputs[output].accounts) {
		step->previous = change_render(output, NULL, whyp);
		if (step->previous == NULL)
			return -1;
	}
	step->affected = true;
	return 0;
}

void
apply_prepare(struct change *c)
{
	char *why = NULL;
	int output;

	for (output = 0; output < output_count; output++)
		if (is_affected(c, output) &&
		    render_step(c, output, &why) == -1) {
			change_refuse(c, EINVAL, "%s", why);
			free(why);
			return;
		}
	for (output = 0; output < output_count; output++)
		if (c->steps[output].affected && undo_holds(output)) {
			change_refuse(c, EBUSY,
			    "Nothing was changed: an earlier change of %s is "
			    "still being taken back",
			    outputs[output].name);
			return;
		}
	if (!c->dry && (why = confirm_forbids(c)) != NULL) {
		change_refuse(c, EBUSY, "%s", why);
		free(why);
		return;
	}
	c->at = 0;
	check_next(c);
}

/* --- From here on a failure is undone ------------------------------------- */

static void
verify_next(struct change *c)
{
	const struct daemon_rule *rules;

	c->at = next_reached(c, c->at, false);
	if (c->at == daemon_count) {
		change_beside(c, BESIDE_DO);
		return;
	}
	rules = daemon_rules_of(c->at);
	if (rules->verify != NULL)
		rules->verify(c);
	else
		change_verified(c, NULL);
}

void
change_verified(struct change *c, const char *what)
{
	if (what != NULL) {
		change_take_back(c, "The change did not take effect: %s", what);
		return;
	}
	c->at++;
	verify_next(c);
}

static void control_next(struct change *);

static void
controlled(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;

	if (reply->error != 0) {
		change_take_back(c, "%s did not %s: %s", daemons[c->at].name,
		    daemon_rules_of(c->at)->verb == VERB_RELOAD ? "reload" :
								  "restart",
		    reply->text);
		return;
	}
	c->at++;
	control_next(c);
}

static void
control_next(struct change *c)
{
	c->at = next_reached(c, c->at, true);
	if (c->at == daemon_count) {
		c->at = 0;
		verify_next(c);
		return;
	}
	op_run_verb((int)daemons[c->at].service, (uint32_t)c->at,
	    daemon_rules_of(c->at)->verb, controlled, c);
}

static void install_next(struct change *);

/* It may be there all the same: the error came last. */
static void
not_installed(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct step *step = &c->steps[c->at];
	struct wire_in body = reply->body;
	uint8_t exists = wire_get_u8(&body);
	size_t len;
	const void *there = wire_get_bytes(&body, &len);

	if (reply->error == 0 && wire_end(&body) == 0 && exists &&
	    len == strlen(step->content) &&
	    memcmp(there, step->content, len) == 0)
		step->installed = true;
	change_take_back(c, NULL);
}

static void
installed(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_out out = { 0 };

	/* A merge that failed may have come half way, unless it was locked. */
	c->steps[c->at].installed = reply->error == 0 ||
	    (outputs[c->at].accounts && reply->error != EBUSY);
	if (reply->error == 0) {
		if (!outputs[c->at].accounts)
			installed_answered(c->at, reply->body);
		c->at++;
		install_next(c);
		return;
	}
	if (reply->error == ESTALE && outputs[c->at].shared)
		installed_edited(c->at);
	c->problem = xasprintf(
	    "%s could not be installed: %s", outputs[c->at].name, reply->text);
	wire_put_u32(&out, (uint32_t)c->at);
	op_request(MSG_OP_READ_OUTPUT, &out, -1, not_installed, c);
	wire_free(&out);
}

static void
install_next(struct change *c)
{
	struct wire_out out = { 0 };
	const char *digest;
	json_t *value;

	c->at = next_step(c, c->at);
	if (c->at == output_count) {
		c->at = 0;
		control_next(c);
		return;
	}
	if (renderer_of(c->at)->look != NULL &&
	    installed_expect(c->at, c->steps[c->at].content,
		strlen(c->steps[c->at].content)) == -1) {
		change_take_back(c,
		    "%s could not be installed: the store "
		    "cannot be written",
		    outputs[c->at].name);
		return;
	}
	put_content(&out, c->at, c->steps[c->at].content);
	json_object_foreach(c->steps[c->at].replaces, digest, value)
		wire_put_str(&out, digest);
	op_request(outputs[c->at].accounts ? MSG_OP_INSTALL_ACCOUNTS :
					     MSG_OP_INSTALL_OUTPUT,
	    &out, -1, installed, c);
	wire_free(&out);
}

void
apply_run(struct change *c)
{
	c->at = 0;
	install_next(c);
}
