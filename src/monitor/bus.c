/*
 * The connection to D-Bus, on the loop: it never blocks, and when it is lost
 * it comes back by itself (sd-bus(3), sd_bus_get_fd(3)).
 */
#include "monitor/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"

/* For an answer; PID 1 has none while it reads all units again (Reload). */
#define CALL_SECONDS 60
#define RETRY_FIRST_MS 200
#define RETRY_LAST_MS 5000
#define TURN_MAX 64 /* messages before others get their turn */

/* One connection; its handle outlives it until the loop has closed it. */
struct link {
	sd_bus *bus;
	uv_poll_t poll;
};

static struct {
	uv_loop_t *loop;
	const char *address;
	const struct bus_callbacks *callbacks;
	struct link *link;
	uv_timer_t timer; /* when sd-bus wants its turn; else the next try */
	uv_prepare_t prepare;
	unsigned int delay_ms;
} bus;

static void bus_connect(void);

sd_bus *
bus_get(void)
{
	return bus.link == NULL ? NULL : bus.link->bus;
}

static void
link_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
link_drop(void)
{
	struct link *link = bus.link;

	bus.link = NULL;
	uv_timer_stop(&bus.timer);
	/* Out of the loop's set before the descriptor is closed. */
	uv_poll_stop(&link->poll);
	sd_bus_close_unref(link->bus);
	uv_close((uv_handle_t *)&link->poll, link_closed);
}

static void
on_retry(uv_timer_t *timer)
{
	(void)timer;
	bus_connect();
}

static void
lost(int error)
{
	if (bus.link != NULL)
		link_drop();
	bus.callbacks->down(strerror(error));
	uv_timer_start(&bus.timer, on_retry, bus.delay_ms, 0);
	if ((bus.delay_ms *= 2) > RETRY_LAST_MS)
		bus.delay_ms = RETRY_LAST_MS;
}

static void
turn(void)
{
	struct link *link = bus.link;
	int i, r = 1;

	for (i = 0; i < TURN_MAX && r > 0; i++)
		if ((r = sd_bus_process(link->bus, NULL)) > 0)
			bus.delay_ms = RETRY_FIRST_MS;
	if (r < 0 && r != -EINTR)
		lost(-r);
	else if (sd_bus_is_open(link->bus) <= 0)
		lost(ECONNRESET);
}

static void
on_timer(uv_timer_t *timer)
{
	(void)timer;
	if (bus.link != NULL)
		turn();
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
	if (bus.link != NULL)
		turn();
}

/* Before the loop waits: for what, and until when, as sd-bus needs it. */
static void
on_prepare(uv_prepare_t *prepare)
{
	struct timespec now;
	uint64_t until = UINT64_MAX, us;
	int events, wanted = 0;

	(void)prepare;
	if (bus.link == NULL)
		return;
	if ((events = sd_bus_get_events(bus.link->bus)) < 0 ||
	    sd_bus_get_timeout(bus.link->bus, &until) < 0) {
		lost(ECONNRESET);
		return;
	}
	if ((events & POLLIN) != 0)
		wanted |= UV_READABLE;
	if ((events & POLLOUT) != 0)
		wanted |= UV_WRITABLE;
	uv_poll_start(&bus.link->poll, wanted, on_poll);
	if (until == UINT64_MAX) {
		uv_timer_stop(&bus.timer);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	uv_timer_start(
	    &bus.timer, on_timer, until <= us ? 0 : (until - us) / 1000 + 1, 0);
}

static int
link_start(struct link *link)
{
	int r;

	if ((r = sd_bus_new(&link->bus)) < 0 ||
	    (r = sd_bus_set_address(link->bus, bus.address)) < 0 ||
	    (r = sd_bus_set_bus_client(link->bus, 1)) < 0 ||
	    (r = sd_bus_start(link->bus)) < 0 ||
	    (r = sd_bus_set_method_call_timeout(
		 link->bus, (uint64_t)CALL_SECONDS * 1000000)) < 0 ||
	    (r = sd_bus_get_fd(link->bus)) < 0)
		return r;
	return uv_poll_init(bus.loop, &link->poll, r);
}

static void
bus_connect(void)
{
	struct link *link = xcalloc(1, sizeof(*link));
	int r;

	if ((r = link_start(link)) < 0) {
		sd_bus_close_unref(link->bus);
		free(link);
		lost(-r);
		return;
	}
	link->poll.data = link;
	bus.link = link;
	bus.callbacks->up(link->bus);
}

void
bus_open(
    uv_loop_t *loop, const char *address, const struct bus_callbacks *callbacks)
{
	bus.loop = loop;
	bus.address = address;
	bus.callbacks = callbacks;
	bus.delay_ms = RETRY_FIRST_MS;
	uv_timer_init(loop, &bus.timer);
	uv_prepare_init(loop, &bus.prepare);
	uv_prepare_start(&bus.prepare, on_prepare);
	bus_connect();
}

void
bus_close(void)
{
	if (bus.link != NULL)
		link_drop();
	uv_close((uv_handle_t *)&bus.timer, NULL);
	uv_close((uv_handle_t *)&bus.prepare, NULL);
}
