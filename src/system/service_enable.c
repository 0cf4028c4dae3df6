/*
 * Whether a service starts with the machine: see service_enable.h.
 */
#include "system/service_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/call.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/op.h"
#include "core/serial.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"

int
service_by_name(const char *name)
{
	int i;

	for (i = 0; i < service_count; i++)
		if (strcmp(services[i].name, name) == 0)
			return i;
	return -1;
}

bool
service_enabled(int service)
{
	const json_t *stored;

	if (core_store() == NULL)
		return false;
	stored = store_get(core_store(), "service", services[service].api_id);
	return json_bool(stored, "enable", false);
}

struct updating {
	struct call *call;
	int service;
	bool enable, before;
	uint32_t seconds; /* it is taken back after so long; 0: never */
	bool held; /* and the monitor knows */
	int error; /* it was not done, and why */
	char *text;
	json_t *record;
};

static enum service_verb
verb_of(bool enable)
{
	return enable ? VERB_ENABLE : VERB_DISABLE;
}

/* It is in the outbox, whatever became of it. */
static void
update_recorded(int error, void *arg)
{
	struct updating *u = arg;

	(void)error;
	call_audited(u->call);
	core_service_changed((enum service_id)u->service);
	call_reply(u->call, json_integer(services[u->service].api_id));
	free(u);
}

static void
update_end(void *arg)
{
	struct updating *u = arg;
	json_t *record = u->record;

	if (u->error == 0)
		audit_send_outbox(record, update_recorded, u);
	else {
		call_fail(u->call, u->error, "%s", u->text);
		free(u->text);
		free(u);
	}
	json_decref(record);
	serial_leave();
}

/* error 0: it is stored. */
static void
update_done(struct updating *u, int error, const char *text)
{
	u->error = error;
	u->text = error != 0 ? xstrdup(text) : NULL;
	if (u->held)
		confirm_service_done(error == 0, update_end, u);
	else
		update_end(u);
}

static int64_t
store_enable(struct updating *u)
{
	const struct service *service = &services[u->service];
	const json_t *before =
	    store_get(core_store(), "service", service->api_id);
	struct revision r = { .time = time(NULL),
		.who = xstrdup(call_user(u->call)),
		.origin = xstrdup(call_origin(u->call)),
		.resource = xstrdup("service"),
		.entry = service->api_id,
		.before = json_deep_copy(before),
		.after = json_pack("{s:s, s:b}", "service", service->name,
		    "enable", u->enable) };
	int64_t number = store_change(core_store(), &r, 1,
	    json_str(u->record, "audit_id", ""), u->record);
	int error = errno;

	json_decref(r.before);
	json_decref(r.after);
	free(r.who);
	free(r.origin);
	free(r.resource);
	errno = error;
	return number;
}

static void
put_back_told(const struct op_reply *reply, void *arg)
{
	struct updating *u = arg;
	char *text;

	if (reply->error != 0)
		log_error("service.enable", "%s", reply->text);
	text =
	    xasprintf("The change could not be stored: %s", strerror(u->error));
	update_done(u, u->error, text);
	free(text);
}

static void
update_told(const struct op_reply *reply, void *arg)
{
	struct updating *u = arg;

	if (reply->error != 0) {
		update_done(u, reply->error, reply->text);
		return;
	}
	u->record = audit_method_call(u->call, true, true, true);
	if (store_enable(u) != -1) {
		update_done(u, 0, NULL);
		return;
	}
	u->error = errno;
	op_run_verb(
	    u->service, DAEMON_ALL, verb_of(u->before), put_back_told, u);
}

static void
update_tell(struct updating *u)
{
	op_run_verb(u->service, DAEMON_ALL, verb_of(u->enable), update_told, u);
}

static void
update_held(int error, const char *text, void *arg)
{
	struct updating *u = arg;

	u->held = error == 0;
	if (error != 0)
		update_done(u, error, text);
	else
		update_tell(u);
}

static void
update_start(void *arg)
{
	struct updating *u = arg;
	json_t *kept;

	u->before = service_enabled(u->service);
	if (u->seconds == 0 || u->before == u->enable) {
		update_tell(u);
		return;
	}
	kept = json_pack("{s:s, s:b}", "service", services[u->service].name,
	    "enable", u->before);
	confirm_service(u->call, u->service, verb_of(u->before), kept,
	    u->seconds, update_held, u);
}

void
service_enable(struct call *call, int service, bool enable, int64_t seconds)
{
	struct updating *u = xcalloc(1, sizeof(*u));

	u->call = call;
	u->service = service;
	u->enable = enable;
	u->seconds = (uint32_t)seconds;
	serial_enter(update_start, u);
}

/* Nobody confirmed it: the store says again what the monitor did already. */
void
service_enable_put_back(struct call *call, const json_t *kept)
{
	service_enable(call, service_by_name(json_str(kept, "service", "")),
	    json_bool(kept, "enable", false), 0);
}

static void
follow_told(const struct op_reply *reply, void *arg)
{
	if (reply->error != 0)
		log_warn("service.enable", "%s: %s",
		    services[(intptr_t)arg].name, reply->text);
}

/* What a crash between the two left, or somebody else did since. */
void
service_enable_follow(void)
{
	int i;

	for (i = 0; i < service_count && core_store() != NULL; i++)
		if (store_get(core_store(), "service", services[i].api_id) !=
		    NULL)
			op_run_verb(i, DAEMON_ALL, verb_of(service_enabled(i)),
			    follow_told, (void *)(intptr_t)i);
}
