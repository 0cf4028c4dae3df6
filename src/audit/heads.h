/*
 * The heads of the audit log on disk, and the key that signs them: one file
 * of heads an epoch (heads-000001.jsonl, ...), the private key in the file
 * "key", the end of each epoch whose heads were dropped in "epochs.jsonl".
 *
 * An epoch ends by a head that names the key of the next; its own is erased
 * then.  Where the last run's key, or the folder, is not what the heads say,
 * a new log begins that names the old one as its parent.
 */
#ifndef HF_AUDIT_HEADS_H
#define HF_AUDIT_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/merkle.h"
#include "lib/treehead.h"

/* Where the ends of dropped epochs are. */
#define HEADS_ENDS	"epochs.jsonl"

struct heads;

/*
 * Takes up the heads in the folder dirfd (borrowed), or begins the first log.
 * place says on which machine and where the folder is: with another one than
 * last time it was copied or restored.  NULL with errno when it cannot be used.
 */
struct heads	*heads_open(int dirfd, const char *place);
/* NULL is fine. */
void		 heads_close(struct heads *);

/* The last head there is; NULL: none yet. */
const struct tree_head *heads_last(const struct heads *);
/* Its line, borrowed until the next is signed; NULL. */
const char	*heads_last_line(const struct heads *);

/*
 * The records are not those that the last head was signed for: from the next
 * one on it is another log.
 */
void		 heads_begin_log(struct heads *);
/* Why the next head begins another log: "" when it does not. */
const char	*heads_why(const struct heads *);

/*
 * Signs a head of that tree and makes it durable.  seal: it ends its epoch,
 * whose key is erased.  0, or -1 with errno: then there is no new head.
 */
int		 heads_sign(struct heads *, const struct merkle *,
		    int64_t time_us, bool seal);
/* When the epoch's first head was signed, in microseconds; 0: none was. */
int64_t		 heads_epoch_began(const struct heads *);

/*
 * Drops the heads of all epochs that ended before the tree had so many
 * records, but for the last of each.  0 or -1 with errno.
 */
int		 heads_prune(struct heads *, uint64_t size);

/*
 * All lines there are, in their order, for who verifies them: the ends of
 * dropped epochs first.  0 at the end of them, -1 with errno, or what each
 * gave when it was not 0.  where: "heads-000002.jsonl line 17", borrowed.
 */
int		 heads_each(int dirfd, int (*each)(const char *line,
		    size_t len, const char *where, void *), void *);

#endif
