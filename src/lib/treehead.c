/*
 * Signed tree heads: see treehead.h.
 */
#include "lib/treehead.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define CONTEXT "holdfast-audit-head-1" /* with its NUL: what is signed first */
#define SIGNATURE_START ",\"signature\":\""

static char *
hex(const unsigned char *bytes, size_t len)
{
	char *text = xcalloc(1, 2 * len + 1);

	hex_write(bytes, len, text);
	return text;
}

static void
set_hex(json_t *o, const char *member, const unsigned char *bytes, size_t len)
{
	char *text = hex(bytes, len);

	json_object_set_new(o, member, json_string(text));
	free(text);
}

static void
set_number(json_t *o, const char *member, uint64_t value)
{
	json_object_set_new(o, member, json_integer((json_int_t)value));
}

static void
set_parent(json_t *o, const struct tree_parent *parent)
{
	json_t *p = json_object();

	json_object_set_new(p, "log", json_string(parent->log));
	set_number(p, "head", parent->number);
	set_hex(p, "hash", parent->head.bytes, MERKLE_HASH);
	json_object_set_new(o, "parent", p);
}

/* The line's text without signature and closing brace; malloc'd. */
static char *
unsigned_text(const struct tree_head *h)
{
	json_t *o = json_object();
	char *text;

	json_object_set_new(o, "log", json_string(h->log));
	set_number(o, "head", h->number);
	set_number(o, "epoch", h->epoch);
	set_number(o, "size", h->size);
	set_hex(o, "root", h->root.bytes, MERKLE_HASH);
	set_number(o, "time_us", (uint64_t)h->time_us);
	set_hex(o, "previous", h->previous.bytes, MERKLE_HASH);
	set_hex(o, "sealed", h->sealed.bytes, MERKLE_HASH);
	set_hex(o, "key", h->key, TREE_HEAD_KEY);
	if (h->seals)
		set_hex(o, "next", h->next, TREE_HEAD_KEY);
	if (h->parent.log[0] != '\0')
		set_parent(o, &h->parent);
	text = json_text(o);
	json_decref(o);
	if (text == NULL)
		fatal("a tree head without a text");
	text[strlen(text) - 1] = '\0';
	return text;
}

/* What the signature is over; malloc'd. */
static unsigned char *
signed_bytes(const char *text, size_t len, size_t *lenp)
{
	unsigned char *bytes = xcalloc(1, sizeof(CONTEXT) + len);

	memcpy(bytes, CONTEXT, sizeof(CONTEXT));
	memcpy(bytes + sizeof(CONTEXT), text, len);
	*lenp = sizeof(CONTEXT) + len;
	return bytes;
}

char *
tree_head_sign(const struct tree_head *h, EVP_PKEY *key)
{
	unsigned char signature[TREE_HEAD_SIGNATURE], *bytes;
	char *text = unsigned_text(h), *digits, *line = NULL;
	size_t len, signature_len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	bytes = signed_bytes(text, strlen(text), &len);
	if (ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &signature_len, bytes, len) == 1 &&
	    signature_len == sizeof(signature)) {
		digits = hex(signature, sizeof(signature));
		line = xasprintf("%s" SIGNATURE_START "%s\"}", text, digits);
		free(digits);
	}
	EVP_MD_CTX_free(ctx);
	free(bytes);
	free(text);
	return line;
}

static int
read_number(const json_t *o, const char *member, uint64_t *value)
{
	const json_t *number = json_object_get(o, member);

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return -1;
	*value = (uint64_t)json_integer_value(number);
	return 0;
}

static int
read_log(const json_t *o, char log[TREE_HEAD_LOG])
{
	const char *text = json_str(o, "log", "");

	if (strlen(text) != TREE_HEAD_LOG - 1 ||
	    strspn(text, "0123456789abcdef-") != TREE_HEAD_LOG - 1)
		return -1;
	memcpy(log, text, TREE_HEAD_LOG);
	return 0;
}

static int
read_parent(const json_t *o, struct tree_parent *parent)
{
	const json_t *p = json_object_get(o, "parent");

	if (p == NULL)
		return 0;
	if (read_log(p, parent->log) == -1 ||
	    read_number(p, "head", &parent->number) == -1)
		return -1;
	return hex_read(
	    json_str(p, "hash", NULL), parent->head.bytes, MERKLE_HASH);
}

