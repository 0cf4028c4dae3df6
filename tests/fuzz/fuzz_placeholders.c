/*
 * libFuzzer target: texts with places for values.  Whether a text is taken
 * depends on the text alone, as it is checked before the values are there;
 * what comes out is never longer than was asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/placeholders.h"

#define MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *checked, *filled;
	size_t len = strlen(text);
	json_t *values = NULL;
	const char *why;

	/* The values follow the text's NUL. */
	if (len < size)
		values = json_parse(
		    (const char *)data + len + 1, size - len - 1, &why);
	checked = placeholders_fill(text, NULL, 0);
	filled = placeholders_fill(text, values, MAX);
	if ((checked == NULL) != (filled == NULL))
		abort();
	if (filled != NULL && strlen(filled) > MAX)
		abort();
	free(checked);
	free(filled);
	free(text);
	json_decref(values);
	return 0;
}
