/*
 * Core's side of the audit log: see audit.h.
 */
#include "core/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/alert.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define RETRY_MS 1000
#define UNSAVED_MAX 256
#define ALERT "AuditServiceHealth"

/* A record on its way to the audit role, or a query. */
struct pending {
	struct pending *next;
	uint32_t id;
	enum message_type type; /* MSG_AUDIT_APPEND, or what is asked */
	bool sent;
	bool outbox; /* the store's outbox holds it */
	bool urgent; /* takes what is kept for a full disk */
	char audit_id[UUID_LEN];
	char *text;
	void (*done)(int, void *);
	void (*answer)(int, const char *, void *);
	void (*progress)(unsigned int, void *);
	void *arg;
};

static struct pending *pending;
static struct pending **pending_end = &pending;
/* On no disk at all: tried again until they are. */
static struct pending *unsaved;
static unsigned int unsaved_count;

static struct ipc *audit;
static uint32_t next_id;
static char refused[128]; /* why the log cannot be written */
static bool retrying;
static int answer_fd = -1; /* of the answer that is told */
/* Those of a new machine, until the store is read. */
static struct audit_limits limits = { .head_records = AUDIT_HEAD_RECORDS,
	.head_seconds = AUDIT_HEAD_SECONDS };

json_t *
audit_record(const struct connection *c, const struct session *s,
    const char *event, json_t *event_data, bool success)
{
	char id[UUID_LEN], *origin;
	struct timeval now;
	const char *address = "127.0.0.1"; /* the Unix socket's */
	const char *username = s != NULL ? s->username : ".UNAUTHENTICATED";
	json_t *credentials, *service, *record;

	if (c != NULL && c->front == ROLE_WEB)
		address = c->address;
	else if (s != NULL && s->address != NULL)
		address = s->address;
	if (c != NULL)
		origin = connection_origin(c);
	else
		origin = xstrdup(s != NULL ? s->origin : "");
	uuid_new(id);
	gettimeofday(&now, NULL);
	credentials = s != NULL ? session_credentials(s) : json_null();
	/* clang-format off */
	service = json_pack("{s:{s:i, s:i}, s:s, s:s, s:o}",
	    "vers", "major", 0, "minor", 1,
	    "origin", origin, "protocol", "WEBSOCKET",
	    "credentials", credentials);
	record = json_pack("{s:s, s:o, s:I, s:s, s:s, s:o, s:s, s:o, s:s, s:o, "
	    "s:b}",
	    "audit_id", id, "timestamp", json_date(now.tv_sec),
	    "time_us", (json_int_t)now.tv_sec * 1000000 + now.tv_usec,
	    "address", address, "username", username,
	    "session", s != NULL ? json_string(s->id) : json_null(),
	    "service", "MIDDLEWARE", "service_data", service,
	    "event", event, "event_data", event_data, "success", success);
	/* clang-format on */
	free(origin);
	return record;
}

json_t *
audit_authentication(const struct connection *c, const struct session *s,
    enum credential class, json_t *data, const char *error)
{
	json_t *credentials, *event;

	if (s != NULL) {
		json_decref(data);
		credentials = session_credentials(s);
	} else
		credentials = json_pack("{s:s, s:o}", "credentials",
		    credential_name(class), "credentials_data", data);
	event = json_pack("{s:o, s:s?, s:{s:i, s:i}}", "credentials",
	    credentials, "error", error, "vers", "major", 0, "minor", 1);
	return audit_record(c, s, "AUTHENTICATION", event, s != NULL);
}

/* As things are at the first record: at the last, a name may be gone. */
static const char *
description_of(struct call *call)
{
	const struct method *m = call->method;
	char *suffix = NULL;

	if (call->description != NULL)
		return call->description;
	if (m->audit_suffix != NULL && call->params != NULL)
		suffix = m->audit_suffix(call->params);
	call->description = suffix != NULL ?
	    xasprintf("%s %s", m->audit, suffix) :
	    xstrdup(m->audit);
	free(suffix);
	return call->description;
}

json_t *
audit_method_call(
    struct call *call, bool authenticated, bool authorized, bool success)
{
	const struct method *m = call->method;
	json_t *data;

	/* clang-format off */
	data = json_pack("{s:s, s:o, s:s, s:b, s:b, s:{s:i, s:i}}",
	    "method", m->name,
	    "params", method_redact(m, call->given),
	    "description", description_of(call), "authenticated", authenticated,
	    "authorized", authorized, "vers", "major", 0, "minor", 1);
	/* clang-format on */
	return audit_record(
	    call->connection, call->session, "METHOD_CALL", data, success);
}

static bool
is_record(const struct pending *p)
{
	return p->type == MSG_AUDIT_APPEND;
}

static void
transmit(struct pending *p, bool again)
{
	struct wire_out out = { 0 };

	if (audit == NULL)
		return;
	if (is_record(p))
		wire_put_u8(&out,
		    (uint8_t)((again ? AUDIT_AGAIN : 0) |
			(p->urgent ? AUDIT_URGENT : 0)));
	wire_put_str(&out, p->text);
	ipc_send(audit, p->type, p->id, &out, NULL, 0);
	wire_free(&out);
	p->sent = true;
}

