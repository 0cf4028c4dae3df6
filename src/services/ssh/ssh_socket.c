/*
 * A TCP connection with a deadline.
 */
#include "services/ssh/ssh_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "lib/boottime.h"

bool
ssh_socket_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int r;

	do {
		left = deadline - boottime_ms();
		if (left <= 0)
			return false;
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (r == -1 && errno == EINTR);
	return r == 1;
}

int
ssh_socket_open(
    const struct sockaddr_storage *ss, socklen_t len, int64_t deadline)
{
	int fd, error = 0, on = 1;
	socklen_t error_len = sizeof(error);

	fd = socket(
	    ss->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Two small packets in a row would wait for each other. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)ss, len) == -1) {
		if (errno != EINPROGRESS)
			goto fail;
		if (!ssh_socket_wait(fd, POLLOUT, deadline) ||
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) ==
			-1 ||
		    error != 0)
			goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

int
ssh_socket_send(int fd, const void *data, size_t len, int64_t deadline)
{
	const uint8_t *p = data;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN) {
			if (!ssh_socket_wait(fd, POLLOUT, deadline))
				return -1;
			continue;
		}
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
ssh_socket_recv(int fd, void *data, size_t size, int64_t deadline)
{
	ssize_t n;

	for (;;) {
		if (!ssh_socket_wait(fd, POLLIN, deadline))
			return -1;
		n = recv(fd, data, size > INT_MAX ? INT_MAX : size, 0);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR && errno != EAGAIN)
			return -1;
	}
}
