/*
 * A signed tree head of the audit log: so many records, in this order and with
 * these bytes, were there at that time.  Who has one, whoever gave it to him,
 * finds out whether the log was written anew since.
 *
 * The text and what is signed: holdfast-audit(5).  Signatures are Ed25519
 * (RFC 8032).
 */
#ifndef HF_TREEHEAD_H
#define HF_TREEHEAD_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/merkle.h"
#include "lib/uuid.h"

#define TREE_HEAD_KEY		32	/* bytes of a public key */
#define TREE_HEAD_SIGNATURE	64
#define TREE_HEAD_LOG		UUID_LEN
#define TREE_HEAD_MAX		1024	/* longest line */

/* The log that this one went on from: of a restored or copied machine. */
struct tree_parent {
	char			log[TREE_HEAD_LOG];	/* "": none */
	uint64_t		number;			/* its last known head */
	struct merkle_hash	head;			/* the hash of that */
};

struct tree_head {
	char			log[TREE_HEAD_LOG];
	uint64_t		number;		/* of this head, from 0 */
	uint64_t		epoch;		/* of the key, from 1 */
	uint64_t		size;		/* records */
	struct merkle_hash	root;		/* of their tree */
	int64_t			time_us;	/* since 1970 */
	struct merkle_hash	previous;	/* head; zeros: the first */
	struct merkle_hash	sealed;		/* last head of the epoch
						   before; zeros: none */
	unsigned char		key[TREE_HEAD_KEY];
	/* Is it the last of its epoch, and then the key of the next? */
	bool			seals;
	unsigned char		next[TREE_HEAD_KEY];
	struct tree_parent	parent;
};

/*
 * The line, without its newline, signed with the private key of head->key;
 * malloc'd.  NULL: that key cannot sign.
 */
char	*tree_head_sign(const struct tree_head *, EVP_PKEY *);

/*
 * Reads a line and checks its signature.  0; -1 with *whyp (static): it is no
 * head in the one form that there is, or not signed by its key.
 */
int	 tree_head_read(const char *line, size_t len, struct tree_head *,
	    const char **whyp);

/* The hash by which other heads name that line. */
void	 tree_head_hash(const char *line, size_t len, struct merkle_hash *);

/*
 * May b come after a in the same log, a the line of before (len bytes)?  NULL,
 * or why not (static).  With a gap between them (heads of a sealed epoch are
 * not kept for ever) both must be last heads of epochs, or b in the epoch after
 * a's.
 */
const char *tree_head_follows(const struct tree_head *a, const char *line,
	    size_t len, const struct tree_head *b);

#endif
