/*
 * Events from their sender to the front role's socket: who hears what, with
 * or without secrets, sources with arguments, and what a client that takes
 * nothing costs.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/event.h"
#include "core/limits.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "core/session.h"
#include "core/sessions.h"
#include "core/token.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static uv_loop_t loop;
static struct ipc *core_end;
static int front_end;

struct ipc *__real_core_peer(enum role);
struct ipc *__wrap_core_peer(enum role);

/* Core's end of a channel whose other end is this test. */
struct ipc *
__wrap_core_peer(enum role role)
{
	return role == ROLE_WEB ? core_end : __real_core_peer(role);
}

/* What core does after some time, the last one asked for. */
void __wrap_core_after(unsigned int, void (*)(void *), void *);

static struct {
	unsigned int milliseconds;
	void (*run)(void *);
	void *arg;
} later;

void
__wrap_core_after(unsigned int milliseconds, void (*run)(void *), void *arg)
{
	later.milliseconds = milliseconds;
	later.run = run;
	later.arg = arg;
}

struct session *__wrap_account_session_again(
    const struct session *, const char *);

/* What accounts may do in these tests; no roles: not use the API at all. */
static const char *granted;

struct session *
__wrap_account_session_again(const struct session *s, const char *origin)
{
	const char *roles[] = { granted, NULL };

	if (granted == NULL)
		return NULL;
	return session_new(
	    s->username, s->uid, origin, CREDENTIAL_PASSWORD, roles);
}

/*
 * A made-up resource.
 */
static struct connection *grabbed;

static void
grab_run(struct call *call)
{
	grabbed = call->connection;
	call_reply(call, NULL);
}

static void
whoami_run(struct call *call)
{
	call_reply(call, json_string(call_user(call)));
}

static bool
is_whole(const struct session *s, const json_t *id, const json_t *fields)
{
	(void)s;
	(void)fields;
	return json_integer_value(id) != 13;
}

/* The source: notes what is done with it. */
static struct {
	struct source *source;
	json_t *arguments;
	unsigned int started, stopped;
	bool fails; /* in start */
} clock_source;

static void *
clock_start(struct source *source, const json_t *arguments)
{
	clock_source.source = source;
	clock_source.started++;
	json_decref(clock_source.arguments);
	clock_source.arguments = json_deep_copy(arguments);
	if (clock_source.fails)
		event_source_end(
		    source, call_method_error(EIO, "[EIO] Broken", NULL));
	return &clock_source;
}

static void
clock_stop(void *own)
{
	assert_ptr_equal(own, &clock_source);
	clock_source.stopped++;
}

static const char *const reader[] = { "SSH_READ", NULL };

/* clang-format off */
static const struct field clock_arguments[] = {
	{ .name = "interval", .type = F_INT, .def = "2", .min = 1, .max = 60,
	  .doc = "How often." },
	FIELD_END
};

static const struct event made_events[] = {
	{ .name = "made.clock", .doc = "Ticks.", .auth = AUTH_ROLE,
	  .roles = reader, .arguments = clock_arguments,
	  .start = clock_start, .stop = clock_stop },
	{ .name = "made.some", .doc = "Some.", .auth = AUTH_SESSION,
	  .may_read = is_whole },
	/* The one that core sends by itself. */
	{ .name = "auth.sessions", .doc = "Sessions.", .auth = AUTH_ROLE },
	EVENT_END
};

static const struct field string = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "Name." };

static const struct method made_methods[] = {
	{ .name = "made.grab", .doc = "Grabs.", .auth = AUTH_NONE,
	  .run = grab_run },
	{ .name = "made.whoami", .doc = "Who am I?", .auth = AUTH_SESSION,
	  .result = &string, .run = whoami_run },
	METHOD_END
};

static const struct field made_fields[] = {
	{ .name = "id", .type = F_INT, .doc = "Id." },
	{ .name = "key", .type = F_STR, .flags = FF_SECRET, .doc = "Key." },
	FIELD_END
};

/* Like user's, when the test says so. */
static bool is_about_accounts;

static void
made_changed(void)
{
	if (is_about_accounts)
		sessions_review();
}

static const struct resource made = {
	.changed = made_changed,
	.name = "made", .doc = "Made up.", .kind = RESOURCE_CRUD,
	.role_prefix = "SSH", .methods = made_methods, .events = made_events,
	.fields = made_fields
};

