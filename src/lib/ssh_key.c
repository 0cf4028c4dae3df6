/*
 * Public SSH keys as people paste them: each line is taken apart as sshd does
 * it, so that what is accepted here is a key there.
 */
#include "lib/ssh_key.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base64.h"
#include "lib/xalloc.h"

#define LINE_MAX_LENGTH 16384
#define RSA_BITS_MIN 1024 /* sshd_config(5), RequiredRSASize */
#define OURS "# holdfast:" /* how our own comments in that file begin */

/* clang-format off */
/* The types, with how many strings a key of each consists of: RFC 4253, 5656,
   8709, and OpenSSH's PROTOCOL.u2f. */
static const struct {
	const char *name;
	unsigned int parts;
} types[] = {
	{ "ssh-ed25519", 2 },
	{ "ssh-rsa", 3 },
	{ "ecdsa-sha2-nistp256", 3 },
	{ "ecdsa-sha2-nistp384", 3 },
	{ "ecdsa-sha2-nistp521", 3 },
	{ "sk-ssh-ed25519@openssh.com", 3 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 4 },
	{ NULL, 0 }
};

/* sshd(8); an option that it does not know makes it pass over the line. */
static const struct {
	const char *name;
	bool value;
} options[] = {
	{ "agent-forwarding", false }, { "cert-authority", false },
	{ "command", true }, { "environment", true },
	{ "expiry-time", true }, { "from", true },
	{ "no-agent-forwarding", false }, { "no-port-forwarding", false },
	{ "no-pty", false }, { "no-touch-required", false },
	{ "no-user-rc", false }, { "no-X11-forwarding", false },
	{ "permitlisten", true }, { "permitopen", true },
	{ "port-forwarding", false }, { "principals", true },
	{ "pty", false }, { "restrict", false }, { "tunnel", true },
	{ "user-rc", false }, { "verify-required", false },
	{ "X11-forwarding", false }, { NULL, false }
};
/* clang-format on */

/* --- Options -------------------------------------------------------------- */

/* Behind a quoted value; NULL: it has no end. */
static const char *
skip_quoted(const char *at)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\0')
			return NULL;
		if (at[0] == '\\' && at[1] == '"')
			at++;
	}
	return at + 1;
}

/* Behind one option, or NULL with what is wrong. */
static const char *
skip_option(const char *at, const char **whyp)
{
	size_t len = strcspn(at, "=, \t"), i;

	for (i = 0; options[i].name != NULL; i++)
		if (strlen(options[i].name) == len &&
		    strncasecmp(options[i].name, at, len) == 0)
			break;
	*whyp = "is no key, and no option of one that sshd knows";
	if (options[i].name == NULL)
		return NULL;
	at += len;
	if (!options[i].value)
		return *at == '=' ? NULL : at;
	*whyp = "an option's value is not quoted";
	return at[0] == '=' && at[1] == '"' ? skip_quoted(at + 1) : NULL;
}

/* Behind the list and the blanks that end it. */
static const char *
skip_options(const char *at, const char **whyp)
{
	while ((at = skip_option(at, whyp)) != NULL && *at == ',')
		at++;
	if (at == NULL)
		return NULL;
	*whyp = "options are not followed by a key";
	return *at == ' ' || *at == '\t' ? at + strspn(at, " \t") : NULL;
}

/* --- The key -------------------------------------------------------------- */

/* An index of types; -1: none. */
static int
type_of(const char *at)
{
	size_t len = strcspn(at, " \t");
	int i;

	for (i = 0; types[i].name != NULL; i++)
		if (strlen(types[i].name) == len &&
		    strncmp(types[i].name, at, len) == 0)
			return i;
	return -1;
}

struct part {
	const uint8_t *data;
	size_t len;
};

/* RFC 4251 section 5: a length, and so many bytes. */
static bool
take_part(const uint8_t **at, size_t *left, struct part *part)
{
	const uint8_t *p = *at;

	if (*left < 4)
		return false;
	part->len = (size_t)p[0] << 24 | (size_t)p[1] << 16 |
	    (size_t)p[2] << 8 | (size_t)p[3];
	if (part->len > *left - 4)
		return false;
	part->data = p + 4;
	*at += 4 + part->len;
	*left -= 4 + part->len;
	return true;
}

