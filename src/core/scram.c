/*
 * SCRAM-SHA-512: see scram.h.
 */
#include "core/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define END_POINT "tls-server-end-point"

/* The client's word on channel binding, RFC 5802 section 7 gs2-cbind-flag. */
enum flag { FLAG_NONE, FLAG_SERVER_LACKS, FLAG_END_POINT };

struct scram {
	enum flag flag;
	char *gs2_header; /* "n,," */
	char *first_bare; /* client-first-message-bare */
	char *username;
	char *nonce; /* the client's, then both */
	char *challenge; /* server-first-message; NULL: not yet */
};

void
scram_free(struct scram *s)
{
	if (s == NULL)
		return;
	free(s->gs2_header);
	free(s->first_bare);
	free(s->username);
	free(s->nonce);
	free(s->challenge);
	free(s);
}

const char *
scram_username(const struct scram *s)
{
	return s->username;
}

/* --- Reading -------------------------------------------------------------- */

/* "x=value": what follows it (a comma or the end), NULL when it is none. */
static const char *
attribute(const char *at, char name, char **valuep)
{
	size_t len;

	*valuep = NULL;
	if (at == NULL || at[0] != name || at[1] != '=')
		return NULL;
	len = strcspn(at + 2, ",");
	if (len == 0)
		return NULL;
	*valuep = xstrndup(at + 2, len);
	return at + 2 + len;
}

static const char *
comma(const char *at)
{
	return at != NULL && *at == ',' ? at + 1 : NULL;
}

/* Extensions that may be ignored; what follows them, NULL: they are none. */
static const char *
extensions(const char *at, char end)
{
	char *value;

	while (at != NULL && *at == ',' && at[1] != end) {
		if ((at[1] | 0x20) < 'a' || (at[1] | 0x20) > 'z')
			return NULL;
		at = attribute(at + 1, at[1], &value);
		free(value);
	}
	return at;
}

