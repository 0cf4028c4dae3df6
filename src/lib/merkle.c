/*
 * Merkle trees: see merkle.h.
 */
#include "lib/merkle.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "lib/hex.h"
#include "lib/log.h"

static const unsigned char leaf_prefix = 0x00, node_prefix = 0x01;

/* Fetched once: finding the algorithm costs more than a small hash. */
static EVP_MD_CTX *
context(const EVP_MD **mdp)
{
	static EVP_MD_CTX *ctx;
	static EVP_MD *md;

	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
		if (ctx == NULL || md == NULL)
			fatal("SHA-256 is not to be had");
	}
	*mdp = md;
	return ctx;
}

static void
hash(const unsigned char *prefix, const void *a, size_t a_len, const void *b,
    size_t b_len, struct merkle_hash *out)
{
	const EVP_MD *md;
	EVP_MD_CTX *ctx = context(&md);

	if (EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
	    (prefix != NULL && EVP_DigestUpdate(ctx, prefix, 1) != 1) ||
	    EVP_DigestUpdate(ctx, a, a_len) != 1 ||
	    EVP_DigestUpdate(ctx, b, b_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, out->bytes, NULL) != 1)
		fatal("SHA-256 failed");
}

void
merkle_leaf(const void *data, size_t len, struct merkle_hash *out)
{
	hash(&leaf_prefix, data, len, "", 0, out);
}

void
merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
    struct merkle_hash *out)
{
	hash(&node_prefix, left->bytes, sizeof(left->bytes), right->bytes,
	    sizeof(right->bytes), out);
}

unsigned int
merkle_roots(uint64_t size)
{
	return (unsigned int)__builtin_popcountll(size);
}

void
merkle_add(struct merkle *tree, const struct merkle_hash *leaf)
{
	unsigned int n = merkle_roots(tree->size);
	uint64_t bits;

	if (tree->size == UINT64_MAX)
		fatal("a tree is full");
	tree->roots[n] = *leaf;
	/* Two of the same size make one of the next. */
	for (bits = tree->size; bits & 1; bits >>= 1, n--)
		merkle_node(
		    &tree->roots[n - 1], &tree->roots[n], &tree->roots[n - 1]);
	tree->size++;
}

void
merkle_root(const struct merkle *tree, struct merkle_hash *out)
{
	unsigned int n = merkle_roots(tree->size);

	if (n == 0) {
		hash(NULL, "", 0, "", 0, out);
		return;
	}
	*out = tree->roots[--n];
	while (n > 0)
		merkle_node(&tree->roots[--n], out, out);
}

/* The largest power of two below size, which is at least 2. */
static uint64_t
split(uint64_t size)
{
	return UINT64_C(1) << (63 - __builtin_clzll(size - 1));
}

struct prover {
	const struct merkle *before;
	const uint64_t *wanted;
	size_t count, at;
	merkle_source *leaf;
	merkle_sink *put;
	void *arg;
};

static bool
holds_wanted(const struct prover *p, uint64_t start, uint64_t size)
{
	return p->at < p->count && p->wanted[p->at] - start < size;
}

/* The root of a perfect tree within what is forgotten. */
static int
forgotten(const struct prover *p, uint64_t start, uint64_t size,
    struct merkle_hash *out)
{
	uint64_t at = 0, bit;
	unsigned int i;

	for (i = 0, bit = UINT64_C(1) << 63; bit != 0; bit >>= 1) {
		if ((p->before->size & bit) == 0)
			continue;
		if (at == start && bit == size) {
			*out = p->before->roots[i];
			return 0;
		}
		at += bit;
		i++;
	}
	return -1;
}

/* At most as deep as the tree. */
static int
subtree(const struct prover *p, uint64_t start, uint64_t size,
    struct merkle_hash *out)
{
	uint64_t known = p->before != NULL ? p->before->size : 0, left;
	struct merkle_hash right;

	if (p->before != NULL && start + size <= known &&
	    forgotten(p, start, size, out) == 0)
		return 0;
	if (size == 1)
		return start < known ? -1 : p->leaf(start, out, p->arg);
	left = split(size);
	if (subtree(p, start, left, out) == -1 ||
	    subtree(p, start + left, size - left, &right) == -1)
		return -1;
	merkle_node(out, &right, out);
	return 0;
}

static int
prove(struct prover *p, uint64_t start, uint64_t size)
{
	struct merkle_hash root;
	uint64_t left;

	if (!holds_wanted(p, start, size)) {
		if (subtree(p, start, size, &root) == -1)
			return -1;
		return p->put(&root, p->arg);
	}
	if (size == 1) {
		p->at++;
		return 0;
	}
	left = split(size);
	if (prove(p, start, left) == -1)
		return -1;
	return prove(p, start + left, size - left);
}

int
merkle_prove(uint64_t size, const struct merkle *before, const uint64_t *wanted,
    size_t count, merkle_source *leaf, merkle_sink *put, void *arg)
{
	struct prover p = { before, wanted, count, 0, leaf, put, arg };

	if (size == 0)
		return count == 0 ? 0 : -1;
	if (prove(&p, 0, size) == -1)
		return -1;
	return p.at == count ? 0 : -1;
}

struct checker {
	const uint64_t *indexes;
	const struct merkle_hash *leaves, *proof;
	size_t count, at, nproof, used;
};

static int
check(struct checker *c, uint64_t start, uint64_t size, struct merkle_hash *out)
{
	struct merkle_hash right;
	uint64_t left;

	if (c->at == c->count || c->indexes[c->at] - start >= size) {
		if (c->used == c->nproof)
			return -1;
		*out = c->proof[c->used++];
		return 0;
	}
	if (size == 1) {
		*out = c->leaves[c->at++];
		return 0;
	}
	left = split(size);
	if (check(c, start, left, out) == -1 ||
	    check(c, start + left, size - left, &right) == -1)
		return -1;
	merkle_node(out, &right, out);
	return 0;
}

int
merkle_root_of(uint64_t size, const uint64_t *indexes,
    const struct merkle_hash *leaves, size_t count,
    const struct merkle_hash *proof, size_t nproof, struct merkle_hash *root)
{
	struct checker c = { indexes, leaves, proof, count, 0, nproof, 0 };
	const struct merkle none = { 0 };
	size_t i;

	for (i = 0; i < count; i++)
		if (indexes[i] >= size ||
		    (i > 0 && indexes[i] <= indexes[i - 1]))
			return -1;
	if (size == 0) {
		merkle_root(&none, root);
		return nproof == 0 ? 0 : -1;
	}
	if (check(&c, 0, size, root) == -1)
		return -1;
	return c.used == c.nproof && c.at == c.count ? 0 : -1;
}

void
merkle_text(const struct merkle_hash *h, char text[MERKLE_TEXT])
{
	hex_write(h->bytes, MERKLE_HASH, text);
}

int
merkle_parse(const char *text, struct merkle_hash *h)
{
	return hex_read(text, h->bytes, MERKLE_HASH);
}
