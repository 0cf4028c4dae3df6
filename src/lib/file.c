/*
 * Files that a crash leaves whole, old or new, and sealed memory files.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"

/* Not in Debian 12's headers (Linux 6.3). */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* How often openat2 is asked again when the tree moves under it. */
#define BENEATH_TRIES 16

#define READ_FIRST 4096

int
file_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
file_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

static bool
is_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/*
 * The temporary name beside a file.  Always the same, so that what a crash
 * left is replaced by the next installation instead of piling up.
 */
static int
temporary_name(char out[NAME_MAX + 1], const char *name)
{
	int n;

	n = snprintf(out, NAME_MAX + 1, ".%s.holdfast-new", name);
	if (n < 0 || n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static int
write_temporary(int dir, const char *name, const void *data, size_t len,
    mode_t mode, uid_t uid, gid_t gid)
{
	int fd, error;

	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	/* The mode last: before, the owner may be the wrong one. */
	if (file_write_all(fd, data, len) == -1 ||
	    ((uid != FILE_OWN_UID || gid != FILE_OWN_GID) &&
		fchown(fd, uid, gid) == -1) ||
	    fchmod(fd, mode) == -1 || fsync(fd) == -1)
		goto fail;
	if (close(fd) == 0)
		return 0;
	fd = -1;
fail:
	error = errno;
	if (fd != -1)
		close(fd);
	unlinkat(dir, name, 0);
	errno = error;
	return -1;
}

/* Is name that very file? */
static bool
is_same(int dir, const char *name, const struct stat *file)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/*
 * What came out under the temporary name is somebody else's and gets its place
 * back; so does what replaced ours there meanwhile, which is newer.
 */
static int
give_way(
    int dir, const char *temporary, const char *name, const struct stat *ours)
{
	if (renameat2(dir, temporary, dir, name, RENAME_EXCHANGE) == -1)
		renameat(dir, temporary, dir, name);
	else if (!is_same(dir, temporary, ours))
		renameat2(dir, temporary, dir, name, RENAME_EXCHANGE);
	errno = ESTALE;
	return -1;
}

/* Where the file system cannot exchange two names. */
static int
look_and_rename(
    int dir, const char *temporary, const char *name, struct file_guard *guard)
{
	if (guard->ours(dir, name, guard->arg))
		return renameat(dir, temporary, dir, name);
	if (guard->aside == NULL) {
		errno = ESTALE;
		return -1;
	}
	if (renameat(dir, name, dir, guard->aside) == -1)
		return -1;
	guard->met = true;
	return renameat(dir, temporary, dir, name);
}

/* The temporary file gets the name; what had it is looked at afterwards. */
static int
put_in_place(
    int dir, const char *temporary, const char *name, struct file_guard *guard)
{
	struct stat ours;

	if (guard == NULL)
		return renameat(dir, temporary, dir, name);
	if (fstatat(dir, temporary, &ours, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (renameat2(dir, temporary, dir, name, RENAME_EXCHANGE) == -1) {
		if (errno == EINVAL)
			return look_and_rename(dir, temporary, name, guard);
		return errno == ENOENT ?
		    renameat2(dir, temporary, dir, name, RENAME_NOREPLACE) :
		    -1;
	}
	if (guard->ours(dir, temporary, guard->arg))
		return unlinkat(dir, temporary, 0);
	if (guard->aside == NULL)
		return give_way(dir, temporary, name, &ours);
	guard->met = true;
	return renameat(dir, temporary, dir, guard->aside);
}

/* Makes name another one of what old stands for, or of nothing as well. */
static int
give_name(int dir, const char *old, const char *name, struct file_guard *guard)
{
	char temporary[NAME_MAX + 1];
	struct stat st;
	int r, error;

	if (temporary_name(temporary, name) == -1)
		return -1;
	if (unlinkat(dir, temporary, 0) == -1 && errno != ENOENT)
		return -1;
	/* It was done before: that is nobody else's. */
	if (guard != NULL && fstatat(dir, old, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_same(dir, name, &st))
		return 0;
	if (linkat(dir, old, dir, temporary, 0) == -1) {
		if (errno != ENOENT)
			return -1;
		return unlinkat(dir, name, 0) == -1 && errno != ENOENT ? -1 : 0;
	}
	r = put_in_place(dir, temporary, name, guard);
	error = errno;
	/* rename() does nothing when both are the same file already. */
	unlinkat(dir, temporary, 0);
	errno = error;
	return r;
}

int
file_install(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, uid_t uid, gid_t gid, const char *keep)
{
	return file_install_over(
	    dirfd, name, data, len, mode, uid, gid, keep, NULL);
}

int
file_install_over(int dirfd, const char *name, const void *data, size_t len,
    mode_t mode, uid_t uid, gid_t gid, const char *keep,
    struct file_guard *guard)
{
	char temporary[NAME_MAX + 1];
	int dir, error, r = -1;

	if (!is_name(name) ||
	    (keep != NULL && (!is_name(keep) || strcmp(keep, name) == 0))) {
		errno = EINVAL;
		return -1;
	}
	if (temporary_name(temporary, name) == -1)
		return -1;
	/* dirfd may be O_PATH, which fsync() does not take. */
	dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	if (write_temporary(dir, temporary, data, len, mode, uid, gid) == -1)
		goto out;
	if ((keep != NULL && give_name(dir, name, keep, NULL) == -1) ||
	    put_in_place(dir, temporary, name, guard) == -1) {
		error = errno;
		unlinkat(dir, temporary, 0);
		errno = error;
		goto out;
	}
	r = fsync(dir);
out:
	error = errno;
	close(dir);
	errno = error;
	return r;
}

int
file_restore(
    int dirfd, const char *name, const char *keep, struct file_guard *guard)
{
	int dir, error, r = -1;

	if (!is_name(name) || !is_name(keep) || strcmp(keep, name) == 0) {
		errno = EINVAL;
		return -1;
	}
	dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	if (give_name(dir, keep, name, guard) == 0)
		r = fsync(dir);
	error = errno;
	close(dir);
	errno = error;
	return r;
}

/* A larger block with the same content; the old one may hold a secret. */
static char *
enlarge(char *old, size_t len, size_t size)
{
	char *data = xmalloc(size + 1);

	if (len > 0)
		memcpy(data, old, len);
	freezero(old, len);
	return data;
}

int
file_read_fd(int fd, size_t max, char **datap, size_t *lenp)
{
	struct stat st;
	size_t size = READ_FIRST, len = 0;
	bool seekable;
	char *data;
	ssize_t n;
	int error;

	*datap = NULL;
	*lenp = 0;
	if (fstat(fd, &st) == -1)
		return -1;
	seekable = S_ISREG(st.st_mode);
	/* A byte more than there is, to see the end without growing. */
	if (seekable && st.st_size > 0 && (uintmax_t)st.st_size < SIZE_MAX / 2)
		size = (size_t)st.st_size + 1;
	if (max >= SIZE_MAX / 4) {
		errno = EINVAL;
		return -1;
	}
	if (size > max + 1)
		size = max + 1;
	data = xmalloc(size + 1);
	for (;;) {
		if (len == size) {
			data = enlarge(
			    data, len, size * 2 > max + 1 ? max + 1 : size * 2);
			size = size * 2 > max + 1 ? max + 1 : size * 2;
		}
		if (seekable)
			n = pread(fd, data + len, size - len, (off_t)len);
		else
			n = read(fd, data + len, size - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (len > max) {
			n = -1;
			errno = EFBIG;
			break;
		}
	}
	if (n == -1) {
		error = errno;
		freezero(data, len);
		errno = error;
		return -1;
	}
	data[len] = '\0';
	*datap = data;
	*lenp = len;
	return 0;
}

int
file_read_at(
    int dirfd, const char *name, size_t max, char **datap, size_t *lenp)
{
	int fd, r, error;

	*datap = NULL;
	*lenp = 0;
	/* Not blocking: the name may be that of a pipe without a writer. */
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return -1;
	r = file_read_fd(fd, max, datap, lenp);
	error = errno;
	close(fd);
	errno = error;
	return r;
}

int
file_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = { .flags =
				    (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS };
	int i, fd = -1;

	/* Another mode than 0 is an error when nothing can be made. */
	if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode;
	for (i = 0; i < BENEATH_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd != -1 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* Whether only root can change what fd (O_PATH) stands for. */
static int
root_only(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
file_root_only(const char *path)
{
	char *copy, *next, *name;
	int fd, step, error, r = -1;

	if (path[0] != '/') {
		errno = EINVAL;
		return -1;
	}
	copy = next = xstrdup(path);
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd != -1 && root_only(fd) == 0) {
		do
			name = strsep(&next, "/");
		while (
		    name != NULL && (*name == '\0' || strcmp(name, ".") == 0));
		if (name == NULL) {
			r = 0;
			break;
		}
		/* ".." leads where what was checked does not stand above. */
		if (strcmp(name, "..") == 0) {
			errno = EINVAL;
			break;
		}
		step = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
		close(fd);
		errno = error;
		fd = step;
	}
	error = errno;
	if (fd != -1)
		close(fd);
	free(copy);
	errno = error;
	return r;
}

int
memfd_sealed(const char *name, const void *data, size_t len)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, error;

	fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	if (fd == -1 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd == -1)
		return -1;
	if (file_write_all(fd, data, len) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
memfd_map(int fd, size_t max, void **datap, size_t *lenp)
{
	struct stat st;
	void *data;
	int seals;

	*datap = NULL;
	*lenp = 0;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals == -1 || (seals & SEALS) != SEALS) {
		errno = EPERM;
		return -1;
	}
	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
		errno = EFBIG;
		return -1;
	}
	if (st.st_size == 0)
		return 0;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -1;
	*datap = data;
	*lenp = (size_t)st.st_size;
	return 0;
}
