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
 * A perfect subtree behind what is there: count leaves, a power of two that
 * divides the size.  0; -1: it cannot stand there.
 */
int	merkle_add_tree(struct merkle *, const struct merkle_hash *,
	    uint64_t count);

/*
 * A proof for some of the leaves at once: the largest perfect subtrees that
 * hold none of them.  It is made from the left to the right, and whoever has
 * the leaves in question adds these and those in that order to a tree and
 * compares its root.  The last leaf has to be one of them: what is behind the
 * last one is in no subtree that was put.
 */
struct merkle_proof {
	uint64_t	 next;	/* index of the leaf that comes */
	unsigned int	 count;	/* subtrees since the last leaf in question */
	struct merkle_subtree {
		uint64_t		first, count;	/* leaves */
		struct merkle_hash	hash;
	} trees[2 * MERKLE_DEPTH];
};
typedef int	merkle_sink(const struct merkle_subtree *, void *arg);

/* Its first leaves are those of a tree of which no more is known. */
void	merkle_proof_begin(struct merkle_proof *, const struct merkle *before);
/* The next leaf is none of those. */
void	merkle_proof_pass(struct merkle_proof *, const struct merkle_hash *);
/* It is: what lies between it and the one before goes to put.  0, or put's. */
int	merkle_proof_take(struct merkle_proof *, merkle_sink *put, void *arg);

/* 64 hexadecimal digits and a NUL; and back: 0 or -1. */
#define MERKLE_TEXT	(2 * MERKLE_HASH + 1)
void	merkle_text(const struct merkle_hash *, char text[MERKLE_TEXT]);
int	merkle_parse(const char *text, struct merkle_hash *);

#endif
