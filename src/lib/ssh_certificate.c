/*
 * Certificates of OpenSSH, taken apart: see ssh_certificate.h.
 */
#include "lib/ssh_certificate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

#define MARK "-cert-v01@openssh.com"
#define OF_USER 1
#define OF_HOST 2

/* clang-format off */
/* The types, the plain one, and of how many strings its key consists. */
static const struct kind {
	const char *name, *plain;
	unsigned int parts;
} kinds[] = {
	{ "ssh-ed25519" MARK, "ssh-ed25519", 1 },
	{ "ssh-rsa" MARK, "ssh-rsa", 2 },
	{ "ecdsa-sha2-nistp256" MARK, "ecdsa-sha2-nistp256", 2 },
	{ "ecdsa-sha2-nistp384" MARK, "ecdsa-sha2-nistp384", 2 },
	{ "ecdsa-sha2-nistp521" MARK, "ecdsa-sha2-nistp521", 2 },
	{ "sk-ssh-ed25519" MARK, "sk-ssh-ed25519@openssh.com", 2 },
	{ "sk-ecdsa-sha2-nistp256" MARK, "sk-ecdsa-sha2-nistp256@openssh.com",
	  3 },
	{ NULL, NULL, 0 }
};
/* clang-format on */

static const struct kind *
kind_of(const char *line)
{
	size_t len = strcspn(line, " \t");
	const struct kind *k;

	for (k = kinds; k->name != NULL; k++)
		if (strlen(k->name) == len && strncmp(k->name, line, len) == 0)
			return k;
	return NULL;
}

bool
ssh_certificate_is(const char *line)
{
	return kind_of(line) != NULL;
}

/* --- RFC 4251, section 5 --------------------------------------------------- */

struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

struct part {
	const uint8_t *data;
	size_t len;
};

static uint64_t
take_number(struct cursor *c, size_t bytes)
{
	uint64_t n = 0;
	size_t i;

	if (c->bad || c->left < bytes) {
		c->bad = true;
		return 0;
	}
	for (i = 0; i < bytes; i++)
		n = n << 8 | c->at[i];
	c->at += bytes;
	c->left -= bytes;
	return n;
}

static struct part
take_part(struct cursor *c)
{
	struct part part = { NULL, (size_t)take_number(c, 4) };

	if (c->bad || part.len > c->left) {
		c->bad = true;
		return (struct part){ NULL, 0 };
	}
	part.data = c->at;
	c->at += part.len;
	c->left -= part.len;
	return part;
}

static bool
is_text(const struct part *part, const char *text)
{
	return part->len == strlen(text) &&
	    memcmp(part->data, text, part->len) == 0;
}

/* Malloc'd; what is not printable is blotted out. */
static char *
printable(const struct part *part)
{
	char *text = xcalloc(part->len + 1, 1);
	size_t i;

	for (i = 0; i < part->len; i++)
		text[i] = part->data[i] >= ' ' && part->data[i] <= '~' ?
		    (char)part->data[i] :
		    '?';
	return text;
}

/* --- Its parts ------------------------------------------------------------- */

/* "type base64" of a key's own blob; NULL: it has none. */
static char *
key_text(const uint8_t *blob, size_t len)
{
	struct cursor c = { blob, len, false };
	struct part type = take_part(&c);
	char *name, *base64, *text;

	if (c.bad || type.len == 0)
		return NULL;
	name = printable(&type);
	base64 = base64_encode(blob, len);
	text =
	    strchr(name, ' ') == NULL ? xasprintf("%s %s", name, base64) : NULL;
	free(base64);
	free(name);
	return text;
}

/* The key without what certifies it: its plain type, and its parts as is. */
static char *
plain_key(const struct kind *kind, struct cursor *c)
{
	const uint8_t *from = c->at;
	struct wire_out blob = { 0 };
	size_t len = strlen(kind->plain);
	const uint8_t length[4] = { 0, 0, 0, (uint8_t)len };
	unsigned int i;
	char *text = NULL;

	for (i = 0; i < kind->parts; i++)
		take_part(c);
	if (!c->bad) {
		wire_put_raw(&blob, length, sizeof(length));
		wire_put_raw(&blob, kind->plain, len);
		wire_put_raw(&blob, from, (size_t)(c->at - from));
		text = key_text(blob.data, blob.len);
	}
	wire_free(&blob);
	return text;
}

static void
take_principals(
    const struct part *list, struct ssh_certificate *cert, struct cursor *whole)
{
	struct cursor c = { list->data, list->len, false };
	struct part name;

	while (!c.bad && c.left > 0) {
		name = take_part(&c);
		if (c.bad || cert->nprincipals == SSH_CERTIFICATE_NAMES)
			break;
		cert->principals[cert->nprincipals++] = printable(&name);
	}
	if (c.bad || c.left > 0)
		whole->bad = true;
}

static int
take_apart(struct cursor *c, const struct kind *kind,
    struct ssh_certificate *cert, const char **why)
{
	struct part part = take_part(c);
	uint64_t of;

	*why = "is of another type than it says";
	if (c->bad || !is_text(&part, kind->name))
		return -1;
	cert->type = xstrdup(kind->name);
	take_part(c); /* the nonce */
	cert->public = plain_key(kind, c);
	cert->serial = take_number(c, 8);
	of = take_number(c, 4);
	part = take_part(c);
	cert->key_id = printable(&part);
	part = take_part(c);
	take_principals(&part, cert, c);
	cert->after = take_number(c, 8);
	cert->before = take_number(c, 8);
	part = take_part(c);
	cert->critical = part.len > 0;
	take_part(c); /* extensions */
	take_part(c); /* reserved */
	part = take_part(c);
	cert->ca = key_text(part.data, part.len);
	cert->ca_key = part.data;
	cert->ca_key_len = part.len;
	cert->signed_len = (size_t)(c->at - cert->blob);
	part = take_part(c);
	cert->signature = part.data;
	cert->signature_len = part.len;
	*why = "is cut short, or says too much";
	if (c->bad || c->left > 0 || cert->public == NULL || cert->ca == NULL)
		return -1;
	*why = "is neither of a user nor of a host";
	cert->host = of == OF_HOST;
	return of == OF_HOST || of == OF_USER ? 0 : -1;
}

int
ssh_certificate_read(
    const char *line, struct ssh_certificate *cert, const char **why)
{
	const struct kind *kind = kind_of(line);
	struct cursor c = { NULL, 0, false };
	char *text;

	memset(cert, 0, sizeof(*cert));
	*why = "is no certificate of a type that sshd knows";
	if (kind == NULL)
		return -1;
	*why = "is not Base64, or too long";
	line += strlen(kind->name);
	line += strspn(line, " \t");
	text = xstrndup(line, strcspn(line, " \t\r\n"));
	cert->blob = base64_decode(text, SSH_CERTIFICATE_MAX, &c.left);
	free(text);
	if (cert->blob == NULL)
		return -1;
	c.at = cert->blob;
	return take_apart(&c, kind, cert, why);
}

void
ssh_certificate_free(struct ssh_certificate *cert)
{
	size_t i;

	for (i = 0; i < cert->nprincipals; i++)
		free(cert->principals[i]);
	free(cert->type);
	free(cert->public);
	free(cert->ca);
	free(cert->key_id);
	free(cert->blob);
	memset(cert, 0, sizeof(*cert));
}