static int
read_members(const json_t *o, struct tree_head *h)
{
	const char *next = json_str(o, "next", NULL);
	uint64_t time_us;

	memset(h, 0, sizeof(*h));
	if (read_log(o, h->log) == -1 ||
	    read_number(o, "head", &h->number) == -1 ||
	    read_number(o, "epoch", &h->epoch) == -1 ||
	    read_number(o, "size", &h->size) == -1 ||
	    read_number(o, "time_us", &time_us) == -1 ||
	    hex_read(json_str(o, "root", NULL), h->root.bytes, MERKLE_HASH) ==
		-1 ||
	    hex_read(json_str(o, "previous", NULL), h->previous.bytes,
		MERKLE_HASH) == -1 ||
	    hex_read(json_str(o, "sealed", NULL), h->sealed.bytes,
		MERKLE_HASH) == -1 ||
	    hex_read(json_str(o, "key", NULL), h->key, TREE_HEAD_KEY) == -1 ||
	    (next != NULL && hex_read(next, h->next, TREE_HEAD_KEY) == -1) ||
	    read_parent(o, &h->parent) == -1)
		return -1;
	h->time_us = (int64_t)time_us;
	h->seals = next != NULL;
	return 0;
}

static bool
is_signed(const struct tree_head *h, const char *text, size_t text_len,
    const char *digits)
{
	unsigned char signature[TREE_HEAD_SIGNATURE], *bytes;
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	size_t len;
	bool good;

	if (hex_read(digits, signature, sizeof(signature)) == -1)
		return false;
	key = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, h->key, TREE_HEAD_KEY);
	ctx = EVP_MD_CTX_new();
	bytes = signed_bytes(text, text_len, &len);
	good = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, sizeof(signature), bytes, len) ==
		1;
	free(bytes);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

/* There is one way to write a head: what reads otherwise is none. */
static bool
is_canonical(const struct tree_head *h, const char *digits, const char *line,
    size_t len, size_t *text_len)
{
	char *text = unsigned_text(h);
	char *whole = xasprintf("%s" SIGNATURE_START "%s\"}", text, digits);
	bool same = strlen(whole) == len && memcmp(whole, line, len) == 0;

	*text_len = strlen(text);
	free(text);
	free(whole);
	return same;
}

int
tree_head_read(
    const char *line, size_t len, struct tree_head *h, const char **whyp)
{
	const char *why, *digits;
	size_t text_len;
	json_t *o = NULL;

	*whyp = "it is not of the form of a head";
	if (len <= TREE_HEAD_MAX)
		o = json_parse(line, len, &why);
	digits = json_str(o, "signature", "");
	if (json_is_object(o) && read_members(o, h) == 0 &&
	    is_canonical(h, digits, line, len, &text_len))
		*whyp = is_signed(h, line, text_len, digits) ?
		    NULL :
		    "its signature is not that of its key";
	json_decref(o);
	return *whyp == NULL ? 0 : -1;
}

void
tree_head_hash(const char *line, size_t len, struct merkle_hash *hash)
{
	merkle_leaf(line, len, hash);
}

static bool
same_hash(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static const char *
epoch_follows(const struct tree_head *a, const struct merkle_hash *a_hash,
    const struct tree_head *b)
{
	if (b->epoch == a->epoch) {
		if (a->seals)
			return "its epoch had ended before";
		if (memcmp(a->key, b->key, TREE_HEAD_KEY) != 0)
			return "it is signed by another key than its epoch's";
		if (!same_hash(&a->sealed, &b->sealed))
			return "it names another end of the epoch before";
		return NULL;
	}
	if (b->epoch != a->epoch + 1 || !a->seals)
		return "an epoch is missing before it";
	if (memcmp(a->next, b->key, TREE_HEAD_KEY) != 0)
		return "its key is not the one that the epoch before named";
	if (!same_hash(a_hash, &b->sealed))
		return "it names another end of the epoch before";
	return NULL;
}

const char *
tree_head_follows(const struct tree_head *a, const char *line, size_t len,
    const struct tree_head *b)
{
	struct merkle_hash a_hash;
	const char *why;

	tree_head_hash(line, len, &a_hash);
	if (strcmp(a->log, b->log) != 0)
		return "it is of another log";
	if (b->number <= a->number)
		return "its number is not above the one before";
	if (b->size < a->size)
		return "it has fewer records than the one before";
	if ((why = epoch_follows(a, &a_hash, b)) != NULL)
		return why;
	if (b->number == a->number + 1 && !same_hash(&a_hash, &b->previous))
		return "it names another head before it";
	if (b->number != a->number + 1 && b->epoch == a->epoch)
		return "a head is missing before it";
	return NULL;
}
