/*
 * The sessions of all connections: see sessions.h.
 */
#include "core/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/api_key.h"
#include "core/audit.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/event.h"
#include "core/reconnect.h"
#include "core/security.h"
#include "core/shell.h"
#include "core/ssh_list.h"
#include "core/token.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static json_t *
origin_of(const struct connection *c)
{
	char *origin;
	json_t *text;

	if (c->front == ROLE_LOCAL)
		return json_sprintf("UNIX socket (pid=%u uid=%u gid=%u)",
		    c->pid, (unsigned int)c->uid, (unsigned int)c->gid);
	origin = connection_origin(c);
	text = json_string(origin);
	free(origin);
	return text;
}

static json_t *
entry(const struct connection *c, bool current)
{
	const struct session *s = c->session;

	/* clang-format off */
	return json_pack("{s:s, s:b, s:b, s:o, s:s, s:o, s:o, s:b, s:o}",
	    "id", s->id, "current", current, "internal", session_internal(s),
	    "origin", origin_of(c), "credentials", session_class(s),
	    "credentials_data", session_credentials_data(s),
	    "created_at", json_date(s->login_at),
	    "secure_transport", connection_secure(c),
	    "api_keys", api_keys_made_in(session_login(s)->login_id));
	/* clang-format on */
}

/* Timers do not count the time that a machine sleeps: looked at so often. */
#define LOOK_MS 60000

static bool watching;
static int64_t next_look = INT64_MAX; /* by boottime_ms() */
static uintptr_t planned; /* the look that is waited for; others are void */

struct listing {
	json_t *list;
	const struct session *current;
};

static void
list_one(struct connection *c, void *arg)
{
	struct listing *l = arg;

	if (c->session != NULL)
		json_array_append_new(
		    l->list, entry(c, c->session == l->current));
}

json_t *
sessions_list(const struct session *current)
{
	struct listing l = { .list = json_array(), .current = current };

	connection_each(list_one, &l);
	return l.list;
}

struct search {
	int64_t since;
	bool found;
};

static void
search_one(struct connection *c, void *arg)
{
	struct search *search = arg;
	const struct session *s = c->session;

	if (s != NULL && s->full_admin && !session_internal(s) &&
	    session_login(s)->authenticated >= search->since)
		search->found = true;
}

bool
sessions_administrator_since(int64_t since)
{
	struct search search = { .since = since };

	connection_each(search_one, &search);
	return search.found;
}

static void look(void *);

/* At that time at the latest; later ones find their turn from there. */
static void
plan(int64_t when)
{
	int64_t wait = when - boottime_ms();

	if (!watching || when >= next_look)
		return;
	next_look = when;
	if (wait < 0)
		wait = 0;
	core_after((unsigned int)(wait < LOOK_MS ? wait : LOOK_MS), look,
	    (void *)++planned);
}

void
sessions_added(const struct connection *c)
{
	plan(session_end(c->session));
	if (!session_internal(c->session))
		event_send("auth.sessions", EVENT_ADDED, NULL, entry(c, false));
}

void
sessions_removed(const struct session *s)
{
	if (!session_internal(s))
		event_send("auth.sessions", EVENT_REMOVED, NULL,
		    json_pack("{s:s}", "id", s->id));
}

struct counting {
	uid_t uid;
	const struct connection *but;
	int64_t count;
};

static void
count_one(struct connection *c, void *arg)
{
	struct counting *counting = arg;

	if (c != counting->but && c->session != NULL &&
	    !session_internal(c->session) && c->session->uid == counting->uid)
		counting->count++;
}

int64_t
sessions_count(uid_t uid)
{
	struct counting counting = { .uid = uid };

	connection_each(count_one, &counting);
	return counting.count;
}

bool
sessions_allow(const struct session *s, const struct connection *c)
{
	struct counting counting = { .uid = s->uid, .but = c };
	int64_t most = security_max_sessions();

	if (most == 0)
		return true;
	connection_each(count_one, &counting);
	return counting.count + ssh_list_count(s->uid) < most;
}

