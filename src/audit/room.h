/*
 * The file that records are written to, with room ahead of them: zeros that
 * are on disk already.  A file that does not grow is synced without what the
 * file system keeps about its size, which takes several times as long as the
 * bytes alone.
 *
 * No record has a NUL byte.  After a power failure some may lie within the
 * batch that was being written and never acknowledged; what lies behind them
 * is kept, since they might as well be damage to what was.
 */
#ifndef HF_AUDIT_ROOM_H
#define HF_AUDIT_ROOM_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Where the whole lines of a file of that size end, or -1 with errno.  *tornp:
 * how many bytes of a line that is not whole follow; then comes the room.
 */
off_t	 room_lines(int fd, off_t size, size_t *tornp);

/*
 * Writes at that place.  Where the file then ends there (*endp says where its
 * room ends), new room is made behind it, if the disk has enough.  0 or -1
 * with errno; nothing is synced.
 */
int	 room_write(int fd, off_t at, const void *data, size_t len,
	    off_t *endp);

/* Gives back what follows that place, durably.  0 or -1 with errno. */
int	 room_end(int fd, off_t at, off_t *endp);

#endif
