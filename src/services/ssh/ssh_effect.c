/*
 * Verification of a change of the SSH settings, step by step:
 *
 *	PAM		our lines are put back, where they are not there
 *	sshd -T		the whole effective configuration is what was rendered
 *	sshd -T -C	and so are Match blocks of single users
 *	status		sshd listens where its configuration says, only there
 *	offer		what it offers on the wire is what is configured
 *	status		and it is still there
 *
 * After SIGHUP the old sshd may still answer for a moment, so the last three
 * are tried again until PATIENCE_MS is over.  No answer from a port that sshd
 * itself listens on is no failure: something between may have refused us.  It
 * is one after a wrong answer: sshd 9.8 and later answers who only looks once,
 * and then not for a while (PerSourcePenalties, sshd_config(5)).
 */
#include "services/ssh/ssh_effect.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "lib/boottime.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "services/ssh/ssh_listening.h"
#include "services/ssh/ssh_pam_watch.h"
#include "services/ssh/ssh_verify.h"

#define PATIENCE_MS 5000
#define RETRY_MS 40
#define OFFER_MS 2000 /* of one attempt */
#define BLOCKS_MAX 8 /* Match blocks looked at */

struct effect {
	struct change *change;
	char *effective; /* global */
	unsigned int block;
	int64_t deadline;
	char *address; /* that is asked */
	uint16_t port;
	bool offer_seen;
	char *wrong; /* the last answer that was, NULL: none */
};

static void ask_status(void *);
static void ask_block(struct effect *);

static const char *
rendered_of(const struct effect *e)
{
	return e->change->steps[OUTPUT_SSHD_CONFIG].content;
}

static void
finish(struct effect *e, const char *problem)
{
	struct change *change = e->change;

	change_verified(change, problem);
	free(e->effective);
	free(e->address);
	free(e->wrong);
	free(e);
}

/* Again a little later, or the end with this problem. */
static void
again(struct effect *e, const char *problem)
{
	e->offer_seen = false;
	if (boottime_ms() < e->deadline)
		core_after(RETRY_MS, ask_status, e);
	else
		finish(e, problem);
}

static void
ask_effective(struct effect *e, const char *spec, op_done *done)
{
	struct wire_out body = { 0 };

	wire_put_u32(&body, OUTPUT_SSHD_CONFIG);
	wire_put_u32(&body, spec == NULL ? 0 : 1);
	if (spec != NULL)
		wire_put_str(&body, spec);
	op_request(MSG_OP_EFFECTIVE, &body, -1, done, e);
	wire_free(&body);
}

/* The text of MSG_OP_EFFECTIVE (malloc'd), or NULL. */
static char *
effective_text(const struct op_reply *reply)
{
	struct wire_in body = reply->body;
	const char *text;
	size_t len;

	if (reply->error != 0)
		return NULL;
	text = wire_get_bytes(&body, &len);
	if (text == NULL || wire_end(&body) == -1)
		return NULL;
	return xstrndup(text, len);
}

static const char *
unread(const struct op_reply *reply)
{
	if (reply->error != 0)
		return reply->text;
	return "sshd's configuration could not be read";
}

static void
block_known(const struct op_reply *reply, void *arg)
{
	struct effect *e = arg;
	const char *rendered = rendered_of(e);
	char *text = effective_text(reply), *why = NULL;

	if (text == NULL)
		finish(e, unread(reply));
	else if (ssh_verify_block(rendered, e->block, text, &why) == -1)
		finish(e, why);
	else {
		e->block++;
		ask_block(e);
	}
	free(why);
	free(text);
}

/* The next Match block that can be told by a connection, or on. */
static void
ask_block(struct effect *e)
{
	char *spec;

	for (; e->block < BLOCKS_MAX; e->block++) {
		spec = ssh_verify_spec(rendered_of(e), e->block);
		if (spec == NULL)
			break;
		if (*spec != '\0') {
			ask_effective(e, spec, block_known);
			free(spec);
			return;
		}
		free(spec);
	}
	if (!e->change->reached[DAEMON_SSH].running) {
		finish(e, NULL);
		return;
	}
	e->deadline = boottime_ms() + PATIENCE_MS;
	ask_status(e);
}

static void
global_known(const struct op_reply *reply, void *arg)
{
	struct effect *e = arg;
	const char *rendered = rendered_of(e);
	char *why = NULL;

	e->effective = effective_text(reply);
	if (e->effective == NULL)
		finish(e, unread(reply));
	else if (ssh_verify_effective(rendered, e->effective, &why) == -1)
		finish(e, why);
	else
		ask_block(e);
	free(why);
}

/* Is every port of the configuration listened on, at an address of it? */
static bool
port_listened(
    const struct effect *e, const struct ssh_listening *s, uint16_t wanted)
{
	unsigned int i;
	uint16_t port;
	char *address;
	bool found = false;

	for (i = 0; !found; i++) {
		address = ssh_verify_listen(e->effective, i, &port);
		if (address == NULL)
			break;
		found = port == wanted && ssh_listening_has(s, address, port);
		free(address);
	}
	return found;
}

