/*
 * One connection to an SSH server as a client that never logs in.
 */
#include "services/ssh/ssh_client.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_kex.h"
#include "services/ssh/ssh_reply.h"
#include "services/ssh/ssh_signature.h"
#include "services/ssh/ssh_socket.h"

#define PACKETS_MAX 32 /* that may precede the one waited for */
#define IN_MAX (2 * SSH_OFFER_MAX)
#define KEY_MAX 64

struct blob {
	uint8_t *data;
	size_t len;
};

struct ssh_client {
	int fd;
	int64_t deadline;
	const char *why;
	uint8_t *in;
	size_t have;
	struct ssh_offer offer;
	struct blob theirs, ours; /* KEXINIT's payloads */
	char *kex_name, *host_key_name;
	const EVP_MD *digest;
	struct blob host_key, secret, signature;
	uint8_t hash[EVP_MAX_MD_SIZE];
	struct ssh_cipher *out_cipher, *in_cipher;
	uint32_t out_number, in_number;
	struct blob packet; /* the last payload that was read */
};

static void
blob_free(struct blob *b)
{
	freezero(b->data, b->len);
	b->data = NULL;
	b->len = 0;
}

static void
blob_set(struct blob *b, const uint8_t *data, size_t len)
{
	blob_free(b);
	b->data = xmemdup(data, len == 0 ? 1 : len);
	b->len = len;
}

/* Appends; payloads are small, copying is what is least to read. */
static void
put_raw(struct blob *b, const void *data, size_t len)
{
	uint8_t *longer = xmalloc(b->len + len + 1);

	if (b->len > 0)
		memcpy(longer, b->data, b->len);
	if (len > 0)
		memcpy(longer + b->len, data, len);
	freezero(b->data, b->len);
	b->data = longer;
	b->len += len;
}

static void
put_u8(struct blob *b, uint8_t n)
{
	put_raw(b, &n, 1);
}

static void
put_u32(struct blob *b, uint32_t n)
{
	const uint8_t bytes[] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };

	put_raw(b, bytes, sizeof(bytes));
}

static void
put_bytes(struct blob *b, const void *data, size_t len)
{
	put_u32(b, (uint32_t)len);
	put_raw(b, data, len);
}

static void
put_str(struct blob *b, const char *text)
{
	put_bytes(b, text, strlen(text));
}

struct ssh_client *
ssh_client_open(
    const struct sockaddr_storage *ss, socklen_t len, int64_t deadline)
{
	static const char hello[] = SSH_OFFER_IDENTIFICATION;
	struct ssh_client *c;
	int fd = ssh_socket_open(ss, len, deadline);

	if (fd == -1)
		return NULL;
	/* Whether it arrived shows by what is answered. */
	(void)ssh_socket_send(fd, hello, sizeof(hello) - 1, deadline);
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->deadline = deadline;
	c->in = xmalloc(IN_MAX);
	c->why = "nobody answers";
	return c;
}

void
ssh_client_free(struct ssh_client *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	ssh_offer_free(&c->offer);
	blob_free(&c->theirs);
	blob_free(&c->ours);
	blob_free(&c->host_key);
	blob_free(&c->secret);
	blob_free(&c->signature);
	blob_free(&c->packet);
	ssh_cipher_free(c->out_cipher);
	ssh_cipher_free(c->in_cipher);
	free(c->kex_name);
	free(c->host_key_name);
	free(c->in);
	freezero(c, sizeof(*c));
}

const char *
ssh_client_why(const struct ssh_client *c)
{
	return c->why;
}

const struct ssh_offer *
ssh_client_offer(const struct ssh_client *c)
{
	return &c->offer;
}

const uint8_t *
ssh_client_host_key(const struct ssh_client *c, size_t *lenp)
{
	*lenp = c->host_key.len;
	return c->host_key.data;
}

/* More bytes: 0, or -1 when there are none in time. */
static int
read_more(struct ssh_client *c)
{
	int n = -1;

	if (c->have < IN_MAX)
		n = ssh_socket_recv(
		    c->fd, c->in + c->have, IN_MAX - c->have, c->deadline);
	if (n <= 0) {
		c->why = boottime_ms() < c->deadline ?
		    "it ended the connection" :
		    "it does not answer in time";
		return -1;
	}
	c->have += (size_t)n;
	return 0;
}

