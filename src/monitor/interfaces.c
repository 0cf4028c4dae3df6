/*
 * Interfaces and addresses that come and go: see interfaces.h.
 */
#include "monitor/interfaces.h"

#include <sys/socket.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/log.h"
#include "monitor/processes.h"

#define QUIET_MS 500 /* so long nothing happens, */
#define PATIENCE_MS 3000 /* or this is over: a link may flap for ever */
#define READ_MAX 256 /* messages at a time; the loop has others to serve */

static struct {
	uv_poll_t poll;
	uv_timer_t timer;
	int fd;
	int64_t since; /* of the first that core was not told of; 0: none */
	int error; /* why nobody watches */
} watch = { .fd = -1 };

static void
on_quiet(uv_timer_t *timer)
{
	(void)timer;
	watch.since = 0;
	/* Core may be away; it asks for all there is when it starts. */
	processes_send(ROLE_CORE, MSG_INTERFACES_CHANGED, 0, NULL, NULL, 0);
}

static void
changed(void)
{
	int64_t now = boottime_ms(), left;

	if (watch.since == 0)
		watch.since = now;
	left = watch.since + PATIENCE_MS - now;
	if (left > QUIET_MS)
		left = QUIET_MS;
	uv_timer_start(
	    &watch.timer, on_quiet, left > 0 ? (uint64_t)left : 0, 0);
}

/* 1: the kernel told something; 0: it was another, or an error; -1: nothing. */
static int
read_one(void)
{
	struct sockaddr_nl from = { 0 };
	socklen_t len = sizeof(from);
	char byte;
	ssize_t n;

	n = recvfrom(watch.fd, &byte, sizeof(byte), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len);
	if (n == -1)
		return errno == EAGAIN ? -1 : 0;
	return len == sizeof(from) && from.nl_pid == 0;
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
	bool told = false;
	int i, rc;

	(void)events;
	for (i = 0; i < READ_MAX && (rc = read_one()) != -1; i++)
		told = told || rc == 1;
	/* An error of the socket, which was read with the rest, stops it. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	if (told || status < 0)
		changed();
}

static int
open_socket(void)
{
	struct sockaddr_nl all = { .nl_family = AF_NETLINK,
		.nl_groups =
		    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int yes = 1,
	    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		NETLINK_ROUTE);

	if (fd == -1) {
		watch.error = errno;
		return -1;
	}
	/* Of more than there is room for, what there is room for is enough. */
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&all, sizeof(all)) == -1) {
		watch.error = errno;
		close(fd);
		return -1;
	}
	return fd;
}

void
interfaces_watch(uv_loop_t *loop)
{
	watch.fd = open_socket();
	if (watch.fd == -1) {
		log_error("interfaces.watch", "%s", strerror(watch.error));
		return;
	}
	uv_timer_init(loop, &watch.timer);
	uv_poll_init(loop, &watch.poll, watch.fd);
	uv_poll_start(&watch.poll, UV_READABLE, on_readable);
}

uint32_t
interfaces_problems(struct wire_out *out)
{
	if (watch.error == 0)
		return 0;
	wire_put_str(out,
	    "Interfaces and addresses that come and go are not noticed: the "
	    "kernel does not tell of them");
	return 1;
}