static struct pending *
enqueue(char *text)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->id = ++next_id;
	p->type = MSG_AUDIT_APPEND;
	p->text = text;
	*pending_end = p;
	pending_end = &p->next;
	return p;
}

/* Of what an administrator does about a log that takes no more. */
static bool
is_repair(const json_t *record)
{
	const json_t *data = json_object_get(record, "event_data");
	const char *name = json_str(data, "method", NULL);
	const struct method *m;

	if (name == NULL || !json_bool(data, "authorized", false) ||
	    strcmp(json_str(record, "event", ""), "METHOD_CALL") != 0)
		return false;
	return (m = method_find(name)) != NULL && m->repairs;
}

static void
release(struct pending *p)
{
	freezero_str(p->text);
	free(p);
}

static void
send_record(json_t *record, bool urgent, void (*done)(int, void *), void *arg)
{
	struct pending *p = enqueue(json_text(record));

	p->urgent = urgent;
	memcpy(p->audit_id, json_str(record, "audit_id", ""), UUID_LEN - 1);
	json_decref(record);
	p->done = done;
	p->arg = arg;
	transmit(p, false);
}

void
audit_send(json_t *record, void (*done)(int, void *), void *arg)
{
	send_record(record, is_repair(record), done, arg);
}

void
audit_send_urgent(json_t *record, void (*done)(int, void *), void *arg)
{
	send_record(record, true, done, arg);
}

static struct pending *
find_record(const char *audit_id)
{
	struct pending *p = pending;

	while (p != NULL && strcmp(p->audit_id, audit_id) != 0)
		p = p->next;
	return p;
}

static struct pending *
enqueue_outbox(const json_t *record)
{
	struct pending *p = enqueue(json_text(record));

	memcpy(p->audit_id, json_str(record, "audit_id", ""), UUID_LEN - 1);
	p->outbox = true;
	p->urgent = is_repair(record);
	return p;
}

void
audit_send_outbox(const json_t *record, void (*done)(int, void *), void *arg)
{
	const char *id = json_str(record, "audit_id", "");
	struct pending *p = find_record(id);

	if (p == NULL && !store_outbox_has(core_store(), id)) {
		if (done != NULL) /* a retry was first, and had its answer */
			done(0, arg);
		return;
	}
	if (p == NULL) {
		p = enqueue_outbox(record);
		transmit(p, false);
	}
	p->done = done;
	p->arg = arg;
}

static void
retry_unsaved(void)
{
	struct pending *p;

	while ((p = unsaved) != NULL) {
		unsaved = p->next;
		unsaved_count--;
		p->next = NULL;
		*pending_end = p;
		pending_end = &p->next;
		transmit(p, true);
	}
}

/* Everything in the outbox that is not on its way already. */
static void
retry_outbox(void)
{
	json_t *outbox = store_outbox(core_store()), *item;
	struct pending *p;
	size_t i;

	json_array_foreach(outbox, i, item) {
		if (find_record(json_string_value(json_array_get(item, 0))))
			continue;
		p = enqueue_outbox(json_array_get(item, 1));
		p->sent = true; /* without the role, when it is back */
		transmit(p, true);
	}
	json_decref(outbox);
}

static void
retry(void *arg)
{
	(void)arg;
	retrying = false;
	retry_unsaved();
	if (core_store() != NULL)
		retry_outbox();
}

static void
retry_later(void)
{
	if (!retrying) {
		retrying = true;
		core_after(RETRY_MS, retry, NULL);
	}
}

static void
tell_refused(int error)
{
	if (refused[0] == '\0')
		log_error("audit.append", "%s", strerror(error));
	snprintf(refused, sizeof(refused), "%s", strerror(error));
	alert_raise(ALERT, NULL, json_pack("{s:s}", "verrs", refused));
}

/* others: what those that are not urgent get; 0: they are written too. */
static void
written(struct pending *p, int others)
{
	if (refused[0] != '\0' && others == 0)
		log_info("audit.writable", "the log can be written again");
	if (others != 0)
		tell_refused(others);
	else {
		refused[0] = '\0';
		alert_clear(ALERT, NULL);
	}
	if (p->outbox && core_store() != NULL)
		store_outbox_done(core_store(), p->audit_id);
}

static void
keep_in_outbox(struct pending *p)
{
	json_t *record;

	if (p->outbox || core_store() == NULL ||
	    (record = json_loads(p->text, 0, NULL)) == NULL)
		return;
	p->outbox = store_outbox_add(core_store(), p->audit_id, record) == 0;
	json_decref(record);
}

static void
not_written(struct pending *p, int error)
{
	tell_refused(error);
	keep_in_outbox(p);
	retry_later();
}