const struct resource *const resources[] = { &made, NULL };
const struct renderer renderers[] = { { .output = -1 } };
const struct daemon_rule daemon_rules[] = { { .daemon = -1 } };
const struct scheduled_task scheduled_tasks[] = { { .name = NULL } };
/* clang-format on */

/*
 * The front role's end.
 */
static void
front_send(enum message_type type, uint32_t id, struct wire_out *body)
{
	struct ipc_msg msg = { .type = (uint16_t)type, .id = id };

	wire_in_init(&msg.body, body->data, body->len);
	connection_message(core_end, &msg);
	wire_free(body);
}

/* The next message to a front, its frame (if it is one) parsed; NULL: none. */
static json_t *
front_received(uint16_t *typep, uint32_t *idp)
{
	struct pollfd pfd = { .fd = front_end, .events = POLLIN };
	struct ipc_msg msg;
	void *to_free;
	const char *text, *why;
	json_t *frame;
	size_t len;

	*typep = 0;
	uv_run(&loop, UV_RUN_NOWAIT);
	if (poll(&pfd, 1, 0) != 1)
		return NULL;
	assert_int_equal(
	    ipc_recv_blocking(front_end, ROLE_WEB, ROLE_CORE, &msg, &to_free),
	    0);
	*typep = msg.type;
	*idp = msg.id;
	if (msg.type == MSG_CLIENT_CLOSE) {
		frame = json_integer(wire_get_u16(&msg.body));
	} else if (msg.type == MSG_CLIENT_LIMIT) {
		frame = json_integer(wire_get_u32(&msg.body));
	} else {
		if (msg.type == MSG_CLIENT_FRAME)
			wire_get_u32(&msg.body);
		text = wire_get_bytes(&msg.body, &len);
		frame = json_parse(text, len, &why);
	}
	assert_non_null(frame);
	freezero(to_free, msg.body.len);
	return frame;
}

/* The next event, which must be of that connection; NULL: none is there. */
static json_t *
event_received(uint32_t connection)
{
	uint16_t type;
	uint32_t id;
	json_t *frame = front_received(&type, &id);

	if (frame == NULL)
		return NULL;
	assert_int_equal(type, MSG_CLIENT_EVENT);
	assert_int_equal(id, connection);
	return frame;
}

static void
assert_event(uint32_t connection, const char *expected)
{
	json_t *frame = event_received(connection);
	json_t *wanted = json_loads(expected, 0, NULL);

	assert_non_null(wanted);
	assert_non_null(frame);
	json_object_set_new(wanted, "jsonrpc", json_string("2.0"));
	if (!json_equal(frame, wanted))
		fail_msg("%s", json_dumps(frame, 0));
	json_decref(frame);
	json_decref(wanted);
}

static void
assert_nothing(void)
{
	assert_null(event_received(0));
}

static uint32_t last_client;

static struct connection *
client(const char *role)
{
	const char *roles[] = { role, NULL };
	struct wire_out out = { 0 };
	char address[32];
	uint16_t type;
	uint32_t id;

	/* Each from elsewhere, because of the rate limit. */
	snprintf(address, sizeof(address), "192.0.2.%u", ++last_client);
	wire_put_str(&out, address);
	wire_put_u16(&out, 4711);
	wire_put_u8(&out, 1);
	wire_put_u8(&out, PROTOCOL_JSONRPC);
	front_send(MSG_CLIENT_OPEN, last_client, &out);
	wire_put_str(&out, "1");
	wire_put_str(&out, "made.grab");
	wire_put_str(&out, "[]");
	front_send(MSG_CLIENT_CALL, last_client, &out);
	assert_int_equal(grabbed->id, last_client);
	connection_login(grabbed,
	    session_new("somebody", 1000, "192.0.2.1:4711", CREDENTIAL_PASSWORD,
		roles));
	json_decref(front_received(&type, &id));
	assert_int_equal(type, MSG_CLIENT_FRAME);
	json_decref(front_received(&type, &id));
	assert_int_equal(type, MSG_CLIENT_LIMIT);
	return grabbed;
}

static void
gone(const struct connection *c)
{
	struct wire_out out = { 0 };

	front_send(MSG_CLIENT_GONE, c->id, &out);
}

