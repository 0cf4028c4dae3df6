/*
 * system.general: where and for whom the web page and the API are, by TCP.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/call.h"
#include "core/change.h"
#include "core/confirm.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/op.h"
#include "core/page_certificate.h"
#include "core/resource.h"
#include "lib/address.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/network.h"
#include "lib/xalloc.h"
#include "system/certificate.h"
#include "system/console.h"
#include "system/system.h"

#define ENTRY 1
#define ADDRESSES_MAX 8 /* of each family */
#define NETWORKS_MAX 256
#define DELAY_MAX 3600 /* seconds */

static const char *const versions[] = { "TLSv1", "TLSv1.1", "TLSv1.2",
	"TLSv1.3", NULL };
static const char *const offered[] = { "TLSv1.2", "TLSv1.3", NULL };
static const char *const frames[] = { "SAMEORIGIN", "DENY", "ALLOW_ALL", NULL };

/* clang-format off */
static const struct field address = { .name = "item", .type = F_STR,
	.max = INET6_ADDRSTRLEN, .doc = "An address of this machine." };

static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY, .def = "1",
	  .doc = "Id of the one entry." },
	/* No secret, as it is in TrueNAS: who it is about is shown anybody. */
	{ .name = "ui_certificate", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .refers = "certificate",
	  .label = "GUI SSL Certificate",
	  .doc = "Certificate of the page; null: the machine's own." },
	{ .name = "ui_httpsport", .type = F_INT, .def = "443", .min = 1,
	  .max = 65535, .label = "Web Interface HTTPS Port",
	  .doc = "Port of the page and the API." },
	{ .name = "ui_httpsredirect", .type = F_BOOL, .def = "false",
	  .label = "Web Interface HTTP -> HTTPS Redirect",
	  .doc = "Send who comes by HTTP to HTTPS; nothing is served by it." },
	{ .name = "ui_httpsprotocols", .type = F_ENUMV, .choices = versions,
	  .def = "[\"TLSv1.2\", \"TLSv1.3\"]", .label = "HTTPS Protocols",
	  .doc = "Versions of TLS; older ones than 1.2 are refused." },
	{ .name = "ui_port", .type = F_INT, .def = "80", .min = 1,
	  .max = 65535, .label = "Web Interface HTTP Port",
	  .doc = "Port of HTTP, which is open for the redirect only." },
	{ .name = "ui_address", .type = F_ARRAY, .fields = &address,
	  .def = "[\"0.0.0.0\"]", .max = ADDRESSES_MAX,
	  .label = "Web Interface IPv4 Address",
	  .doc = "IPv4 addresses that are listened on; 0.0.0.0 is all." },
	{ .name = "ui_v6address", .type = F_ARRAY, .fields = &address,
	  .def = "[]", .max = ADDRESSES_MAX,
	  .label = "Web Interface IPv6 Address",
	  .doc = "IPv6 addresses that are listened on; :: is all." },
	{ .name = "ui_allowlist", .type = F_STRV, .def = "[]",
	  .max = NETWORKS_MAX, .label = "Allowed IP Addresses",
	  .doc = "Addresses and networks that may come in; none: all." },
	{ .name = "ui_consolemsg", .type = F_BOOL, .def = "false",
	  .label = "Show Console Messages",
	  .doc = "Show full administrators the last lines of the system log "
	  "below each screen." },
	{ .name = "ui_x_frame_options", .type = F_ENUM, .choices = frames,
	  .def = "\"DENY\"", .label = "X-Frame-Options",
	  .doc = "Whose pages may show this one in a frame." },
	{ .name = "kbdmap", .type = F_STR, .def = "\"us\"",
	  .flags = FF_UNBUILT, .doc = "Keyboard of the console." },
	{ .name = "timezone", .type = F_STR, .def = "\"Etc/UTC\"",
	  .flags = FF_UNBUILT, .doc = "The machine's time zone." },
	{ .name = "usage_collection", .type = F_BOOL, .def = "null",
	  .flags = FF_NULL | FF_UNBUILT, .doc = "Nothing is collected." },
	{ .name = "wizardshown", .type = F_BOOL, .def = "false",
	  .flags = FF_READONLY, .doc = "Always false: there is none." },
	{ .name = "usage_collection_is_set", .type = F_BOOL, .def = "false",
	  .flags = FF_READONLY, .doc = "Nothing is collected." },
	{ .name = "ds_auth", .type = F_BOOL, .def = "false",
	  .flags = FF_UNBUILT, .doc = "Let directory users in." },
	{ .name = "ui_certificate_name", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_READONLY, .doc = "Its name." },
	{ .name = "ui_restart_delay", .type = F_INT, .def = "null", .min = 0,
	  .max = DELAY_MAX, .unit = "s", .flags = FF_NULL | FF_UNSTORED,
	  .doc = "Of no effect: a change is in force when it is answered, and "
	  "cuts nobody." },
	{ .name = "rollback_timeout", .type = F_INT, .doc = CONFIRM_DOC,
	  .def = "null", .unit = "s", .min = 1, .max = CONFIRM_SECONDS_MAX,
	  .flags = FF_NULL | FF_UNSTORED },
	IF_REVISION_ROW,
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "general_settings", .type = F_OBJECT, .fields = fields,
	  .flags = FF_REQUIRED, .model = "SystemGeneralUpdateArgs",
	  .doc = "The settings to change." },
	FIELD_END
};
static const struct field restart_params[] = {
	{ .name = "delay", .type = F_INT, .def = "3", .min = 0,
	  .max = DELAY_MAX, .unit = "s", .doc = "After so long." },
	FIELD_END
};
static const struct field entry_result[] = {
	{ .name = "result", .type = F_OBJECT, .fields = fields,
	  .model = "SystemGeneralEntry", .doc = "The settings." },
	FIELD_END
};
static const struct field choices_result[] = {
	{ .name = "result", .type = F_DICT, .flags = FF_REQUIRED,
	  .doc = "Each as its own name." },
	FIELD_END
};
static const struct field url_result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "Where the page is." };
/* clang-format on */

