/*
 * Homes of accounts: found component by component, made beside their place
 * and put into it whole, given SSH keys.
 */
#include "monitor/home.h"

#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"

#define SKELETON "/etc/skel"
#define KEYS_FOLDER ".ssh"
#define KEYS_FILE "authorized_keys"
#define KEYS_MAX (4 * 1024 * 1024)

#define KEYS_BEGIN                                                             \
	"# holdfast: the keys of the account, changes here are overwritten\n"
#define KEYS_END "# holdfast: end\n"

/* A home is not one of these itself. */
static const char *const places[] = { "/home/", "/mnt/", NULL };

static int
fail_at(char *why, size_t size, const char *path)
{
	int error = errno;

	return home_fail(why, size, error, "%s: %s", path, strerror(error));
}

/* --- Finding it ----------------------------------------------------------- */

static bool
is_plain(const char *path)
{
	return strstr(path, "//") == NULL && strstr(path, "/./") == NULL &&
	    strstr(path, "/../") == NULL && path[strlen(path) - 1] != '/' &&
	    strcmp(strrchr(path, '/'), "/.") != 0 &&
	    strcmp(strrchr(path, '/'), "/..") != 0;
}

static bool
is_permitted(const char *path, uid_t uid)
{
	size_t i;

	if (uid == 0)
		return strcmp(path, "/root") == 0;
	if (path[0] != '/' || strlen(path) >= PATH_MAX || !is_plain(path))
		return false;
	for (i = 0; places[i] != NULL; i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

/* May it stand above a home?  len: of the path up to it. */
static int
check_folder(
    int fd, const struct home *home, size_t len, char *why, size_t size)
{
	int shown = (int)len;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return fail_at(why, size, home->path);
	if (S_ISLNK(st.st_mode))
		return home_fail(why, size, ELOOP, "%.*s is a symbolic link",
		    shown, home->path);
	if (!S_ISDIR(st.st_mode))
		return home_fail(why, size, ENOTDIR, "%.*s is not a folder",
		    shown, home->path);
	if (st.st_uid != 0 && st.st_uid != home->uid)
		return home_fail(why, size, EPERM,
		    "%.*s belongs to another user", shown, home->path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return home_fail(why, size, EPERM, "others may write to %.*s",
		    shown, home->path);
	return 0;
}

static int
step(int *fdp, const struct home *home, const char *at, size_t len, char *why,
    size_t size)
{
	char name[NAME_MAX + 1];
	int next;

	if (len > NAME_MAX)
		return home_fail(why, size, ENAMETOOLONG,
		    "%s: a name in it is too long", home->path);
	memcpy(name, at, len);
	name[len] = '\0';
	/* A link is opened as itself, for check_folder() to name it. */
	next = openat(*fdp, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next == -1) {
		next = errno;
		return home_fail(why, size, next, "%.*s: %s",
		    (int)(at + len - home->path), home->path, strerror(next));
	}
	close(*fdp);
	*fdp = next;
	return 0;
}

/*
 * The folder of the first len characters of the path, as O_PATH in *fdp, each
 * one on the way looked at.
 */
static int
walk(const struct home *home, size_t len, int *fdp, char *why, size_t size)
{
	const char *at = home->path + 1, *end = home->path + len, *slash;
	int fd, rc = 0;

	if (!is_permitted(home->path, home->uid))
		return home_fail(
		    why, size, EINVAL, "a home is below /home or /mnt");
	fd = openat(home->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail_at(why, size, "/");
	for (; rc == 0 && at < end; at = slash + 1) {
		slash = memchr(at, '/', (size_t)(end - at));
		if (slash == NULL)
			slash = end;
		rc = step(&fd, home, at, (size_t)(slash - at), why, size);
		if (rc == 0)
			rc = check_folder(
			    fd, home, (size_t)(slash - home->path), why, size);
	}
	if (rc != 0)
		close(fd);
	else
		*fdp = fd;
	return rc;
}

static const char *
name_of(const struct home *home)
{
	return strrchr(home->path, '/') + 1;
}

/* The folder that it is in; root's, as root makes it there. */
static int
open_parent(const struct home *home, int *fdp, char *why, size_t size)
{
	size_t len = (size_t)(name_of(home) - 1 - home->path);
	struct stat st;
	int rc, fd = -1;

	if ((rc = walk(home, len, &fd, why, size)) != 0)
		return rc;
	if (fstat(fd, &st) == -1)
		rc = fail_at(why, size, home->path);
	else if (st.st_uid != 0)
		rc = home_fail(why, size, EPERM, "%.*s does not belong to root",
		    (int)len, home->path);
	if (rc == 0)
		*fdp = fd;
	else
		close(fd);
	return rc;
}

static int
open_home(const struct home *home, int *fdp, char *why, size_t size)
{
	return walk(home, strlen(home->path), fdp, why, size);
}

static bool
is_empty(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t found = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		found += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return found == 0;
}

static int
check_there(const struct home *home, char *why, size_t size)
{
	struct stat st;
	int fd, rc;

	if ((rc = open_home(home, &fd, why, size)) != 0)
		return rc;
	if (fstat(fd, &st) == -1)
		rc = fail_at(why, size, home->path);
	else if (st.st_uid != home->uid && !is_empty(fd))
		rc = home_fail(why, size, EPERM,
		    "%s does not belong to this user and is not empty",
		    home->path);
	close(fd);
	return rc;
}

/* Is there one already?  The user's own is as good as a new one. */
static int
check_new(const struct home *home, bool *therep, char *why, size_t size)
{
	struct stat st;
	int parent, rc;

	*therep = false;
	if ((rc = open_parent(home, &parent, why, size)) != 0)
		return rc;
	if (fstatat(parent, name_of(home), &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode) && st.st_uid == home->uid)
			*therep = true;
		else
			rc = home_fail(
			    why, size, EEXIST, "%s exists already", home->path);
	} else if (errno != ENOENT)
		rc = fail_at(why, size, home->path);
	close(parent);
	return rc;
}

int
home_check(const struct home *home, bool make, char *why, size_t size)
{
	bool there;

	return make ? check_new(home, &there, why, size) :
		      check_there(home, why, size);
}

int
home_check_rooted(const struct home *home, char *why, size_t size)
{
	struct home nobodys = *home;
	int fd, rc;

	nobodys.uid = (uid_t)-1; /* so all on the way has to be root's */
	if ((rc = open_parent(&nobodys, &fd, why, size)) == 0)
		close(fd);
	return rc;
}

/* --- The keys ------------------------------------------------------------- */

static void
put(FILE *out, const char *text, size_t len)
{
	if (fwrite(text, 1, len, out) != len)
		abort();
}

/* What stands before and after our part; without an end it is one line. */
static void
split(const char *old, size_t *before, const char **after)
{
	const char *begin = strstr(old, KEYS_BEGIN), *end;

	*before = begin != NULL ? (size_t)(begin - old) : strlen(old);
	*after = "";
	if (begin == NULL)
		return;
	end = strstr(begin, KEYS_END);
	*after =
	    end != NULL ? end + strlen(KEYS_END) : begin + strlen(KEYS_BEGIN);
}

char *
home_merge_keys(const char *old, const char *keys)
{
	size_t before, size = 0, len = strlen(keys);
	const char *after;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	split(old, &before, &after);
	put(out, old, before);
	if (before > 0 && old[before - 1] != '\n')
		put(out, "\n", 1);
	if (len > 0) {
		put(out, KEYS_BEGIN, strlen(KEYS_BEGIN));
		put(out, keys, len);
		if (keys[len - 1] != '\n')
			put(out, "\n", 1);
		put(out, KEYS_END, strlen(KEYS_END));
	}
	put(out, after, strlen(after));
	if (fclose(out) != 0)
		abort();
	return text;
}

/* What the user is to do in the home. */
struct work {
	int folder; /* the home */
	int skeleton; /* to be copied into it; -1: none */
	int mode; /* -1: as it is */
	const char *keys; /* NULL: as they are */
};

/* .ssh, the user's own, for nobody else; *fdp -1: there is none. */
static int
open_keys(int home, bool make, int *fdp, char *why, size_t size)
{
	struct stat st;

	if (make && mkdirat(home, KEYS_FOLDER, 0700) == -1 && errno != EEXIST)
		return fail_at(why, size, KEYS_FOLDER);
	*fdp = openat(
	    home, KEYS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fdp == -1 && errno == ENOENT && !make)
		return 0;
	if (*fdp == -1 || fstat(*fdp, &st) == -1)
		return fail_at(why, size, KEYS_FOLDER);
	if (st.st_uid != geteuid())
		return home_fail(why, size, EPERM,
		    KEYS_FOLDER " does not belong to this user");
	if ((st.st_mode & 0777) != 0700 && fchmod(*fdp, 0700) == -1)
		return fail_at(why, size, KEYS_FOLDER);
	return 0;
}

static int
read_keys(int folder, char **textp, char *why, size_t size)
{
	int fd, rc = 0;
	struct stat st;
	size_t len;

	fd = openat(folder, KEYS_FILE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT) {
		*textp = xstrdup("");
		return 0;
	}
	if (fd == -1 || fstat(fd, &st) == -1)
		rc = fail_at(why, size, KEYS_FOLDER "/" KEYS_FILE);
	else if (!S_ISREG(st.st_mode))
		rc = home_fail(why, size, EINVAL,
		    KEYS_FOLDER "/" KEYS_FILE " is not a file");
	else if (file_read_fd(fd, KEYS_MAX, textp, &len) == -1)
		rc = fail_at(why, size, KEYS_FOLDER "/" KEYS_FILE);
	if (fd != -1)
		close(fd);
	return rc;
}

static int
write_keys(int folder, const char *text, char *why, size_t size)
{
	int rc;

	if (text[0] != '\0')
		rc = file_install(folder, KEYS_FILE, text, strlen(text), 0600,
		    geteuid(), getegid(), NULL);
	else
		rc = unlinkat(folder, KEYS_FILE, 0);
	if (rc == -1 && (text[0] != '\0' || errno != ENOENT))
		return fail_at(why, size, KEYS_FOLDER "/" KEYS_FILE);
	return fsync(folder) == -1 ? fail_at(why, size, KEYS_FOLDER) : 0;
}

static int
set_keys(int home, const char *keys, char *why, size_t size)
{
	char *old = NULL, *text = NULL;
	int folder = -1, rc;

	rc = open_keys(home, keys[0] != '\0', &folder, why, size);
	if (rc == 0 && folder != -1)
		rc = read_keys(folder, &old, why, size);
	if (old != NULL) {
		text = home_merge_keys(old, keys);
		if (rc == 0 && strcmp(old, text) != 0)
			rc = write_keys(folder, text, why, size);
	}
	free(old);
	free(text);
	if (folder != -1)
		close(folder);
	return rc;
}

/* --- Making it ------------------------------------------------------------ */

static int
work_as_user(void *arg, char *why, size_t size)
{
	const struct work *w = arg;
	int fd, rc = 0;

	fd = openat(w->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail_at(why, size, "the home");
	if (w->skeleton != -1)
		rc = home_copy(w->skeleton, fd, why, size);
	if (rc == 0 && w->keys != NULL)
		rc = set_keys(fd, w->keys, why, size);
	if (rc == 0 && w->mode != -1 && fchmod(fd, (mode_t)w->mode) == -1)
		rc = fail_at(why, size, "the home");
	if (rc == 0 && w->skeleton != -1 && syncfs(fd) == -1)
		rc = fail_at(why, size, "the home");
	close(fd);
	return rc;
}

static int
empty_as_user(void *arg, char *why, size_t size)
{
	const struct work *w = arg;

	return home_empty(w->folder, why, size);
}

/* One name for each home, so that what a crash left is found again. */
static int
staged_name(
    const struct home *home, char name[NAME_MAX + 1], char *why, size_t size)
{
	if (snprintf(name, NAME_MAX + 1, ".%s.holdfast-new", name_of(home)) >
	    NAME_MAX)
		return home_fail(why, size, ENAMETOOLONG,
		    "%s: its name is too long", home->path);
	return 0;
}

/* Whose it became is in the folder itself, 0: nobody's yet. */
static int
discard(const struct home *home, int parent, const char *name, char *why,
    size_t size)
{
	struct home owner = *home;
	struct work work;
	struct stat st;
	int rc = 0;

	work.folder =
	    openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work.folder == -1)
		return errno == ENOENT ? 0 : fail_at(why, size, name);
	if (fstat(work.folder, &st) == -1)
		rc = fail_at(why, size, name);
	owner.uid = st.st_uid;
	owner.gid = st.st_gid;
	if (rc == 0 && owner.uid != 0)
		rc = home_as_user(&owner, empty_as_user, &work, why, size);
	close(work.folder);
	if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) == -1)
		rc = fail_at(why, size, name);
	return rc;
}

/* The old home, as far as it is one, else the skeleton, else nothing. */
static int
open_source(
    const struct home *home, const char *from, int *fdp, char *why, size_t size)
{
	struct home old = *home;
	int rc = ENOENT;

	*fdp = -1;
	if (from != NULL) {
		old.path = from;
		rc = open_home(&old, fdp, why, size);
	}
	if (rc == ENOENT) {
		*fdp = file_open_beneath(
		    home->root, &SKELETON[1], O_PATH | O_DIRECTORY, 0);
		rc = *fdp == -1 && errno != ENOENT ?
		    fail_at(why, size, SKELETON) :
		    0;
	}
	return rc;
}

static int
fill(const struct home *home, int parent, const char *name, struct work *work,
    char *why, size_t size)
{
	int rc;

	work->folder = -1;
	if (mkdirat(parent, name, 0700) == 0)
		work->folder = openat(parent, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work->folder == -1)
		return fail_at(why, size, home->path);
	if (fchown(work->folder, home->uid, home->gid) == -1)
		rc = fail_at(why, size, home->path);
	else
		rc = home_as_user(home, work_as_user, work, why, size);
	close(work->folder);
	return rc;
}

int
home_stage(const struct home *home, mode_t mode, const char *from,
    const char *keys, char *why, size_t size)
{
	struct work work = { .mode = (int)(mode & 0777), .keys = keys };
	char name[NAME_MAX + 1], ignored[256];
	bool there;
	int parent, rc;

	if ((rc = check_new(home, &there, why, size)) != 0)
		return rc;
	if (there)
		return home_update(
		    home, -1, keys[0] != '\0' ? keys : NULL, why, size);
	if ((rc = staged_name(home, name, why, size)) != 0 ||
	    (rc = open_parent(home, &parent, why, size)) != 0)
		return rc;
	rc = discard(home, parent, name, why, size);
	if (rc == 0)
		rc = open_source(home, from, &work.skeleton, why, size);
	if (rc == 0) {
		rc = fill(home, parent, name, &work, why, size);
		if (rc != 0)
			discard(home, parent, name, ignored, sizeof(ignored));
	}
	if (rc == 0 && work.skeleton != -1)
		close(work.skeleton);
	close(parent);
	return rc;
}

/* O_PATH takes no fsync(). */
static int
sync_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
home_settle(const struct home *home, bool use, char *why, size_t size)
{
	char name[NAME_MAX + 1];
	int parent, rc;

	if ((rc = staged_name(home, name, why, size)) != 0)
		return rc;
	rc = open_parent(home, &parent, why, size);
	if (rc == ENOENT && !use)
		return 0;
	if (rc != 0)
		return rc;
	if (!use)
		rc = discard(home, parent, name, why, size);
	else if (renameat2(parent, name, parent, name_of(home),
		     RENAME_NOREPLACE) == -1 &&
	    errno != ENOENT)
		rc = fail_at(why, size, home->path);
	if (rc == 0 && sync_folder(parent) == -1)
		rc = fail_at(why, size, home->path);
	close(parent);
	return rc;
}

/* --- Changing it ---------------------------------------------------------- */

/* An empty folder of root's becomes the user's. */
static int
give(const struct home *home, int folder, char *why, size_t size)
{
	struct stat st;
	int fd, rc = 0;

	if (fstat(folder, &st) == -1)
		return fail_at(why, size, home->path);
	if (st.st_uid == home->uid)
		return 0;
	if (!is_empty(folder))
		return home_fail(why, size, EPERM,
		    "%s does not belong to this user and is not empty",
		    home->path);
	fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fchown(fd, home->uid, home->gid) == -1)
		rc = fail_at(why, size, home->path);
	if (fd != -1)
		close(fd);
	return rc;
}

int
home_update(
    const struct home *home, int mode, const char *keys, char *why, size_t size)
{
	struct work work = { .skeleton = -1, .mode = mode, .keys = keys };
	int rc;

	rc = open_home(home, &work.folder, why, size);
	if (rc == ENOENT && mode == -1 && (keys == NULL || keys[0] == '\0'))
		return 0; /* nothing to be taken away */
	if (rc != 0)
		return rc;
	rc = give(home, work.folder, why, size);
	if (rc == 0)
		rc = home_as_user(home, work_as_user, &work, why, size);
	close(work.folder);
	return rc;
}