static void
drain(void)
{
	uint16_t type;
	uint32_t id;
	json_t *frame;

	while ((frame = front_received(&type, &id)) != NULL)
		json_decref(frame);
}

static void
on_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	(void)ipc;
	(void)msg;
	(void)arg;
}

static void
on_closed(struct ipc *ipc, const char *reason, void *arg)
{
	(void)ipc;
	(void)arg;
	fail_msg("closed: %s", reason);
}

static int
setup(void **state)
{
	/* clang-format off */
	static const struct ipc_callbacks callbacks = {
		.message = on_message, .closed = on_closed
	};
	/* clang-format on */
	int fds[2];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(ipc_pair(fds), 0);
	core_end =
	    ipc_new(&loop, fds[0], ROLE_CORE, ROLE_WEB, &callbacks, NULL);
	front_end = fds[1];
	clock_source.started = clock_source.stopped = 0;
	clock_source.fails = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	connection_front_gone(ROLE_WEB);
	ipc_free(core_end);
	core_end = NULL;
	close(front_end);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	json_decref(clock_source.arguments);
	clock_source.arguments = NULL;
	return 0;
}

/*
 * The tests.
 */
static void
test_tables(void **state)
{
	json_t *faults = json_array();

	(void)state;
	event_lint(faults);
	assert_int_equal(json_array_size(faults), 0);
	json_decref(faults);
}

static void
test_kinds(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	char id[UUID_LEN];

	(void)state;
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	assert_nothing();
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	event_send("made.query", EVENT_ADDED, json_integer(1),
	    json_pack("{s:i, s:s}", "id", 1, "key", "k"));
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"added\", \"collection\": \"made.query\", \"id\": 1, "
	    "\"fields\": {\"id\": 1, \"key\": \"k\"}}}");
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"changed\", \"collection\": \"made.query\"}}");
	event_send("made.query", EVENT_REMOVED, json_integer(1), NULL);
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"removed\", \"collection\": \"made.query\", \"id\": 1}}");
	event_send(
	    "made.query", EVENT_REMOVED, NULL, json_pack("{s:i}", "id", 1));
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"removed\", \"collection\": \"made.query\", \"extra\": "
	    "{\"fields\": {\"id\": 1}}}}");
	assert_nothing();
}

static void
test_secrets(void **state)
{
	static const char *const roles[] = { "SSH_WRITE", "SSH_READ" };
	static const char *const keys[] = { "k", "********" };
	struct connection *c;
	char id[UUID_LEN];
	json_t *frame;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		c = client(roles[i]);
		assert_int_equal(event_subscribe(c, "made.query", id), 0);
	}
	event_send(
	    "made.query", EVENT_ADDED, NULL, json_pack("{s:s}", "key", "k"));
	for (i = 0; i < 2; i++) {
		frame = event_received(last_client - 1 + (uint32_t)i);
		assert_string_equal(
		    json_str(json_object_get(
				 json_object_get(frame, "params"), "fields"),
			"key", ""),
		    keys[i]);
		json_decref(frame);
	}
}

/* Roles and sessions count when something happens, not when it was asked. */
static void
test_session_that_loses_its_role(void **state)
{
	struct connection *c = client("SSH_READ");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	json_decref(event_received(c->id));
	memset(&c->session->roles, 0, sizeof(c->session->roles));
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	assert_nothing();
	assert_int_equal(event_subscribe(c, "made.query", id), EACCES);
	connection_login(c, NULL);
	drain();
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	event_send("made.some", EVENT_CHANGED, NULL, NULL);
	assert_nothing();
	assert_int_equal(event_subscribe(c, "made.some", id), EACCES);
}

static void
test_row_says_who_may_read(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.some", id), 0);
	event_send("made.some", EVENT_ADDED, json_integer(13), NULL);
	assert_nothing();
	event_send("made.some", EVENT_ADDED, json_integer(14), NULL);
	json_decref(event_received(c->id));
}

