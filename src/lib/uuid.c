/*
 * Random UUIDs: see uuid.h.
 */
#include "lib/uuid.h"

#include <sys/random.h>
#include <errno.h>
#include <string.h>

#include "lib/hex.h"
#include "lib/log.h"

void
uuid_new(char text[static UUID_LEN])
{
	static const unsigned char groups[] = { 4, 2, 2, 2, 6 };
	unsigned char b[16], *at = b;
	size_t i;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		fatal("getrandom: %s", strerror(errno));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (i = 0; i < sizeof(groups); i++) {
		if (i > 0)
			*text++ = '-';
		hex_write(at, groups[i], text);
		text += 2 * groups[i];
		at += groups[i];
	}
}
