/*
 * Room that is kept on a disk: see reserve.h.
 */
#include "lib/reserve.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <fcntl.h>
#include <unistd.h>

#define LEAST ((uint64_t)64 * 1024)
#define PART 64 /* of the disk */

void
reserve_close(struct reserve *r)
{
	if (r->fd != -1)
		close(r->fd);
	r->fd = -1;
}

/*
 * One that came from a copy may be as long and take no space.  Where it cannot
 * be kept as it was, it is begun anew.
 */
void
reserve_open(struct reserve *r, int dirfd)
{
	struct stat st;

	r->dirfd = dirfd;
	r->size = 0;
	r->fd = openat(dirfd, RESERVE_FILE,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd == -1)
		return;
	if (fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (st.st_size > 0 && fallocate(r->fd, 0, 0, st.st_size) == 0)
			r->size = (uint64_t)st.st_size;
		else if (ftruncate(r->fd, 0) == -1)
			reserve_close(r);
	} else
		reserve_close(r);
}

uint64_t
reserve_free(const struct reserve *r)
{
	struct statfs fs;

	if (fstatfs(r->dirfd, &fs) == -1)
		return 0;
	return (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
}

uint64_t
reserve_disk(const struct reserve *r)
{
	struct statfs fs;

	if (fstatfs(r->dirfd, &fs) == -1)
		return 0;
	return (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
}

uint64_t
reserve_share(const struct reserve *r, uint64_t most)
{
	uint64_t share = reserve_disk(r) / PART;

	if (share < LEAST)
		return LEAST;
	return share < most ? share : most;
}

static bool
shorten(struct reserve *r, uint64_t size)
{
	if (ftruncate(r->fd, (off_t)size) == -1)
		return false;
	r->size = size;
	return true;
}

bool
reserve_keep(struct reserve *r, uint64_t size)
{
	uint64_t most;

	if (r->fd == -1)
		return size == 0;
	if (size <= r->size)
		return size == r->size || shorten(r, size);
	most = r->size + reserve_free(r) / 2;
	if (size > most)
		size = most;
	if (size <= r->size)
		return true;
	if (fallocate(r->fd, 0, 0, (off_t)size) == -1) {
		(void)shorten(r, r->size); /* what it got of it */
		return false;
	}
	r->size = size;
	return true;
}

bool
reserve_draw(struct reserve *r, uint64_t step, uint64_t floor)
{
	if (r->fd == -1 || r->size <= floor || reserve_free(r) >= step)
		return false;
	if (step > r->size - floor)
		step = r->size - floor;
	return shorten(r, r->size - step);
}