static void
test_everything(void **state)
{
	static const char *const none[] = { NULL };
	struct connection *c = client("FULL_ADMIN");
	struct connection *other = client("READONLY_ADMIN");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "*", id), 0);
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	json_decref(event_received(c->id));
	event_send("made.some", EVENT_ADDED, NULL, NULL);
	json_decref(event_received(c->id));
	assert_nothing();
	assert_int_equal(event_subscribe(other, "*", id), EACCES);
	/* It outlives the login, its right does not. */
	connection_login(c,
	    session_new(
		"lesser", 1001, "192.0.2.1:4711", CREDENTIAL_PASSWORD, none));
	drain();
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	event_send("made.some", EVENT_ADDED, NULL, NULL);
	assert_nothing();
}

static void
test_names(void **state)
{
	struct connection *full = client("FULL_ADMIN");
	struct connection *some = client("SSH_READ");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(full, "no.such", id), 0);
	assert_int_equal(event_subscribe(full, "", id), 0);
	assert_int_equal(event_subscribe(full, "*:{}", id), 0);
	assert_int_equal(event_subscribe(full, "made.query:{}", id), EINVAL);
	assert_int_equal(event_subscribe(some, "no.such", id), EACCES);
	assert_int_equal(event_subscribe(some, "made", id), EACCES);
	assert_int_equal(event_subscribe(some, "made.quer", id), EACCES);
	assert_int_equal(event_subscribe(some, "made.query2", id), EACCES);
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	assert_nothing();
}

static void
test_unsubscribing(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	struct connection *other = client("FULL_ADMIN");
	char id[UUID_LEN];
	unsigned int i;

	(void)state;
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	event_unsubscribe(c, "00000000-0000-0000-0000-000000000000");
	/* Somebody else's id is an unknown one. */
	event_unsubscribe(other, id);
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	json_decref(event_received(c->id));
	event_unsubscribe(c, id);
	event_send("made.query", EVENT_ADDED, NULL, NULL);
	assert_nothing();
	for (i = 0; i < LIMIT_SUBSCRIPTIONS; i++)
		assert_int_equal(event_subscribe(c, "made.query", id), 0);
	assert_int_equal(event_subscribe(c, "made.query", id), EBUSY);
	event_unsubscribe(c, id);
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	assert_int_equal(event_subscribe(other, "made.query", id), 0);
}

/*
 * Sources.
 */
static void
test_source(void **state)
{
	struct connection *c = client("SSH_READ");
	char first[UUID_LEN], second[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.clock:{}", first), 0);
	assert_int_equal(clock_source.started, 0);
	event_start(c, first);
	assert_int_equal(clock_source.started, 1);
	assert_int_equal(json_int(clock_source.arguments, "interval", 0), 2);
	event_source_send(clock_source.source, EVENT_ADDED, NULL,
	    json_pack("{s:i}", "tick", 1));
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"added\", \"collection\": \"made.clock:{}\", "
	    "\"fields\": {\"tick\": 1}}}");
	/* The same again is the same one; it ends with the last. */
	assert_int_equal(event_subscribe(c, "made.clock:{}", second), 0);
	event_start(c, second);
	assert_int_equal(clock_source.started, 1);
	event_unsubscribe(c, first);
	assert_int_equal(clock_source.stopped, 0);
	assert_nothing();
	event_unsubscribe(c, second);
	assert_int_equal(clock_source.stopped, 1);
	assert_event(c->id,
	    "{\"method\": \"notify_unsubscribed\", \"params\": {"
	    "\"collection\": \"made.clock:{}\", \"error\": null}}");
}

static void
assert_refused(struct connection *c, const char *name, const char *attribute)
{
	char id[UUID_LEN];
	json_t *frame, *params, *error;

	assert_int_equal(event_subscribe(c, name, id), 0);
	event_start(c, id);
	frame = event_received(c->id);
	assert_string_equal(
	    json_str(frame, "method", ""), "notify_unsubscribed");
	params = json_object_get(frame, "params");
	assert_string_equal(json_str(params, "collection", ""), name);
	error = json_object_get(params, "error");
	assert_int_equal(json_int(error, "error", 0), EINVAL);
	assert_string_equal(
	    json_string_value(json_array_get(
		json_array_get(json_object_get(error, "extra"), 0), 0)),
	    attribute);
	json_decref(frame);
	assert_null(c->subscriptions);
	assert_int_equal(clock_source.started, 0);
}

