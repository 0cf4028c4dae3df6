/*
 * Ages by both clocks: see lifetime.h.
 */
#include "core/lifetime.h"

#include <time.h>

#include "lib/boottime.h"
#include "lib/json.h"

static int64_t
by_wall(const json_t *o)
{
	return (int64_t)time(NULL) - json_int(o, "wall", 0);
}

/* Negative: there was another boot. */
static int64_t
by_boot(const json_t *o)
{
	return boottime_ms() / 1000 - json_int(o, "boot", 0);
}

void
lifetime_begin(json_t *o)
{
	json_object_set_new(o, "wall", json_integer((json_int_t)time(NULL)));
	json_object_set_new(o, "boot", json_integer(boottime_ms() / 1000));
}

bool
lifetime_over(const json_t *o, int64_t seconds)
{
	int64_t wall = by_wall(o), boot = by_boot(o);

	/* Of another boot and of the future: nobody knows. */
	return wall >= seconds || boot >= seconds || (wall < 0 && boot < 0);
}

int64_t
lifetime_age(const json_t *o)
{
	int64_t boot = by_boot(o), wall = by_wall(o);

	if (boot >= 0)
		return boot;
	return wall > 0 ? wall : 0;
}
