/*
 * Durable ends of what is for a time: see deadline.h.
 */
#include "core/deadline.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/core.h"
#include "core/scheduler.h"
#include "core/until.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"

/*
 * The scheduler knows the second by the wall clock; whether the machine's own
 * clock ends it earlier is looked at this often.
 */
#define LOOK_MS 60000

static struct until_now
now(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct until_now){ (int64_t)wall.tv_sec * 1000 +
		    wall.tv_nsec / 1000000,
		boottime_ms() };
}

int64_t
deadline_left(const struct deadline *d)
{
	const json_t *args = scheduler_args(d->name);
	struct until_now at = now();
	struct until u = { .boot = -1 };

	if (args == NULL)
		return -1;
	u.wall = json_int(args, "wall", 0);
	if (strcmp(json_str(args, "of", ""), core_facts()->machine_boot) == 0)
		u.boot = json_int(args, "boot", 0);
	return until_left(&u, &at);
}

const json_t *
deadline_args(const struct deadline *d)
{
	return json_object_get(scheduler_args(d->name), "args");
}

/* The scheduler may still wait for a clock that was put back. */
static int
make_due(const struct deadline *d)
{
	json_t *args = json_deep_copy(scheduler_args(d->name));
	int64_t wall = now().wall;
	int result = 0;

	if (json_int(args, "wall", 0) > wall) {
		json_object_set_new(args, "wall", json_integer(wall));
		result = scheduler_at(d->name, wall / 1000, d->task, args);
	}
	json_decref(args);
	return result;
}

static void look_later(struct deadline *);

static void
look(void *arg)
{
	struct deadline *d = arg;
	int64_t left = deadline_left(d);

	d->looking = false;
	if (left == 0 && make_due(d) == -1)
		log_warn("deadline.look", "%s: %s", d->name, strerror(errno));
	if (left != -1)
		look_later(d);
}

static void
look_later(struct deadline *d)
{
	if (d->looking)
		return;
	d->looking = true;
	core_after(LOOK_MS, look, d);
}

int
deadline_set(struct deadline *d, int64_t seconds, const json_t *args)
{
	struct until_now at = now();
	json_int_t wall = at.wall + seconds * 1000;
	json_int_t boot = at.boot + seconds * 1000;
	json_t *stored = json_pack("{s:I, s:I, s:s, s:O?}", "wall", wall,
	    "boot", boot, "of", core_facts()->machine_boot, "args", args);
	int result =
	    scheduler_at(d->name, (wall + 999) / 1000, d->task, stored);

	json_decref(stored);
	if (result == 0)
		look_later(d);
	return result;
}

int
deadline_clear(const struct deadline *d)
{
	return scheduler_cancel(d->name);
}

void
deadline_resume(struct deadline *d)
{
	if (deadline_left(d) != -1)
		look_later(d);
}