/* --- Where it listens ------------------------------------------------------- */

static void
add_listening(
    json_t *list, const json_t *entry, const char *plain, uint16_t port)
{
	static const char *const members[] = { "ui_address", "ui_v6address" };
	const json_t *one;
	size_t i, k;
	char *text;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_array_foreach(json_object_get(entry, members[i]), k, one) {
			text = address_port(json_string_value(one), port);
			json_array_append_new(
			    list, json_sprintf("%s%s", plain, text));
			free(text);
		}
}

static uint16_t
port_of(const json_t *entry, const char *member)
{
	return (uint16_t)json_int(entry, member, 0);
}

/* "192.0.2.1:443", ..., "http 192.0.2.1:80", ...: a new array. */
static json_t *
listening(const json_t *entry)
{
	json_t *list = json_array();

	add_listening(list, entry, "", port_of(entry, "ui_httpsport"));
	if (json_bool(entry, "ui_httpsredirect", false))
		add_listening(
		    list, entry, LISTEN_PLAIN, port_of(entry, "ui_port"));
	return list;
}

json_t *
general_listening(void)
{
	if (!core_facts()->expose || core_store() == NULL)
		return NULL;
	return listening(change_view(NULL, &general_resource, ENTRY));
}

static void
ask_listen(const json_t *entry, op_done *done, void *arg)
{
	json_t *list = listening(entry), *one;
	struct wire_out out = { 0 };
	size_t i;

	wire_put_u32(&out, (uint32_t)json_array_size(list));
	json_array_foreach(list, i, one)
		wire_put_str(&out, json_string_value(one));
	op_request(MSG_OP_LISTEN, &out, -1, done, arg);
	wire_free(&out);
	json_decref(list);
}

static bool
listens_elsewhere(const json_t *before, const json_t *after)
{
	json_t *old = listening(before), *new = listening(after);
	bool equal = json_equal(old, new);

	json_decref(old);
	json_decref(new);
	return !equal;
}

