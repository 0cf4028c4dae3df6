/*
 * The Merkle tree over the records of the audit log: grows with what is
 * committed to the segments, is signed now and then (heads.h), and keeps for
 * each segment the hashes of its records (segment-000001.hashes, 32 bytes
 * each) and the tree that lay before it (segment-000001.tree), so that a start
 * reads no more than the newest segment, a proof no record at all, and the
 * rest still verifies when old segments are dropped.
 */
#ifndef HF_AUDIT_TREE_H
#define HF_AUDIT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/heads.h"
#include "audit/segment.h"
#include "lib/merkle.h"

struct tree;

/*
 * Takes up the tree of what is committed in the segments, which outlive it.
 * dirfd (borrowed) and place as of heads_open().  NULL with errno.  Where the
 * records are not those that the last head was signed for, the next head begins
 * another log.
 */
struct tree	*tree_open(int dirfd, const struct segments *,
		    const char *place);
/* NULL is fine.  Signs nothing. */
void		 tree_close(struct tree *);
/* Why the next head begins another log: "" when it does not. */
const char	*tree_why(const struct tree *);

/* A line as it was added to the batch of the segments. */
void		 tree_add(struct tree *, const char *line);
/*
 * After segments_commit(): what was added is in the tree, or forgotten.  0, or
 * -1 with errno when the hashes could not be kept (they are in the tree all the
 * same and kept the next time).
 */
int		 tree_commit(struct tree *, bool committed);

uint64_t	 tree_size(const struct tree *);
/* The leaf that the next line to be added will be. */
uint64_t	 tree_next(const struct tree *);
/* Records that no head is signed for. */
uint64_t	 tree_unsigned(const struct tree *);
/* 0 or -1 with errno; seal as of heads_sign(). */
int		 tree_sign(struct tree *, bool seal);
const struct heads *tree_heads(const struct tree *);
/* From the next head on it is another log, which names this one (heads.h). */
void		 tree_begin_log(struct tree *);

/*
 * The tree before a segment's first record, as it was kept; -1: it was not, or
 * is damaged.  Segment 1 begins with none.
 */
int		 tree_before(int dirfd, uint32_t segment, struct merkle *);
/*
 * The hashes that were kept of a segment: malloc'd, their number in *countp;
 * NULL with errno.
 */
struct merkle_hash *tree_hashes(int dirfd, uint32_t segment, size_t *countp);

/* Opens the file that they are in, for reading; or -1 with errno. */
int		 tree_hashes_file(int dirfd, uint32_t segment);

/*
 * Drops all segments before the given one, with their hashes, and the heads
 * that none of the others needs.  0 or -1 with errno.
 */
int		 tree_prune(struct tree *, struct segments *, uint32_t first);

#endif