static void
test_wrong_arguments(void **state)
{
	struct connection *c = client("SSH_READ");

	(void)state;
	assert_refused(
	    c, "made.clock:{\"interval\": 0}", "made.clock.interval");
	assert_refused(
	    c, "made.clock:{\"interval\": \"1\"}", "made.clock.interval");
	assert_refused(c, "made.clock:{\"x\": 1}", "made.clock.x");
	assert_refused(c, "made.clock:[]", "made.clock");
	assert_refused(c, "made.clock:{", "made.clock");
	assert_refused(c, "made.clock:", "made.clock");
}

static void
test_source_that_ends(void **state)
{
	struct connection *c = client("SSH_READ");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(
	    event_subscribe(c, "made.clock:{\"interval\": 5}", id), 0);
	event_start(c, id);
	event_source_end(clock_source.source, NULL);
	assert_event(c->id,
	    "{\"method\": \"notify_unsubscribed\", \"params\": {"
	    "\"collection\": \"made.clock:{\\\"interval\\\": 5}\", "
	    "\"error\": null}}");
	assert_null(c->subscriptions);
	clock_source.fails = true;
	assert_int_equal(event_subscribe(c, "made.clock", id), 0);
	event_start(c, id);
	assert_event(c->id,
	    "{\"method\": \"notify_unsubscribed\", \"params\": {"
	    "\"collection\": \"made.clock\", \"error\": {\"error\": 5, "
	    "\"errname\": \"EIO\", \"reason\": \"[EIO] Broken\", \"trace\": {"
	    "\"class\": \"CallError\", \"formatted\": \"[EIO] Broken\", "
	    "\"repr\": \"CallError([EIO] Broken)\"}, \"extra\": null}}}");
	assert_null(c->subscriptions);
	assert_int_equal(clock_source.stopped, 0);
}

static void
test_source_ends_with_its_session(void **state)
{
	struct connection *c = client("SSH_READ");
	char id[UUID_LEN];
	json_t *frame, *error;

	(void)state;
	assert_int_equal(event_subscribe(c, "made.clock", id), 0);
	event_start(c, id);
	/* Not even what is under way when the role goes. */
	memset(&c->session->roles, 0, sizeof(c->session->roles));
	event_source_send(clock_source.source, EVENT_ADDED, NULL, NULL);
	assert_nothing();
	connection_login(c, NULL);
	frame = event_received(c->id);
	assert_int_equal(clock_source.stopped, 1);
	error = json_object_get(json_object_get(frame, "params"), "error");
	assert_int_equal(json_int(error, "error", 0), EACCES);
	json_decref(frame);
	assert_null(c->subscriptions);
}

static void
test_source_ends_with_its_connection(void **state)
{
	struct connection *c = client("SSH_READ");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.clock", id), 0);
	event_start(c, id);
	gone(c);
	assert_int_equal(clock_source.stopped, 1);
	assert_nothing();
}

static void
test_too_many_sources(void **state)
{
	struct connection *c = client("SSH_READ");
	char id[UUID_LEN], name[64];
	unsigned int i;

	(void)state;
	for (i = 1; i <= LIMIT_SOURCES; i++) {
		snprintf(
		    name, sizeof(name), "made.clock:{\"interval\": %u}", i);
		assert_int_equal(event_subscribe(c, name, id), 0);
		event_start(c, id);
	}
	assert_int_equal(clock_source.started, LIMIT_SOURCES);
	assert_int_equal(event_subscribe(c, "made.clock", id), EBUSY);
	/* One that runs is not another one. */
	assert_int_equal(event_subscribe(c, name, id), 0);
	gone(c);
	assert_int_equal(clock_source.stopped, LIMIT_SOURCES);
}

/*
 * Sessions that run out.
 */
static void
test_expired_session_hears_nothing(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	char id[UUID_LEN];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	c->session->authenticated -= session_limits.age * 1000;
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	assert_nothing();
	assert_int_equal(event_subscribe(c, "made.query", id), EACCES);
}

