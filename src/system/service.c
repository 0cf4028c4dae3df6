/*
 * service.*: which services there are, whether they run, and whether they
 * start with the machine.  Only what is built is listed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/call.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/event.h"
#include "core/op.h"
#include "core/query.h"
#include "core/serial.h"
#include "lib/address.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "system/service.h"
#include "system/service_enable.h"
#include "system/service_time.h"
#include "system/system.h"

#define FAILED "ServiceFailed"

static const char *const read_roles[] = { "SERVICE_READ", NULL };
/* methods/service.json: those of services not built yet included. */
/* clang-format off */
static const char *const write_roles[] = {
	"SERVICE_WRITE", "SHARING_FTP_WRITE", "SHARING_ISCSI_WRITE",
	"SHARING_NFS_WRITE", "SHARING_NVME_TARGET_WRITE", "SHARING_SMB_WRITE",
	NULL
};

static const char *const verbs[] = { "START", "STOP", "RESTART", "RELOAD",
	NULL };

static const struct field control_options[] = {
	{ .name = "for", .type = F_INT, .flags = FF_NULL | FF_OWN,
	  .def = "null", .unit = "s", .min = 1, .max = DEADLINE_SECONDS_MAX,
	  .doc = "Of a START: the service is stopped after so long." },
	{ .name = "ha_propagate", .type = F_BOOL, .def = "true",
	  .doc = "Of no effect: there is no other controller." },
	{ .name = "silent", .type = F_BOOL, .def = "true",
	  .doc = "Return false, not an error, when it fails." },
	{ .name = "rollback_timeout", .type = F_INT,
	  .flags = FF_NULL | FF_OWN, .def = "null", .unit = "s", .min = 1,
	  .max = CONFIRM_SECONDS_MAX,
	  .doc = "Of a STOP: the service is started again after so long "
	  "unless that is confirmed." },
	{ .name = "timeout", .type = F_INT, .flags = FF_NULL, .def = "120",
	  .unit = "s", .doc = "Of no effect: the manager's own limits are "
	  "shorter." },
	FIELD_END
};

static const struct field control_params[] = {
	{ .name = "verb", .type = F_ENUM, .choices = verbs,
	  .flags = FF_REQUIRED, .doc = "What to do." },
	{ .name = "service", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Name of the service." },
	{ .name = "options", .type = F_OBJECT, .fields = control_options,
	  .model = "ServiceOptions", .def = "{}", .doc = "How." },
	FIELD_END
};

static const struct field instance_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the service." },
	{ .name = "options", .type = F_OBJECT, .fields = query_option_fields,
	  .model = "QueryOptions", .def = "{}", .doc = "What to return." },
	FIELD_END
};

static const struct field name_params[] = {
	{ .name = "service", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Name of the service." },
	FIELD_END
};

static const struct field update_fields[] = {
	{ .name = "enable", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Start with the machine." },
	CONFIRM_ROW,
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "id_or_name", .type = F_INT_OR_STR, .flags = FF_REQUIRED,
	  .doc = "Id or name of the service." },
	{ .name = "service_update", .type = F_OBJECT, .fields = update_fields,
	  .model = "ServiceUpdate", .flags = FF_REQUIRED,
	  .doc = "What to change." },
	FIELD_END
};

static const struct field pid_element[] = {
	{ .name = "pid", .type = F_INT, .doc = "Process id." }, FIELD_END
};

static const struct field entry_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED, .doc = "Id." },
	{ .name = "service", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Name." },
	{ .name = "enable", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Does it start with the machine?" },
	{ .name = "state", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "RUNNING or STOPPED." },
	{ .name = "pids", .type = F_ARRAY, .fields = pid_element,
	  .flags = FF_REQUIRED, .doc = "Its processes." },
	FIELD_END
};

static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = entry_fields, .flags = FF_REQUIRED, .doc = "The service." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .flags = FF_REQUIRED, .doc = "The services." };
static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is it so?" };
static const struct field integer = { .name = "result", .type = F_INT,
	.flags = FF_REQUIRED, .doc = "Id of the service." };
/* clang-format on */

static int
service_by_id(json_int_t id)
{
	int i;

	for (i = 0; i < service_count; i++)
		if (services[i].api_id == id)
			return i;
	return -1;
}

/* Gathers the state of all services from the monitor, one by one. */
struct gathering {
	int at;
	json_t *list;
	void (*done)(json_t *, void *);
	void *arg;
};

static void gather_next(struct gathering *);

