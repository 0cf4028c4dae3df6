/* On which TCP addresses a process listens, and whom it serves, from /proc. */
#ifndef HF_MONITOR_LISTENERS_H
#define HF_MONITOR_LISTENERS_H

#include <sys/types.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct listening {
	char		address[INET6_ADDRSTRLEN];
	uint16_t	port;
};

/* Fills up to max entries; returns how many there are of them. */
size_t	listeners_of(pid_t, struct listening *, size_t max);

/*
 * The other end of the first TCP connection that it has, by descriptor: of a
 * process that serves one, that one.  0, or -1: it has none.
 */
int	listeners_peer(pid_t, struct listening *);

/*
 * One line of /proc/net/tcp (family AF_INET) or tcp6: 0 when it is a
 * listening socket, whose inode is set; else -1.
 */
int	listeners_parse(const char *line, int family, struct listening *,
	    unsigned long *inodep);

#endif
