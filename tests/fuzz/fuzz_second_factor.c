/*
 * libFuzzer target: a packet of the PAM module's.  What is taken for one is it
 * to the last byte, and each text can stand in a line of the log.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/second_factor.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
check_text(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			abort();
	return strlen(text) + 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct second_factor_question q;
	/* Of its very size, so that a byte too far is noticed. */
	char *packet = xcalloc(len + (len == 0), 1);

	if (len > 0)
		memcpy(packet, data, len);
	if (second_factor_parse(packet, len, &q) == 0 &&
	    (len > SECOND_FACTOR_PACKET || q.about != packet[1] ||
		q.user != packet + 2 ||
		2 + check_text(q.user) + check_text(q.code) +
			check_text(q.address) !=
		    len))
		abort();
	free(packet);
	return 0;
}
