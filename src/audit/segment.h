/*
 * The store of the audit role: append-only segment files of one JSON line a
 * record (segment-000001.jsonl, ...).  What was committed is on disk; a line
 * that a crash tore was never acknowledged and goes at the next start.
 *
 * One process writes.  Nothing here logs or knows the channel to core.
 */
#ifndef HF_AUDIT_SEGMENT_H
#define HF_AUDIT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"

/*
 * From this size on the next record begins a new segment: a start reads the
 * newest one whole.
 */
#define SEGMENT_SIZE	((off_t)16 * 1024 * 1024)

/* A batch of this size wants its commit. */
#define BATCH_SIZE	((size_t)4 * 1024 * 1024)

struct segments;
struct segment_reader;

/*
 * Opens the store in the folder dirfd (borrowed, stays open).  A torn last
 * line is cut off; *tornp says how many bytes (0: none).  What is there is on
 * disk when this returns.  NULL with errno when it cannot be used.
 */
struct segments	*segments_open(int dirfd, size_t *tornp);
/* The same for reading only: nothing is repaired, a torn last line left out. */
struct segments	*segments_look(int dirfd);
/* NULL is fine.  What was not committed is forgotten. */
void		 segments_close(struct segments *);

/* Adds a line (without newline, as of record_line) to the batch. */
void		 segments_add(struct segments *, const char *line);
size_t		 segments_batched(const struct segments *);	/* bytes */

/*
 * Writes the batch with one write and makes it durable; the batch is empty
 * afterwards in any case.  0, or -1 with errno (ENOSPC, EIO, ...): then
 * nothing of it is in the store and later commits are tried afresh.
 */
int		 segments_commit(struct segments *);

/* What is committed next begins a new file, if this one has a record. */
void		 segments_turn(struct segments *);

/* Numbers of the files there are, ascending, borrowed until the next commit. */
const uint32_t	*segments_numbers(const struct segments *, size_t *countp);
/* The newest one (0: none) and how many bytes of it are committed. */
uint32_t	 segments_end(const struct segments *, uint64_t *bytesp);
/* Opens a segment for reading: its descriptor, or -1 with errno. */
int		 segment_file(const struct segments *, uint32_t number);
/* Bytes of all, as committed. */
uint64_t	 segments_size(const struct segments *);
/*
 * Removes the files before the one of that number, which has to be there; the
 * oldest first, so that what is left is whole after a crash.  0 or -1 with
 * errno.
 */
int		 segments_drop(struct segments *, uint32_t first);

/*
 * 1 when a record of that id is in one of the four newest segments or in the
 * batch, 0 when not, -1 with errno.  Builds an index at its first call, which
 * the next segment drops.
 */
int		 segments_hold(struct segments *, const char *audit_id);

/*
 * Reads what is committed now, oldest first; what is appended later is not
 * seen.  The store must outlive it.
 */
struct segment_reader *segment_reader_new(const struct segments *);
/* From the first record of that segment on. */
struct segment_reader *segment_reader_from(const struct segments *,
		    uint32_t number);
/* The same, from the line on that begins there; the first of a later one. */
struct segment_reader *segment_reader_at(const struct segments *,
		    uint32_t number, uint64_t bytes);
/* Of the line that it gave last: which segment, and where in it (bytes). */
uint32_t	 segment_reader_place(const struct segment_reader *,
		    uint64_t *bytesp);
/* NULL is fine. */
void		 segment_reader_free(struct segment_reader *);
/*
 * The next line, without its newline, valid until the next call: 1; at the end
 * 0; -1 with errno.  Lines longer than RECORD_MAX are none of ours and are
 * passed over.
 */
int		 segment_reader_next(struct segment_reader *,
		    const char **linep, size_t *lenp);

#endif
