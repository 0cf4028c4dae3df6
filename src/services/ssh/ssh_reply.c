/*
 * Reads what an SSH server sends after its KEXINIT.
 */
#include "services/ssh/ssh_reply.h"

#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_offer.h"

#define CERT_SUFFIX "-cert-v01"

uint8_t
ssh_get_u8(struct ssh_in *in)
{
	if (in->bad || in->len - in->at < 1) {
		in->bad = true;
		return 0;
	}
	return in->data[in->at++];
}

uint32_t
ssh_get_u32(struct ssh_in *in)
{
	const uint8_t *p = in->data + in->at;

	if (in->bad || in->len - in->at < 4) {
		in->bad = true;
		return 0;
	}
	in->at += 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

const uint8_t *
ssh_get_string(struct ssh_in *in, size_t *lenp)
{
	static const uint8_t nothing[1] = { 0 };
	uint32_t len = ssh_get_u32(in);
	const uint8_t *p;

	*lenp = 0;
	if (in->bad || len > in->len - in->at) {
		in->bad = true;
		return nothing;
	}
	p = in->data + in->at;
	in->at += len;
	*lenp = len;
	return len == 0 ? nothing : p;
}

static bool
printable(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	return true;
}

/* Bits of an mpint that is not negative. */
static unsigned int
mpint_bits(const uint8_t *p, size_t len)
{
	unsigned int bits;
	uint8_t top;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0 || len > SSH_PACKET_MAX)
		return 0;
	bits = (unsigned int)(len - 1) * 8;
	for (top = *p; top != 0; top >>= 1)
		bits++;
	return bits;
}

int
ssh_reply_parse(const uint8_t *payload, size_t len, struct ssh_bytes *key,
    struct ssh_bytes *value, struct ssh_bytes *signature)
{
	struct ssh_in in = { .data = payload, .len = len };

	if (ssh_get_u8(&in) != SSH_MSG_KEX_REPLY)
		return -1;
	key->data = ssh_get_string(&in, &key->len);
	value->data = ssh_get_string(&in, &value->len);
	signature->data = ssh_get_string(&in, &signature->len);
	return in.bad || in.at != in.len || key->len == 0 ? -1 : 0;
}

unsigned int
ssh_reply_group_bits(const uint8_t *payload, size_t len)
{
	struct ssh_in in = { .data = payload, .len = len };
	const uint8_t *prime;
	size_t prime_len, generator_len;

	if (ssh_get_u8(&in) != SSH_MSG_GEX_GROUP)
		return 0;
	prime = ssh_get_string(&in, &prime_len);
	(void)ssh_get_string(&in, &generator_len);
	return in.bad || in.at != in.len ? 0 : mpint_bits(prime, prime_len);
}

char *
ssh_reply_methods(const uint8_t *payload, size_t len)
{
	struct ssh_in in = { .data = payload, .len = len };
	const uint8_t *methods;
	size_t methods_len;

	if (ssh_get_u8(&in) != SSH_MSG_USERAUTH_FAILURE)
		return NULL;
	methods = ssh_get_string(&in, &methods_len);
	(void)ssh_get_u8(&in);
	if (in.bad || in.at != in.len || !printable(methods, methods_len))
		return NULL;
	return xstrndup((const char *)methods, methods_len);
}

/* clang-format off */
static const struct {
	const char *type;
	unsigned int bits;	/* 0: those of a number in it, */
	unsigned int skip;	/* which so many strings precede */
} key_types[] = {
	{ "ssh-ed25519", 256, 0 },
	{ "ssh-ed448", 448, 0 },
	{ "sk-ssh-ed25519@openssh.com", 256, 0 },
	{ "ecdsa-sha2-nistp256", 256, 0 },
	{ "ecdsa-sha2-nistp384", 384, 0 },
	{ "ecdsa-sha2-nistp521", 521, 0 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 256, 0 },
	{ "ssh-rsa", 0, 1 },
	{ "ssh-dss", 0, 0 },
};
/* clang-format on */

/* Without "@openssh.com", and of a certificate that of its key. */
static size_t
plain_type_len(const char *type)
{
	size_t len = strcspn(type, "@"), suffix = strlen(CERT_SUFFIX);

	if (len > suffix &&
	    strncmp(type + len - suffix, CERT_SUFFIX, suffix) == 0)
		return len - suffix;
	return len;
}

int
ssh_key_describe(const uint8_t *blob, size_t len, struct ssh_key_facts *facts)
{
	struct ssh_in in = { .data = blob, .len = len };
	size_t type_len, plain, n, i;
	const uint8_t *type = ssh_get_string(&in, &type_len), *number;
	unsigned int skip;

	memset(facts, 0, sizeof(*facts));
	if (in.bad || type_len == 0 || type_len > SSH_KEY_TYPE_MAX ||
	    !printable(type, type_len))
		return -1;
	memcpy(facts->type, type, type_len);
	plain = plain_type_len(facts->type);
	for (i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++) {
		if (strcspn(key_types[i].type, "@") != plain ||
		    memcmp(key_types[i].type, type, plain) != 0)
			continue;
		facts->bits = key_types[i].bits;
		if (facts->bits != 0)
			return 0;
		/* A nonce precedes what a certificate is of. */
		skip = key_types[i].skip +
		    (memmem(type, type_len, CERT_SUFFIX, strlen(CERT_SUFFIX)) !=
			NULL);
		for (; skip > 0; skip--)
			(void)ssh_get_string(&in, &n);
		number = ssh_get_string(&in, &n);
		facts->bits = mpint_bits(number, n);
		return in.bad || facts->bits == 0 ? -1 : 0;
	}
	return 0;
}
