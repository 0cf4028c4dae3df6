/*
 * Merkle trees over a growing list of records, hashed as RFC 9162 section
 * 2.1.1 says (SHA-256): what was once in the tree, and where, can be proven
 * from one hash.
 */
#ifndef HF_MERKLE_H
#define HF_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MERKLE_HASH	32	/* bytes */
#define MERKLE_DEPTH	64	/* of the deepest tree there can be */

struct merkle_hash {
	unsigned char	bytes[MERKLE_HASH];
};

/*
 * A tree that only grows needs no more than the roots of the perfect trees
 * that it falls into, the largest first: one for each bit of size that is set.
 */
struct merkle {
	uint64_t		 size;	/* leaves */
	struct merkle_hash	 roots[MERKLE_DEPTH];
};

/* How many roots a tree of that size has. */
unsigned int merkle_roots(uint64_t size);

/* The hash of a leaf, of two subtrees side by side. */
void	merkle_leaf(const void *, size_t len, struct merkle_hash *);
void	merkle_node(const struct merkle_hash *left,
	    const struct merkle_hash *right, struct merkle_hash *);

/* One more leaf, by its hash. */
void	merkle_add(struct merkle *, const struct merkle_hash *leaf);
/* The hash of the tree; that of none is SHA-256 of nothing. */
void	merkle_root(const struct merkle *, struct merkle_hash *);

/*
 * A proof for some of the leaves at once: the hashes of the largest subtrees
 * that hold none of them, from the left to the right.  Who has the leaves in
 * question computes the root from these and compares.
 *
 * The tree of which before is the beginning (its leaves may be forgotten; NULL
 * or size 0: none is) and the other leaves' hashes come from leaf, which gives
 * 0 or -1.  wanted: indexes, ascending, none below before->size.  put takes
 * the hashes.  0, or -1 when leaf or put failed.
 */
typedef int	merkle_source(uint64_t index, struct merkle_hash *, void *arg);
typedef int	merkle_sink(const struct merkle_hash *, void *arg);
int	merkle_prove(uint64_t size, const struct merkle *before,
	    const uint64_t *wanted, size_t count, merkle_source *leaf,
	    merkle_sink *put, void *arg);

/*
 * The root of a tree of that size from a proof: indexes and hashes of the
 * leaves in question, and the hashes that merkle_prove() gave.  0; -1 when the
 * proof is none for these: too few hashes or too many, or indexes that are not
 * ascending or beyond the tree.
 */
int	merkle_root_of(uint64_t size, const uint64_t *indexes,
	    const struct merkle_hash *leaves, size_t count,
	    const struct merkle_hash *proof, size_t nproof,
	    struct merkle_hash *root);

/* 64 hexadecimal digits and a NUL; and back: 0 or -1. */
#define MERKLE_TEXT	(2 * MERKLE_HASH + 1)
void	merkle_text(const struct merkle_hash *, char text[MERKLE_TEXT]);
int	merkle_parse(const char *text, struct merkle_hash *);

#endif