/* --- A change --------------------------------------------------------------- */

static void
check_addresses(struct change *c, const char *member, int family)
{
	const json_t *list = json_object_get(c->after, member), *one;
	uint8_t bytes[16];
	size_t i, k;

	json_array_foreach(list, i, one) {
		if (inet_pton(family, json_string_value(one), bytes) != 1)
			verr_add(c->errors, member, "%s is no IPv%s address",
			    json_string_value(one),
			    family == AF_INET ? "4" : "6");
		for (k = 0; k < i; k++)
			if (json_equal(one, json_array_get(list, k)))
				verr_add(c->errors, member, "%s is there twice",
				    json_string_value(one));
	}
}

/* Where --listen says, unless services may listen anywhere (--expose). */
static void
check_instance(struct change *c)
{
	static const char *const fixed[] = { "ui_address", "ui_v6address",
		"ui_httpsport", "ui_httpsredirect", "ui_port" };
	size_t i;

	if (core_facts()->expose)
		return;
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!json_equal(json_object_get(c->before, fixed[i]),
			json_object_get(c->after, fixed[i])))
			verr_add(c->errors, fixed[i],
			    "An instance that is not exposed listens where "
			    "--listen says");
}

static void
check_versions(struct change *c)
{
	const json_t *list = json_object_get(c->after, "ui_httpsprotocols");
	const json_t *one;
	size_t i;

	if (json_array_size(list) == 0)
		verr_add(
		    c->errors, "ui_httpsprotocols", "At least one is needed");
	json_array_foreach(list, i, one)
		if (strcmp(json_string_value(one), offered[0]) < 0)
			verr_add(c->errors, "ui_httpsprotocols",
			    "%s is not secure, and not offered",
			    json_string_value(one));
}

/* Nobody keeps himself out without a way back. */
static void
check_allowlist(struct change *c)
{
	const json_t *list = json_object_get(c->after, "ui_allowlist"), *one;
	const struct connection *from = c->call->connection;
	struct network network;
	bool in = json_array_size(list) == 0;
	size_t i;

	json_array_foreach(list, i, one) {
		if (network_parse(json_string_value(one), &network) == -1)
			verr_add(c->errors, "ui_allowlist",
			    "%s is no address or network",
			    json_string_value(one));
		else if (from != NULL && network_has(&network, from->address))
			in = true;
	}
	if (!in && from != NULL && from->front == ROLE_WEB &&
	    c->rollback_seconds == 0)
		verr_add(c->errors, "ui_allowlist",
		    "%s is not in it, where you come from: with "
		    "rollback_timeout it can be tried",
		    from->address);
}

static void
check_certificate(struct change *c)
{
	const json_t *id = json_object_get(c->after, "ui_certificate");
	const char *why;

	if (!json_is_integer(id) ||
	    json_equal(id, json_object_get(c->before, "ui_certificate")))
		return;
	why = certificate_unfit(c, json_integer_value(id));
	if (why != NULL)
		verr_add(c->errors, "ui_certificate", "%s", why);
}

static void
check_ports(struct change *c)
{
	if (json_bool(c->after, "ui_httpsredirect", false) &&
	    port_of(c->after, "ui_port") == port_of(c->after, "ui_httpsport"))
		verr_add(c->errors, "ui_port", "This is the port of HTTPS");
}

static void
check(struct change *c)
{
	check_ports(c);
	check_certificate(c);
	check_addresses(c, "ui_address", AF_INET);
	check_addresses(c, "ui_v6address", AF_INET6);
	check_instance(c);
	check_versions(c);
	check_allowlist(c);
	if (json_array_size(json_object_get(c->after, "ui_address")) +
		json_array_size(json_object_get(c->after, "ui_v6address")) ==
	    0)
		verr_add(c->errors, "ui_address",
		    "Without an address nobody could come in");
}

/* --- Beside files: where it listens, and the certificate -------------------- */