/* Does its configuration say so?  The kernel tells no scope of an address. */
static bool
configured(const struct effect *e, const struct ssh_endpoint *l)
{
	unsigned int i;
	uint16_t port;
	char *address;
	bool found = false;

	for (i = 0; !found; i++) {
		address = ssh_verify_listen(e->effective, i, &port);
		if (address == NULL)
			break;
		address[strcspn(address, "%")] = '\0';
		found = port == l->port && strcmp(address, l->address) == 0;
		free(address);
	}
	return found;
}

/* Where to ask: the first address listened on; a wildcard's loopback. */
static void
choose_address(struct effect *e, const struct ssh_listening *s)
{
	unsigned int i;
	uint16_t port;
	char *address;

	free(e->address);
	e->address = NULL;
	for (i = 0; e->address == NULL; i++) {
		address = ssh_verify_listen(e->effective, i, &port);
		if (address == NULL)
			return;
		if (ssh_listening_has(s, address, port)) {
			e->port = port;
			e->address = xstrdup(ssh_verify_reachable(address));
		}
		free(address);
	}
}

/* Malloc'd: what is wrong; NULL: sshd listens as configured. */
static char *
listening_problem(struct effect *e, const struct ssh_listening *s)
{
	const struct ssh_endpoint *l;
	unsigned int i;
	uint16_t port;
	char *address, *problem = NULL;

	if (s->state != STATE_RUNNING)
		return xasprintf("sshd does not run%s%s",
		    *s->reason == '\0' ? "" : ": ", s->reason);
	for (i = 0; problem == NULL; i++) {
		address = ssh_verify_listen(e->effective, i, &port);
		if (address == NULL)
			break;
		if (!port_listened(e, s, port))
			problem =
			    xasprintf("sshd does not listen on %s port %u%s%s",
				address, (unsigned int)port,
				*s->reason == '\0' ? "" : ": ", s->reason);
		free(address);
	}
	for (l = s->endpoints; problem == NULL && l < s->endpoints + s->count;
	     l++)
		if (!configured(e, l))
			problem = xasprintf(
			    "sshd listens on %s port %u, which is not set",
			    l->address, (unsigned int)l->port);
	if (problem == NULL)
		choose_address(e, s);
	return problem;
}

/* MSG_TASK_DONE's members; 1 answered, 0 not, -1 malformed. */
static int
offer_parse(const struct op_reply *reply, struct ssh_offer *offer)
{
	struct wire_in body = reply->body;
	uint8_t answered = wire_get_u8(&body);
	size_t i;

	offer->banner = wire_get_str(&body, SSH_OFFER_MAX);
	for (i = 0; i < LIST_COUNT; i++)
		offer->lists[i] = wire_get_str(&body, SSH_OFFER_MAX);
	return wire_end(&body) == -1 ? -1 : answered != 0;
}

static void
offer_known(const struct op_reply *reply, void *arg)
{
	struct effect *e = arg;
	struct ssh_offer offer = { 0 };
	char *why = NULL;
	int r = reply->error != 0 ? -1 : offer_parse(reply, &offer);

	if (reply->error != 0)
		again(e, reply->text);
	else if (r == -1)
		again(e, "the answer to the probe is malformed");
	else if (r == 1 && ssh_verify_offer(e->effective, &offer, &why) == -1) {
		free(e->wrong);
		e->wrong = xstrdup(why);
		again(e, why);
	} else if (r == 0 && e->wrong != NULL)
		again(e, e->wrong);
	else {
		if (r == 0)
			log_warn("ssh.silent",
			    "sshd listens on %s port %u but did not answer the "
			    "probe",
			    e->address, (unsigned int)e->port);
		e->offer_seen = true;
		ask_status(e);
	}
	free(why);
	ssh_offer_free(&offer);
}

static void
ask_offer(struct effect *e)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, e->address);
	wire_put_u16(&body, e->port);
	wire_put_u32(&body, OFFER_MS);
	op_worker(TASK_SSH_OFFER, &body, offer_known, e);
	wire_free(&body);
}

static void
status_known(const struct op_reply *reply, void *arg)
{
	struct effect *e = arg;
	struct ssh_listening s;
	char *problem;

	if (ssh_listening_parse(reply, &s) == -1)
		problem = xstrdup("the state of sshd is not known");
	else
		problem = listening_problem(e, &s);
	/* One that was given up does not come back by itself. */
	if (s.state == STATE_FAILED)
		e->deadline = 0;
	ssh_listening_free(&s);
	if (problem != NULL)
		again(e, problem);
	else if (e->offer_seen || e->address == NULL)
		finish(e, NULL);
	else
		ask_offer(e);
	free(problem);
}

static void
ask_status(void *arg)
{
	op_ask_state(SERVICE_SSH, DAEMON_SSH, status_known, arg);
}

static void
pam_repaired(void *arg)
{
	ask_effective(arg, NULL, global_known);
}

void
ssh_effect_verify(struct change *change)
{
	struct effect *e = xcalloc(1, sizeof(*e));

	e->change = change;
	ssh_pam_repair(pam_repaired, e);
}