static size_t
bits_of(const struct part *number)
{
	size_t i = 0, bits;
	unsigned int top;

	while (i < number->len && number->data[i] == 0)
		i++;
	if (i == number->len)
		return 0;
	bits = (number->len - i) * 8;
	for (top = number->data[i]; (top & 0x80U) == 0; top <<= 1)
		bits--;
	return bits;
}

static const char *
blob_problem(const uint8_t *blob, size_t len, int type)
{
	struct part part = { 0 };
	unsigned int i;

	for (i = 0; i < types[type].parts; i++) {
		if (!take_part(&blob, &len, &part) || part.len == 0)
			return "its key is cut short";
		if (i == 0 &&
		    (part.len != strlen(types[type].name) ||
			memcmp(part.data, types[type].name, part.len) != 0))
			return "its key is of another type than it says";
	}
	if (len != 0)
		return "something stands behind its key";
	if (strcmp(types[type].name, "ssh-ed25519") == 0 && part.len != 32)
		return "its key is cut short";
	if (strcmp(types[type].name, "ssh-rsa") == 0 &&
	    bits_of(&part) < RSA_BITS_MIN)
		return "sshd refuses RSA keys of fewer than 1024 bits";
	return NULL;
}

static const char *
key_problem(const char *at, int type)
{
	const char *why = "its key is not Base64";
	uint8_t *blob;
	size_t len;
	char *text;

	at += strlen(types[type].name);
	at += strspn(at, " \t");
	if (*at == '\0')
		return "there is no key behind its type";
	text = xstrndup(at, strcspn(at, " \t"));
	blob = base64_decode(text, LINE_MAX_LENGTH, &len);
	if (blob != NULL)
		why = blob_problem(blob, len, type);
	free(blob);
	free(text);
	return why;
}

static const char *
line_problem(const char *line)
{
	const char *at = line + strspn(line, " \t"), *why = NULL;

	if (strncmp(at, OURS, strlen(OURS)) == 0)
		return "begins like the comments that Holdfast writes";
	if (*at == '\0' || *at == '#')
		return NULL;
	if (strlen(line) >= LINE_MAX_LENGTH)
		return "is too long";
	if (strncmp(at, "ssh-dss", strlen("ssh-dss")) == 0)
		return "sshd accepts no DSA keys any more";
	if (type_of(at) == -1 && (at = skip_options(at, &why)) == NULL)
		return why;
	if (type_of(at) == -1)
		return "is no key of a type that sshd accepts";
	return key_problem(at, type_of(at));
}

static bool
has_control(const char *line)
{
	for (; *line != '\0'; line++)
		if (((unsigned char)*line < ' ' && *line != '\t') ||
		    *line == 127)
			return true;
	return false;
}

const char *
ssh_key_problem(const char *line)
{
	if (has_control(line))
		return "holds a control character";
	if (strlen(line) >= LINE_MAX_LENGTH)
		return "is too long";
	if (type_of(line) == -1)
		return "is no key of a type that sshd accepts";
	return key_problem(line, type_of(line)) == NULL ? NULL :
							  "is no whole key";
}

char *
ssh_keys_problem(const char *text)
{
	unsigned int number = 1;
	const char *why = NULL;
	char *line;
	size_t len;

	for (;; number++) {
		len = strcspn(text, "\n");
		line = xstrndup(text, len);
		why = has_control(line) ? "holds a control character" :
					  line_problem(line);
		free(line);
		if (why != NULL)
			return xasprintf("Line %u: %s", number, why);
		if (text[len] == '\0')
			return NULL;
		text += len + 1;
	}
}

size_t
ssh_key_rsa_bits(const char *line)
{
	static const char rsa[] = "ssh-rsa ";
	struct part part = { 0 };
	const uint8_t *at;
	uint8_t *blob;
	size_t len, bits = 0;
	char *text;
	int i;

	if (strncmp(line, rsa, strlen(rsa)) != 0)
		return 0;
	line += strlen(rsa);
	text = xstrndup(line, strcspn(line, " \t\r\n"));
	at = blob = base64_decode(text, LINE_MAX_LENGTH, &len);
	for (i = 0; i < 3 && at != NULL; i++)
		if (!take_part(&at, &len, &part))
			at = NULL;
	if (at != NULL)
		bits = bits_of(&part);
	free(blob);
	free(text);
	return bits;
}