static bool
shows_another(const struct edit *e)
{
	return !json_equal(json_object_get(e->before, "ui_certificate"),
	    json_object_get(e->after, "ui_certificate"));
}

static void
certificate_tried(const char *why, void *arg)
{
	change_beside_done(arg, why);
}

/* The last of it.  What was there before needs no try. */
static void
show(struct change *c)
{
	const struct edit *e = change_find(c, &general_resource, ENTRY);
	const json_t *entry = c->beside == BESIDE_DO ? e->after : e->before;
	const char *chain, *key;

	if (!shows_another(e)) {
		change_beside_done(c, NULL);
		return;
	}
	certificate_of_page(
	    c, json_int(entry, "ui_certificate", -1), &chain, &key);
	if (c->beside == BESIDE_DO)
		page_certificate_try(chain, key, certificate_tried, c);
	else {
		page_certificate_set(chain, key);
		change_beside_done(c, NULL);
	}
}

static void
listens(const struct op_reply *reply, void *arg)
{
	if (reply->error != 0)
		change_beside_done(arg, reply->text);
	else
		show(arg);
}

static void
beside(struct change *c, enum beside step)
{
	const struct edit *e = change_find(c, &general_resource, ENTRY);

	if (step == BESIDE_KEEP || e == NULL || e->before == NULL ||
	    e->after == NULL)
		change_beside_done(c, NULL);
	else if (core_facts()->expose && listens_elsewhere(e->before, e->after))
		ask_listen(
		    step == BESIDE_DO ? e->after : e->before, listens, c);
	else
		show(c);
}

static const json_t *
settings(void)
{
	return change_view(NULL, &general_resource, ENTRY);
}

static uint8_t
version_bits(const json_t *list)
{
	const json_t *one;
	uint8_t bits = 0;
	size_t i;

	json_array_foreach(list, i, one)
		bits |= strcmp(json_string_value(one), "TLSv1.3") == 0 ?
		    ACCESS_TLS13 :
		    ACCESS_TLS12;
	return bits;
}

void
general_certificate(void)
{
	const char *chain, *key;
	json_int_t id = json_int(settings(), "ui_certificate", -1);

	if (!certificate_of_page(NULL, id, &chain, &key))
		core_problem("page.certificate",
		    "The private key of the page's certificate is not here: "
		    "the machine's own is shown");
	else
		core_problem_clear("page.certificate");
	page_certificate_set(chain, key);
}

static enum access_frames
frames_of(const json_t *entry)
{
	const char *name = json_str(entry, "ui_x_frame_options", "");

	return strcmp(name, "SAMEORIGIN") == 0 ? FRAMES_OWN :
	    strcmp(name, "ALLOW_ALL") == 0     ? FRAMES_ANY :
						 FRAMES_NONE;
}

static void
changed(void)
{
	const json_t *entry = settings();
	struct access now = { .frames = frames_of(entry),
		.port = port_of(entry, "ui_httpsport"),
		.networks = json_object_get(entry, "ui_allowlist") };

	now.versions =
	    version_bits(json_object_get(entry, "ui_httpsprotocols"));
	general_certificate();
	access_set(&now);
}

/* --- Start ------------------------------------------------------------------ */

/* As --listen says. */
static void
initial(json_t *entry)
{
	const char *text = core_facts()->web_listening;
	const char *host = core_facts()->listen_address;
	const char *colon = strrchr(text, ':');
	bool six = strchr(host, ':') != NULL;

	if (colon != NULL)
		json_object_set_new(entry, "ui_httpsport",
		    json_integer(strtol(colon + 1, NULL, 10)));
	json_object_set_new(
	    entry, "ui_address", six ? json_array() : json_pack("[s]", host));
	json_object_set_new(
	    entry, "ui_v6address", six ? json_pack("[s]", host) : json_array());
	json_object_set_new(
	    entry, "timezone", json_string(core_facts()->timezone));
}

