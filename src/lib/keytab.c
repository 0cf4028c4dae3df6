/*
 * Keytabs: see keytab.h.
 */
#include "lib/keytab.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define COMPONENTS_MAX 8
#define NAME_MAX_LENGTH 512 /* of a principal as text */

/* clang-format off */
/* IANA, "Kerberos Encryption Type Numbers"; the lengths are RFC 3961's kin. */
static const struct {
	uint16_t number;
	uint16_t key; /* bytes */
	const char *name;
	bool strong;
} encryptions[] = {
	{  1,  8, "des-cbc-crc", false },
	{  2,  8, "des-cbc-md4", false },
	{  3,  8, "des-cbc-md5", false },
	{ 16, 24, "des3-cbc-sha1", false },
	{ 17, 16, "aes128-cts-hmac-sha1-96", true },
	{ 18, 32, "aes256-cts-hmac-sha1-96", true },
	{ 19, 16, "aes128-cts-hmac-sha256-128", true },
	{ 20, 32, "aes256-cts-hmac-sha384-192", true },
	{ 23, 16, "arcfour-hmac", false },
	{ 24, 16, "arcfour-hmac-exp", false },
	{ 25, 16, "camellia128-cts-cmac", true },
	{ 26, 32, "camellia256-cts-cmac", true },
};
/* clang-format on */
#define ENCRYPTIONS (sizeof(encryptions) / sizeof(encryptions[0]))

/* What is left of a record, or of the file; big-endian. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *
take(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (c->bad || len > c->left) {
		c->bad = true;
		return NULL;
	}
	c->at += len;
	c->left -= len;
	return at;
}

static uint32_t
take_number(struct cursor *c, size_t bytes)
{
	const uint8_t *at = take(c, bytes);
	uint32_t value = 0;

	while (at != NULL && bytes-- > 0)
		value = value << 8 | *at++;
	return value;
}

/* --- Principals ----------------------------------------------------------- */

/* Appends one part; what separates parts, or would need a quote, is none. */
static void
take_part(struct cursor *c, char *name, size_t *len, char separator)
{
	size_t n = take_number(c, 2), i;
	const uint8_t *text = take(c, n);

	if (text == NULL || n == 0 || *len + 1 + n >= NAME_MAX_LENGTH) {
		c->bad = true;
		return;
	}
	if (separator != '\0')
		name[(*len)++] = separator;
	for (i = 0; i < n; i++) {
		if (text[i] <= ' ' || text[i] > '~' ||
		    strchr("/@\\\"'", text[i]) != NULL)
			c->bad = true;
		name[(*len)++] = (char)text[i];
	}
}

/* The realm stands first in the file and last in the text; malloc'd. */
static char *
take_principal(struct cursor *c)
{
	uint32_t count = take_number(c, 2), i;
	char realm[NAME_MAX_LENGTH + 1], name[NAME_MAX_LENGTH + 1];
	size_t realm_len = 0, len = 0;

	if (count == 0 || count > COMPONENTS_MAX)
		c->bad = true;
	take_part(c, realm, &realm_len, '@');
	for (i = 0; i < count && !c->bad; i++)
		take_part(c, name, &len, i > 0 ? '/' : '\0');
	return c->bad ?
	    NULL :
	    xasprintf("%.*s%.*s", (int)len, name, (int)realm_len, realm);
}

/* --- Entries -------------------------------------------------------------- */

static int
take_key(struct cursor *c, struct keytab_entry *entry, const char **why)
{
	uint32_t number = take_number(c, 2);
	size_t len = take_number(c, 2), i;

	take(c, len);
	*why = "A key in the keytab is cut";
	if (c->bad)
		return -1;
	for (i = 0; i < ENCRYPTIONS; i++)
		if (encryptions[i].number == number)
			break;
	*why = "The keytab has a key of an encryption that is not known";
	if (i == ENCRYPTIONS)
		return -1;
	*why = "The keytab has a key of the wrong length";
	if (encryptions[i].key != len)
		return -1;
	entry->encryption = encryptions[i].name;
	entry->strong = encryptions[i].strong;
	return 0;
}

/* A record without its length. */
static int
take_entry(struct cursor *c, struct keytab_entry *entry, const char **why)
{
	uint32_t version;

	*why = "The keytab has a name that is no principal's";
	if ((entry->principal = take_principal(c)) == NULL)
		return -1;
	take_number(c, 4); /* the name's type */
	take_number(c, 4); /* when it was written */
	entry->version = take_number(c, 1);
	if (take_key(c, entry, why) == -1)
		return -1;
	/* The same once more, all 32 bits of it; 0: it is not there. */
	if (c->left >= 4 && (version = take_number(c, 4)) != 0)
		entry->version = version;
	/* Heimdal has flags behind it. */
	if (c->left == 4)
		take(c, 4);
	*why = "The keytab has an entry that is longer than its members";
	return c->bad || c->left != 0 ? -1 : 0;
}

static int
take_record(struct cursor *file, struct keytab *keytab, const char **why)
{
	const uint8_t *record = file->at;
	uint32_t size = take_number(file, 4);
	struct cursor body = { 0 };
	struct keytab_entry *entry;

	*why = "The keytab is cut";
	if (size > INT32_MAX) { /* a hole, where an entry was */
		take(file, (size_t)(0 - size));
		return file->bad ? -1 : 0;
	}
	body.at = take(file, size);
	body.left = size;
	if (file->bad)
		return -1;
	*why = "The keytab has too many entries";
	if (keytab->count == KEYTAB_ENTRIES)
		return -1;
	entry = &keytab->entries[keytab->count++];
	entry->record = record;
	entry->len = 4 + (size_t)size;
	return take_entry(&body, entry, why);
}

int
keytab_parse(
    const uint8_t *data, size_t len, struct keytab *keytab, const char **why)
{
	struct cursor file = { .at = data, .left = len };
	const uint8_t *version = take(&file, 2);

	memset(keytab, 0, sizeof(*keytab));
	*why = "This is no keytab of version 2, as ktutil and kadmin write it";
	if (version == NULL || memcmp(version, KEYTAB_VERSION, 2) != 0)
		return -1;
	*why = "The keytab is too long";
	if (len > KEYTAB_MAX)
		return -1;
	keytab->entries = xcalloc(KEYTAB_ENTRIES, sizeof(*keytab->entries));
	while (file.left > 0)
		if (take_record(&file, keytab, why) == -1)
			return -1;
	*why = "The keytab has no entry";
	return keytab->count > 0 ? 0 : -1;
}

void
keytab_free(struct keytab *keytab)
{
	size_t i;

	for (i = 0; i < keytab->count; i++)
		free(keytab->entries[i].principal);
	free(keytab->entries);
	memset(keytab, 0, sizeof(*keytab));
}
