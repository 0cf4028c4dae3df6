/* Networks as texts: see network.h. */
#include "lib/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes an address of that text has; 0: it is none. */
static unsigned int
address_read(const char *text, int *family, uint8_t bytes[static 16])
{
	memset(bytes, 0, 16);
	*family = AF_INET;
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	*family = AF_INET6;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* Do these bits differ between the two? */
static bool
differ(const uint8_t *a, const uint8_t *b, unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		if (((a[from / 8] ^ b[from / 8]) & (0x80 >> from % 8)) != 0)
			return true;
	return false;
}

int
network_parse(const char *text, struct network *n)
{
	static const uint8_t zero[16];
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned int most;

	if (len >= sizeof(address))
		return -1;
	memcpy(address, text, len);
	address[len] = '\0';
	most = address_read(address, &n->family, n->bytes) * 8;
	n->bits = most;
	if (slash != NULL) {
		len = strlen(slash + 1);
		if (len == 0 || len > 3 ||
		    strspn(slash + 1, "0123456789") != len)
			return -1;
		n->bits = (unsigned int)strtoul(slash + 1, NULL, 10);
	}
	return most == 0 || n->bits > most ||
		differ(n->bytes, zero, n->bits, most) ?
	    -1 :
	    0;
}

bool
network_has(const struct network *n, const char *address)
{
	uint8_t bytes[16];
	int family;

	return address_read(address, &family, bytes) > 0 &&
	    family == n->family && !differ(n->bytes, bytes, 0, n->bits);
}
