/*
 * Access for a time: locked_until, password_until and ssh_password_until of
 * accounts.  When one of them is over, what it is the end of ends by itself: a
 * change like any other, of nobody's, and what rested on it ends too.
 *
 * The dates are the entries'; beside each account (core/account_state.h,
 * "until") stands what they are by the machine's clock, as of when they were
 * set.  They are looked at when one is due by either clock, when an account
 * changes, and at start before anything is rendered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account_end.h"
#include "core/account_state.h"
#include "core/audit.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "core/until.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/system.h"
#include "system/user_internal.h"

#define STATE "until"
#define TASK "user.until"
#define LOOK_MS (3600 * 1000) /* at the latest: a timer's patience */
#define RETRY_MS (60 * 1000) /* what could not be ended */

/* clang-format off */
static const struct kind {
	const char	*member;	/* the date */
	const char	*of;		/* what ends then ... */
	bool		 now, then;	/* ... as it is until then, and after */
	bool		 lock;
} kinds[] = {
	{ "locked_until", "locked", true, false, true },
	{ "password_until", "password_disabled", false, true, false },
	{ "ssh_password_until", "ssh_password_enabled", true, false, false },
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint64_t timer; /* the last one that was set */

static int64_t
date_of(const json_t *user, const struct kind *k)
{
	return json_int(json_object_get(user, k->member), "$date", -1);
}

static struct until_now
now(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct until_now){ (int64_t)wall.tv_sec * 1000 +
		    wall.tv_nsec / 1000000,
		boottime_ms() };
}

/* --- What may be set ------------------------------------------------------ */

static void
check_set(struct change *c, const struct kind *k)
{
	if (date_of(c->after, k) <= now().wall)
		verr_add(c->errors, k->member, "It is over already");
	if (json_bool(c->after, k->of, !k->now) != k->now)
		verr_add(c->errors, k->member, "It needs %s to be %s", k->of,
		    k->now ? "true" : "false");
	/* Refused when the time has come, it would never end. */
	if (strcmp(k->of, "password_disabled") == 0 &&
	    json_bool(c->after, "smb", false))
		verr_add(c->errors, k->member,
		    "The password of a user of SMB cannot be disabled");
}

void
user_until_check(struct change *c)
{
	const struct kind *k;
	json_t *given;

	for (k = kinds; k < kinds + KINDS; k++) {
		given = json_object_get(c->data, k->member);
		if (date_of(c->after, k) == -1)
			continue;
		if (c->all == NULL && given != NULL && !json_is_null(given))
			check_set(c, k);
		else if (json_bool(c->after, k->of, !k->now) != k->now)
			json_object_set_new(c->after, k->member, json_null());
	}
}

/* --- The two clocks ------------------------------------------------------- */

static struct until
until_of(const json_t *user, const json_t *state, const struct kind *k)
{
	json_t *kept = json_object_get(state, k->member);
	struct until u = { date_of(user, k), -1, k->lock };

	if (json_int(kept, "wall", -1) == u.wall &&
	    strcmp(json_str(kept, "of", ""), core_facts()->machine_boot) == 0)
		u.boot = json_int(kept, "boot", -1);
	return u;
}

static bool
has_dates(const json_t *user)
{
	const struct kind *k;

	for (k = kinds; k < kinds + KINDS; k++)
		if (date_of(user, k) != -1)
			return true;
	return false;
}

