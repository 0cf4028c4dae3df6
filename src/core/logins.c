/*
 * What is remembered of logins: see logins.h.
 *
 * Members of account_state: "last_login" {at, origin, credentials, ways} and
 * "failures" {count, origin, sources: {source: {count, wall, boot}}}.
 */
#include "core/logins.h"

#include <errno.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/lifetime.h"
#include "core/limits.h"
#include "core/resource.h"
#include "core/rights.h"
#include "core/security.h"
#include "core/session.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define SOURCE_LEN INET6_ADDRSTRLEN
#define ATTEMPT_MS 10000 /* until a password is known to be wrong */

/* Names that nobody has are locked out like those that somebody has. */
struct stranger {
	char username[33];
	char source[SOURCE_LEN];
	int64_t boot; /* of the last failure, in seconds; 0: free */
	unsigned int count;
};

static struct stranger strangers[LIMIT_LOCKOUT_STRANGERS];

static bool
source_at(const char *address, char source[static SOURCE_LEN])
{
	struct in6_addr number;

	snprintf(source, SOURCE_LEN, "%s", address);
	if (inet_pton(AF_INET6, address, &number) != 1)
		return *address != '\0';
	/* Whoever has one address of such a network has them all. */
	memset(number.s6_addr + 8, 0, 8);
	return inet_ntop(AF_INET6, &number, source, SOURCE_LEN) != NULL;
}

/* Where it comes from: false for the Unix socket, which is never locked out. */
static bool
source_of(const struct connection *c, char source[static SOURCE_LEN])
{
	return c != NULL && c->front == ROLE_WEB &&
	    source_at(c->address, source);
}

static int64_t
now_boot(void)
{
	return boottime_ms() / 1000;
}

static bool
locks(int64_t count, int64_t seconds)
{
	int64_t limit = security_lockout_failures();

	return limit != 0 && count >= limit && seconds < LOCKOUT_SECONDS;
}

static bool
source_locked(const json_t *failures, const char *source)
{
	const json_t *f =
	    json_object_get(json_object_get(failures, "sources"), source);

	return f != NULL && locks(json_int(f, "count", 0), lifetime_age(f));
}

/* Could another full administrator log in from there? */
struct others {
	int64_t id;
	const char *source;
	bool found;
};

static void
look_at(int64_t id, const json_t *account, void *arg)
{
	struct others *o = arg;
	json_t *failures;

	if (o->found || id == o->id || !rights_administers(NULL, account))
		return;
	failures = account_state_get(id, "failures");
	o->found = !source_locked(failures, o->source);
	json_decref(failures);
}

static bool
last_administrator(const json_t *account, const char *source)
{
	struct others o = { .id = json_int(account, "id", -1),
		.source = source };

	if (!rights_administers(NULL, account))
		return false;
	store_each(core_store(), "user", look_at, &o);
	return !o.found;
}

static struct stranger *
stranger_of(const char *username, const char *source)
{
	struct stranger *s, *oldest = strangers;
	size_t i;

	for (i = 0; i < LIMIT_LOCKOUT_STRANGERS; i++) {
		s = &strangers[i];
		if (s->boot != 0 && strcmp(s->username, username) == 0 &&
		    strcmp(s->source, source) == 0)
			return s;
		if (s->boot < oldest->boot)
			oldest = s;
	}
	oldest->count = 0;
	oldest->boot = 0;
	snprintf(oldest->username, sizeof(oldest->username), "%s", username);
	snprintf(oldest->source, sizeof(oldest->source), "%s", source);
	return oldest;
}

static enum lockout
lockout_of(const char *username, const char *source)
{
	const json_t *account = account_by_name(username);
	struct stranger *s;
	json_t *failures;
	bool locked;

	if (account == NULL) {
		s = stranger_of(username, source);
		locked = locks(s->count, now_boot() - s->boot);
		return locked ? LOCKOUT_CLOSED : LOCKOUT_OPEN;
	}
	failures = account_state_get(json_int(account, "id", -1), "failures");
	locked = source_locked(failures, source);
	json_decref(failures);
	if (!locked)
		return LOCKOUT_OPEN;
	return last_administrator(account, source) ? LOCKOUT_DELAYED :
						     LOCKOUT_CLOSED;
}

enum lockout
logins_lockout(const char *username, const struct connection *c)
{
	char source[SOURCE_LEN];

	if (security_lockout_failures() == 0 || !source_of(c, source))
		return LOCKOUT_OPEN;
	return lockout_of(username, source);
}

/* The account is shown as locked as long as somebody is locked out of it. */
static void
tell(int64_t id)
{
	const struct resource *users = resource_find("user");
	json_t *stored = json_incref(
	    (json_t *)(uintptr_t)store_get(core_store(), users->name, id));

	entry_extend_again(users);
	if (stored != NULL)
		entry_changed(users, id, stored, stored);
	json_decref(stored);
}

static void
lockout_over(void *arg)
{
	tell((int64_t)(intptr_t)arg);
}

