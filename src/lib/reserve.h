/*
 * Room on a disk that is kept for what must go on when the disk is full: a
 * file without content that takes up space, and is made shorter when that is
 * needed.
 */
#ifndef HF_RESERVE_H
#define HF_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#define RESERVE_FILE	"reserve"

struct reserve {
	int		dirfd;	/* borrowed */
	int		fd;	/* -1: it cannot be made */
	uint64_t	size;	/* bytes */
};

/* Takes up what there is of it in that folder. */
void	 reserve_open(struct reserve *, int dirfd);
/* The space stays kept. */
void	 reserve_close(struct reserve *);

/* Bytes that are free beside it for who is not root, and all there are. */
uint64_t reserve_free(const struct reserve *);
uint64_t reserve_disk(const struct reserve *);

/*
 * A small part of the disk, between 64 KiB and most: what is worth keeping of
 * it where nobody says how much.
 */
uint64_t reserve_share(const struct reserve *, uint64_t most);

/*
 * Makes it that large, but leaves others half of what is free.  false: the file
 * system cannot keep space, or refuses.
 */
bool	 reserve_keep(struct reserve *, uint64_t size);
/*
 * Sees to it that so much is free, by giving back so much at most, down to
 * floor.  true: it had to.
 */
bool	 reserve_draw(struct reserve *, uint64_t step, uint64_t floor);

#endif