/* True: the record is still needed, in memory. */
static bool
appended(struct pending *p, int error, int others)
{
	if (error == 0)
		written(p, others);
	else
		not_written(p, error);
	if (p->done != NULL)
		p->done(p->outbox ? 0 : error, p->arg);
	p->done = NULL;
	if (error == 0 || p->outbox)
		return false;
	if (unsaved_count >= UNSAVED_MAX) {
		log_error("audit.lost", "record %s", p->audit_id);
		return false;
	}
	p->next = unsaved;
	unsaved = p;
	unsaved_count++;
	return true;
}

static void
answered(struct pending *p, int error, const char *text)
{
	if (p->answer != NULL)
		p->answer(error, text, p->arg);
}

static void
progressed(struct ipc_msg *msg)
{
	uint32_t percent = wire_get_u32(&msg->body);
	struct pending *p = pending;

	while (p != NULL && p->id != msg->id)
		p = p->next;
	if (wire_end(&msg->body) == 0 && p != NULL && p->progress != NULL)
		p->progress(percent, p->arg);
}

int
audit_take_fd(void)
{
	int fd = answer_fd;

	answer_fd = -1;
	return fd;
}

void
audit_message(struct ipc_msg *msg)
{
	struct pending **at = &pending, *p;
	int error, others = 0;
	char *text = NULL;

	if (msg->type == MSG_AUDIT_PROGRESS) {
		progressed(msg);
		return;
	}
	while (*at != NULL && (*at)->id != msg->id)
		at = &(*at)->next;
	error = (int)wire_get_u32(&msg->body);
	if (msg->type == MSG_AUDIT_RESULT)
		text = wire_get_str(&msg->body, MESSAGE_BODY_MAX);
	else
		others = (int)wire_get_u32(&msg->body);
	p = *at;
	if (wire_end(&msg->body) == -1 || p == NULL ||
	    is_record(p) == (msg->type == MSG_AUDIT_RESULT)) {
		log_warn("audit.breach", "an answer that fits no question");
		free(text);
		return;
	}
	*at = p->next;
	if (pending_end == &p->next)
		pending_end = at;
	if (!is_record(p)) {
		if (msg->nfds > 0) {
			answer_fd = msg->fds[0];
			msg->fds[0] = -1; /* transferred */
		}
		answered(p, error, text);
		if (answer_fd != -1)
			close(audit_take_fd());
	}
	if (!is_record(p) || !appended(p, error, others))
		release(p);
	free(text);
}

static void
tell_limits(void)
{
	struct wire_out out = { 0 };

	if (audit == NULL)
		return;
	wire_put_u32(&out, limits.head_records);
	wire_put_u32(&out, limits.head_seconds);
	wire_put_u64(&out, limits.quota);
	wire_put_u64(&out, limits.reservation);
	ipc_send(audit, MSG_AUDIT_LIMITS, 0, &out, NULL, 0);
	wire_free(&out);
}

void
audit_connected(struct ipc *ipc)
{
	struct pending *p;

	audit = ipc;
	tell_limits();
	for (p = pending; p != NULL; p = p->next)
		transmit(p, p->sent);
	retry_later();
}

/* It may be what ended the role: it is not asked for again. */
static bool
is_long(const struct pending *p)
{
	return p->type == MSG_AUDIT_EXPORT || p->type == MSG_AUDIT_VERIFY;
}

static void
give_up_long(void)
{
	struct pending **at = &pending, *p;

	while ((p = *at) != NULL) {
		if (!is_long(p)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (pending_end == &p->next)
			pending_end = at;
		answered(p, EIO, "It was interrupted");
		release(p);
		at = &pending; /* what was called may have asked */
	}
}

void
audit_disconnected(void)
{
	audit = NULL;
	give_up_long();
}

/*
 * What is in neither the log nor the outbox is a change that nobody recorded:
 * no policy goes on with more of them.
 */
const char *
audit_refuses(void)
{
	if (refused[0] == '\0' || (!limits.refuse && unsaved == NULL))
		return NULL;
	return refused;
}

void
audit_set_limits(const struct audit_limits *set)
{
	limits = *set;
	tell_limits();
}

unsigned int
audit_waiting(void)
{
	struct pending *p;
	unsigned int n = 0;

	for (p = pending; p != NULL; p = p->next)
		n += is_record(p);
	return n;
}

uint32_t
audit_ask(enum message_type type, const json_t *data,
    void (*done)(int, const char *, void *), void *arg)
{
	struct pending *p =
	    enqueue(data != NULL ? json_text(data) : xstrdup(""));

	p->type = type;
	p->answer = done;
	p->arg = arg;
	transmit(p, false);
	return p->id;
}

void
audit_on_progress(uint32_t id, void (*progress)(unsigned int, void *))
{
	struct pending *p;

	for (p = pending; p != NULL; p = p->next)
		if (p->id == id)
			p->progress = progress;
}

void
audit_abort(uint32_t id)
{
	struct wire_out out = { 0 };

	if (audit == NULL)
		return;
	wire_put_u32(&out, id);
	ipc_send(audit, MSG_AUDIT_ABORT, id, &out, NULL, 0);
	wire_free(&out);
}
