/*
 * What is done in a home as its user: a tree of files copied into it, or taken
 * out of it again.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "monitor/home.h"

/* What is larger is moved by who knows how long it may take. */
#define COPY_ENTRIES 20000
#define COPY_BYTES ((uint64_t)1024 * 1024 * 1024)
#define DEPTH_MAX 64
#define NOTE_MAX 512

struct walk {
	uint64_t entries, bytes;
	unsigned int depth;
	char *why;
	size_t size;
};

int
home_fail(char *why, size_t size, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return error;
}

static int
failed(const struct walk *w, const char *name)
{
	int error = errno;

	return home_fail(
	    w->why, w->size, error, "%s: %s", name, strerror(error));
}

static int
count(struct walk *w, uint64_t bytes)
{
	w->entries++;
	w->bytes += bytes;
	if (w->entries <= COPY_ENTRIES && w->bytes <= COPY_BYTES)
		return 0;
	return home_fail(w->why, w->size, EFBIG,
	    "there is more to copy than %d files or %llu MiB", COPY_ENTRIES,
	    (unsigned long long)(COPY_BYTES / 1024 / 1024));
}

/* The entries of a folder, one after the other, by fn. */
static int
each(int folder, struct walk *w,
    int (*fn)(int folder, const char *name, struct walk *, void *), void *arg)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		rc = failed(w, ".");
		if (fd != -1)
			close(fd);
		return rc;
	}
	if (++w->depth > DEPTH_MAX)
		rc = home_fail(w->why, w->size, ELOOP, "too many folders");
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			rc = fn(dirfd(dir), entry->d_name, w, arg);
	if (rc == 0 && errno != 0)
		rc = failed(w, ".");
	w->depth--;
	closedir(dir);
	return rc;
}

/* --- Copying -------------------------------------------------------------- */

static int
copy_content(int from, int to, struct walk *w, const char *name)
{
	char data[65536];
	ssize_t n;
	int rc;

	while ((n = read(from, data, sizeof(data))) != 0) {
		if (n == -1)
			return failed(w, name);
		/* It may grow while we read. */
		if ((rc = count(w, (uint64_t)n)) != 0)
			return rc;
		w->entries--;
		if (file_write_all(to, data, (size_t)n) == -1)
			return failed(w, name);
	}
	return 0;
}

static int
copy_file(int from, int to, const char *name, struct walk *w)
{
	struct timespec times[2];
	struct stat st = { 0 };
	int in, out = -1, rc;

	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in == -1 || fstat(in, &st) == -1 ||
	    (out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		 0600)) == -1)
		rc = failed(w, name);
	else
		rc = copy_content(in, out, w, name);
	if (rc == 0) {
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		if (fchmod(out, st.st_mode & 0777) == -1 ||
		    futimens(out, times) == -1)
			rc = failed(w, name);
	}
	if (in != -1)
		close(in);
	if (out != -1)
		close(out);
	return rc;
}

static int
copy_link(int from, int to, const char *name, struct walk *w)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target));

	if (n == -1 || (size_t)n == sizeof(target))
		return failed(w, name);
	target[n] = '\0';
	return symlinkat(target, to, name) == -1 ? failed(w, name) : 0;
}

static int copy_entry(int, const char *, struct walk *, void *);

static int
copy_folder(int from, int to, const char *name, mode_t mode, struct walk *w)
{
	int in, out = -1, rc;

	in =
	    openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in == -1 || mkdirat(to, name, 0700) == -1 ||
	    (out = openat(to, name,
		 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1)
		rc = failed(w, name);
	else
		rc = each(in, w, copy_entry, &out);
	if (rc == 0 && fchmod(out, mode & 0777) == -1)
		rc = failed(w, name);
	if (in != -1)
		close(in);
	if (out != -1)
		close(out);
	return rc;
}

static int
copy_entry(int from, const char *name, struct walk *w, void *arg)
{
	const int *to = arg;
	struct stat st;
	int rc;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return failed(w, name);
	if ((rc = count(w, 0)) != 0)
		return rc;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(from, *to, name, w);
	case S_IFDIR:
		return copy_folder(from, *to, name, st.st_mode, w);
	case S_IFLNK:
		return copy_link(from, *to, name, w);
	default:
		return 0;
	}
}

int
home_copy(int from, int to, char *why, size_t size)
{
	struct walk w = { .why = why, .size = size };

	return each(from, &w, copy_entry, &to);
}

/* --- Taking away ---------------------------------------------------------- */

static int
remove_entry(int folder, const char *name, struct walk *w, void *arg)
{
	int fd, rc;

	(void)arg;
	if (unlinkat(folder, name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return failed(w, name);
	fd = openat(
	    folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return failed(w, name);
	rc = each(fd, w, remove_entry, NULL);
	close(fd);
	if (rc == 0 && unlinkat(folder, name, AT_REMOVEDIR) == -1)
		rc = failed(w, name);
	return rc;
}

int
home_empty(int folder, char *why, size_t size)
{
	struct walk w = { .why = why, .size = size };

	return each(folder, &w, remove_entry, NULL);
}

/* --- As the user ---------------------------------------------------------- */

/* What the child says: the errno, then the line. */
struct note {
	int error;
	char why[NOTE_MAX];
};

/* For ever: all three ids; without root among them no capability is left. */
static int
become(const struct home *home, pid_t parent)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(home->gid, home->gid, home->gid) == -1 ||
	    setresuid(home->uid, home->uid, home->uid) == -1)
		return -1;
	/* The kernel forgot it with the change of user. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		return -1;
	if (getppid() != parent) {
		errno = ESRCH;
		return -1;
	}
	umask(077);
	return 0;
}

static void __attribute__((noreturn)) user_main(const struct home *home,
    int (*fn)(void *, char *, size_t), void *arg, int to, pid_t parent)
{
	struct note note = { 0 };

	if (become(home, parent) == -1)
		note.error = home_fail(note.why, sizeof(note.why), errno,
		    "becoming its user: %s", strerror(errno));
	else
		note.error = fn(arg, note.why, sizeof(note.why));
	_exit(file_write_all(to, &note, sizeof(note)) == -1);
}

/* As one write, which a pipe does not split. */
static int
read_note(int from, struct note *note)
{
	ssize_t n;

	do
		n = read(from, note, sizeof(*note));
	while (n == -1 && errno == EINTR);
	if (n != sizeof(*note))
		return -1;
	note->why[sizeof(note->why) - 1] = '\0';
	return 0;
}

int
home_as_user(const struct home *home, int (*fn)(void *, char *, size_t),
    void *arg, char *why, size_t size)
{
	struct note note;
	pid_t pid, parent = getpid();
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		return home_fail(why, size, errno, "starting a process: %s",
		    strerror(errno));
	if (pid == 0)
		user_main(home, fn, arg, fds[1], parent);
	close(fds[1]);
	rc = read_note(fds[0], &note);
	close(fds[0]);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	if (rc == -1)
		return home_fail(why, size, EIO, "its user's process ended");
	return home_fail(why, size, note.error, "%s", note.why);
}
