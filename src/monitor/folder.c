/*
 * The instance's folder DIR: opened without following links, refused where
 * others may write, locked against a second monitor, and taken away again
 * when a start that made it fails.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/role.h"
#include "lib/xalloc.h"
#include "monitor/folder.h"

#define LOCK_FILE "lock"

static const struct {
	const char *name;
	enum role owner;
	mode_t mode;
	bool instance; /* needed there only */
} folders[] = {
	{ "state", ROLE_CORE, 0700, false },
	{ "audit", ROLE_AUDIT, 0700, false },
	{ "held", ROLE_MONITOR, 0700, false },
	{ "log", ROLE_MONITOR, 0700, false },
	{ "tls", ROLE_MONITOR, 0700, false },
	{ "fs", ROLE_MONITOR, 0755, true },
	{ "fs/mnt", ROLE_MONITOR, 0755, true },
};

/*
 * Only root may change what a component names: it is root's, and nobody else
 * may write to it but where the sticky bit keeps others from replacing what
 * is root's (/tmp).
 */
static int
check_component(int fd, const char *shown, bool last, char *why, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		snprintf(why, size, "%s: %s", shown, strerror(errno));
		return -1;
	}
	if (st.st_uid != 0) {
		snprintf(why, size,
		    "%s belongs to user %u: choose a folder whose parents are "
		    "all root's",
		    shown, (unsigned int)st.st_uid);
		return -1;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (last || (st.st_mode & S_ISVTX) == 0)) {
		snprintf(why, size,
		    "%s may be written by others (mode %04o): choose a folder "
		    "that only root can write",
		    shown, (unsigned int)(st.st_mode & 07777));
		return -1;
	}
	return 0;
}

/* Opens a component below fd (closed here), or makes the last one. */
static int
open_component(int fd, const char *name, bool last, bool *madep)
{
	int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, next, saved;

	flags |= last ? O_RDONLY : O_PATH;
	next = openat(fd, name, flags);
	if (next == -1 && errno == ENOENT && last && madep != NULL &&
	    mkdirat(fd, name, 0700) == 0) {
		*madep = true;
		next = openat(fd, name, flags);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return next;
}

static const char *
open_problem(int error)
{
	if (error == ELOOP || error == ENOTDIR)
		return "not a folder, or a symbolic link; name the folder "
		       "itself";
	return strerror(error);
}

/* madep NULL: it must be there. */
static int
walk(const char *path, bool *madep, char *why, size_t size)
{
	char *copy, *name, *rest;
	int fd = -1, next;
	bool last = false;

	rest = copy = xstrdup(path);
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd != -1 && !last) {
		rest += strspn(rest, "/");
		name = rest;
		rest += strcspn(rest, "/");
		last = rest[strspn(rest, "/")] == '\0';
		if (!last)
			*rest++ = '\0';
		else
			*rest = '\0';
		next = open_component(
		    fd, name[0] == '\0' ? "." : name, last, madep);
		fd = next;
		if (fd == -1) {
			snprintf(why, size, "%s: \"%s\": %s", path, name,
			    open_problem(errno));
		} else if (check_component(fd, name[0] == '\0' ? "/" : name,
			       last, why, size) == -1) {
			close(fd);
			fd = -1;
		}
	}
	free(copy);
	return fd;
}

/*
 * A folder of somebody else's (a mistyped /etc) must not become an instance:
 * an existing one is empty, or shows that it was one before.
 */
