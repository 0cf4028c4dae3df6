/*
 * The wall clock: see clock.h.  A timer of the kernel (timerfd_create(2)) that
 * is cancelled when the clock is set, or the machine wakes from a sleep.
 */
#include "core/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/scheduler.h"
#include "lib/boottime.h"
#include "lib/log.h"

/* NTP corrects less at many a start. */
#define ALERT_SECONDS 60
/* Later than any clock; beyond, the kernel's own arithmetic overflows. */
#define LAST (INT64_C(1) << 33)

static struct {
	int fd; /* valid once the clock was started */
	bool started;
	uv_poll_t poll;
	int64_t offset; /* the wall clock's from that of the machine, ms */
} wall;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
tell(int64_t seconds)
{
	json_t *args = json_pack("{s:s, s:I}", "direction",
	    seconds > 0 ? "forward" : "back", "seconds",
	    (json_int_t)(seconds > 0 ? seconds : -seconds));

	audit_send(
	    audit_record(NULL, NULL, "CLOCK_SET", json_incref(args), true),
	    NULL, NULL);
	alert_raise("ClockSet", NULL, args);
}

static void
clock_set(void)
{
	int64_t offset = now_ms() - boottime_ms();
	int64_t seconds = (offset - wall.offset) / 1000;

	wall.offset = offset;
	log_info("clock.set", "by %lld seconds", (long long)seconds);
	if (seconds >= ALERT_SECONDS || seconds <= -ALERT_SECONDS)
		tell(seconds);
	scheduler_clock_set(now_ms() / 1000);
}

static int
arm(const struct itimerspec *at)
{
	return timerfd_settime(
	    wall.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, at, NULL);
}

void
clock_wake(int64_t when)
{
	struct itimerspec at = { 0 };

	if (!wall.started)
		return;
	/* 0 would stop it. */
	at.it_value.tv_sec = when < 1 ? 1 : when > LAST ? LAST : when;
	if (arm(&at) == 0)
		return;
	if (errno != ECANCELED)
		fatal("timerfd_settime: %s", strerror(errno));
	/* It was set just now: another turn, at once. */
	clock_set();
	at.it_value.tv_sec = 1;
	arm(&at);
}

static void
woken(uv_poll_t *poll, int status, int events)
{
	uint64_t times;

	(void)poll;
	(void)status;
	(void)events;
	if (read(wall.fd, &times, sizeof(times)) == -1 && errno == ECANCELED)
		clock_set();
	clock_wake(scheduler_turn(now_ms() / 1000));
}

void
clock_start(uv_loop_t *loop)
{
	wall.fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (wall.fd == -1 || uv_poll_init(loop, &wall.poll, wall.fd) != 0 ||
	    uv_poll_start(&wall.poll, UV_READABLE, woken) != 0)
		fatal("the clock's timer: %s", strerror(errno));
	wall.started = true;
	wall.offset = now_ms() - boottime_ms();
	clock_wake(scheduler_turn(now_ms() / 1000));
}