static void
test_expired_session_calls_as_nobody(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	struct wire_out out = { 0 };
	uint16_t type;
	uint32_t id;
	json_t *frame;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		wire_put_str(&out, "7");
		wire_put_str(&out, "made.whoami");
		wire_put_str(&out, "[]");
		front_send(MSG_CLIENT_CALL, c->id, &out);
		/* The second time it was logged out before. */
		if (i == 1) {
			json_decref(front_received(&type, &id));
			assert_int_equal(type, MSG_CLIENT_LIMIT);
		}
		frame = front_received(&type, &id);
		assert_int_equal(type, MSG_CLIENT_FRAME);
		if (i == 0)
			assert_string_equal(
			    json_str(frame, "result", ""), "somebody");
		else
			assert_int_equal(
			    json_int(
				json_object_get(
				    json_object_get(frame, "error"), "data"),
				"error", 0),
			    207);
		json_decref(frame);
		if (i == 0)
			c->session->authenticated -= session_limits.age * 1000;
	}
	assert_null(c->session);
}

/* Each message counts as activity; silence ends it. */
static void
test_activity(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	struct wire_out out = { 0 };

	(void)state;
	session_limits.idle = 1800;
	c->session->used -= 1799 * 1000;
	wire_put_str(&out, "");
	wire_put_str(&out, "made.whoami");
	wire_put_str(&out, "[]");
	front_send(MSG_CLIENT_CALL, c->id, &out);
	assert_non_null(c->session);
	c->session->used -= 1799 * 1000;
	assert_false(session_expired(c->session));
	c->session->used -= 1000;
	assert_true(session_expired(c->session));
	session_limits.idle = 0;
}

/* A timer ends it in its second, and its connection with it. */
static void
test_session_that_runs_out(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	json_t *code;
	uint16_t type;
	uint32_t id;

	(void)state;
	c->session->authenticated -= session_limits.age * 1000 - 5000;
	sessions_watch();
	assert_int_equal(later.milliseconds, 0);
	later.run(later.arg);
	assert_in_range(later.milliseconds, 4000, 5000);
	assert_nothing();
	c->session->authenticated -= 5000;
	later.run(later.arg);
	assert_null(c->session);
	code = front_received(&type, &id);
	assert_int_equal(type, MSG_CLIENT_CLOSE);
	assert_int_equal(id, c->id);
	assert_int_equal(json_integer_value(code), 1000);
	json_decref(code);
	json_decref(front_received(&type, &id));
	assert_int_equal(type, MSG_CLIENT_LIMIT);
	gone(c);
}

/*
 * Accounts that change.
 */
static void
test_roles_that_change(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	char id[UUID_LEN], clock[UUID_LEN];
	json_t *frame;

	(void)state;
	assert_int_equal(event_subscribe(c, "*", id), 0);
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	assert_int_equal(event_subscribe(c, "made.clock", clock), 0);
	event_start(c, clock);
	granted = "SSH_READ";
	sessions_review();
	assert_nothing();
	assert_false(c->session->full_admin);
	event_send(
	    "made.query", EVENT_CHANGED, NULL, json_pack("{s:s}", "key", "k"));
	assert_event(c->id,
	    "{\"method\": \"collection_update\", \"params\": {\"msg\": "
	    "\"changed\", \"collection\": \"made.query\", \"fields\": "
	    "{\"key\": \"********\"}}}");
	assert_nothing();
	granted = "ALERT_READ";
	sessions_review();
	frame = event_received(c->id);
	assert_string_equal(
	    json_str(frame, "method", ""), "notify_unsubscribed");
	json_decref(frame);
	assert_int_equal(clock_source.stopped, 1);
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	assert_nothing();
}

static void
test_account_that_goes(void **state)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	struct connection *c = client("FULL_ADMIN");
	struct connection *root = client("FULL_ADMIN");
	const struct token_options o = { .ttl = 60 };
	struct token_origin origin = connection_token_origin(c);
	struct session *s = session_keep(c->session);
	char id[UUID_LEN], *token = token_new(s, &o);

	(void)state;
	connection_login(root,
	    session_new("root", 0, "pid:1", CREDENTIAL_UNIX_SOCKET, full));
	assert_int_equal(event_subscribe(c, "made.query", id), 0);
	drain();
	granted = NULL;
	is_about_accounts = true;
	/* As the pipeline says it: by the event of the change. */
	event_send("made.query", EVENT_REMOVED, json_integer(1), NULL);
	is_about_accounts = false;
	drain();
	assert_null(c->session);
	assert_non_null(root->session);
	event_send("made.query", EVENT_CHANGED, NULL, NULL);
	assert_nothing();
	assert_null(token_use(token, &origin, NULL, NULL));
	assert_int_equal(s->references, 1);
	session_release(s);
	freezero_str(token);
}