static void
locked_out(int64_t id, const char *username, const char *source)
{
	log_warn("login.locked_out", "%s from %s", source, username);
	tell(id);
	core_after(LOCKOUT_SECONDS * 1000, lockout_over, (void *)(intptr_t)id);
}

/* Room for one more: what is over, else the oldest. */
static void
make_room(json_t *sources)
{
	const char *source, *oldest = NULL;
	int64_t age, most = -1;
	json_t *failure;
	void *next;

	json_object_foreach_safe(sources, next, source,
	    failure) if (lifetime_age(failure) >= LOCKOUT_SECONDS)
	    json_object_del(sources, source);
	if (json_object_size(sources) < LIMIT_LOCKOUT_SOURCES)
		return;
	json_object_foreach(sources, source, failure) {
		age = lifetime_age(failure);
		if (age > most) {
			most = age;
			oldest = source;
		}
	}
	if (oldest != NULL)
		json_object_del(sources, oldest);
}

static void
count(json_t *failures, const char *source)
{
	json_t *sources = json_object_get(failures, "sources"), *failure;
	json_int_t n = 0;

	if (sources == NULL) {
		sources = json_object();
		json_object_set_new(failures, "sources", sources);
	}
	failure = json_object_get(sources, source);
	if (failure != NULL && lifetime_age(failure) < LOCKOUT_SECONDS)
		n = json_int(failure, "count", 0);
	else
		make_room(sources);
	failure = json_pack("{s:I}", "count", n + 1);
	lifetime_begin(failure);
	json_object_set_new(sources, source, failure);
}

static void
count_stranger(const char *username, const char *source)
{
	struct stranger *s = stranger_of(username, source);

	if (s->boot != 0 && now_boot() - s->boot >= LOCKOUT_SECONDS)
		s->count = 0;
	s->count++;
	s->boot = now_boot() > 0 ? now_boot() : 1;
}

void
logins_failed(const char *username, const struct connection *c, bool counted)
{
	const json_t *account = account_by_name(username);
	char source[SOURCE_LEN], *origin;
	json_t *old, *failures;
	int64_t id;
	bool locked;

	counted = counted && source_of(c, source);
	if (account == NULL) {
		if (counted)
			count_stranger(username, source);
		return;
	}
	id = json_int(account, "id", -1);
	old = account_state_get(id, "failures");
	failures = old != NULL ? json_deep_copy(old) : json_object();
	json_decref(old);
	json_object_set_new(failures, "count",
	    json_integer(json_int(failures, "count", 0) + 1));
	if (c != NULL) {
		origin = connection_origin(c);
		json_object_set_new(failures, "origin", json_string(origin));
		free(origin);
	}
	if (counted)
		count(failures, source);
	locked = counted && source_locked(failures, source);
	if (account_state_set(id, "failures", failures) == -1)
		log_error("logins.failed", "%s: %s", username, strerror(errno));
	else if (locked)
		locked_out(id, username, source);
}

/* --- SSH ------------------------------------------------------------------ */

struct attempt {
	int64_t id;
	char *username;
	char source[SOURCE_LEN];
};

/* By now the last one that was allowed would have been taken back. */
static void
look_again(void *arg)
{
	struct attempt *a = arg;
	json_t *failures = account_state_get(a->id, "failures");

	if (source_locked(failures, a->source))
		locked_out(a->id, a->username, a->source);
	json_decref(failures);
	free(a->username);
	free(a);
}

static void
look_again_later(int64_t id, const char *username, const char *source)
{
	struct attempt *a = xcalloc(1, sizeof(*a));

	a->id = id;
	a->username = xstrdup(username);
	snprintf(a->source, sizeof(a->source), "%s", source);
	core_after(ATTEMPT_MS, look_again, a);
}

/* As logins_failed() does, but for the number of failures: sshd tells those. */
static void
count_attempt(const json_t *account, const char *username, const char *source)
{
	int64_t id = json_int(account, "id", -1);
	json_t *old = account_state_get(id, "failures");
	json_t *failures = old != NULL ? json_deep_copy(old) : json_object();

	count(failures, source);
	if (source_locked(failures, source))
		look_again_later(id, username, source);
	if (account_state_set(id, "failures", failures) == -1)
		log_error("logins.try", "%s: %s", username, strerror(errno));
	json_decref(old);
}

enum lockout
logins_try(const char *username, const char *address)
{
	const json_t *account = account_by_name(username);
	char source[SOURCE_LEN];
	enum lockout lockout;

	if (security_lockout_failures() == 0 || !source_at(address, source))
		return LOCKOUT_OPEN;
	lockout = lockout_of(username, source);
	if (lockout == LOCKOUT_CLOSED)
		return lockout;
	if (account == NULL)
		count_stranger(username, source);
	else
		count_attempt(account, username, source);
	return lockout;
}

