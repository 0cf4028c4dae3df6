/*
 * Digests of what Holdfast installed: see installed.h.
 */
#include "core/installed.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/core.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"

#define DIGEST_TEXT 65 /* SHA-256 in hex */

static void
digest(const void *content, size_t len, char text[static DIGEST_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int i, n = 0;

	if (EVP_Digest(content, len, md, &n, EVP_sha256(), NULL) != 1)
		fatal("SHA-256 failed");
	for (i = 0; i < n && i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", md[i]);
}

static char *
key_of(int output)
{
	return xasprintf("installed:%s", outputs[output].name);
}

void
installed_answered(int output, struct wire_in answer)
{
	const struct output *o = &outputs[output];

	if (wire_get_u8(&answer) != 0)
		alert_raise("ConfigurationFileReplaced", o->name,
		    json_pack("{s:o}", "file",
			json_sprintf("%s/%s", o->dir, o->file)));
}

void
installed_remember(int output, const void *content, size_t len)
{
	char text[DIGEST_TEXT], *key = key_of(output);

	digest(content, len, text);
	if (store_set_value(core_store(), key, text) == -1)
		log_warn("installed.remember", "%s", key);
	alert_clear("ConfigurationFileEdited", outputs[output].name);
	if (len == 0)
		alert_clear("ConfigurationFileReplaced", outputs[output].name);
	free(key);
}

/* Of what is known: 1 the same, 0 another, -1 nothing is known. */
static int
compare(int output, const void *content, size_t len)
{
	char text[DIGEST_TEXT], *key = key_of(output);
	char *known = store_value(core_store(), key);
	int same = -1;

	digest(content, len, text);
	if (known != NULL)
		same = strcmp(known, text) == 0;
	free(known);
	free(key);
	return same;
}

bool
installed_same(int output, const void *content, size_t len)
{
	return compare(output, content, len) == 1;
}

bool
installed_ours(int output, const void *content, size_t len)
{
	return compare(output, content, len) != 0;
}
