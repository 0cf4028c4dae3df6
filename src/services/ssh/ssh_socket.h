/*
 * A TCP connection with a deadline for all that is done on it.
 */
#ifndef HF_SSH_SOCKET_H
#define HF_SSH_SOCKET_H

#include <sys/socket.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deadlines are boottime_ms(). */
/* Until readable or writable (POLLIN, POLLOUT); false when time is over. */
bool	ssh_socket_wait(int fd, short events, int64_t deadline);
/* A connected socket that does not block, or -1. */
int	ssh_socket_open(const struct sockaddr_storage *, socklen_t,
	    int64_t deadline);
/* All of it: 0 or -1. */
int	ssh_socket_send(int fd, const void *, size_t, int64_t deadline);
/* At least a byte: their number; 0 the end, -1 an error or time is over. */
int	ssh_socket_recv(int fd, void *, size_t, int64_t deadline);

#endif
