/*
 * libFuzzer target: the public keys of an account, with the options before
 * them.  In a text that is accepted both readers of it see the same keys; and
 * none counts as restricted that no option restricts.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ssh_codes_file.h"
#include "lib/xalloc.h"
#include "lib/ssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Lines that are neither blank nor a comment. */
static size_t
count_keys(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text += *text == '\n') {
		text += strspn(text, " \t");
		n += *text != '\n' && *text != '\0' && *text != '#';
		text += strcspn(text, "\n");
	}
	return n;
}

/* A key alone is a key too, is in the text, and can stand in the file. */
static void
check_key(const char *text, const char *key)
{
	char *line = xasprintf("anna %s\n", key), *why = NULL;
	char *problem = ssh_keys_problem(key);
	const char *blob = strchr(key, ' ');

	if (problem != NULL || blob == NULL || strstr(text, blob + 1) == NULL ||
	    ssh_codes_vet(line, strlen(line), &why) != 0)
		abort();
	free(line);
}

static void
check_restricted(const char *text)
{
	char *lower = xstrdup(text), *c;

	for (c = lower; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (strstr(lower, "from=\"") == NULL &&
	    strstr(lower, "command=\"") == NULL)
		abort();
	free(lower);
}

static void
check(const char *text)
{
	json_t *keys = json_array(), *key;
	size_t i;

	if (ssh_codes_restricted(text, keys))
		check_restricted(text);
	if (json_array_size(keys) != count_keys(text))
		abort();
	json_array_foreach(keys, i, key)
		check_key(text, json_string_value(key));
	json_decref(keys);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = xstrndup((const char *)data, len);
	char *problem = ssh_keys_problem(text);

	if (problem == NULL)
		check(text);
	free(problem);
	free(text);
	return 0;
}
