/*
 * Reports of exports on disk: see export_files.h.
 */
#include "audit/export_files.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USER_MAX 64

/* One name, of no other folder. */
static bool
name_sound(const char *name)
{
	return *name != '\0' && *name != '.' && strchr(name, '/') == NULL;
}

/* One name, so that O_NOFOLLOW is all that keeps it beneath. */
static int
open_folder(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
make_folder(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) == -1 && errno != EEXIST)
		return -1;
	return open_folder(dirfd, name);
}

static void
close_quietly(int fd)
{
	int error = errno;

	if (fd != -1)
		close(fd);
	errno = error;
}

int
export_folder(int dirfd, const char *user)
{
	int reports, fd;

	if (!name_sound(user) || strlen(user) >= USER_MAX) {
		errno = EINVAL;
		return -1;
	}
	if ((reports = make_folder(dirfd, EXPORT_FOLDER)) == -1)
		return -1;
	fd = make_folder(reports, user);
	close_quietly(reports);
	return fd;
}

int
export_open(int dirfd, const char *user, const char *name)
{
	int reports, folder, fd = -1;

	if (!name_sound(user) || !name_sound(name)) {
		errno = ENOENT;
		return -1;
	}
	if ((reports = open_folder(dirfd, EXPORT_FOLDER)) == -1)
		return -1;
	folder = open_folder(reports, user);
	if (folder != -1)
		fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	close_quietly(folder);
	close_quietly(reports);
	return fd;
}

/* --- What goes -------------------------------------------------------------- */

typedef void file_seen(
    int folder, const char *name, const struct stat *, void *arg);

/* Each plain file; 0 or -1 with errno. */
static int
each_file(int folder, file_seen *seen, void *arg)
{
	int fd = open_folder(folder, ".");
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat st;

	if (dir == NULL) {
		close_quietly(fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL)
		if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    S_ISREG(st.st_mode))
			seen(folder, entry->d_name, &st, arg);
	closedir(dir);
	return 0;
}

struct oldest {
	unsigned int count;
	struct timespec when;
	char name[NAME_MAX + 1];
};

static void
see_oldest(int folder, const char *name, const struct stat *st, void *arg)
{
	struct oldest *o = arg;

	(void)folder;
	if (o->count++ > 0 &&
	    (st->st_mtim.tv_sec > o->when.tv_sec ||
		(st->st_mtim.tv_sec == o->when.tv_sec &&
		    st->st_mtim.tv_nsec >= o->when.tv_nsec)))
		return;
	o->when = st->st_mtim;
	(void)snprintf(o->name, sizeof(o->name), "%s", name);
}

void
export_limit(int folder)
{
	struct oldest o;

	do {
		memset(&o, 0, sizeof(o));
		if (each_file(folder, see_oldest, &o) == -1 ||
		    o.count <= EXPORT_FILES_MAX)
			return;
	} while (unlinkat(folder, o.name, 0) == 0);
}

static void
expire_file(int folder, const char *name, const struct stat *st, void *arg)
{
	const int64_t *before = arg;

	if (st->st_mtime < *before)
		(void)unlinkat(folder, name, 0);
}

int
export_expire(int dirfd, int64_t before)
{
	int reports = open_folder(dirfd, EXPORT_FOLDER), folder, rc = 0;
	struct dirent *entry;
	DIR *dir;

	if (reports == -1)
		return errno == ENOENT ? 0 : -1;
	if ((dir = fdopendir(reports)) == NULL) {
		close_quietly(reports);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!name_sound(entry->d_name))
			continue;
		folder = open_folder(reports, entry->d_name);
		if (folder == -1 ||
		    each_file(folder, expire_file, &before) == -1)
			rc = -1;
		close_quietly(folder);
	}
	closedir(dir);
	return rc;
}
