/*
 * Files written so that a crash leaves either the old or the new one, and
 * content passed between roles as sealed memory files.
 */
#ifndef HF_FILE_H
#define HF_FILE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Of who makes the file: roles may not give files away. */
#define FILE_OWN_UID	((uid_t)-1)
#define FILE_OWN_GID	((gid_t)-1)

/*
 * Installs data as name in the folder dirfd: temporary file beside it, owner,
 * mode, fsync, rename, fsync of the folder.  With keep not NULL, what was
 * there before is kept under that name (hard link made before the rename);
 * when nothing was there, no file of that name stays either.
 * 0, or -1 with errno; on failure the old file stays and no temporary one
 * (only a failing fsync of the folder, EIO, leaves the new one).  What a crash
 * left beside the file is replaced by the next call.
 */
int	 file_install(int dirfd, const char *name, const void *data, size_t len,
	    mode_t mode, uid_t uid, gid_t gid, const char *keep);

/*
 * Of a file that others edit too: may what lies there be replaced?  The two
 * change places (renameat2(2), RENAME_EXCHANGE) and what came out is looked
 * at, so that nobody writes between the look and the rename.
 */
struct file_guard {
	bool		(*ours)(int dirfd, const char *name, void *arg);
	void		*arg;
	/*
	 * Where what is not ours goes; NULL: it gets its place back, and the
	 * call fails (ESTALE).
	 */
	const char	*aside;
	bool		 met;		/* set when it went there */
};

/* file_install() over what the guard lets it replace; guard may be NULL. */
int	 file_install_over(int dirfd, const char *name, const void *data,
	    size_t len, mode_t mode, uid_t uid, gid_t gid, const char *keep,
	    struct file_guard *);

/*
 * Puts back what file_install() kept, by name: it needs no room, and asked
 * again it does the same again.  When nothing was kept, as nothing was there,
 * name is removed.  The guard may be NULL.  0, or -1 with errno.
 */
int	 file_restore(int dirfd, const char *name, const char *keep,
	    struct file_guard *);

/*
 * Reads a whole file of at most max bytes into a fresh, terminated
 * allocation.  -1 with errno (EFBIG when it is longer).
 */
int	 file_read_fd(int fd, size_t max, char **datap, size_t *lenp);
int	 file_read_at(int dirfd, const char *name, size_t max, char **datap,
	    size_t *lenp);

/* Writes all of it, through short writes and EINTR; 0 or -1 with errno. */
int	 file_write_all(int fd, const void *data, size_t len);

/* What a file or folder holds is on disk; 0 or -1 with errno. */
int	 file_sync(const char *path);

/*
 * Opens a path below dirfd with openat2: RESOLVE_BENEATH, NO_SYMLINKS,
 * NO_MAGICLINKS, O_CLOEXEC.  Descriptor, or -1 with errno.
 */
int	 file_open_beneath(int dirfd, const char *path, int flags, mode_t mode);

/*
 * 0 when path (absolute) and every folder above it belong to root and nobody
 * else may write to them; -1 with errno otherwise (EPERM, ENOENT, ...).
 * Symbolic links on the way are refused (ELOOP).
 */
int	 file_root_only(const char *path);

/* A sealed memfd (SHRINK, GROW, WRITE, SEAL) with that content, or -1. */
int	 memfd_sealed(const char *name, const void *data, size_t len);
/*
 * Maps a received memfd for reading; refuses one whose seals are missing.
 * Unmap with munmap(*datap, *lenp).  0 or -1 with errno.  An empty one gives
 * *datap NULL.
 */
int	 memfd_map(int fd, size_t max, void **datap, size_t *lenp);

#endif
