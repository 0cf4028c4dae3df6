/*
 * What the PAM module asks, as core reads it: see second_factor.h.
 */
#include "lib/second_factor.h"

#include <string.h>

/* What can stand in a line of the log, and is no text of another script. */
static int
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return 0;
	return 1;
}

/* The text that begins there, and where the next one does; NULL: none. */
static const char *
next_text(const char **at, const char *end)
{
	const char *text = *at;
	const char *nul = memchr(text, '\0', (size_t)(end - text));

	*at = nul != NULL ? nul + 1 : end;
	return nul != NULL && is_plain(text) ? text : NULL;
}

int
second_factor_parse(
    const char *packet, size_t len, struct second_factor_question *q)
{
	const char *at = packet + 2, *end = packet + len;

	if (len < 2 || len > SECOND_FACTOR_PACKET ||
	    packet[0] != SECOND_FACTOR_VERSION)
		return -1;
	q->about = packet[1];
	if ((q->user = next_text(&at, end)) == NULL ||
	    (q->code = next_text(&at, end)) == NULL ||
	    (q->address = next_text(&at, end)) == NULL || at != end)
		return -1;
	return 0;
}
