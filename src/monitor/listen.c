/*
 * The address of --listen: parsed, bound, handed to the web role; and Unix
 * sockets.
 */
#include <sys/stat.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/listen.h"

#define BACKLOG 128

static int
parse_port(const char *text, uint16_t *portp)
{
	unsigned long port;
	size_t len = strlen(text);

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return -1;
	port = strtoul(text, NULL, 10);
	if (port == 0 || port > UINT16_MAX)
		return -1;
	*portp = (uint16_t)port;
	return 0;
}

int
listen_parse(const char *text, struct listen_address *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM },
			*info;
	const char *colon = strrchr(text, ':'), *host = text;
	size_t len;

	memset(address, 0, sizeof(*address));
	if (colon == NULL || colon == text ||
	    parse_port(colon + 1, &address->port) == -1)
		return -1;
	len = (size_t)(colon - text);
	hints.ai_family = AF_INET;
	if (text[0] == '[') {
		if (text[len - 1] != ']')
			return -1;
		hints.ai_family = AF_INET6;
		host++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(address->host))
		return -1;
	memcpy(address->host, host, len);
	/* getaddrinfo also takes "1" and "0x7f.1"; a typo is not an address. */
	if (hints.ai_family == AF_INET &&
	    inet_pton(AF_INET, address->host, &(struct in_addr){ 0 }) != 1)
		return -1;
	if (getaddrinfo(address->host, colon + 1, &hints, &info) != 0)
		return -1;
	memcpy(&address->sockaddr, info->ai_addr, info->ai_addrlen);
	address->len = info->ai_addrlen;
	freeaddrinfo(info);
	return 0;
}

int
listen_open(const struct listen_address *address, char *why, size_t size)
{
	int fd, family = address->sockaddr.ss_family, on = 1;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		goto fail;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		goto fail;
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1)
		goto fail;
	if (bind(fd, (const struct sockaddr *)&address->sockaddr,
		address->len) == -1 ||
	    listen(fd, BACKLOG) == -1)
		goto fail;
	return fd;
fail:
	if (errno == EADDRINUSE)
		snprintf(why, size,
		    "port %u of %s is in use: stop what listens there, or "
		    "choose another with --listen",
		    address->port, address->host);
	else if (errno == EADDRNOTAVAIL)
		snprintf(why, size,
		    "%s is not an address of this machine: choose one with "
		    "--listen",
		    address->host);
	else
		snprintf(why, size, "listening on %s port %u: %s",
		    address->host, address->port, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

int
listen_unix(int type, const char *path, mode_t mode)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (unlink(path) == -1 && errno != ENOENT)
		goto fail;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    chmod(path, mode) == -1 ||
	    (type != SOCK_DGRAM && listen(fd, BACKLOG) == -1))
		goto fail;
	return fd;
fail:
	close(fd);
	return -1;
}

int
listen_for_root(int type, const char *path, char *why, size_t size)
{
	int fd = listen_unix(type, path, 0600);

	if (fd == -1)
		snprintf(why, size, "%s: %s", path, strerror(errno));
	return fd;
}
