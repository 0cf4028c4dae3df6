/*
 * The address of --listen: parsed, bound, handed to the web role; and Unix
 * sockets.
 */
#ifndef HF_MONITOR_LISTEN_H
#define HF_MONITOR_LISTEN_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct listen_address {
	struct sockaddr_storage	sockaddr;
	socklen_t		len;
	char			host[INET6_ADDRSTRLEN + 16];
	uint16_t		port;
};

/*
 * "192.0.2.1:8443" or "[2001:db8::1]:8443": a numeric address, port 1 to
 * 65535.  0, or -1 when it is not one.
 */
int	listen_parse(const char *text, struct listen_address *);

/*
 * A Unix socket at that path, in the place of what was there; mode says who
 * may write to it.  One of connections listens.  The descriptor, or -1 with
 * errno.
 */
int	listen_unix(int type, const char *path, mode_t mode);
/* One that root alone may send to; or -1 with a line for people. */
int	listen_for_root(int type, const char *path, char *why, size_t);

/* A listening socket, or -1 with a line for people. */
int	listen_open(const struct listen_address *, char *why, size_t);

#endif