/* "=2C" and "=3D" for what would end a name; -1: another escape. */
static int
unescape(char *name)
{
	char *out = name;

	for (; *name != '\0'; name++) {
		if (*name != '=') {
			*out++ = *name;
		} else if (strncmp(name, "=2C", 3) == 0 ||
		    strncmp(name, "=3D", 3) == 0) {
			*out++ = name[1] == '2' ? ',' : '=';
			name += 2;
		} else
			return -1;
	}
	*out = '\0';
	return 0;
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

static bool
is_readable(const char *message)
{
	return strnlen(message, SCRAM_MESSAGE_MAX + 1) <= SCRAM_MESSAGE_MAX;
}

/* gs2-header; what follows it, NULL with *whyp. */
static const char *
read_header(struct scram *s, const char *message, const char **whyp)
{
	const char *at = message;
	char *binding = NULL;

	*whyp = "no such channel binding";
	if (*at == 'p') {
		s->flag = FLAG_END_POINT;
		at = attribute(at, 'p', &binding);
		if (at == NULL || strcmp(binding, END_POINT) != 0)
			at = NULL;
		free(binding);
	} else if (*at == 'n' || *at == 'y') {
		s->flag = *at == 'n' ? FLAG_NONE : FLAG_SERVER_LACKS;
		at++;
	} else
		at = NULL;
	if ((at = comma(at)) == NULL)
		return NULL;
	*whyp = "acting for somebody else is not possible";
	if ((at = comma(at)) == NULL)
		return NULL;
	s->gs2_header = xstrndup(message, (size_t)(at - message));
	return at;
}

/* client-first-message-bare; an extension that must be known is none of it. */
static int
read_bare(struct scram *s, const char *bare, const char **whyp)
{
	const char *at = attribute(bare, 'n', &s->username);

	*whyp = "not a client-first-message";
	at = attribute(comma(at), 'r', &s->nonce);
	at = extensions(at, '\0');
	if (at == NULL || *at != '\0' || s->username == NULL ||
	    s->nonce == NULL || unescape(s->username) == -1 ||
	    !is_printable(s->nonce))
		return -1;
	s->first_bare = xstrdup(bare);
	return 0;
}

struct scram *
scram_begin(const char *client_first, const char **whyp)
{
	struct scram *s = xcalloc(1, sizeof(*s));
	const char *bare;

	*whyp = "the message is too long";
	if (is_readable(client_first) &&
	    (bare = read_header(s, client_first, whyp)) != NULL &&
	    read_bare(s, bare, whyp) == 0)
		return s;
	scram_free(s);
	return NULL;
}

const char *
scram_challenge(struct scram *s, const char *nonce, const char *salt,
    unsigned int iterations)
{
	char *both = xasprintf("%s%s", s->nonce, nonce);

	if (s->challenge != NULL)
		fatal("scram: challenged twice");
	free(s->nonce);
	s->nonce = both;
	s->challenge = xasprintf("r=%s,s=%s,i=%u", both, salt, iterations);
	return s->challenge;
}

/* --- The proof ------------------------------------------------------------ */

static void
hmac(const uint8_t key[static SCRAM_KEY_LEN], const char *text,
    uint8_t out[static SCRAM_KEY_LEN])
{
	unsigned int len = 0;

	if (HMAC(EVP_sha512(), key, SCRAM_KEY_LEN, (const uint8_t *)text,
		strlen(text), out, &len) == NULL ||
	    len != SCRAM_KEY_LEN)
		fatal("scram: HMAC failed");
}

/* What client-final-message says besides its proof. */
struct final {
	char *binding, *nonce, *proof;
	size_t without_proof; /* its length */
};

static void
final_free(struct final *f)
{
	free(f->binding);
	free(f->nonce);
	freezero_str(f->proof);
}

static bool
read_final(struct final *f, const char *message)
{
	const char *at = attribute(message, 'c', &f->binding);

	at = attribute(comma(at), 'r', &f->nonce);
	at = extensions(at, 'p');
	if (at == NULL || *at != ',')
		return false;
	f->without_proof = (size_t)(at - message);
	at = attribute(at + 1, 'p', &f->proof);
	return at != NULL && *at == '\0';
}

/*
 * The header that the client began with, and the binding's data behind it: a
 * third party in between cannot have changed the one or have the other.
 */
static bool
is_bound(const struct scram *s, const char *text, const struct scram_binding *b)
{
	size_t header = strlen(s->gs2_header), len, found;
	size_t extra = s->flag == FLAG_END_POINT ? b->len : 0;
	uint8_t *data;
	bool same;

	/* It could have bound, and was told that we cannot: by whom? */
	if (s->flag == FLAG_SERVER_LACKS && b->len != 0)
		return false;
	if (s->flag == FLAG_END_POINT && b->len == 0)
		return false;
	len = header + extra;
	data = base64_decode(text, len, &found);
	same = data != NULL && found == len &&
	    memcmp(data, s->gs2_header, header) == 0 &&
	    (extra == 0 || memcmp(data + header, b->data, extra) == 0);
	free(data);
	return same;
}

/* ClientProof is ClientKey XOR HMAC(StoredKey); H(ClientKey) is StoredKey. */
static bool
is_proof(const char *text, const struct scram_keys *keys, const char *auth)
{
	uint8_t proof[SCRAM_KEY_LEN], signature[SCRAM_KEY_LEN];
	uint8_t hash[SCRAM_KEY_LEN];
	bool good;
	size_t i;

	if (base64_decode_exact(text, proof, sizeof(proof)) == -1)
		return false;
	hmac(keys->stored_key, auth, signature);
	for (i = 0; i < sizeof(proof); i++)
		proof[i] ^= signature[i];
	SHA512(proof, sizeof(proof), hash);
	good = CRYPTO_memcmp(hash, keys->stored_key, sizeof(hash)) == 0;
	explicit_bzero(proof, sizeof(proof));
	explicit_bzero(signature, sizeof(signature));
	return good;
}

static char *
server_final(const struct scram_keys *keys, const char *auth)
{
	uint8_t signature[SCRAM_KEY_LEN];
	char *encoded, *text;

	hmac(keys->server_key, auth, signature);
	encoded = base64_encode(signature, sizeof(signature));
	text = xasprintf("v=%s", encoded);
	free(encoded);
	return text;
}

char *
scram_finish(struct scram *s, const char *client_final,
    const struct scram_keys *keys, const struct scram_binding *binding,
    const char **whyp)
{
	struct final f = { 0 };
	char *auth = NULL, *answer = NULL;

	if (s->challenge == NULL)
		fatal("scram: a proof without a challenge");
	*whyp = "not a client-final-message";
	if (!is_readable(client_final) || !read_final(&f, client_final))
		goto out;
	*whyp = "wrong nonce";
	if (strcmp(f.nonce, s->nonce) != 0)
		goto out;
	*whyp = "wrong channel binding";
	if (!is_bound(s, f.binding, binding))
		goto out;
	*whyp = "wrong proof";
	auth = xasprintf("%s,%s,%.*s", s->first_bare, s->challenge,
	    (int)f.without_proof, client_final);
	if (is_proof(f.proof, keys, auth))
		answer = server_final(keys, auth);
out:
	final_free(&f);
	free(auth);
	return answer;
}