static void
take(struct ssh_client *c, size_t used)
{
	c->have -= used;
	memmove(c->in, c->in + used, c->have);
}

int
ssh_client_hello(struct ssh_client *c)
{
	enum ssh_offer_state state = OFFER_MORE;

	while (state == OFFER_MORE) {
		if (c->have >= SSH_OFFER_MAX || read_more(c) == -1)
			return 0;
		state = ssh_offer_parse(c->in,
		    c->have < SSH_OFFER_MAX ? c->have : SSH_OFFER_MAX,
		    &c->offer, &c->why);
	}
	if (state != OFFER_DONE)
		return -1;
	blob_set(&c->theirs, c->in + c->offer.kexinit, c->offer.kexinit_len);
	c->in_number = c->offer.packets;
	take(c, c->offer.used);
	return 1;
}

/* Before keys are in use; multiples of 8 bytes. */
static struct blob
plain_packet(const struct blob *payload)
{
	static const uint8_t zeros[16];
	size_t padding = 8 - (5 + payload->len) % 8;
	struct blob packet = { 0 };

	if (padding < 4)
		padding += 8;
	put_u32(&packet, (uint32_t)(1 + payload->len + padding));
	put_u8(&packet, (uint8_t)padding);
	put_raw(&packet, payload->data, payload->len);
	put_raw(&packet, zeros, padding);
	return packet;
}

/* Frees the payload. */
static int
send_packet(struct ssh_client *c, struct blob *payload)
{
	struct blob packet = { 0 };
	int r = -1;

	if (c->out_cipher == NULL)
		packet = plain_packet(payload);
	else
		packet.data = ssh_cipher_seal(c->out_cipher, c->out_number,
		    payload->data, payload->len, &packet.len);
	c->out_number++;
	if (packet.data != NULL)
		r = ssh_socket_send(
		    c->fd, packet.data, packet.len, c->deadline);
	if (r == -1)
		c->why = "it ended the connection";
	blob_free(&packet);
	blob_free(payload);
	return r;
}

/* One packet into c->packet; 0 or -1. */
static int
next_packet(struct ssh_client *c)
{
	enum ssh_offer_state state;
	const uint8_t *payload;
	uint8_t *opened = NULL;
	size_t len, used;

	for (;;) {
		if (c->in_cipher == NULL)
			state = ssh_packet_parse(
			    c->in, c->have, &payload, &len, &used, &c->why);
		else {
			state = ssh_cipher_open(c->in_cipher, c->in_number,
			    c->in, c->have, &opened, &len, &used, &c->why);
			payload = opened;
		}
		if (state == OFFER_BAD)
			return -1;
		if (state == OFFER_DONE)
			break;
		if (read_more(c) == -1)
			return -1;
	}
	blob_set(&c->packet, payload, len);
	free(opened);
	take(c, used);
	c->in_number++;
	return 0;
}

/* The next one that means something; its type, or -1. */
static int
read_packet(struct ssh_client *c)
{
	unsigned int n;

	for (n = 0; n < PACKETS_MAX; n++) {
		if (next_packet(c) == -1)
			return -1;
		switch (c->packet.data[0]) {
		case SSH_MSG_DISCONNECT:
			c->why = "it ended the connection";
			return -1;
		case SSH_MSG_IGNORE:
		case SSH_MSG_DEBUG:
		case SSH_MSG_EXT_INFO:
		case SSH_MSG_USERAUTH_BANNER:
			break;
		default:
			return c->packet.data[0];
		}
	}
	c->why = "it sends too much";
	return -1;
}

static int
expect_packet(struct ssh_client *c, int type)
{
	int seen = read_packet(c);

	if (seen != -1 && seen != type)
		c->why = "it sent something else than was to come";
	return seen == type ? 0 : -1;
}

