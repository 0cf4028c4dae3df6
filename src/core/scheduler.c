/*
 * The durable scheduler: see scheduler.h.  What is stored of an entry:
 *
 *	{"task", "args", "at": seconds}
 *	{"task", "args", "schedule": {...}, "after": seconds}
 *	{"task", "args", "boot": id}
 *
 * after is the time up to which all is done, boot the start of the machine for
 * which it is; when an entry is due follows from that and is not stored.
 */
#include "core/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/clock.h"
#include "core/scheduler_internal.h"
#include "core/store.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define PREFIX "task/"
#define RUNNING_MAX 8 /* at a time, so that others get their turn */
#define RETRY_FIRST 60 /* seconds, doubled until ... */
#define RETRY_LAST 3600
/* Put back by no more than that, the clock was a little wrong before. */
#define BACK_SECONDS (3 * 60 * 60)

struct task_run {
	struct scheduled
	    *entry; /* NULL: it was cancelled or replaced meanwhile */
	json_t *args;
	int64_t began; /* by the wall clock */
};

static struct {
	struct store *store;
	char *boot_id;
	unsigned int running;
} scheduler;

static const struct scheduled_task *
task_find(const char *name)
{
	const struct scheduled_task *t;

	for (t = scheduled_tasks; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static void
entry_free(struct scheduled *e)
{
	if (e->run != NULL)
		e->run->entry = NULL;
	free(e->name);
	json_decref(e->stored);
	free(e);
}

/* 0 or -1 with errno.  stored NULL: removed. */
static int
save(const char *name, const json_t *stored)
{
	char *value_name = xasprintf(PREFIX "%s", name);
	char *text = stored != NULL ? json_text(stored) : NULL;
	int result = store_set_value(scheduler.store, value_name, text);

	free(value_name);
	freezero_str(text);
	return result;
}

static bool
is_boot(const struct scheduled *e)
{
	return json_object_get(e->stored, "boot") != NULL;
}

static bool
is_cron(const struct scheduled *e)
{
	return json_object_get(e->stored, "schedule") != NULL;
}

static int64_t
due_of(const struct scheduled *e)
{
	if (is_cron(e))
		return cron_next(&e->cron, json_int(e->stored, "after", 0));
	if (!is_boot(e))
		return json_int(e->stored, "at", 0);
	/* Of an earlier start: it was not yet done for this one. */
	return strcmp(json_str(e->stored, "boot", ""), scheduler.boot_id) == 0 ?
	    NEVER :
	    INT64_MIN;
}

/*
 * An entry from what is stored, or is to be; NULL with errno EINVAL when that
 * makes no sense.
 */
static struct scheduled *
entry_new(const char *name, json_t *stored)
{
	struct scheduled *e = xcalloc(1, sizeof(*e));
	struct verr *errors = verr_new();
	bool sound;

	e->name = xstrdup(name);
	e->stored = json_incref(stored);
	e->task = task_find(json_str(stored, "task", ""));
	sound = e->task != NULL &&
	    (!is_cron(e) ||
		cron_parse(&e->cron, json_object_get(stored, "schedule"),
		    "schedule", errors) == 0);
	verr_free(errors);
	if (!sound) {
		entry_free(e);
		errno = EINVAL;
		return NULL;
	}
	e->due = due_of(e);
	return e;
}

/* When there is something to start, and room for it. */
static int64_t
next_turn(void)
{
	const struct scheduled *first = queue_first();

	if (first == NULL || scheduler.running >= RUNNING_MAX)
		return NEVER;
	return first->due;
}

static int64_t
wall_clock(void)
{
	struct timespec now;

	/* time() may still be at the second before the one that woke us. */
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

/* The same but for what has happened to it since? */
static bool
same(const struct scheduled *e, const json_t *stored)
{
	json_t *a = json_copy(e->stored);
	json_t *b = json_copy((json_t *)(uintptr_t)stored);
	bool equal;

	json_object_del(a, "after");
	json_object_del(b, "after");
	if (is_boot(e))
		json_object_set(a, "boot", json_object_get(b, "boot"));
	equal = json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return equal;
}

/* Adds or replaces; stored is stolen. */
static int
add(const char *name, json_t *stored)
{
	struct scheduled *old = queue_find(name), *e = NULL;
	int result = -1;

	if (old != NULL && same(old, stored))
		result = 0;
	else if (scheduler.store == NULL)
		errno = EIO;
	else if ((e = entry_new(name, stored)) != NULL)
		result = save(name, stored);
	json_decref(stored);
	if (e == NULL)
		return result;
	if (result == -1) {
		entry_free(e);
		return -1;
	}
	if (old != NULL) {
		queue_remove(old);
		entry_free(old);
	}
	queue_add(e);
	clock_wake(next_turn());
	return 0;
}

static json_t *
stored_new(const char *task, const json_t *args)
{
	return json_pack("{s:s, s:o}", "task", task, "args",
	    args != NULL ? json_deep_copy(args) : json_object());
}

int
scheduler_at(
    const char *name, int64_t when, const char *task, const json_t *args)
{
	json_t *stored = stored_new(task, args);

	json_object_set_new(stored, "at", json_integer(when));
	return add(name, stored);
}

int
scheduler_cron(const char *name, const json_t *schedule, const char *task,
    const json_t *args)
{
	json_t *stored = stored_new(task, args);

	json_object_set_new(stored, "schedule", json_deep_copy(schedule));
	json_object_set_new(stored, "after", json_integer(wall_clock()));
	return add(name, stored);
}

int
scheduler_boot(const char *name, const char *task, const json_t *args)
{
	json_t *stored = stored_new(task, args);

	json_object_set_new(stored, "boot", json_string(scheduler.boot_id));
	return add(name, stored);
}

int
scheduler_cancel(const char *name)
{
	struct scheduled *e = queue_find(name);

	if (e == NULL)
		return 0;
	if (save(name, NULL) == -1)
		return -1;
	queue_remove(e);
	entry_free(e);
	alert_clear("ScheduledTaskFailed", name);
	return 0;
}

const json_t *
scheduler_args(const char *name)
{
	const struct scheduled *e = queue_find(name);

	return e != NULL ? json_object_get(e->stored, "args") : NULL;
}

static void
move(struct scheduled *e, int64_t due)
{
	e->due = due;
	queue_moved(e);
}

/* Memory goes on in any case: after the next start it runs once more. */
static void
save_entry(const struct scheduled *e, const json_t *stored)
{
	if (save(e->name, stored) == -1)
		log_warn("scheduler.store", "%s: %s", e->name, strerror(errno));
}

/* How long after a beginning that failed, in seconds. */
static int64_t
patience(unsigned int failures)
{
	int64_t wait = RETRY_FIRST;

	while (--failures > 0 && wait < RETRY_LAST)
		wait *= 2;
	return wait < RETRY_LAST ? wait : RETRY_LAST;
}

/* What comes again has had its turn, whatever became of it. */
static void
settle(struct scheduled *e, int64_t began, bool done)
{
	if (is_cron(e)) {
		json_object_set_new(e->stored, "after", json_integer(began));
		save_entry(e, e->stored);
		move(e, due_of(e));
	} else if (!done)
		move(e, began + patience(e->failures));
	else if (is_boot(e)) {
		json_object_set_new(
		    e->stored, "boot", json_string(scheduler.boot_id));
		save_entry(e, e->stored);
		move(e, due_of(e));
	} else {
		save_entry(e, NULL);
		queue_remove(e);
		entry_free(e);
	}
}

void
task_done(struct task_run *run, const char *failed)
{
	struct scheduled *e = run->entry;

	scheduler.running--;
	if (e != NULL && failed != NULL) {
		e->failures++;
		log_warn("scheduler.failed", "%s: %s", e->name, failed);
		alert_raise("ScheduledTaskFailed", e->name,
		    json_pack("{s:s, s:s}", "task", e->name, "error", failed));
	} else if (e != NULL) {
		e->failures = 0;
		alert_clear("ScheduledTaskFailed", e->name);
	}
	if (e != NULL) {
		e->run = NULL;
		settle(e, run->began, failed == NULL);
	}
	json_decref(run->args);
	free(run);
	clock_wake(next_turn());
}

static void
start(struct scheduled *e, int64_t now)
{
	struct task_run *run = xcalloc(1, sizeof(*run));

	run->entry = e;
	run->args = json_incref(json_object_get(e->stored, "args"));
	run->began = now;
	e->run = run;
	scheduler.running++;
	move(e, NEVER);
	e->task->run(run, run->args);
}

int64_t
scheduler_turn(int64_t now)
{
	unsigned int n;

	/* So many and no more: others want their turn of the loop as well. */
	for (n = 0; n < RUNNING_MAX && next_turn() <= now; n++)
		start(queue_first(), now);
	return next_turn();
}

void
scheduler_clock_set(int64_t now)
{
	struct scheduled *e;
	size_t n;

	for (n = 0; n < queue_count(); n++) {
		e = queue_at(n);
		if (is_cron(e) &&
		    json_int(e->stored, "after", 0) > now + BACK_SECONDS)
			json_object_set_new(
			    e->stored, "after", json_integer(now));
		if (e->run == NULL)
			e->due = due_of(e);
	}
	queue_rebuild();
}

void
scheduler_start(struct store *store, const char *boot_id)
{
	json_t *values, *text, *stored;
	struct scheduled *e;
	const char *name;

	scheduler.store = store;
	scheduler.boot_id = xstrdup(boot_id);
	if (store == NULL)
		return;
	values = store_values(store, PREFIX);
	json_object_foreach(values, name, text) {
		stored = json_loads(json_string_value(text), 0, NULL);
		if ((e = entry_new(name, stored)) != NULL)
			queue_add(e);
		else
			log_warn("scheduler.unknown", "%s is left alone", name);
		json_decref(stored);
	}
	json_decref(values);
	scheduler_clock_set(wall_clock());
}

void
scheduler_stop(void)
{
	struct scheduled *e;

	while ((e = queue_first()) != NULL) {
		queue_remove(e);
		entry_free(e);
	}
	free(scheduler.boot_id);
	memset(&scheduler, 0, sizeof(scheduler));
}