static json_t *
status_json(int service, const struct op_reply *reply)
{
	struct wire_in body = reply->body;
	uint8_t state = wire_get_u8(&body);
	json_t *pids = json_array(), *listening = json_array(), *status;
	json_t *stops = service_time_end(service);
	bool running = reply->error == 0 && state != STATE_STOPPED &&
	    state != STATE_FAILED;
	char *text, *address;
	uint16_t port;
	uint32_t n;

	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--)
		json_array_append_new(pids, json_integer(wire_get_u32(&body)));
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--) {
		address = wire_get_str(&body, 64);
		port = wire_get_u16(&body);
		if (address == NULL)
			break;
		text = address_port(address, port);
		json_array_append_new(listening, json_string(text));
		free(address);
		free(text);
	}
	text = wire_get_str(&body, MESSAGE_INLINE_MAX);
	/* clang-format off */
	status = json_pack("{s:i, s:s, s:b, s:s, s:o, s:o, s:s, s:b, s:o}",
	    "id", services[service].api_id, "service", services[service].name,
	    "enable", service_enabled(service),
	    "state", running ? "RUNNING" : "STOPPED", "pids", pids,
	    "listening", listening, "last_exit", text != NULL ? text : "",
	    "failed", state == STATE_FAILED,
	    "stops", running ? json_incref(stops) : json_null());
	json_decref(stops);
	/* clang-format on */
	free(text);
	return status;
}

/*
 * The alert of one that gave up follows whoever hears how it is: at the start
 * of core, when it changes, and when somebody asks.
 */
static json_t *
heard(int service, const struct op_reply *reply)
{
	json_t *status = status_json(service, reply);
	const char *name = services[service].name;

	if (json_bool(status, "failed", false))
		alert_raise(FAILED, name,
		    json_pack("{s:s, s:s}", "service", name, "reason",
			json_str(status, "last_exit", "")));
	else if (reply->error == 0)
		alert_clear(FAILED, name);
	return status;
}

static void
gathered(const struct op_reply *reply, void *arg)
{
	struct gathering *g = arg;

	json_array_append_new(g->list, heard(g->at, reply));
	g->at++;
	gather_next(g);
}

static void
gather_next(struct gathering *g)
{
	if (g->at == service_count) {
		g->done(g->list, g->arg);
		free(g);
		return;
	}
	op_ask_state(g->at, DAEMON_ALL, gathered, g);
}

void
service_gather(void (*done)(json_t *, void *), void *arg)
{
	struct gathering *g = xcalloc(1, sizeof(*g));

	g->list = json_array();
	g->done = done;
	g->arg = arg;
	gather_next(g);
}

/* What the API shows of it; the rest is for holdfast.status. */
static json_t *
api_entries(json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		json_object_del(item, "listening");
		json_object_del(item, "last_exit");
		json_object_del(item, "failed");
		json_object_del(item, "stops");
	}
	return list;
}

static bool
is_running(const json_t *shown)
{
	return strcmp(json_str(shown, "state", ""), "RUNNING") == 0;
}

/* Processes that are there now and were not, or the other way round. */
static void
record_state(const json_t *before, const json_t *now)
{
	const json_t *pids = json_object_get(now, "pids");
	json_t *record;

	if (!is_running(now) && !is_running(before))
		return;
	if (is_running(now) == is_running(before) &&
	    json_equal(pids, json_object_get(before, "pids")))
		return;
	record = audit_record(NULL, NULL, "SERVICE",
	    json_pack("{s:s, s:s, s:O?}", "type",
		is_running(now) ? "SERVICE_START" : "SERVICE_STOP", "unit",
		json_str(now, "service", ""), "pids", pids),
	    true);
	json_object_set_new(record, "service", json_string("SYSTEM"));
	json_object_set_new(record, "username", json_string("root"));
	json_object_set_new(record, "service_data",
	    json_pack("{s:{s:i, s:i}}", "vers", "major", 0, "minor", 1));
	audit_send(record, NULL, NULL);
}

static void
changed(const struct op_reply *reply, void *arg)
{
	static json_t *told[SERVICES_MAX];
	int service = (int)(intptr_t)arg;
	json_t *list = api_entries(json_pack("[o]", heard(service, reply)));
	json_t *now = json_incref(json_array_get(list, 0));

	json_decref(list);
	/* Several changes at once may have been asked about only after. */
	if (reply->error != 0 || json_equal(told[service], now)) {
		json_decref(now);
		return;
	}
	record_state(told[service], now);
	json_decref(told[service]);
	told[service] = now;
	event_send("service.query", EVENT_CHANGED,
	    json_integer(services[service].api_id), json_incref(now));
}

/* Tells the subscribers of service.query how it is now. */
static void
service_changed(enum service_id service)
{
	op_ask_state(
	    (int)service, DAEMON_ALL, changed, (void *)(intptr_t)service);
}

static json_t *
entry_of(const json_t *list, int service)
{
	return json_incref(json_array_get(list, (size_t)service));
}

static void
query_gathered(json_t *list, void *arg)
{
	query_reply(arg, api_entries(list));
}

static void
service_query_run(struct call *call)
{
	service_gather(query_gathered, call);
}

