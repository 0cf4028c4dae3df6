/*
 * Digests of what Holdfast installed: see installed.h.
 */
#include "core/installed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/core.h"
#include "lib/digest.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"

static bool disowned[OUTPUTS_MAX];

/* kind: "installed", or "installing" of what was about to be. */
static char *
key_of(const char *kind, int output)
{
	return xasprintf("%s:%s", kind, outputs[output].name);
}

static int
keep_digest(const char *kind, int output, const char *digest)
{
	char *key = key_of(kind, output);
	int r = store_set_value(core_store(), key, digest);

	if (r == -1)
		log_warn("installed.remember", "%s", key);
	free(key);
	return r;
}

static int
keep(const char *kind, int output, const void *content, size_t len)
{
	char text[DIGEST_TEXT];

	digest_text(content, len, text);
	return keep_digest(kind, output, text);
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
installed_known(int output, const char *digest)
{
	keep_digest("installed", output, digest);
	disowned[output] = false;
	alert_clear("ConfigurationFileEdited", outputs[output].name);
}

void
installed_remember(int output, const void *content, size_t len)
{
	char text[DIGEST_TEXT];

	digest_text(content, len, text);
	installed_known(output, text);
	if (len == 0)
		alert_clear("ConfigurationFileReplaced", outputs[output].name);
}

void
installed_edited(int output)
{
	const struct output *o = &outputs[output];

	alert_raise("ConfigurationFileEdited", o->name,
	    json_pack("{s:o}", "file", json_sprintf("%s/%s", o->dir, o->file)));
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
	char text[DIGEST_TEXT], *key = key_of(kind, output);
	char *known = store_value(core_store(), key);
	int same = -1;

	if (known != NULL && content != NULL) {
		digest_text(content, len, text);
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
