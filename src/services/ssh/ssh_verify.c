/*
 * Does sshd do what was rendered?
 */
#include "services/ssh/ssh_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_key_files.h"
#include "services/ssh/ssh_render.h"

#define DIRECTIVES_MAX 256

static bool
is_match(const struct config_line *line)
{
	return line->keyword_len == 5 &&
	    strncasecmp(line->keyword, "Match", 5) == 0;
}

/* The row that a directive and its aliases share. */
static size_t
row_of(const struct directive *d)
{
	if (d->shown != NULL)
		d = directive_find(d->shown, strlen(d->shown));
	return (size_t)(d - directives);
}

/* Does a Match block set the same directive to what is shown? */
static bool
shown_by_block(
    const struct shown *shown, const char *rendered, const struct directive *d)
{
	struct config_line line;
	const struct directive *other;
	size_t at = 0;
	unsigned int number = 0;
	bool in_match = false;

	while (
	    config_next_line(rendered, strlen(rendered), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE)
			continue;
		in_match = in_match || is_match(&line);
		other = directive_find(line.keyword, line.keyword_len);
		if (in_match && other != NULL && row_of(other) == row_of(d) &&
		    shown_has(shown, other, &line))
			return true;
	}
	return false;
}

static int
not_shown(const struct config_line *line, char **whyp)
{
	size_t len = line->len > 200 ? 200 : line->len;

	/* Cut between characters. */
	while (len < line->len && len > 0 &&
	    ((unsigned char)line->start[len] & 0xc0) == 0x80)
		len--;
	*whyp = xasprintf(
	    "sshd does not have \"%.*s\" in effect", (int)len, line->start);
	return -1;
}

/*
 * The lines of one part of the file: block -1 the global ones, else those of
 * that Match block.
 */
static int
verify_part(
    const char *rendered, long block, const struct shown *shown, char **whyp)
{
	bool seen[DIRECTIVES_MAX] = { false };
	struct config_line line;
	const struct directive *d;
	size_t at = 0;
	unsigned int number = 0;
	long current = -1;

	while (
	    config_next_line(rendered, strlen(rendered), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE)
			continue;
		if (is_match(&line)) {
			current++;
			continue;
		}
		d = directive_find(line.keyword, line.keyword_len);
		if (current != block || d == NULL)
			continue;
		/* The first one counts, unless each adds. */
		if (seen[row_of(d)] && !(d->flags & DF_ADDS))
			continue;
		seen[row_of(d)] = true;
		if (!shown_has(shown, d, &line) &&
		    !shown_by_block(shown, rendered, d))
			return not_shown(&line, whyp);
	}
	return 0;
}

static int
verify_text(
    const char *rendered, long block, const char *effective, char **whyp)
{
	struct shown shown;
	int r;

	shown_parse(&shown, effective);
	if (shown_value(&shown, "port") == NULL) {
		*whyp = xstrdup("sshd does not tell its configuration");
		r = -1;
	} else
		r = verify_part(rendered, block, &shown, whyp);
	shown_free(&shown);
	return r;
}

int
ssh_verify_effective(const char *rendered, const char *effective, char **whyp)
{
	return verify_text(rendered, -1, effective, whyp);
}

int
ssh_verify_block(
    const char *rendered, unsigned int i, const char *effective, char **whyp)
{
	return verify_text(rendered, (long)i, effective, whyp);
}

/* One that sshd -C takes as it is. */
static bool
is_plain_name(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("*?!,=", *p) != NULL)
			return false;
	return p > name && p - name < 256;
}

char *
ssh_verify_spec(const char *rendered, unsigned int i)
{
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0, block = 0;
	char **words, *spec;

	while (
	    config_next_line(rendered, strlen(rendered), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE || !is_match(&line) ||
		    block++ != i)
			continue;
		words = arguments_split(line.rest, line.rest_len);
		/* Of a list, which sshd -C cannot take, the first. */
		if (words != NULL && words[0] != NULL && words[1] != NULL &&
		    strchr(words[1], '!') == NULL)
			words[1][strcspn(words[1], ",")] = '\0';
		if (words != NULL && words[0] != NULL && words[1] != NULL &&
		    words[2] == NULL && strcasecmp(words[0], "User") == 0 &&
		    is_plain_name(words[1]))
			spec =
			    xasprintf("user=%s,host=localhost,"
				      "addr=127.0.0.1,laddr=127.0.0.1,lport=22",
				words[1]);
		else
			spec = xstrdup("");
		arguments_free(words);
		return spec;
	}
	return NULL;
}

char *
ssh_verify_listen(const char *effective, unsigned int i, uint16_t *portp)
{
	struct shown shown;
	size_t count, first;
	const char *port;
	char *host = NULL;

	shown_parse(&shown, effective);
	first = shown_lines(&shown, "listenaddress", &count);
	if (i < count) {
		host = listen_split(shown.lines[first + i].value, &port);
		*portp = port == NULL ? 22 : listen_port(port);
	}
	shown_free(&shown);
	return host;
}

const char *
ssh_verify_reachable(const char *address)
{
	if (strcmp(address, "0.0.0.0") == 0)
		return "127.0.0.1";
	if (strcmp(address, "::") == 0)
		return "::1";
	return address;
}

/* Names that are signals rather than algorithms; RFC 8308, strict KEX. */
static bool
is_marker(const char *name)
{
	return strcmp(name, "ext-info-s") == 0 ||
	    strncmp(name, "kex-strict-", 11) == 0;
}

