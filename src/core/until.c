/*
 * Ends of what is for a time: see until.h.
 */
#include "core/until.h"

static int64_t
left(int64_t end, int64_t now)
{
	return end > now ? end - now : 0;
}

int64_t
until_left(const struct until *u, const struct until_now *now)
{
	int64_t wall = left(u->wall, now->wall), boot;

	if (u->boot == -1)
		return wall;
	boot = left(u->boot, now->boot);
	return (wall < boot) == u->lock ? boot : wall;
}
