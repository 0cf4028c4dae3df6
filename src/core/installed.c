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

static bool disowned[OUTPUTS_MAX];

void
installed_digest(
    const void *content, size_t len, char text[static INSTALLED_DIGEST])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int i, n = 0;

	if (EVP_Digest(content, len, md, &n, EVP_sha256(), NULL) != 1)
		fatal("SHA-256 failed");
	for (i = 0; i < n && i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", md[i]);
}

/* kind: "installed", or "installing" of what was about to be. */
static char *
key_of(const char *kind, int output)
{
	return xasprintf("%s:%s", kind, outputs[output].name);
}

static int
keep(const char *kind, int output, const void *content, size_t len)
{
	char text[INSTALLED_DIGEST], *key = key_of(kind, output);
	int r;

	installed_digest(content, len, text);
	r = store_set_value(core_store(), key, text);
	if (r == -1)
		log_warn("installed.remember", "%s", key);
	free(key);
	return r;
}

int
installed_expect(int output, const void *content, size_t len)
{
	return keep("installing", output, content, len);
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
	keep("installed", output, content, len);
	disowned[output] = false;
	alert_clear("ConfigurationFileEdited", outputs[output].name);
	if (len == 0)
		alert_clear("ConfigurationFileReplaced", outputs[output].name);
}

void
installed_disown(int output)
{
	disowned[output] = true;
}

/* Of what is known: 1 the same, 0 another, -1 nothing is known. */
static int
compare(const char *kind, int output, const void *content, size_t len)
{
	char text[INSTALLED_DIGEST], *key = key_of(kind, output);
	char *known = store_value(core_store(), key);
	int same = -1;

	if (known != NULL && content != NULL) {
		installed_digest(content, len, text);
		same = strcmp(known, text) == 0;
	} else if (known != NULL)
		same = 0;
	free(known);
	free(key);
	return same;
}

bool
installed_any(int output)
{
	return compare("installed", output, NULL, 0) != -1 ||
	    compare("installing", output, NULL, 0) != -1;
}

bool
installed_same(int output, const void *content, size_t len)
{
	return !disowned[output] &&
	    compare("installed", output, content, len) == 1;
}

bool
installed_ours(int output, const void *content, size_t len)
{
	int same = compare("installed", output, content, len);

	if (same == 1 || compare("installing", output, content, len) == 1)
		return true;
	return same == -1 && !disowned[output];
}