/*
 * What is not taken.
 */
static void
taken(const struct connection *c, size_t bytes)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, (uint32_t)bytes);
	front_send(MSG_CLIENT_TAKEN, c->id, &out);
}

/* Sends one large event; what each connection was sent is counted. */
static unsigned int events_of[512], closes_of[512];

static void
send_large(size_t len)
{
	char *text = xmalloc(len + 1);
	uint16_t type;
	uint32_t id;
	json_t *frame;

	memset(text, 'x', len);
	text[len] = '\0';
	event_send(
	    "made.some", EVENT_CHANGED, NULL, json_pack("{s:s}", "text", text));
	free(text);
	while ((frame = front_received(&type, &id)) != NULL) {
		assert_true(id < 512);
		if (type == MSG_CLIENT_CLOSE)
			assert_int_equal(json_integer_value(frame), 1008);
		events_of[id] += type == MSG_CLIENT_EVENT;
		closes_of[id] += type == MSG_CLIENT_CLOSE;
		json_decref(frame);
	}
}

static void
test_client_that_takes_nothing(void **state)
{
	enum { LEN = 10000, EVENTS = 300 };
	struct connection *stuck = client("FULL_ADMIN");
	struct connection *well = client("FULL_ADMIN");
	char id[UUID_LEN];
	unsigned int i;

	(void)state;
	assert_int_equal(event_subscribe(stuck, "made.some", id), 0);
	assert_int_equal(event_subscribe(well, "made.some", id), 0);
	for (i = 0; i < EVENTS; i++) {
		send_large(LEN);
		taken(well, well->events);
	}
	assert_int_equal(events_of[well->id], EVENTS);
	assert_int_equal(closes_of[well->id], 0);
	assert_int_equal(closes_of[stuck->id], 1);
	assert_in_range(events_of[stuck->id], LIMIT_EVENTS / (LEN + 512),
	    LIMIT_EVENTS / LEN + 1);
	/* It is no more told of anything until the front says it is gone. */
	assert_true(stuck->deaf);
	gone(stuck);
}

static void
test_one_event_may_be_larger_than_what_may_wait(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	char id[UUID_LEN];
	unsigned int before = events_of[c->id];

	(void)state;
	assert_int_equal(event_subscribe(c, "made.some", id), 0);
	send_large(LIMIT_EVENTS * 2);
	assert_int_equal(events_of[c->id], before + 1);
	assert_false(c->deaf);
	taken(c, c->events);
	send_large(LIMIT_EVENTS * 2);
	assert_int_equal(events_of[c->id], before + 2);
	send_large(10);
	assert_true(c->deaf);
}

/* A front role that claims more than there is, or of nobody. */
static void
test_front_that_lies(void **state)
{
	struct connection *c = client("FULL_ADMIN");
	struct wire_out out = { 0 };
	char id[UUID_LEN];
	size_t waiting;

	(void)state;
	assert_int_equal(event_subscribe(c, "made.some", id), 0);
	send_large(100);
	waiting = c->events;
	taken(c, waiting + 1);
	assert_int_equal(c->events, waiting);
	wire_put_u32(&out, 1);
	front_send(MSG_CLIENT_TAKEN, c->id + 1000, &out);
	assert_int_equal(c->events, waiting);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_tables),
		TEST(test_kinds),
		TEST(test_secrets),
		TEST(test_session_that_loses_its_role),
		TEST(test_row_says_who_may_read),
		TEST(test_everything),
		TEST(test_names),
		TEST(test_unsubscribing),
		TEST(test_source),
		TEST(test_wrong_arguments),
		TEST(test_source_that_ends),
		TEST(test_source_ends_with_its_session),
		TEST(test_source_ends_with_its_connection),
		TEST(test_too_many_sources),
		TEST(test_expired_session_hears_nothing),
		TEST(test_expired_session_calls_as_nobody),
		TEST(test_activity),
		TEST(test_session_that_runs_out),
		TEST(test_roles_that_change),
		TEST(test_account_that_goes),
		TEST(test_client_that_takes_nothing),
		TEST(test_one_event_may_be_larger_than_what_may_wait),
		TEST(test_front_that_lies),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