/* What is kept beside the account, brought in line with its dates. */
static void
keep_in_line(int64_t id, const json_t *user)
{
	json_t *before = account_state_get(id, STATE), *state, *kept;
	struct until_now at = now();
	const struct kind *k;
	int64_t date;

	if (before == NULL && !has_dates(user))
		return;
	state = json_object();
	for (k = kinds; k < kinds + KINDS; k++) {
		if ((date = date_of(user, k)) == -1)
			continue;
		kept = json_object_get(before, k->member);
		if (json_int(kept, "wall", -1) == date)
			json_object_set(state, k->member, kept);
		else
			json_object_set_new(state, k->member,
			    json_pack("{s:I, s:I, s:s}", "wall",
				(json_int_t)date, "boot",
				(json_int_t)(at.boot + date - at.wall), "of",
				core_facts()->machine_boot));
	}
	if (json_object_size(state) == 0) {
		json_decref(state);
		state = NULL;
	}
	if (state != NULL ? json_equal(state, before) : before == NULL)
		json_decref(state);
	else if (account_state_set(id, STATE, state) == -1)
		log_warn("until.state", "%s", strerror(errno));
	json_decref(before);
}

/* --- The end of one ------------------------------------------------------- */

/* The members that are over, as a change of them; NULL: none is. */
static json_t *
over(const json_t *user, const json_t *state, int64_t *leftp)
{
	struct until_now at = now();
	json_t *data = NULL;
	const struct kind *k;
	struct until u;
	int64_t left;

	for (k = kinds; k < kinds + KINDS; k++) {
		u = until_of(user, state, k);
		if (u.wall == -1)
			continue;
		left = until_left(&u, &at);
		if (left > 0) {
			if (left < *leftp)
				*leftp = left;
			continue;
		}
		if (data == NULL)
			data = json_object();
		json_object_set_new(data, k->of, json_boolean(k->then));
		json_object_set_new(data, k->member, json_null());
	}
	return data;
}

static char *
description(const json_t *user, const json_t *data)
{
	char *text = xasprintf(
	    "The time is over of %s:", json_str(user, "username", ""));
	const struct kind *k;
	char *longer;

	for (k = kinds; k < kinds + KINDS; k++) {
		if (json_object_get(data, k->member) == NULL)
			continue;
		longer = xasprintf("%s %s", text, k->member);
		free(text);
		text = longer;
	}
	return text;
}

/* What is no longer granted may be in use. */
static bool
takes_away(const json_t *data)
{
	const struct kind *k;

	for (k = kinds; k < kinds + KINDS; k++)
		if (!k->lock && json_object_get(data, k->member) != NULL)
			return true;
	return false;
}

/* The call that nobody made; its answer goes nowhere. */
static struct call *
call_of_time(int64_t id, const json_t *user, json_t *data)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method_find("user.update");
	call->session =
	    session_new("root", 0, "the time", CREDENTIAL_UNIX_SOCKET, full);
	/* It ends when it was said to, whoever gets in by SSH then. */
	json_object_set_new(data, "lockout", json_true());
	call->params = json_pack("[I, o]", (json_int_t)id, data);
	call->given = json_incref(call->params);
	call->description = description(user, data);
	return call;
}

static void
answered(json_t *answer, bool success, void *arg)
{
	(void)arg;
	if (!success)
		log_error("until.refused", "%s",
		    json_str(json_object_get(answer, "data"), "reason",
			json_str(answer, "message", "")));
	json_decref(answer);
}

static void
ended(struct change *c)
{
	log_info("until.over", "%s", c->call->description);
}

bool
user_until_takes_away(const struct change *c)
{
	return c->committed == ended && takes_away(call_param(c->call, 1));
}

struct looking {
	struct due {
		int64_t id;
		json_t *data;
	} * due;
	size_t count;
	int64_t left; /* of the next one */
};

static void
look_at(int64_t id, const json_t *state, void *arg)
{
	struct looking *l = arg;
	const json_t *user = store_get(core_store(), "user", id);
	json_t *data = user != NULL ? over(user, state, &l->left) : NULL;

	if (data == NULL)
		return;
	l->due = xreallocarray(l->due, l->count + 1, sizeof(*l->due));
	l->due[l->count++] = (struct due){ id, data };
}

static void look_later(int64_t);

