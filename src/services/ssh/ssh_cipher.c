/*
 * Encrypted packets of the SSH transport.
 */
#include "services/ssh/ssh_cipher.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_names.h"

#define BLOCK 16
#define TAG_LEN 16
#define GCM_IV_LEN 12
#define MAC_MAX 64

struct cipher {
	const char *name;
	const EVP_CIPHER *(*evp)(void);
	size_t key_len;
	bool gcm;
};

struct mac {
	const char *name;
	const EVP_MD *(*evp)(void);
	size_t len;
	bool etm;
};

struct ssh_cipher {
	const struct cipher *cipher;
	const struct mac *mac;
	EVP_CIPHER_CTX *ctx;
	uint8_t iv[GCM_IV_LEN];
	uint8_t mac_key[MAC_MAX];
	uint8_t first[BLOCK]; /* of a packet, decrypted, when begun */
	bool begun;
};

/* clang-format off */
static const struct cipher ciphers[] = {
	{ "aes256-gcm@openssh.com", EVP_aes_256_gcm, 32, true },
	{ "aes128-gcm@openssh.com", EVP_aes_128_gcm, 16, true },
	{ "aes256-ctr", EVP_aes_256_ctr, 32, false },
	{ "aes192-ctr", EVP_aes_192_ctr, 24, false },
	{ "aes128-ctr", EVP_aes_128_ctr, 16, false },
	{ NULL, NULL, 0, false }
};

static const struct mac macs[] = {
	{ "hmac-sha2-256-etm@openssh.com", EVP_sha256, 32, true },
	{ "hmac-sha2-512-etm@openssh.com", EVP_sha512, 64, true },
	{ "hmac-sha2-256", EVP_sha256, 32, false },
	{ "hmac-sha2-512", EVP_sha512, 64, false },
	{ "hmac-sha1-etm@openssh.com", EVP_sha1, 20, true },
	{ "hmac-sha1", EVP_sha1, 20, false },
	{ NULL, NULL, 0, false }
};
/* clang-format on */

struct ssh_cipher_choice
ssh_cipher_choose(const char *cipher_list, const char *mac_list)
{
	struct ssh_cipher_choice choice = { 0 };
	const struct cipher *c;
	const struct mac *m;

	for (m = macs; m->name != NULL; m++)
		if (ssh_names_have(mac_list, m->name, strlen(m->name)))
			break;
	for (c = ciphers; c->name != NULL; c++)
		if (ssh_names_have(cipher_list, c->name, strlen(c->name)) &&
		    (c->gcm || m->name != NULL))
			break;
	if (c->name == NULL)
		return choice;
	choice.cipher = c->name;
	/* One has to be named although GCM does not use it. */
	choice.mac = m->name != NULL ? m->name : macs[0].name;
	choice.key_len = c->key_len;
	choice.iv_len = c->gcm ? GCM_IV_LEN : BLOCK;
	choice.mac_key_len = c->gcm ? 0 : m->len;
	return choice;
}

struct ssh_cipher *
ssh_cipher_new(const struct ssh_cipher_choice *choice, bool encrypt,
    const uint8_t *key, const uint8_t *iv, const uint8_t *mac_key)
{
	struct ssh_cipher *c = xcalloc(1, sizeof(*c));

	for (c->cipher = ciphers; c->cipher->name != NULL; c->cipher++)
		if (strcmp(c->cipher->name, choice->cipher) == 0)
			break;
	for (c->mac = macs; c->mac->name != NULL; c->mac++)
		if (strcmp(c->mac->name, choice->mac) == 0)
			break;
	c->ctx = EVP_CIPHER_CTX_new();
	if (c->ctx == NULL || c->cipher->name == NULL || c->mac->name == NULL ||
	    EVP_CipherInit_ex(c->ctx, c->cipher->evp(), NULL, key, iv,
		encrypt ? 1 : 0) != 1) {
		ssh_cipher_free(c);
		return NULL;
	}
	if (c->cipher->gcm)
		memcpy(c->iv, iv, GCM_IV_LEN);
	else
		memcpy(c->mac_key, mac_key, c->mac->len);
	return c;
}

void
ssh_cipher_free(struct ssh_cipher *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->ctx);
	freezero(c, sizeof(*c));
}

static void
put_u32(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Over the sequence number and the packet as far as it is given. */
static int
authenticate(const struct ssh_cipher *c, uint32_t sequence,
    const uint8_t *packet, size_t len, uint8_t out[MAC_MAX])
{
	uint8_t *both = xmalloc(4 + len), *mac;

	put_u32(both, sequence);
	memcpy(both + 4, packet, len);
	mac = HMAC(c->mac->evp(), c->mac_key, (int)c->mac->len, both, 4 + len,
	    out, NULL);
	freezero(both, 4 + len);
	return mac == NULL ? -1 : 0;
}

static int
transform(struct ssh_cipher *c, uint8_t *data, size_t len)
{
	int n = 0;

	if (len == 0)
		return 0;
	return EVP_CipherUpdate(c->ctx, data, &n, data, (int)len) == 1 &&
		n == (int)len ?
	    0 :
	    -1;
}

/* RFC 5647 section 7.1: the last eight bytes count the packets. */
static int
next_gcm(struct ssh_cipher *c, const uint8_t *length)
{
	uint8_t iv[GCM_IV_LEN];
	size_t i;
	int n;

	memcpy(iv, c->iv, sizeof(iv));
	for (i = GCM_IV_LEN; i-- > 4;)
		if (++c->iv[i] != 0)
			break;
	return EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, iv, -1) == 1 &&
		EVP_CipherUpdate(c->ctx, NULL, &n, length, 4) == 1 ?
	    0 :
	    -1;
}