static void
started(const struct op_reply *reply, void *arg)
{
	void (**done)(void) = arg;

	if (reply->error != 0) {
		log_error("listen", "%s", reply->text);
		core_problem("listen",
		    "The page listens where --listen says: %s", reply->text);
	}
	(*done)();
}

static void
gather(void (*done)(void))
{
	static void (*then)(void);

	then = done;
	changed();
	if (core_facts()->expose)
		ask_listen(settings(), started, &then);
	else
		done();
}

/* --- Methods ---------------------------------------------------------------- */

/* Without one that was chosen it is the machine's own. */
static void
extend(json_t *entry)
{
	json_int_t id = json_int(entry, "ui_certificate", certificate_own());
	const json_t *certificate =
	    store_get(core_store(), certificate_resource.name, id);

	json_object_set_new(entry, "ui_certificate",
	    certificate != NULL ? json_integer(id) : json_null());
	json_object_set_new(entry, "ui_certificate_name",
	    json_string(json_str(certificate, "name", "")));
}

static const struct resource *const extended_from[] = { &certificate_resource,
	NULL };

static void
certificates_run(struct call *call)
{
	if (core_store() != NULL)
		call_reply(call, certificate_choices());
	else
		call_fail(call, EIO, "%s", core_store_refused());
}

static void
choose(json_t *choices, const char *name)
{
	json_object_set_new(choices, name, json_string(name));
}

static void
protocols_run(struct call *call)
{
	json_t *choices = json_object();
	size_t i;

	for (i = 0; offered[i] != NULL; i++)
		choose(choices, offered[i]);
	call_reply(call, choices);
}

/* Addresses of one family; link-local ones need an interface. */
static json_t *
addresses_of(struct wire_in *body, bool six)
{
	json_t *choices = json_object();
	uint32_t n = wire_get_u32(body);
	char *text;

	choose(choices, six ? "::" : "0.0.0.0");
	while (n-- > 0 && !body->bad) {
		free(wire_get_str(body, 256));
		text = wire_get_str(body, 256);
		if (text != NULL && strchr(text, '%') == NULL &&
		    (strchr(text, ':') != NULL) == six)
			choose(choices, text);
		free(text);
	}
	return choices;
}

static void
addresses_known(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in body = reply->body;
	bool six = strstr(call->method->name, "v6") != NULL;

	if (reply->error != 0)
		call_fail(call, reply->error, "%s", reply->text);
	else
		call_reply(call, addresses_of(&body, six));
}

static void
addresses_run(struct call *call)
{
	bool six = strstr(call->method->name, "v6") != NULL;
	const json_t *list, *one;
	json_t *choices;
	size_t i;

	if (core_facts()->expose) {
		op_request(MSG_OP_INTERFACES, NULL, -1, addresses_known, call);
		return;
	}
	choices = json_object();
	list = json_object_get(settings(), six ? "ui_v6address" : "ui_address");
	json_array_foreach(list, i, one)
		choose(choices, json_string_value(one));
	call_reply(call, choices);
}

static void
local_url_run(struct call *call)
{
	json_t *list = listening(settings());
	const char *first = json_string_value(json_array_get(list, 0));

	if (strncmp(first, "0.0.0.0:", 8) == 0 ||
	    strncmp(first, "[::]:", 5) == 0)
		call_reply(call,
		    json_sprintf("https://%s%s", core_facts()->hostname,
			strrchr(first, ':')));
	else
		call_reply(call, json_sprintf("https://%s", first));
	json_decref(list);
}

static void
restarted(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_error("listen", "%s", reply->text);
	else
		core_problem_clear("listen");
}

static void
restart(void *arg)
{
	(void)arg;
	if (core_facts()->expose)
		ask_listen(settings(), restarted, NULL);
}

/* Where it should listen and does not, for want of an address: tried again. */
static void
restart_run(struct call *call)
{
	json_int_t delay = json_integer_value(call_param(call, 0));

	core_after((unsigned int)delay * 1000, restart, NULL);
	call_reply(call, NULL);
}

