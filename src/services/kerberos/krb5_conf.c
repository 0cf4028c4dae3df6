/*
 * /etc/krb5.conf: see krb5_conf.h.  What may stand in it says krb5.conf(5).
 */
#include "services/kerberos/krb5_conf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"

#define HEADER KRB5_CONF_MARK " changes made here are overwritten.\n"

/* clang-format off */
/*
 * The same for all realms.  Whom a ticket is for is not to depend on what DNS
 * says; where a name is not known as it stands, its canonical one is tried.
 * DES and RC4 are out, whatever keys there are.
 */
static const char *const defaults[][2] = {
	{ "dns_lookup_realm", "false" },
	{ "dns_canonicalize_hostname", "fallback" },
	{ "rdns", "false" },
	{ "permitted_enctypes", "aes256-cts-hmac-sha384-192 "
	  "aes128-cts-hmac-sha256-128 aes256-cts-hmac-sha1-96 "
	  "aes128-cts-hmac-sha1-96" },
	{ "k5login_directory", KRB5_LOGIN_FOLDER },
};
/* Members of a realm; a list has a line each. */
static const char *const relations[] = {
	"primary_kdc", "kdc", "admin_server", "kpasswd_server"
};
/* clang-format on */
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))
#define RELATIONS (sizeof(relations) / sizeof(relations[0]))

/* --- Making it ------------------------------------------------------------ */

static void
put_member(FILE *out, const char *name, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		fprintf(out, "\t\t%s = %s\n", name, json_string_value(value));
	json_array_foreach(value, i, item)
		fprintf(out, "\t\t%s = %s\n", name, json_string_value(item));
}

static void
put_realm(FILE *out, const json_t *realm)
{
	size_t i;

	fprintf(out, "\t%s = {\n", json_str(realm, "realm", ""));
	for (i = 0; i < RELATIONS; i++)
		put_member(
		    out, relations[i], json_object_get(realm, relations[i]));
	fputs("\t}\n", out);
}

char *
krb5_conf_render(const json_t *realms)
{
	const json_t *realm;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out;

	if (json_array_size(realms) == 0)
		return xstrdup("");
	if ((out = open_memstream(&text, &size)) == NULL)
		abort();
	fputs(HEADER "[libdefaults]\n", out);
	fprintf(out, "\tdefault_realm = %s\n",
	    json_str(json_array_get(realms, 0), "realm", ""));
	for (i = 0; i < DEFAULTS; i++)
		fprintf(out, "\t%s = %s\n", defaults[i][0], defaults[i][1]);
	fputs("[realms]\n", out);
	json_array_foreach(realms, i, realm)
		put_realm(out, realm);
	if (fclose(out) != 0)
		abort();
	return text;
}

/* --- Accepting it --------------------------------------------------------- */

/* What names of realms and hosts, and ports, are made of; a length. */
static size_t
word_length(const char *text)
{
	return strspn(text,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789._-:[]");
}

static bool
is_default(const char *line)
{
	char *whole;
	bool same = false;
	size_t i;

	if (strncmp(line, "\tdefault_realm = ", 17) == 0)
		return line[17 + word_length(line + 17)] == '\0' &&
		    line[17] != '\0';
	for (i = 0; i < DEFAULTS && !same; i++) {
		whole = xasprintf("\t%s = %s", defaults[i][0], defaults[i][1]);
		same = strcmp(line, whole) == 0;
		free(whole);
	}
	return same;
}

static bool
is_relation(const char *line)
{
	size_t i, len;

	if (strncmp(line, "\t\t", 2) != 0)
		return false;
	for (i = 0; i < RELATIONS; i++) {
		len = strlen(relations[i]);
		if (strncmp(line + 2, relations[i], len) != 0 ||
		    strncmp(line + 2 + len, " = ", 3) != 0)
			continue;
		line += 2 + len + 3;
		return *line != '\0' && line[word_length(line)] == '\0';
	}
	return false;
}

static bool
begins_realm(const char *line)
{
	size_t len;

	if (*line != '\t')
		return false;
	len = word_length(line + 1);
	return len > 0 && strcmp(line + 1 + len, " = {") == 0;
}

enum place { PLACE_TOP, PLACE_DEFAULTS, PLACE_REALMS, PLACE_REALM };

/* False: such a line cannot stand there. */
static bool
next_line(const char *line, enum place *place)
{
	switch (*place) {
	case PLACE_TOP:
		*place = PLACE_DEFAULTS;
		return strcmp(line, "[libdefaults]") == 0;
	case PLACE_DEFAULTS:
		if (strcmp(line, "[realms]") == 0) {
			*place = PLACE_REALMS;
			return true;
		}
		return is_default(line);
	case PLACE_REALMS:
		*place = PLACE_REALM;
		return begins_realm(line);
	case PLACE_REALM:
		if (strcmp(line, "\t}") != 0)
			return is_relation(line);
		*place = PLACE_REALMS;
		return true;
	}
	return false;
}

int
krb5_conf_vet(const char *content, size_t len, char **whyp)
{
	char *text = xstrndup(content, len), *rest = text, *line;
	enum place place = PLACE_TOP;
	bool good = true;

	if (len > 0 && strncmp(text, HEADER, strlen(HEADER)) == 0)
		rest += strlen(HEADER);
	else
		good = len == 0;
	while (good && len > 0 && (line = strsep(&rest, "\n")) != NULL &&
	    rest != NULL)
		good = next_line(line, &place);
	/* The last line ends, and so does the last realm. */
	good = good &&
	    (len == 0 || (place == PLACE_REALMS && content[len - 1] == '\n'));
	free(text);
	if (!good)
		*whyp = xstrdup("a line that is no realm's");
	return good ? 0 : -1;
}