static void
instance_gathered(json_t *list, void *arg)
{
	struct call *call = arg;
	int service = service_by_id(json_integer_value(call_param(call, 0)));

	api_entries(list);
	query_reply_instance(
	    call, service == -1 ? NULL : entry_of(list, service), "Service");
	json_decref(list);
}

static void
get_instance_run(struct call *call)
{
	service_gather(instance_gathered, call);
}

/* The service that a call's parameter names; -1: answered with ENOENT. */
static int
named(struct call *call, const char *name)
{
	int service = service_by_name(name);

	if (service == -1)
		call_fail(call, ENOENT, "Service %s not found.", name);
	return service;
}

static void
started_gathered(json_t *list, void *arg)
{
	struct call *call = arg;
	int service = service_by_name(json_string_value(call_param(call, 0)));
	const json_t *e = json_array_get(list, (size_t)service);
	bool running = strcmp(json_str(e, "state", ""), "RUNNING") == 0;

	if (strcmp(call->method->name, "service.started") != 0)
		running = running || json_bool(e, "enable", false);
	json_decref(list);
	call_reply(call, json_boolean(running));
}

static void
started_run(struct call *call)
{
	if (named(call, json_string_value(call_param(call, 0))) != -1)
		service_gather(started_gathered, call);
}

static void
service_update_run(struct call *call)
{
	const json_t *which = call_param(call, 0);
	const json_t *data = call_param(call, 1);
	int service;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	if (json_is_integer(which)) {
		service = service_by_id(json_integer_value(which));
		if (service == -1)
			call_fail(call, ENOENT, "Service %lld not found.",
			    (long long)json_integer_value(which));
	} else
		service = named(call, json_string_value(which));
	if (service != -1)
		service_enable(call, service, json_bool(data, "enable", false),
		    json_int(data, "rollback_timeout", 0));
}

static char *
update_suffix(const json_t *params)
{
	const json_t *which = json_array_get(params, 0);
	int service;

	if (json_is_string(which))
		return xstrdup(json_string_value(which));
	service = service_by_id(json_integer_value(which));
	return service != -1 ? xstrdup(services[service].name) : NULL;
}

/* --- Starting and stopping ------------------------------------------------ */

/* So many seconds after which a stop is taken back; 0: never. */
static uint32_t
rollback_seconds(const struct call *call)
{
	return (uint32_t)json_int(call_param(call, 2), "rollback_timeout", 0);
}

/* A START: so many seconds after which it ends; 0: it does not. */
static int64_t
seconds_for(const struct call *call)
{
	return json_int(call_param(call, 2), "for", 0);
}

static bool
is_verb(const struct call *call, const char *verb)
{
	return strcmp(json_string_value(call_param(call, 0)), verb) == 0;
}

static bool
control_accept(struct call *call)
{
	const char *name = json_string_value(call_param(call, 1));
	struct verr *errors = verr_new();

	if (service_by_name(name) == -1)
		verr_add(errors, "service", "Service %s not found.", name);
	else if (rollback_seconds(call) != 0 && !is_verb(call, "STOP"))
		verr_add(errors, "options.rollback_timeout",
		    "Only a STOP can be taken back");
	else if (seconds_for(call) != 0 && !is_verb(call, "START"))
		verr_add(
		    errors, "options.for", "Only a START can be for a time");
	if (verr_count(errors) == 0) {
		verr_free(errors);
		return true;
	}
	call_fail_invalid(call, errors);
	return false;
}

struct controlling {
	struct call *call;
	int error;
	char *text;
};

static void
control_ended(void *arg)
{
	struct controlling *done = arg;
	struct call *call = done->call;
	const char *verb = json_string_value(call_param(call, 0));
	const char *name = json_string_value(call_param(call, 1));

	if (done->error == 0) {
		log_info("service.control", "%s %s by %s", verb, name,
		    call_user(call));
		call_reply(call, json_true());
	} else if (json_bool(call_param(call, 2), "silent", true)) {
		log_warn("service.control", "%s %s by %s: %s", verb, name,
		    call_user(call), done->text);
		call_reply(call, json_false());
	} else
		call_fail(call, ESERVICESTARTFAILURE, "%s", done->text);
	free(done->text);
	free(done);
	serial_leave();
}

static void
controlled(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct controlling *done = xcalloc(1, sizeof(*done));

	done->call = call;
	done->error = reply->error;
	done->text = xstrdup(reply->error != 0 ? reply->text : "");
	if (is_verb(call, reply->error != 0 ? "START" : "STOP"))
		service_time_stopped(
		    service_by_name(json_string_value(call_param(call, 1))),
		    rollback_seconds(call) > 0);
	/* Whatever became of it: what runs may be another process. */
	core_service_changed((enum service_id)service_by_name(
	    json_string_value(call_param(call, 1))));
	if (rollback_seconds(call) > 0)
		confirm_service_done(reply->error == 0, control_ended, done);
	else
		control_ended(done);
}