/* What is encrypted is a number of blocks; of a plain hash with the length. */
static size_t
padding_of(const struct ssh_cipher *c, size_t payload_len)
{
	bool apart = c->cipher->gcm || c->mac->etm;
	size_t len = (apart ? 1 : 5) + payload_len;
	size_t padding = BLOCK - len % BLOCK;

	return padding < 4 ? padding + BLOCK : padding;
}

static int
seal_in_place(
    struct ssh_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
	int n;

	if (c->cipher->gcm)
		return next_gcm(c, packet) == 0 &&
			transform(c, packet + 4, len - 4) == 0 &&
			EVP_CipherFinal_ex(c->ctx, packet + len, &n) == 1 &&
			EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_GET_TAG,
			    TAG_LEN, packet + len) == 1 ?
		    0 :
		    -1;
	if (c->mac->etm)
		return transform(c, packet + 4, len - 4) == 0 ?
		    authenticate(c, sequence, packet, len, packet + len) :
		    -1;
	if (authenticate(c, sequence, packet, len, packet + len) == -1)
		return -1;
	return transform(c, packet, len);
}

uint8_t *
ssh_cipher_seal(struct ssh_cipher *c, uint32_t sequence, const uint8_t *payload,
    size_t len, size_t *packet_len)
{
	size_t padding = padding_of(c, len), total = 5 + len + padding;
	uint8_t *packet = xcalloc(1, total + MAC_MAX);

	put_u32(packet, (uint32_t)(total - 4));
	packet[4] = (uint8_t)padding;
	memcpy(packet + 5, payload, len);
	if (RAND_bytes(packet + 5 + len, (int)padding) != 1 ||
	    seal_in_place(c, sequence, packet, total) == -1) {
		freezero(packet, total + MAC_MAX);
		return NULL;
	}
	*packet_len = total + (c->cipher->gcm ? TAG_LEN : c->mac->len);
	return packet;
}

/* The length of the packet, which a plain hash hides; 0: not there yet. */
static uint32_t
packet_length(struct ssh_cipher *c, const uint8_t *data, size_t len)
{
	if (c->cipher->gcm || c->mac->etm)
		return len < 4 ? 0 : get_u32(data);
	if (len < BLOCK)
		return 0;
	if (!c->begun) {
		memcpy(c->first, data, BLOCK);
		if (transform(c, c->first, BLOCK) == -1)
			return UINT32_MAX;
		c->begun = true;
	}
	return get_u32(c->first);
}

static int
open_in_place(
    struct ssh_cipher *c, uint32_t sequence, uint8_t *packet, size_t len)
{
	uint8_t mac[MAC_MAX];
	int n, r = -1;

	if (c->cipher->gcm)
		return next_gcm(c, packet) == 0 &&
			transform(c, packet + 4, len - 4) == 0 &&
			EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_GCM_SET_TAG,
			    TAG_LEN, packet + len) == 1 &&
			EVP_CipherFinal_ex(c->ctx, packet + len, &n) == 1 ?
		    0 :
		    -1;
	if (c->mac->etm) {
		if (authenticate(c, sequence, packet, len, mac) == 0 &&
		    CRYPTO_memcmp(mac, packet + len, c->mac->len) == 0)
			r = transform(c, packet + 4, len - 4);
	} else {
		memcpy(packet, c->first, BLOCK);
		c->begun = false;
		if (transform(c, packet + BLOCK, len - BLOCK) == 0 &&
		    authenticate(c, sequence, packet, len, mac) == 0 &&
		    CRYPTO_memcmp(mac, packet + len, c->mac->len) == 0)
			r = 0;
	}
	return r;
}

enum ssh_offer_state
ssh_cipher_open(struct ssh_cipher *c, uint32_t sequence, const uint8_t *data,
    size_t len, uint8_t **payload, size_t *payload_len, size_t *used,
    const char **why)
{
	bool apart = c->cipher->gcm || c->mac->etm;
	size_t tag = c->cipher->gcm ? TAG_LEN : c->mac->len, total;
	uint32_t packet_len = packet_length(c, data, len);
	uint8_t *packet, padding;

	if (packet_len == 0 && len < BLOCK)
		return OFFER_MORE;
	*why = "an encrypted packet's length is wrong";
	if (packet_len < 12 || packet_len > SSH_PACKET_MAX ||
	    (packet_len + (apart ? 0 : 4)) % BLOCK != 0)
		return OFFER_BAD;
	total = 4 + (size_t)packet_len;
	if (len < total + tag)
		return OFFER_MORE;
	packet = xmemdup(data, total + tag);
	*why = "an encrypted packet is not authentic";
	if (open_in_place(c, sequence, packet, total) == -1)
		goto bad;
	padding = packet[4];
	*why = "a packet's padding is wrong";
	if (padding < 4 || (size_t)padding + 2 > packet_len)
		goto bad;
	*payload_len = packet_len - padding - 1;
	*payload = xmemdup(packet + 5, *payload_len);
	*used = total + tag;
	freezero(packet, total + tag);
	return OFFER_DONE;
bad:
	freezero(packet, total + tag);
	return OFFER_BAD;
}
