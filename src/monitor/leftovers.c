/*
 * Ends processes of this instance by pid: at start those that an earlier run
 * left in its namespace, at stop whatever is still in ours, and those of one
 * user.
 */
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/file.h"
#include "lib/paths.h"
#include "lib/xalloc.h"
#include "monitor/instance.h"
#include "monitor/leftovers.h"

#define TERM_SECONDS 2
#define KILL_SECONDS 2
#define STATUS_MAX 65536
#define ROUNDS 8 /* against what forks while we look */

struct process {
	int pidfd;
	struct namespace_id namespace;
	bool ours;
};

struct processes {
	struct process *list;
	size_t n, size;
};

/*
 * The bind mount shows the very folder, so that no other instance and no
 * reused number can be taken for it.
 */
static bool
sees_state(int proc_fd, const struct stat *state)
{
	struct stat st;

	return fstatat(proc_fd, "root" PATH_STATE, &st, AT_SYMLINK_NOFOLLOW) ==
	    0 &&
	    st.st_dev == state->st_dev && st.st_ino == state->st_ino;
}

/* Real, effective, saved or file system: proc(5), status. */
static bool
is_users(int proc_fd, uid_t uid)
{
	char *text, *line, *at, *end;
	bool found = false;
	size_t len;

	if (file_read_at(proc_fd, "status", STATUS_MAX, &text, &len) == -1)
		return false;
	line = strstr(text, "\nUid:");
	for (at = line != NULL ? line + 5 : text; *at == '\t'; at = end)
		if (strtoul(at, &end, 10) == uid)
			found = true;
	free(text);
	return found;
}

/* Which ones are wanted: those that see the folder, or those of a user. */
struct wanted {
	const struct stat *state;
	uid_t uid;
};

static bool
is_wanted(int proc_fd, const struct wanted *wanted)
{
	if (wanted->state != NULL)
		return sees_state(proc_fd, wanted->state);
	return is_users(proc_fd, wanted->uid);
}

static void
look_at(struct processes *all, int proc, const char *name,
    const struct wanted *wanted)
{
	struct process process = { .pidfd = -1 };
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	int fd;

	if (pid <= 1 || pid == getpid())
		return;
	fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	/*
	 * The folder opened first belongs to one process for ever: if it can
	 * still be read after pidfd_open, that is the process we hold.
	 */
	process.pidfd = pidfd_open(pid, 0);
	if (process.pidfd == -1 ||
	    instance_namespace(fd, &process.namespace) == -1) {
		if (process.pidfd != -1)
			close(process.pidfd);
		close(fd);
		return;
	}
	process.ours = is_wanted(fd, wanted);
	close(fd);
	if (all->n == all->size) {
		all->size = all->size == 0 ? 256 : all->size * 2;
		all->list =
		    xreallocarray(all->list, all->size, sizeof(all->list[0]));
	}
	all->list[all->n++] = process;
}

static bool
same_namespace(const struct process *a, const struct process *b)
{
	return a->namespace.device == b->namespace.device &&
	    a->namespace.inode == b->namespace.inode;
}

static void
processes_free(struct processes *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		close(all->list[i].pidfd);
	free(all->list);
	memset(all, 0, sizeof(*all));
}

/* A chrooted process (sshd's) does not see the folder, only shares. */
static void
add_sharing(struct processes *all)
{
	size_t i, k;

	for (i = 0; i < all->n; i++)
		for (k = 0; !all->list[i].ours && k < all->n; k++)
			if (all->list[k].ours &&
			    same_namespace(&all->list[i], &all->list[k]))
				all->list[i].ours = true;
}

/* The same user may be somebody else outside of this instance. */
static int
drop_foreign(struct processes *all)
{
	struct process self = { .pidfd = -1 };
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	size_t i;

	rc = fd != -1 ? instance_namespace(fd, &self.namespace) : -1;
	if (fd != -1)
		close(fd);
	for (i = 0; i < all->n; i++)
		if (rc == -1 || !same_namespace(&all->list[i], &self))
			all->list[i].ours = false;
	return rc;
}

static void
keep_ours(struct processes *all)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++) {
		if (all->list[i].ours)
			all->list[n++] = all->list[i];
		else
			close(all->list[i].pidfd);
	}
	all->n = n;
}

static int
find(const struct wanted *wanted, struct processes *all)
{
	struct dirent *entry;
	DIR *dir;
	int rc = 0;

	memset(all, 0, sizeof(*all));
	if ((dir = opendir("/proc")) == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			look_at(all, dirfd(dir), entry->d_name, wanted);
	closedir(dir);
	if (wanted->state != NULL)
		add_sharing(all);
	else
		rc = drop_foreign(all);
	keep_ours(all);
	return rc;
}

/* Signals them and waits; zombies of ours are reaped on the way. */
static void
signal_all(struct processes *all, int number, int seconds)
{
	struct pollfd poller = { .events = POLLIN };
	int64_t end = boottime_ms() + seconds * 1000, left;
	size_t i;

	for (i = 0; i < all->n; i++)
		pidfd_send_signal(all->list[i].pidfd, number, NULL, 0);
	for (i = 0; i < all->n; i++) {
		poller.fd = all->list[i].pidfd;
		left = end - boottime_ms();
		poll(&poller, 1, left > 0 ? (int)left : 0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* How many there were in the first round, or -1. */
static int
end_all(const struct wanted *wanted)
{
	struct processes all;
	int ended = 0, round;

	for (round = 0; round < ROUNDS; round++) {
		if (find(wanted, &all) == -1) {
			processes_free(&all);
			return -1;
		}
		if (all.n == 0) {
			processes_free(&all);
			return ended;
		}
		if (round == 0) {
			ended = (int)all.n;
			signal_all(&all, SIGTERM, TERM_SECONDS);
		} else {
			signal_all(&all, SIGKILL, KILL_SECONDS);
		}
		processes_free(&all);
	}
	errno = EBUSY;
	return -1;
}

int
leftovers_end(int state_fd)
{
	struct wanted wanted = { 0 };
	struct stat state;

	if (fstat(state_fd, &state) == -1)
		return -1;
	wanted.state = &state;
	return end_all(&wanted);
}

int
leftovers_end_user(uid_t uid)
{
	struct wanted wanted = { .uid = uid };

	return end_all(&wanted);
}