int
ssh_client_propose(struct ssh_client *c, const struct ssh_proposal *p)
{
	const char *const lists[LIST_COUNT] = { p->kex, p->host_key, p->cipher,
		p->cipher, p->mac, p->mac, "none", "none", "", "" };
	uint8_t cookie[SSH_COOKIE_LEN];
	struct blob payload = { 0 };
	size_t i;

	if (RAND_bytes(cookie, sizeof(cookie)) != 1) {
		c->why = "OpenSSL has no random bytes";
		return -1;
	}
	put_u8(&payload, SSH_MSG_KEXINIT);
	put_raw(&payload, cookie, sizeof(cookie));
	for (i = 0; i < LIST_COUNT; i++)
		put_str(&payload, lists[i]);
	put_u8(&payload, 0); /* no guess follows */
	put_u32(&payload, 0);
	blob_set(&c->ours, payload.data, payload.len);
	free(c->kex_name);
	c->kex_name = xstrdup(p->kex);
	free(c->host_key_name);
	c->host_key_name = xstrdup(p->host_key);
	return send_packet(c, &payload);
}

/* RFC 4253 section 8. */
static int
hash_exchange(struct ssh_client *c, const struct ssh_bytes *mine,
    const struct ssh_bytes *theirs)
{
	struct blob all = { 0 };
	int r;

	put_str(&all, SSH_IDENTIFICATION);
	put_str(&all, c->offer.banner);
	put_bytes(&all, c->ours.data, c->ours.len);
	put_bytes(&all, c->theirs.data, c->theirs.len);
	put_bytes(&all, c->host_key.data, c->host_key.len);
	put_bytes(&all, mine->data, mine->len);
	put_bytes(&all, theirs->data, theirs->len);
	put_bytes(&all, c->secret.data, c->secret.len);
	r = EVP_Digest(all.data, all.len, c->hash, NULL, c->digest, NULL);
	blob_free(&all);
	return r == 1 ? 0 : -1;
}

static int
take_reply(struct ssh_client *c, struct ssh_kex *kex)
{
	struct ssh_bytes key, theirs, signature, mine = ssh_kex_value(kex);

	if (ssh_reply_parse(c->packet.data, c->packet.len, &key, &theirs,
		&signature) == -1) {
		c->why = "its reply to the key exchange is malformed";
		return -1;
	}
	blob_set(&c->host_key, key.data, key.len);
	blob_set(&c->signature, signature.data, signature.len);
	c->secret.data = ssh_kex_finish(kex, &theirs, &c->secret.len);
	if (c->secret.data == NULL) {
		c->why = "its value of the key exchange is none";
		return -1;
	}
	c->digest = ssh_kex_digest(kex);
	if (hash_exchange(c, &mine, &theirs) == -1) {
		c->why = "OpenSSL cannot hash";
		return -1;
	}
	return 0;
}

int
ssh_client_exchange(struct ssh_client *c)
{
	struct ssh_kex *kex = ssh_kex_begin(c->kex_name);
	struct blob payload = { 0 };
	struct ssh_bytes value;
	int r = -1;

	if (kex == NULL) {
		c->why = "OpenSSL cannot begin the key exchange";
		return -1;
	}
	value = ssh_kex_value(kex);
	put_u8(&payload, SSH_MSG_KEX_INIT);
	put_bytes(&payload, value.data, value.len);
	if (send_packet(c, &payload) == 0 &&
	    expect_packet(c, SSH_MSG_KEX_REPLY) == 0)
		r = take_reply(c, kex);
	ssh_kex_free(kex);
	return r;
}

bool
ssh_client_is_proven(const struct ssh_client *c)
{
	const struct ssh_bytes key = { c->host_key.data, c->host_key.len };
	const struct ssh_bytes signature = { c->signature.data,
		c->signature.len };
	const struct ssh_bytes hash = { c->hash,
		(size_t)EVP_MD_get_size(c->digest) };

	return ssh_signature_good(c->host_key_name, &key, &signature, &hash);
}

bool
ssh_client_is_accepted(struct ssh_client *c)
{
	return ssh_client_exchange(c) == 0;
}

unsigned int
ssh_client_group_bits(struct ssh_client *c)
{
	struct blob payload = { 0 };
	unsigned int bits = 0;

	/* As a client that is content with little. */
	put_u8(&payload, SSH_MSG_GEX_REQUEST);
	put_u32(&payload, 1024);
	put_u32(&payload, 1024);
	put_u32(&payload, 8192);
	if (send_packet(c, &payload) == 0 &&
	    expect_packet(c, SSH_MSG_GEX_GROUP) == 0)
		bits = ssh_reply_group_bits(c->packet.data, c->packet.len);
	return bits;
}

