/*
 * Telling a fact: see tell.h.
 */
#include "pam/tell.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Kept for what says how much was cut. */
#define RESERVED 32

static void
add(struct fact *fact, const char *text, size_t len)
{
	memcpy(fact->packet + fact->len, text, len);
	fact->len += len;
}

void
fact_begin(struct fact *fact, const char *kind)
{
	fact->packet[0] = FACT_VERSION;
	fact->len = 1;
	fact->cut = 0;
	add(fact, kind, strlen(kind) + 1);
}

void
fact_put(struct fact *fact, const char *name, const char *value)
{
	char rest[48] = "";
	size_t len, more;

	if (value == NULL)
		return;
	len = strlen(value);
	if (len > FACT_VALUE) {
		(void)snprintf(rest, sizeof(rest), " ... (%zu bytes)", len);
		len = FACT_VALUE;
	}
	more = strlen(name) + 1 + len + strlen(rest) + 1;
	if (more > FACT_PACKET - RESERVED - fact->len) {
		fact->cut++;
		return;
	}
	add(fact, name, strlen(name));
	add(fact, "=", 1);
	add(fact, value, len);
	add(fact, rest, strlen(rest) + 1);
}

void
fact_put_number(struct fact *fact, const char *name, long long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", value);
	fact_put(fact, name, text);
}

enum told
fact_tell(const struct fact *fact)
{
	const struct timeval patience = { .tv_sec = FACT_SECONDS };
	struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = FACT_SOCKET };
	char end[RESERVED];
	struct iovec parts[2] = {
		{ (void *)(uintptr_t)fact->packet, fact->len }, { end, 0 }
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	enum told told = TOLD_NOBODY;
	int fd;

	if (fact->cut > 0)
		parts[1].iov_len =
		    (size_t)snprintf(end, sizeof(end), "cut=%u", fact->cut) + 1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return TOLD_NOT;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    sendmsg(fd, &message, MSG_NOSIGNAL) != -1)
		told = TOLD;
	close(fd);
	return told;
}
