/*
 * libFuzzer target: extended JSON.  What is taken must be taken again,
 * unchanged, from its own text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char *
taken(const char *text, size_t len)
{
	const char *why = NULL;
	json_t *value = json_parse(text, len, &why);
	char *out = NULL;

	if (value != NULL && ejson_check(value, &why) == 0)
		out = json_text(value);
	else if (why == NULL)
		abort();
	json_decref(value);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *once, *twice;

	json_secure();
	once = taken((const char *)data, size);
	if (once == NULL)
		return 0;
	twice = taken(once, strlen(once));
	if (twice == NULL || strcmp(once, twice) != 0)
		abort();
	freezero_str(once);
	freezero_str(twice);
	return 0;
}
