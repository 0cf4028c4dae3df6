/*
 * Room ahead of what is written: see room.h.
 */
#include "audit/room.h"

#include <sys/vfs.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

#define READ_SIZE ((size_t)128 * 1024)
#define ROOM_SIZE ((size_t)256 * 1024) /* some 400 records */
#define DISK_LEAST ((uint64_t)64 * 1024 * 1024) /* else there is no room */

/* All of it or, with errno, -1: a file that ends earlier was changed. */
static int
read_all(int fd, char *data, size_t len, off_t at)
{
	ssize_t got;

	while (len > 0) {
		got = pread(fd, data, len, at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		data += got;
		len -= (size_t)got;
		at += got;
	}
	return 0;
}

/* Behind the last byte before that place that is wanted, or -1; 0: none is. */
static off_t
find_back(int fd, off_t size, bool newline, char *buffer)
{
	size_t len, i;

	for (; size > 0; size -= (off_t)len) {
		len = size > (off_t)READ_SIZE ? READ_SIZE : (size_t)size;
		if (read_all(fd, buffer, len, size - (off_t)len) == -1)
			return -1;
		for (i = len; i > 0; i--)
			if (newline ? buffer[i - 1] == '\n' :
				      buffer[i - 1] != '\0')
				return size - (off_t)(len - i);
	}
	return 0;
}

off_t
room_lines(int fd, off_t size, size_t *tornp)
{
	char *buffer = xmalloc(READ_SIZE);
	off_t text, lines = -1;

	*tornp = 0;
	if ((text = find_back(fd, size, false, buffer)) != -1 &&
	    (lines = find_back(fd, text, true, buffer)) != -1)
		*tornp = (size_t)(text - lines);
	free(buffer);
	return lines;
}

static int
write_all(int fd, const char *data, size_t len, off_t at)
{
	ssize_t done;

	while (len > 0) {
		done = pwrite(fd, data, len, at);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return -1;
		data += done;
		len -= (size_t)done;
		at += done;
	}
	return 0;
}

static bool
disk_has_room(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >= DISK_LEAST;
}

int
room_write(int fd, off_t at, const void *data, size_t len, off_t *endp)
{
	static const char zeros[ROOM_SIZE];
	off_t end = at + (off_t)len;

	if (write_all(fd, data, len, at) == -1)
		return -1;
	if (end < *endp)
		return 0;
	*endp = end;
	if (!disk_has_room(fd))
		return 0;
	if (write_all(fd, zeros, sizeof(zeros), end) == 0)
		*endp = end + (off_t)sizeof(zeros);
	else if (ftruncate(fd, end) == -1)
		return -1;
	return 0;
}

int
room_end(int fd, off_t at, off_t *endp)
{
	if (ftruncate(fd, at) == -1 || fdatasync(fd) == -1)
		return -1;
	*endp = at;
	return 0;
}
