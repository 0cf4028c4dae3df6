/*
 * Auxiliary parameters beside what the settings alone are rendered as: see
 * ssh_override.h.
 */
#include "services/ssh/ssh_override.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_render.h"

/* clang-format off */
static const struct {
	const char	*directive;
	const char	*field;
	const char	*first;		/* its first argument; NULL: any */
} rows[] = {
	{ "AllowTcpForwarding",			"tcpfwd",		NULL },
	{ "Ciphers",				"hardening",		NULL },
	{ "Ciphers",				"weak_ciphers",		NULL },
	{ "Compression",			"compression",		NULL },
	{ "GSSAPIAuthentication",		"kerberosauth",		NULL },
	{ "HostCertificate",	"host_ecdsa_certificate",		NULL },
	{ "HostCertificate",	"host_ed25519_certificate",		NULL },
	{ "HostCertificate",	"host_rsa_certificate",			NULL },
	{ "HostKey",				"hardening",		NULL },
	{ "HostKeyAlgorithms",			"hardening",		NULL },
	{ "KbdInteractiveAuthentication",	"passwordauth",		NULL },
	{ "KexAlgorithms",			"hardening",		NULL },
	{ "ListenAddress",			"bindiface",		NULL },
	{ "MACs",				"hardening",		NULL },
	{ "PasswordAuthentication",		"passwordauth",		NULL },
	{ "Port",				"tcpport",		NULL },
	{ "RequiredRSASize",			"hardening",		NULL },
	{ "RevokedKeys",			"revoked_keys",		NULL },
	{ "Subsystem",				"sftp_log_facility",	"sftp" },
	{ "Subsystem",				"sftp_log_level",	"sftp" },
	{ "TrustedUserCAKeys",			"user_ca_keys",		NULL },
};

/* Words that mean the same to sshd. */
static const char *const synonyms[][2] = {
	{ "delayed", "yes" }, { "false", "no" }, { "true", "yes" },
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define SYNONYMS (sizeof(synonyms) / sizeof(synonyms[0]))

/* Aliases are those that they stand for. */
static const struct directive *
directive_of(const struct config_line *line)
{
	const struct directive *d = NULL;

	if (line->kind == LINE_DIRECTIVE)
		d = directive_find(line->keyword, line->keyword_len);
	if (d != NULL && d->shown != NULL)
		d = directive_find(d->shown, strlen(d->shown));
	return d;
}

static const char *
meaning(const char *word)
{
	size_t i;

	for (i = 0; i < SYNONYMS; i++)
		if (strcasecmp(word, synonyms[i][0]) == 0)
			return synonyms[i][1];
	return word;
}

static bool
same_words(const struct config_line *a, const struct config_line *b)
{
	char **left = arguments_split(a->rest, a->rest_len);
	char **right = arguments_split(b->rest, b->rest_len);
	bool same = left != NULL && right != NULL;
	size_t i;

	for (i = 0; same && (left[i] != NULL || right[i] != NULL); i++)
		same = left[i] != NULL && right[i] != NULL &&
		    strcasecmp(meaning(left[i]), meaning(right[i])) == 0;
	arguments_free(left);
	arguments_free(right);
	return same;
}

/* Do the settings alone say so as well? */
static bool
says_so(const char *ours, const struct directive *d,
    const struct config_line *theirs)
{
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0;

	while (config_next_line(ours, strlen(ours), &at, &number, &line)) {
		const struct directive *other = directive_of(&line);

		if (other != NULL && strcmp(other->name, "Match") == 0)
			break;
		if (other == d && same_words(&line, theirs))
			return true;
	}
	return false;
}

static bool
begins_with(const struct config_line *line, const char *first)
{
	char **words = arguments_split(line->rest, line->rest_len);
	bool same = words != NULL && words[0] != NULL &&
	    strcasecmp(words[0], first) == 0;

	arguments_free(words);
	return same;
}

struct search {
	const char *ours;
	bool in_match;
	/* By row: there was one for everybody; of most sshd takes the first. */
	bool seen[ROWS];
	json_t *found;
};

static void
look_at(struct search *s, const struct config_line *line,
    const struct directive *d, size_t row)
{
	bool again = s->seen[row] && (d->flags & DF_ADDS) == 0;

	if (strcmp(d->name, rows[row].directive) != 0 ||
	    (rows[row].first != NULL && !begins_with(line, rows[row].first)))
		return;
	if (!s->in_match)
		s->seen[row] = true;
	if ((again && !s->in_match) || says_so(s->ours, d, line))
		return;
	json_array_append_new(s->found,
	    json_pack("{s:s, s:I, s:s, s:b}", "field", rows[row].field, "line",
		(json_int_t)line->number, "directive", d->name, "everybody",
		!s->in_match));
}

static void
search(struct search *s, const char *options)
{
	struct config_line line;
	const struct directive *d;
	size_t at = 0, row;
	unsigned int number = 0;

	while (
	    config_next_line(options, strlen(options), &at, &number, &line)) {
		d = directive_of(&line);
		if (d != NULL && strcmp(d->name, "Match") == 0)
			s->in_match = true;
		for (row = 0; d != NULL && row < ROWS; row++)
			look_at(s, &line, d, row);
	}
}

json_t *
ssh_override_list(
    const struct ssh_config *c, const struct ssh_installed *installed)
{
	struct ssh_surroundings around = { .installed = *installed };
	struct search s = { .found = json_array() };
	struct ssh_config alone = *c;
	char none[] = "", *ours, *why = NULL;

	/* Whom they let in with a password is said by accounts and groups. */
	alone.options = none;
	ours = ssh_render(&alone, &around, &why);
	if (ours != NULL) {
		s.ours = ours;
		search(&s, c->options);
	}
	free(ours);
	free(why);
	return s.found;
}

static bool
is_listed(const json_t *names, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

json_t *
ssh_override_fields(
    const struct ssh_config *c, const struct ssh_installed *installed)
{
	json_t *list = ssh_override_list(c, installed), *names = json_array();
	const json_t *one;
	const char *name;
	size_t i;

	json_array_foreach(list, i, one) {
		name = json_str(one, "field", "");
		if (json_bool(one, "everybody", false) &&
		    !is_listed(names, name))
			json_array_append_new(names, json_string(name));
	}
	json_decref(list);
	return names;
}
