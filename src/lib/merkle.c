/*
 * Merkle trees: see merkle.h.
 */
#include "lib/merkle.h"

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

int
merkle_add_tree(
    struct merkle *tree, const struct merkle_hash *root, uint64_t count)
{
	unsigned int n = merkle_roots(tree->size);
	uint64_t bits;

	if (count == 0 || (count & (count - 1)) != 0 ||
	    tree->size % count != 0 || tree->size > UINT64_MAX - count)
		return -1;
	tree->roots[n] = *root;
	/* Two of the same size make one of the next. */
	for (bits = tree->size / count; bits & 1; bits >>= 1, n--)
		merkle_node(
		    &tree->roots[n - 1], &tree->roots[n], &tree->roots[n - 1]);
	tree->size += count;
	return 0;
}

void
merkle_add(struct merkle *tree, const struct merkle_hash *leaf)
{
	if (merkle_add_tree(tree, leaf, 1) == -1)
		fatal("a tree is full");
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

void
merkle_proof_begin(struct merkle_proof *p, const struct merkle *before)
{
	unsigned int bit;

	p->next = 0;
	p->count = 0;
	for (bit = 64; bit-- > 0;) {
		if ((before->size >> bit & 1) == 0)
			continue;
		p->trees[p->count] = (struct merkle_subtree){ p->next,
			UINT64_C(1) << bit, before->roots[p->count] };
		p->next += UINT64_C(1) << bit;
		p->count++;
	}
}

/*
 * Two of one size that make a perfect one do so.  What stays is first of
 * growing and then of falling size, never three of one: 2 * MERKLE_DEPTH.
 */
void
merkle_proof_pass(struct merkle_proof *p, const struct merkle_hash *leaf)
{
	struct merkle_subtree *a, *b = &p->trees[p->count++];

	*b = (struct merkle_subtree){ p->next++, 1, *leaf };
	while (p->count > 1) {
		b = &p->trees[p->count - 1];
		a = b - 1;
		if (a->count != b->count || a->first % (2 * a->count) != 0)
			break;
		merkle_node(&a->hash, &b->hash, &a->hash);
		a->count *= 2;
		p->count--;
	}
}

int
merkle_proof_take(struct merkle_proof *p, merkle_sink *put, void *arg)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < p->count && rc == 0; i++)
		rc = put(&p->trees[i], arg);
	p->count = 0;
	p->next++;
	return rc;
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
