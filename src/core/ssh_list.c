/*
 * Who is here by SSH: see ssh_list.h.
 */
#include "core/ssh_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/account.h"
#include "core/event.h"
#include "core/op.h"
#include "core/security.h"
#include "core/sessions.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define TEXT_MAX 256
#define LOOK_MS 60000
#define COLLECTION "ssh.sessions"

/* By id: those whom subscribers know; those who are of no account any more. */
static json_t *known, *over;
static bool looking; /* a look is planned */
static void (*told)(void); /* when it begins */

/* --- What the monitor says ------------------------------------------------ */

/* The empty text is null. */
static json_t *
text_json(struct wire_in *body)
{
	char *text = wire_get_str(body, TEXT_MAX);
	json_t *value = NULL;

	if (text != NULL && *text != '\0')
		value = json_string(text);
	free(text);
	return value != NULL ? value : json_null();
}

static json_t *
session_json(struct wire_in *body)
{
	json_t *session = json_object();
	uint32_t pid = wire_get_u32(body);
	uint64_t start = wire_get_u64(body);
	uint64_t since = wire_get_u64(body);
	uint16_t port;

	json_object_set_new(
	    session, "id", json_sprintf("%" PRIu32 "-%" PRIu64, pid, start));
	json_object_set_new(session, "uid", json_integer(wire_get_u32(body)));
	json_object_set_new(session, "username", text_json(body));
	json_object_set_new(session, "address", text_json(body));
	port = wire_get_u16(body);
	json_object_set_new(
	    session, "port", port != 0 ? json_integer(port) : json_null());
	json_object_set_new(session, "since", json_date((int64_t)since));
	json_object_set_new(session, "tty", text_json(body));
	json_object_set_new(session, "command", text_json(body));
	json_object_set_new(session, "pid", json_integer(pid));
	return session;
}

struct asking {
	void (*done)(json_t *, int, const char *, void *);
	void *arg;
};

static void
answered(const struct op_reply *reply, void *arg)
{
	struct asking *a = arg;
	struct wire_in body = reply->body;
	json_t *list = json_array();
	uint32_t n;

	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--)
		json_array_append_new(list, session_json(&body));
	if (reply->error == 0 && wire_end(&body) == 0)
		a->done(list, 0, NULL, a->arg);
	else {
		json_decref(list);
		a->done(NULL, reply->error != 0 ? reply->error : EPROTO,
		    reply->error != 0 ? reply->text : "malformed", a->arg);
	}
	free(a);
}

void
ssh_list_ask(void (*done)(json_t *, int, const char *, void *), void *arg)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	a->done = done;
	a->arg = arg;
	op_request(MSG_OP_SSH_SESSIONS, NULL, -1, answered, a);
}

/* --- What subscribers are told -------------------------------------------- */

static void
forget(const char *id)
{
	event_send(COLLECTION, EVENT_REMOVED, json_string(id), NULL);
	json_object_del(known, id); /* id was its */
}

static void
learn(const char *id, json_t *session, bool quiet)
{
	if (json_object_get(known, id) != NULL ||
	    json_object_get(over, id) != NULL)
		return;
	json_object_set(known, id, session);
	if (!quiet)
		event_send(COLLECTION, EVENT_ADDED, json_string(id),
		    json_deep_copy(session));
}

/* What is, compared with what is known. */
static void
compare(json_t *list, bool quiet)
{
	json_t *there = json_object(), *session;
	const char *id;
	void *next;
	size_t i;

	json_array_foreach(list, i, session)
		json_object_set(there, json_str(session, "id", ""), session);
	json_object_foreach_safe(known, next, id, session)
	{
		if (json_object_get(there, id) == NULL)
			forget(id);
	}
	json_object_foreach_safe(over, next, id, session)
	{
		if (json_object_get(there, id) == NULL)
			json_object_del(over, id);
	}
	json_object_foreach(there, id, session)
		learn(id, session, quiet);
	json_decref(there);
}

static void
look_due(void *arg)
{
	(void)arg;
	looking = false;
	ssh_list_look();
}

static void
look_later(void)
{
	if (looking || json_object_size(known) + json_object_size(over) == 0)
		return;
	looking = true;
	core_after(LOOK_MS, look_due, NULL);
}

static void
looked(json_t *list, int error, const char *text, void *arg)
{
	const bool *quiet = arg;

	if (list != NULL)
		compare(list, quiet != NULL);
	else
		log_warn("ssh.sessions", "%s", text);
	(void)error;
	json_decref(list);
	look_later();
	if (quiet != NULL && told != NULL)
		told();
}

void
ssh_list_look(void)
{
	ssh_list_ask(looked, NULL);
}

void
ssh_list_begin(void)
{
	static bool quiet = true;

	known = json_object();
	over = json_object();
	ssh_list_ask(looked, &quiet);
}

void
ssh_list_on_begin(void (*begun)(void))
{
	told = begun;
}

size_t
ssh_list_size(void)
{
	return json_object_size(known);
}

int64_t
ssh_list_count(uid_t uid)
{
	const char *id;
	json_t *session;
	int64_t n = 0;

	json_object_foreach(known, id, session)
		n += json_int(session, "uid", -1) == (int64_t)uid;
	return n;
}

/* --- What the PAM module says --------------------------------------------- */

struct opening {
	pid_t pid;
	char *username;
	void (*done)(bool, void *);
	void *arg;
};

static json_t *
of_process(json_t *list, pid_t pid)
{
	json_t *session;
	size_t i;

	json_array_foreach(list, i, session)
		if (json_int(session, "pid", -1) == pid)
			return session;
	return NULL;
}

/* Those that were refused hang about until their clients go. */
static int64_t
count_of(json_t *list, int64_t uid)
{
	json_t *session;
	int64_t n = 0;
	size_t i;

	json_array_foreach(list, i, session)
		n += json_int(session, "uid", -1) == uid &&
		    json_object_get(over, json_str(session, "id", "")) == NULL;
	return n;
}

static bool
is_one_too_many(json_t *list, const json_t *own, const char *username)
{
	const json_t *whose = own != NULL ? own : account_by_name(username);
	int64_t uid = json_int(whose, "uid", -1);
	int64_t most = security_max_sessions();

	return most != 0 &&
	    count_of(list, uid) + (own == NULL) + sessions_count((uid_t)uid) >
	    most;
}

static void
opened(json_t *list, int error, const char *text, void *arg)
{
	struct opening *o = arg;
	const json_t *own = of_process(list, o->pid);
	bool may = list == NULL || !is_one_too_many(list, own, o->username);

	if (!may)
		log_warn(
		    "ssh.refused", "%s has too many sessions", o->username);
	if (!may && own != NULL)
		json_object_set_new(over, json_str(own, "id", ""), json_true());
	looked(list, error, text, NULL);
	o->done(may, o->arg);
	free(o->username);
	free(o);
}

void
ssh_list_opened(
    pid_t pid, const char *username, void (*done)(bool, void *), void *arg)
{
	struct opening *o = xcalloc(1, sizeof(*o));

	o->pid = pid;
	o->username = xstrdup(username);
	o->done = done;
	o->arg = arg;
	ssh_list_ask(opened, o);
}

void
ssh_list_closed(pid_t pid)
{
	json_t *session;
	const char *id;
	void *next;

	json_object_foreach_safe(known, next, id, session)
	{
		if (json_int(session, "pid", -1) != pid)
			continue;
		/* It is there for a moment still. */
		json_object_set_new(over, id, json_true());
		forget(id);
	}
}
