/*
 * Asks an SSH server over TCP what it offers; see ssh_offer.h.
 */
#include "services/ssh/ssh_offer.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_socket.h"

#define RETRY_MS 20 /* between two attempts */

/* "fe80::1%3": the scope as a number, for without files no name is known. */
int
ssh_offer_address(const char *text, uint16_t port, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	char host[INET6_ADDRSTRLEN], *end;
	const char *scope = strchr(text, '%');
	size_t host_len = scope == NULL ? strlen(text) : (size_t)(scope - text);
	unsigned long index;

	memset(ss, 0, sizeof(*ss));
	if (host_len >= sizeof(host))
		return -1;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (scope == NULL && inet_pton(AF_INET, host, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		*len = sizeof(*in4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return -1;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	if (scope != NULL) {
		errno = 0;
		index = strtoul(scope + 1, &end, 10);
		if (errno != 0 || *end != '\0' || index > UINT32_MAX)
			return -1;
		in6->sin6_scope_id = (uint32_t)index;
	}
	*len = sizeof(*in6);
	return 0;
}

/* As ssh_offer_ask; 0 also when it closed before it said enough. */
static int
exchange(int fd, int64_t deadline, uint8_t *buffer, struct ssh_offer *offer,
    const char **why)
{
	const char hello[] = SSH_OFFER_IDENTIFICATION;
	enum ssh_offer_state state = OFFER_MORE;
	size_t have = 0;
	int n;

	if (ssh_socket_send(fd, hello, sizeof(hello) - 1, deadline) == -1)
		return 0;
	while (state == OFFER_MORE) {
		n = ssh_socket_recv(
		    fd, buffer + have, SSH_OFFER_MAX - have, deadline);
		if (n <= 0)
			return 0;
		have += (size_t)n;
		state = ssh_offer_parse(buffer, have, offer, why);
	}
	return state == OFFER_DONE ? 1 : -1;
}

int
ssh_offer_ask(const char *address, uint16_t port, unsigned int milliseconds,
    struct ssh_offer *offer, const char **why)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int64_t deadline = boottime_ms() + milliseconds;
	uint8_t *buffer;
	int fd, r = 0;

	memset(offer, 0, sizeof(*offer));
	*why = "nobody answers";
	if (ssh_offer_address(address, port, &ss, &len) == -1) {
		*why = "this is no address";
		return -1;
	}
	buffer = xmalloc(SSH_OFFER_MAX);
	for (;;) {
		fd = ssh_socket_open(&ss, len, deadline);
		if (fd != -1) {
			r = exchange(fd, deadline, buffer, offer, why);
			close(fd);
		}
		if (r != 0 || boottime_ms() + RETRY_MS >= deadline)
			break;
		poll(NULL, 0, RETRY_MS);
	}
	free(buffer);
	return r;
}