static void
look(void)
{
	struct looking l = { .left = INT64_MAX };
	struct call *call;
	size_t i;

	account_state_each(STATE, look_at, &l);
	for (i = 0; i < l.count; i++) {
		call = call_of_time(l.due[i].id,
		    store_get(core_store(), "user", l.due[i].id),
		    l.due[i].data);
		call->taker = answered;
		change_submit(call, &user_resource, CHANGE_UPDATE, l.due[i].id,
		    call_param(call, 1), ended);
	}
	free(l.due);
	/* They may be refused, or lost with core. */
	if (l.count > 0 && l.left > RETRY_MS)
		l.left = RETRY_MS;
	look_later(l.left);
}

/* --- When to look --------------------------------------------------------- */

static void
timer_due(void *arg)
{
	if ((uintptr_t)arg == timer && core_store() != NULL)
		look();
}

/*
 * By a timer, and by the scheduler, which alone hears of a clock that is set.
 * INT64_MAX: there is nothing to wait for.
 */
static void
look_later(int64_t left)
{
	int64_t ms = left < LOOK_MS ? left : LOOK_MS;
	int r;

	timer++;
	if (left == INT64_MAX) {
		scheduler_cancel(TASK);
		return;
	}
	core_after((unsigned int)ms + 1, timer_due, (void *)(uintptr_t)timer);
	r = scheduler_at(TASK, (now().wall + left + 999) / 1000, TASK, NULL);
	if (r == -1)
		log_warn("until.schedule", "%s", strerror(errno));
}

void
user_until_task(struct task_run *run, const json_t *args)
{
	(void)args;
	task_done(run, NULL);
	if (core_store() != NULL)
		look();
}

static void
keep_one(int64_t id, const json_t *user, void *arg)
{
	(void)arg;
	keep_in_line(id, user);
}

void
user_until_review(void)
{
	if (core_store() == NULL)
		return;
	store_each(core_store(), "user", keep_one, NULL);
	look();
}

/* --- At start ------------------------------------------------------------- */

/* Nothing is rendered yet: the store alone has to know. */
static void
end_stored(int64_t id, json_t *data)
{
	const json_t *user = store_get(core_store(), "user", id);
	struct call *call = call_of_time(id, user, data);
	json_t *record = audit_method_call(call, true, true, true);
	json_t *after = json_deep_copy(user);
	struct revision r = { .time = time(NULL),
		.who = call->session->username,
		.origin = call->session->origin,
		.resource = (char *)(uintptr_t)user_resource.name,
		.entry = id,
		.before = json_deep_copy(user),
		.after = after };

	json_object_update(after, data);
	if (store_change(core_store(), &r, 1, json_str(record, "audit_id", ""),
		record) == -1)
		log_error("until.store", "%s", strerror(errno));
	else {
		log_info("until.over", "%s", call->description);
		audit_send_outbox(record, NULL, NULL);
	}
	json_decref(r.before);
	json_decref(after);
	json_decref(record);
	call_free(call);
}

/* Their sessions may have outlived core; a failure is logged. */
static void
note_ends(const struct looking *l)
{
	json_t *who = json_array();
	const json_t *user;
	size_t i;

	for (i = 0; i < l->count; i++) {
		user = store_get(core_store(), "user", l->due[i].id);
		if (takes_away(l->due[i].data))
			account_end_add(who, (uid_t)json_int(user, "uid", -1),
			    json_str(user, "username", ""), false);
	}
	if (json_array_size(who) > 0)
		account_end_note(ACCOUNT_END_AT_START, who);
	json_decref(who);
}

void
user_until_start(void)
{
	struct looking l = { .left = INT64_MAX };
	size_t i;

	if (core_store() == NULL)
		return;
	account_state_each(STATE, look_at, &l);
	note_ends(&l);
	for (i = 0; i < l.count; i++)
		end_stored(l.due[i].id, l.due[i].data);
	free(l.due);
	store_each(core_store(), "user", keep_one, NULL);
	look_later(l.left);
}