/* The list without markers, and without GSSAPI's exchanges when told so. */
static char *
without_markers(const char *list, bool without_gss)
{
	char *copy = xstrdup(list), *rest = copy, *name, *out = xstrdup("");
	char *longer;

	while ((name = strsep(&rest, ",")) != NULL) {
		if (is_marker(name) ||
		    (without_gss && strncmp(name, "gss-", 4) == 0))
			continue;
		longer =
		    xasprintf("%s%s%s", out, *out == '\0' ? "" : ",", name);
		free(out);
		out = longer;
	}
	free(copy);
	return out;
}

static int
differs(const char *what, const char *offered, const char *set, char **whyp)
{
	*whyp = xasprintf(
	    "sshd offers the %s \"%s\", but \"%s\" is set", what, offered, set);
	return -1;
}

static int
verify_list(const struct shown *shown, const char *key, const char *what,
    const char *offered, char **whyp)
{
	const char *set = shown_value(shown, key), *gss;
	char *plain;
	int r = 0;

	gss = shown_value(shown, "gssapikeyexchange");
	plain =
	    without_markers(offered, gss != NULL && strcmp(gss, "yes") == 0);
	if (set == NULL || strcmp(plain, set) != 0)
		r = differs(what, plain, set == NULL ? "" : set, whyp);
	free(plain);
	return r;
}

static bool
list_contains(const char *list, const char *name, size_t len)
{
	const char *p, *end;

	for (p = list;; p = end + 1) {
		end = strchrnul(p, ',');
		if ((size_t)(end - p) == len && memcmp(p, name, len) == 0)
			return true;
		if (*end == '\0')
			return false;
	}
}

/*
 * The signature algorithms by which a key file of ours may be offered, in the
 * order of ssh_host_key_types; the curve of an ECDSA key is the file's affair.
 */
static const char *
algorithms_of_file(const char *file)
{
	static const char *const algorithms[SSH_KEY_TYPES] = { "ssh-ed25519",
		"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
		"rsa-sha2-512,rsa-sha2-256,ssh-rsa" };
	int type = ssh_key_type_at(file);

	return type == -1 ? NULL : algorithms[type];
}

static bool
has_common(const char *list, const char *other)
{
	const char *p, *end;

	for (p = list;; p = end + 1) {
		end = strchrnul(p, ',');
		if (list_contains(other, p, (size_t)(end - p)))
			return true;
		if (*end == '\0')
			return false;
	}
}

/* Is there a file for the algorithm?  Certificates and files of others: yes. */
static bool
has_file(const struct shown *shown, const char *name, size_t len)
{
	size_t count, first = shown_lines(shown, "hostkey", &count), i;
	const char *algorithms;

	if (memmem(name, len, "-cert-", 6) != NULL)
		return true;
	for (i = 0; i < count; i++) {
		algorithms = algorithms_of_file(shown->lines[first + i].value);
		if (algorithms == NULL || list_contains(algorithms, name, len))
			return true;
	}
	return false;
}

/*
 * Only algorithms that are set and have a file are offered, and each of our
 * files that any algorithm set can use is offered.  (Their order is that of
 * the files.)
 */
static int
verify_host_keys(const struct shown *shown, const char *offered, char **whyp)
{
	const char *set = shown_value(shown, "hostkeyalgorithms"), *p, *end;
	const char *algorithms, *file;
	size_t count, first = shown_lines(shown, "hostkey", &count), i;

	if (set == NULL)
		return differs("host key algorithms", offered, "", whyp);
	for (p = offered;; p = end + 1) {
		end = strchrnul(p, ',');
		if (!list_contains(set, p, (size_t)(end - p)) ||
		    !has_file(shown, p, (size_t)(end - p)))
			return differs(
			    "host key algorithms", offered, set, whyp);
		if (*end == '\0')
			break;
	}
	for (i = 0; i < count; i++) {
		file = shown->lines[first + i].value;
		algorithms = algorithms_of_file(file);
		if (algorithms == NULL || !has_common(algorithms, set) ||
		    has_common(algorithms, offered))
			continue;
		*whyp = xasprintf("sshd does not offer the host key %s", file);
		return -1;
	}
	return 0;
}

static int
verify_compression(const struct shown *shown, const char *offered, char **whyp)
{
	const char *set = shown_value(shown, "compression");
	bool on = set != NULL && strcasecmp(set, "no") != 0;

	if (on == list_contains(offered, "zlib@openssh.com", 16))
		return 0;
	return differs("compression", offered, set == NULL ? "" : set, whyp);
}

static const struct {
	enum ssh_list list;
	const char *key, *what;
} offered_lists[] = {
	{ LIST_KEX, "kexalgorithms", "key exchange algorithms" },
	{ LIST_CIPHER_IN, "ciphers", "ciphers" },
	{ LIST_CIPHER_OUT, "ciphers", "ciphers" },
	{ LIST_MAC_IN, "macs", "MACs" },
	{ LIST_MAC_OUT, "macs", "MACs" },
};

int
ssh_verify_offer(
    const char *effective, const struct ssh_offer *offer, char **whyp)
{
	struct shown shown;
	size_t i;
	int r = 0;

	shown_parse(&shown, effective);
	for (i = 0;
	     r == 0 && i < sizeof(offered_lists) / sizeof(offered_lists[0]);
	     i++)
		r = verify_list(&shown, offered_lists[i].key,
		    offered_lists[i].what, offer->lists[offered_lists[i].list],
		    whyp);
	if (r == 0)
		r = verify_host_keys(&shown, offer->lists[LIST_HOST_KEY], whyp);
	if (r == 0)
		r = verify_compression(
		    &shown, offer->lists[LIST_COMPRESSION_IN], whyp);
	if (r == 0)
		r = verify_compression(
		    &shown, offer->lists[LIST_COMPRESSION_OUT], whyp);
	shown_free(&shown);
	return r;
}
