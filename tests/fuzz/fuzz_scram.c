/*
 * libFuzzer target: both messages of a SCRAM client, a line each, bound to a
 * certificate or not.  Nobody without the secret is let in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/scram.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t hash[32];
	struct scram_keys keys = {
		.salt = "AAAA", .iterations = 1, .stored_key = { 1 }
	};
	struct scram_binding binding = { hash, len % 2 == 0 ? 32 : 0 };
	char *first = xstrndup((const char *)data, len), *final, *line;
	const char *why = NULL;
	struct scram *s;

	if ((line = strchr(first, '\n')) != NULL)
		*line++ = '\0';
	s = scram_begin(first, &why);
	if (s == NULL && why == NULL)
		abort();
	if (s != NULL) {
		if (strlen(scram_username(s)) > len)
			abort();
		scram_challenge(s, "0123456789", keys.salt, keys.iterations);
		final = scram_finish(
		    s, line != NULL ? line : "", &keys, &binding, &why);
		if (final != NULL || why == NULL)
			abort();
	}
	scram_free(s);
	free(first);
	return 0;
}