/* A logout, or the end that somebody else made of it. */
static json_t *
ended_record(const struct connection *c, const struct session *by)
{
	json_t *data =
	    json_pack("{s:o}", "credentials", session_credentials(c->session));

	/* Ours: who ended it. */
	if (by != NULL)
		json_object_set_new(
		    data, "terminated_by", session_credentials(by));
	return audit_record(c, c->session, "LOGOUT", data, true);
}

/* Neither what it made nor what it was made with lets anybody in again. */
static void
forget_tokens(const struct session *s)
{
	token_end_of(s);
	reconnect_end_of(s);
	if (s->credential == CREDENTIAL_TOKEN)
		token_end(s->token);
}

/* The session, not its connection; done as in audit_send(). */
static void
end(struct connection *c, const struct session *by, void (*done)(int, void *),
    void *arg)
{
	json_t *record = ended_record(c, by);

	forget_tokens(c->session);
	shell_end_of(c->session);
	connection_login(c, NULL);
	audit_send(record, done, arg);
}

/* With its connection; by somebody, or why else. */
static void
terminate(struct connection *c, const struct session *by, const char *why)
{
	log_info("session.terminated", "%s from %s by %s", c->session->username,
	    c->session->origin, by != NULL ? by->username : why);
	c->session->terminated = true;
	connection_close(c, 1000, why);
	end(c, by, NULL, NULL);
}

struct ending {
	const char *id; /* NULL: all others */
	const struct session *by;
	bool found;
};

static void
terminate_one(struct connection *c, void *arg)
{
	struct ending *e = arg;

	if (c->session == NULL)
		return;
	if (e->id != NULL ? strcmp(c->session->id, e->id) != 0 :
			    c->session == e->by || session_internal(c->session))
		return;
	e->found = true;
	terminate(c, e->by, "");
}

bool
sessions_terminate(const char *id, const struct session *by)
{
	struct ending e = { .id = id, .by = by };

	connection_each(terminate_one, &e);
	return e.found;
}

void
sessions_terminate_others(const struct session *by)
{
	struct ending e = { .by = by };

	connection_each(terminate_one, &e);
}

static void
review(struct connection *c, void *arg)
{
	struct session *s = c->session, *now;

	(void)arg;
	if (s == NULL || session_internal(s))
		return;
	now = account_session_again(s, s->origin);
	if (now == NULL) {
		terminate(c, NULL, "The account may no longer log in");
		return;
	}
	/* In place: calls in progress have it too. */
	session_grant(s, &now->roles, now->web_shell);
	memcpy(s->stamp, now->stamp, TOKEN_HASH);
	session_release(now);
	if (c->shell != NULL && !s->web_shell) {
		terminate(c, NULL, "The account may no longer use the shell");
		return;
	}
	event_session_changed(c);
}

void
sessions_review(void)
{
	token_review();
	reconnect_review();
	connection_each(review, NULL);
}

void
sessions_logout(struct connection *c, void (*done)(int, void *), void *arg)
{
	end(c, NULL, done, arg);
}

static void
end_account(struct connection *c, void *arg)
{
	const uid_t *uid = arg;

	if (c->session != NULL && c->session->uid == *uid &&
	    !session_internal(c->session))
		terminate(c, NULL, "The account may no longer log in");
}

void
sessions_end_account(uid_t uid)
{
	connection_each(end_account, &uid);
	token_end_account(uid);
	reconnect_end_account(uid);
}

/*
 * A transfer is one request, and ends by itself: nobody can send a message
 * meanwhile.
 */
static void
look_at(struct connection *c, void *arg)
{
	int64_t *next = arg, when;

	if (c->session == NULL || c->protocol == PROTOCOL_TRANSFER)
		return;
	when = session_end(c->session);
	if (boottime_ms() >= when)
		terminate(c, NULL, "Session is expired");
	else if (when < *next)
		*next = when;
}

static void
look(void *arg)
{
	int64_t next = INT64_MAX;

	if ((uintptr_t)arg != planned)
		return;
	next_look = INT64_MAX;
	connection_each(look_at, &next);
	plan(next);
}

void
sessions_look(void)
{
	plan(0);
}

void
sessions_watch(void)
{
	watching = true;
	sessions_look();
}