static void
control_now(struct call *call)
{
	const char *verb = json_string_value(call_param(call, 0));
	int v;

	for (v = 0; strcmp(verbs[v], verb) != 0;)
		v++;
	op_run_verb(service_by_name(json_string_value(call_param(call, 1))),
	    DAEMON_ALL, (enum service_verb)v, controlled, call);
}

static void
stop_kept(int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (error == 0) {
		control_now(call);
		return;
	}
	call_fail(call, error, "%s", text);
	serial_leave();
}

/* One that did not run is not started by a stop that nobody confirms. */
static void
state_known(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in body = reply->body;
	const char *name = json_string_value(call_param(call, 1));

	if (reply->error == 0 && wire_get_u8(&body) == STATE_RUNNING)
		confirm_service(call, service_by_name(name), VERB_START, NULL,
		    rollback_seconds(call), stop_kept, call);
	else
		stop_kept(EINVAL,
		    "It does not run: there is nothing to take "
		    "back",
		    call);
}

static void
control_start(void *arg)
{
	struct call *call = arg;
	int service = service_by_name(json_string_value(call_param(call, 1)));

	if (rollback_seconds(call) != 0)
		op_ask_state(service, DAEMON_ALL, state_known, call);
	/* Its end is stored first: without one it would run for ever. */
	else if (is_verb(call, "START") &&
	    service_time_start(service, seconds_for(call)) == -1)
		stop_kept(
		    errno, "Until when it runs could not be stored", call);
	else
		control_now(call);
}

static void
control_run(struct call *call)
{
	serial_enter(control_start, call);
}

static char *
control_suffix(const json_t *params)
{
	return xasprintf("%s %s", json_string_value(json_array_get(params, 0)),
	    json_string_value(json_array_get(params, 1)));
}

static char *
control_lock(const json_t *params)
{
	return xasprintf(
	    "service_%s", json_string_value(json_array_get(params, 1)));
}

/* What core did not hear while it was away. */
static void (*looked)(void);

static void
looked_at(json_t *list, void *arg)
{
	(void)arg;
	json_decref(list);
	looked();
}

static void
look(void (*done)(void))
{
	service_time_resume();
	looked = done;
	service_enable_follow();
	service_gather(looked_at, NULL);
}

/* At the start of the machine: the enabled ones, one after the other. */
static struct {
	int at;
	void (*done)(void);
} booting;

static void boot_next(void);

static bool
starts(int service)
{
	return service_time_goes_on(service) || service_enabled(service);
}

static void
boot_started(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_error("service.boot", "%s: %s", services[booting.at].name,
		    reply->text);
	booting.at++;
	boot_next();
}

static void
boot_next(void)
{
	while (booting.at < service_count && !starts(booting.at))
		booting.at++;
	if (booting.at == service_count) {
		booting.done();
		return;
	}
	op_run_verb(booting.at, DAEMON_ALL, VERB_START, boot_started, NULL);
}

static void
boot(void (*done)(void))
{
	booting.done = done;
	boot_next();
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "service.control", .auth = AUTH_ROLE, .roles = write_roles,
	  .params = control_params, .result = &boolean, .job = true,
	  .job_lock = control_lock, .audit = "Service Control:",
	  .audit_suffix = control_suffix,
	  .doc = "Starts, stops, restarts or reloads a service.",
	  .accept = control_accept, .run = control_run },
	{ .name = "service.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One service.", .run = get_instance_run },
	{ .name = "service.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .params = query_params, .result = &entries,
	  .doc = "The services there are.", .run = service_query_run },
	{ .name = "service.started", .auth = AUTH_ROLE, .roles = read_roles,
	  .params = name_params, .result = &boolean,
	  .doc = "Does the service run?", .run = started_run },
	{ .name = "service.started_or_enabled", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = name_params, .result = &boolean,
	  .doc = "Does it run, or start with the machine?",
	  .run = started_run },
	/* Not KIND_UPDATE: its one member is required, not any subset. */
	{ .name = "service.update", .auth = AUTH_ROLE, .roles = write_roles,
	  .params = update_params, .result = &integer,
	  .audit = "Update service configuration",
	  .audit_suffix = update_suffix,
	  .doc = "Whether a service starts with the machine.",
	  .run = service_update_run },
	METHOD_END
};

const struct resource service_resource = {
	.name = "service", .doc = "The services and their states.",
	.kind = RESOURCE_CRUD, .role_prefix = "SERVICE",
	.verbose_name = "Service", .methods = methods, .gather = look,
	.boot = boot, .service_changed = service_changed,
	.put_back = service_enable_put_back
};
/* clang-format on */