/* RFC 4253 section 7.2: the key of that letter, as long as it has to be. */
static int
derive_key(struct ssh_client *c, char letter, uint8_t *key, size_t len)
{
	size_t size = (size_t)EVP_MD_get_size(c->digest), done = 0, n;
	uint8_t part[EVP_MAX_MD_SIZE];
	struct blob all = { 0 };
	int r = 0;

	while (done < len && r == 0) {
		put_bytes(&all, c->secret.data, c->secret.len);
		put_raw(&all, c->hash, size);
		if (done == 0) {
			put_u8(&all, (uint8_t)letter);
			put_raw(&all, c->hash, size); /* the session's id */
		} else
			put_raw(&all, key, done);
		if (EVP_Digest(
			all.data, all.len, part, NULL, c->digest, NULL) != 1)
			r = -1;
		n = len - done < size ? len - done : size;
		memcpy(key + done, part, n);
		done += n;
		blob_free(&all);
	}
	explicit_bzero(part, sizeof(part));
	return r;
}

/* Letters of the IV, key and MAC key of one direction. */
static struct ssh_cipher *
make_cipher(struct ssh_client *c, const struct ssh_cipher_choice *choice,
    const char *letters, bool encrypt)
{
	uint8_t iv[KEY_MAX], key[KEY_MAX], mac_key[KEY_MAX];
	struct ssh_cipher *cipher = NULL;

	if (derive_key(c, letters[0], iv, choice->iv_len) == 0 &&
	    derive_key(c, letters[1], key, choice->key_len) == 0 &&
	    derive_key(c, letters[2], mac_key, choice->mac_key_len) == 0)
		cipher = ssh_cipher_new(choice, encrypt, key, iv, mac_key);
	explicit_bzero(iv, sizeof(iv));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(mac_key, sizeof(mac_key));
	return cipher;
}

int
ssh_client_secure(struct ssh_client *c, const struct ssh_cipher_choice *choice)
{
	struct blob payload = { 0 };

	put_u8(&payload, SSH_MSG_NEWKEYS);
	if (send_packet(c, &payload) == -1 ||
	    expect_packet(c, SSH_MSG_NEWKEYS) == -1)
		return -1;
	c->out_cipher = make_cipher(c, choice, "ACE", true);
	c->in_cipher = make_cipher(c, choice, "BDF", false);
	if (c->out_cipher != NULL && c->in_cipher != NULL)
		return 0;
	c->why = "OpenSSL does not have the cipher";
	return -1;
}

char *
ssh_client_methods(struct ssh_client *c, const char *user, bool *acceptedp)
{
	struct blob payload = { 0 };
	char *methods = NULL;

	*acceptedp = false;
	put_u8(&payload, SSH_MSG_SERVICE_REQUEST);
	put_str(&payload, "ssh-userauth");
	if (send_packet(c, &payload) == -1 ||
	    expect_packet(c, SSH_MSG_SERVICE_ACCEPT) == -1)
		return NULL;
	put_u8(&payload, SSH_MSG_USERAUTH_REQUEST);
	put_str(&payload, user);
	put_str(&payload, "ssh-connection");
	put_str(&payload, "none");
	if (send_packet(c, &payload) == -1)
		return NULL;
	switch (read_packet(c)) {
	case SSH_MSG_USERAUTH_SUCCESS:
		*acceptedp = true;
		return xstrdup("none");
	case SSH_MSG_USERAUTH_FAILURE:
		methods = ssh_reply_methods(c->packet.data, c->packet.len);
		break;
	case -1:
		return NULL;
	default:
		break;
	}
	if (methods == NULL)
		c->why = "its answer to a login is malformed";
	return methods;
}

void
ssh_client_leave(struct ssh_client *c, const char *text)
{
	struct blob payload = { 0 };

	put_u8(&payload, SSH_MSG_DISCONNECT);
	put_u32(&payload, SSH_DISCONNECT_BY_APPLICATION);
	put_str(&payload, text);
	put_str(&payload, "");
	(void)send_packet(c, &payload);
}
