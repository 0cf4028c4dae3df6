/*
 * The task ssh-host-keys: what another machine's SSH server says it is, and
 * proves.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "services/ssh/ssh_scan.h"
#include "worker/tasks.h"

#define HOST_MAX 256
#define SECONDS_MAX 60
#define ADDRESSES_MAX 8
#define FAMILIES 3

/* clang-format off */
/* One key of each; the first that the server has. */
static const char *const families[FAMILIES][4] = {
	{ "ssh-ed25519", NULL },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
	  NULL },
	{ "rsa-sha2-512", "rsa-sha2-256", NULL },
};
/* clang-format on */

struct target {
	struct sockaddr_storage address;
	socklen_t len;
	uint32_t seconds; /* for each connection */
};

/* Loads what the name service needs while the file system is there. */
void
task_host_keys_prepare(void)
{
	struct addrinfo *list = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
}

/* All that the server at that address has: their number; -1 no answer. */
static int
scan(const struct target *t, struct wire_out *out, const char **why)
{
	int i, answered, found = 0;
	const char *first = *why;
	char *line;

	for (i = 0; i < FAMILIES; i++) {
		line = ssh_scan(&t->address, t->len,
		    boottime_ms() + (int64_t)t->seconds * 1000, families[i],
		    &answered, why);
		if (i == 0)
			first = *why;
		if (line != NULL) {
			wire_put_str(out, line);
			found++;
		} else if (!answered && i == 0)
			return -1;
		free(line);
	}
	/* Which it does have is told best by what it was asked for first. */
	*why = first;
	return found;
}

static int
scan_any(const char *host, uint16_t port, uint32_t seconds,
    struct wire_out *out, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct target t = { .seconds = seconds };
	struct addrinfo *list = NULL, *at;
	int error, found = -1, n = 0;
	char service[8];

	/* Over TCP: a worker has no other sockets. */
	if (setenv("RES_OPTIONS", "use-vc timeout:5 attempts:2", 1) == -1)
		return errno;
	snprintf(service, sizeof(service), "%u", (unsigned int)port);
	if ((error = getaddrinfo(host, service, &hints, &list)) != 0) {
		*why = gai_strerror(error);
		return EHOSTUNREACH;
	}
	for (at = list; at != NULL && found == -1 && n < ADDRESSES_MAX;
	     at = at->ai_next, n++) {
		memcpy(&t.address, at->ai_addr, at->ai_addrlen);
		t.len = at->ai_addrlen;
		found = scan(&t, out, why);
	}
	freeaddrinfo(list);
	return found > 0 ? 0 : EHOSTUNREACH;
}

int
task_ssh_host_keys(struct wire_in *in, struct wire_out *out, const char **why)
{
	char *host = wire_get_str(in, HOST_MAX);
	uint16_t port = wire_get_u16(in);
	char *user = wire_get_str(in, HOST_MAX);
	uint32_t seconds = wire_get_u32(in);
	int error = EPROTO;

	if (wire_end(in) == 0 && seconds > 0 && seconds <= SECONDS_MAX)
		error = scan_any(host, port, seconds, out, why);
	free(host);
	free(user);
	return error;
}