static int
check_content(int fd, bool *emptyp)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	int copy;
	bool other = false;

	*emptyp = false;
	if ((copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	if ((dir = fdopendir(copy)) == NULL) {
		close(copy);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, LOCK_FILE) != 0)
			other = true;
	closedir(dir);
	*emptyp = !other;
	if (other &&
	    (fstatat(fd, LOCK_FILE, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
		fstatat(fd, "state", &st, AT_SYMLINK_NOFOLLOW) == -1)) {
		errno = ENOTEMPTY;
		return -1;
	}
	return 0;
}

static int
lock(struct folder *folder, char *why, size_t size)
{
	const char *path = folder->path;

	folder->lock_fd = openat(folder->fd, LOCK_FILE,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (folder->lock_fd == -1) {
		snprintf(
		    why, size, "%s/" LOCK_FILE ": %s", path, strerror(errno));
		return -1;
	}
	if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		snprintf(why, size,
		    "%s is in use by another holdfastd: stop that one first, "
		    "or choose another folder",
		    path);
		return -1;
	}
	return 0;
}

/* The start changes its working folder. */
static char *
absolute(const char *path)
{
	char *cwd, *whole;

	if (path[0] == '/')
		return xstrdup(path);
	if ((cwd = getcwd(NULL, 0)) == NULL)
		return NULL;
	whole = xasprintf("%s/%s", cwd, path);
	free(cwd);
	return whole;
}

int
folder_open(const char *path, struct folder *folder, char *why, size_t size)
{
	bool made = false, empty = false;
	const char *problem;

	memset(folder, 0, sizeof(*folder));
	folder->lock_fd = -1;
	if ((folder->path = absolute(path)) == NULL) {
		snprintf(why, size, "the working folder: %s", strerror(errno));
		return -1;
	}
	if ((folder->fd = walk(folder->path, &made, why, size)) == -1)
		return -1;
	folder->made = made;
	if (check_content(folder->fd, &empty) == -1) {
		problem = strerror(errno);
		if (errno == ENOTEMPTY)
			problem = "not empty, and not an instance of Holdfast: "
				  "name a new folder";
		snprintf(why, size, "%s: %s", path, problem);
		goto fail;
	}
	if (lock(folder, why, size) == -1)
		goto fail;
	folder->created = empty;
	if (fchmod(folder->fd, 0700) == -1) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		goto fail;
	}
	return 0;
fail:
	folder->created = made;
	folder_undo(folder);
	if (folder->lock_fd != -1)
		close(folder->lock_fd);
	close(folder->fd);
	return -1;
}

int
folder_reopen(struct folder *folder, char *why, size_t size)
{
	struct stat before, now;
	int fd;

	if ((fd = walk(folder->path, NULL, why, size)) == -1)
		return -1;
	if (fstat(folder->fd, &before) == -1 || fstat(fd, &now) == -1 ||
	    before.st_dev != now.st_dev || before.st_ino != now.st_ino) {
		snprintf(why, size, "%s was replaced during the start",
		    folder->path);
		close(fd);
		return -1;
	}
	close(folder->fd);
	folder->fd = fd;
	return 0;
}

int
folder_populate(
    const struct folder *folder, bool instance, char *why, size_t size)
{
	const struct role_info *owner;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (folders[i].instance && !instance)
			continue;
		owner = role_info(folders[i].owner);
		if (mkdirat(folder->fd, folders[i].name, 0700) == -1 &&
		    errno != EEXIST)
			goto fail;
		fd = file_open_beneath(
		    folder->fd, folders[i].name, O_RDONLY | O_DIRECTORY, 0);
		if (fd == -1)
			goto fail;
		if (fchown(fd, owner->uid, owner->uid) == -1 ||
		    fchmod(fd, folders[i].mode) == -1) {
			close(fd);
			goto fail;
		}
		close(fd);
	}
	return 0;
fail:
	snprintf(why, size, "%s/%s: %s", folder->path, folders[i].name,
	    strerror(errno));
	return -1;
}

static int
remove_below(int fd, const char *name, dev_t device, int depth)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;
	int child, rc = 0;

	if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	child =
	    openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child == -1 || depth > 64)
		return -1;
	if (fstat(child, &st) == -1 || st.st_dev != device ||
	    (dir = fdopendir(child)) == NULL) {
		close(child);
		errno = EXDEV;
		return -1;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    remove_below(child, entry->d_name, device, depth + 1) == -1)
			rc = -1;
	closedir(dir);
	return rc == 0 ? unlinkat(fd, name, AT_REMOVEDIR) : -1;
}

int
folder_remove(int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	return remove_below(fd, name, st.st_dev, 0);
}

/* By its parent: an overlay may lie over its path by now. */
static void
remove_made(const struct folder *folder)
{
	char *path = xstrdup(folder->path);
	size_t len = strlen(path);
	int parent;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	parent = openat(folder->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent != -1) {
		unlinkat(parent, strrchr(path, '/') + 1, AT_REMOVEDIR);
		close(parent);
	}
	free(path);
}

void
folder_undo(const struct folder *folder)
{
	struct dirent *entry;
	DIR *dir;
	int copy;

	if (!folder->created)
		return;
	if ((copy = openat(
		 folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	if ((dir = fdopendir(copy)) == NULL) {
		close(copy);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			folder_remove(folder->fd, entry->d_name);
	closedir(dir);
	if (folder->made)
		remove_made(folder);
}