static const char *const read_roles[] = { "SYSTEM_GENERAL_READ", NULL };
static const char *const write_roles[] = { "SYSTEM_GENERAL_WRITE", NULL };
static const char *const choices_roles[] = { "READONLY_ADMIN",
	"SYSTEM_GENERAL_READ", NULL };

struct arrivals {
	int64_t since;
	bool any;
};

static void
arrived(struct connection *c, void *arg)
{
	struct arrivals *arrivals = arg;

	arrivals->any |= c->front == ROLE_WEB && c->opened >= arrivals->since &&
	    c->session != NULL && session_has_any(c->session, write_roles);
}

/* The way in is shown by coming in: connections from before do not count. */
static void
prove(int64_t since, void (*done)(const char *missing, void *), void *arg)
{
	struct arrivals arrivals = { .since = since };

	connection_each(arrived, &arrivals);
	done(arrivals.any ? NULL :
			    "Nobody who may change these settings came in by "
			    "TCP after the change: connect anew and log in",
	    arg);
}

static const struct confirming confirming = {
	.event = "system.general.checkin_waiting", .prove = prove
};

/* clang-format off */
#define CHOICES(id, text, function)					\
	{ .name = "system.general." id, .kind = KIND_CHOICES,		\
	  .auth = AUTH_ROLE, .roles = choices_roles,			\
	  .result = choices_result, .doc = text, .run = function }

static const struct method methods[] = {
	{ .name = "system.general.checkin", .auth = AUTH_ROLE,
	  .roles = write_roles, .params = confirm_params,
	  .audit = "Confirm general settings",
	  .doc = "Confirms the change of the settings that waits.",
	  .run = confirm_checkin_run },
	{ .name = "system.general.checkin_waiting", .auth = AUTH_ROLE,
	  .roles = write_roles, .result = &confirm_seconds,
	  .doc = "How long a change still waits for system.general.checkin.",
	  .run = confirm_waiting_run },
	{ .name = "system.general.config", .kind = KIND_CONFIG,
	  .auth = AUTH_ROLE, .roles = read_roles, .result = entry_result,
	  .doc = "The general settings.", .run = resource_config_run },
	{ .name = "system.general.local_url", .auth = AUTH_ROLE,
	  .roles = read_roles, .result = &url_result,
	  .doc = "Where the page is.", .run = local_url_run },
	CHOICES("ui_address_choices",
	    "The IPv4 addresses that ui_address may name.", addresses_run),
	CHOICES("ui_certificate_choices",
	    "The certificates that the page can have, by id.",
	    certificates_run),
	CHOICES("ui_httpsprotocols_choices",
	    "The versions of TLS that there are.", protocols_run),
	{ .name = "system.general.ui_restart", .auth = AUTH_ROLE,
	  .roles = write_roles, .params = restart_params,
	  .doc = "Tries to listen where it should; cuts nobody.",
	  .run = restart_run },
	CHOICES("ui_v6address_choices",
	    "The IPv6 addresses that ui_v6address may name.", addresses_run),
	{ .name = "system.general.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = entry_result, .audit = "System general update",
	  .doc = "Changes general settings.", .run = resource_update_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "system.general.console", .auth = AUTH_ROLE, .own = true,
	  .start = console_start, .stop = console_stop,
	  .doc = "The last lines of the system log, then those that come." },
	{ .name = "system.general.checkin_waiting", .auth = AUTH_ROLE,
	  .roles = write_roles, .own = true,
	  .doc = "How long a change still waits for system.general.checkin." },
	EVENT_END
};

const struct resource general_resource = {
	.name = "system.general", .doc = "Where and for whom the page is.",
	.kind = RESOURCE_CONFIG, .role_prefix = "SYSTEM_GENERAL",
	.verbose_name = "System General", .methods = methods,
	.fields = fields, .entry = ENTRY, .check = check, .initial = initial,
	.extend = extend, .extended_from = extended_from,
	.beside = beside, .gather = gather, .changed = changed,
	.events = events, .confirmed_by = &confirming
};
/* clang-format on */