void
logins_right(const char *username, const char *address)
{
	const json_t *account = account_by_name(username);
	int64_t id = json_int(account, "id", -1);
	char source[SOURCE_LEN];
	json_t *old, *failures;

	if (!source_at(address, source))
		return;
	if (account == NULL) {
		stranger_of(username, source)->count = 0;
		return;
	}
	old = account_state_get(id, "failures");
	failures = json_deep_copy(old);
	json_decref(old);
	json_object_del(json_object_get(failures, "sources"), source);
	if (failures != NULL &&
	    account_state_set(id, "failures", failures) == -1)
		log_error("logins.right", "%s: %s", username, strerror(errno));
}

/* --- What was before ------------------------------------------------------ */

/* Who made the entry what it is. */
struct changed {
	int64_t time;
	char *who;
};

static bool
first_revision(const struct revision *r, void *arg)
{
	struct changed *changed = arg;

	changed->time = r->time;
	changed->who = xstrdup(r->who);
	return false;
}

static void
tell_change(json_t *told, int64_t id, int64_t since)
{
	struct changed changed = { 0 };
	int64_t number = store_revision(core_store(), "user", id);

	if (number > 0)
		store_history(core_store(), number, first_revision, &changed);
	if (changed.who != NULL && changed.time > since) {
		json_object_set_new(
		    told, "changed_at", json_date(changed.time));
		json_object_set_new(
		    told, "changed_by", json_string(changed.who));
	}
	free(changed.who);
}

static json_t *
known_before(int64_t id, const json_t *last, const json_t *failures)
{
	json_t *at = json_object_get(last, "at"), *told;

	/* clang-format off */
	told = json_pack("{s:o, s:O?, s:O?, s:I, s:O?, s:n, s:n}",
	    "at", at != NULL ? json_date(json_integer_value(at)) : json_null(),
	    "origin", json_object_get(last, "origin"),
	    "credentials", json_object_get(last, "credentials"),
	    "failures", json_int(failures, "count", 0),
	    "failure_origin", json_object_get(failures, "origin"),
	    "changed_at", "changed_by");
	/* clang-format on */
	if (at != NULL)
		tell_change(told, id, json_integer_value(at));
	return told;
}

/* What concerns other sources goes on. */
static json_t *
failures_after(const json_t *failures, const struct connection *c)
{
	json_t *sources = json_deep_copy(json_object_get(failures, "sources"));
	char source[SOURCE_LEN];

	if (sources != NULL && source_of(c, source))
		json_object_del(sources, source);
	if (json_object_size(sources) > 0)
		return json_pack("{s:o}", "sources", sources);
	json_decref(sources);
	return NULL;
}

/* Of each way of logging in when that was last: {"API_KEY": seconds, ...} */
static json_t *
ways_used(const json_t *last, const char *way, int64_t at)
{
	json_t *ways = json_copy(json_object_get(last, "ways"));

	if (ways == NULL)
		ways = json_object();
	json_object_set_new(ways, way, json_integer((json_int_t)at));
	return ways;
}

static int
remember(int64_t id, const json_t *last, const char *way, int64_t at,
    const char *origin)
{
	return account_state_set(id, "last_login",
	    json_pack("{s:I, s:s, s:s, s:o}", "at", (json_int_t)at, "origin",
		origin, "credentials", way, "ways", ways_used(last, way, at)));
}

void
logins_succeeded(struct session *s, const struct connection *c)
{
	const json_t *account = account_by_uid(s->uid);
	int64_t id = json_int(account, "id", -1);
	json_t *last, *failures;

	if (account == NULL)
		return;
	last = account_state_get(id, "last_login");
	failures = account_state_get(id, "failures");
	json_decref(s->last_login);
	s->last_login = known_before(id, last, failures);
	if ((failures != NULL &&
		account_state_set(
		    id, "failures", failures_after(failures, c)) == -1) ||
	    remember(id, last, session_class(s), s->login_at, s->origin) == -1)
		log_error(
		    "logins.succeeded", "%s: %s", s->username, strerror(errno));
	json_decref(last);
	json_decref(failures);
}

/* Failures stay: nobody was told of them. */
void
logins_by_ssh(const char *username, const char *way, const char *origin)
{
	const json_t *account = account_by_name(username);
	int64_t id = json_int(account, "id", -1);
	json_t *last;

	if (account == NULL)
		return;
	last = account_state_get(id, "last_login");
	if (remember(id, last, way, time(NULL), origin) == -1)
		log_error("logins.by_ssh", "%s: %s", username, strerror(errno));
	json_decref(last);
}

bool
logins_locked(int64_t user_id)
{
	json_t *failures = account_state_get(user_id, "failures"), *sources;
	const char *source;
	json_t *failure;
	bool locked = false;

	sources = json_object_get(failures, "sources");
	json_object_foreach(sources, source, failure)
		locked = locked || source_locked(failures, source);
	json_decref(failures);
	return locked;
}

int
logins_unlock(int64_t user_id)
{
	json_t *failures = account_state_get(user_id, "failures"), *rest;
	int result = 0;

	if (json_object_get(failures, "sources") != NULL) {
		rest = json_copy(failures);
		json_object_del(rest, "sources");
		result = account_state_set(user_id, "failures", rest);
		tell(user_id);
	}
	json_decref(failures);
	return result;
}
