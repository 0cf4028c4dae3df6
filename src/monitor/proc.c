/*
 * What /proc says of processes: see proc.h.
 */
#include "monitor/proc.h"

#include <sys/pidfd.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/file.h"
#include "lib/xalloc.h"

#define TERM_MS 2000
#define KILL_MS 2000
#define ROUNDS 8 /* against what forks while we look */
#define FILE_MAX 4096

static uint32_t
read_number(int fd, const char *name)
{
	unsigned long value;
	char *text = NULL, *end;
	size_t len;

	if (file_read_at(fd, name, 64, &text, &len) == -1)
		return PROC_NONE;
	value = strtoul(text, &end, 10);
	if (end == text || value > PROC_NONE)
		value = PROC_NONE;
	free(text);
	return (uint32_t)value;
}

/*
 * proc_pid_stat(5): "pid (name) S parent group session tty foreground" and,
 * 22nd, the start.  A name may have any character, so its end is the last ')'.
 */
static int
parse_stat(struct proc *p, char *text)
{
	char *open = strchr(text, '('), *shut = strrchr(text, ')');
	unsigned long long start;
	int parent, foreground;

	if (open == NULL || shut == NULL || shut < open)
		return -1;
	*shut = '\0';
	snprintf(p->name, sizeof(p->name), "%s", open + 1);
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers, they fit. */
	if (sscanf(shut + 1,
		" %*c %d %*d %*d %d %d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
		"%*d %*d %*d %llu",
		&parent, &p->tty, &foreground, &start) != 4)
		return -1;
	p->parent = parent;
	p->foreground = foreground;
	p->start = start;
	return 0;
}

int
proc_open(pid_t pid, struct proc *p)
{
	char path[32], *text = NULL;
	size_t len;
	int rc;

	memset(p, 0, sizeof(*p));
	p->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	p->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd == -1)
		return -1;
	rc = file_read_at(p->fd, "stat", FILE_MAX, &text, &len);
	if (rc == 0)
		rc = parse_stat(p, text);
	free(text);
	if (rc == -1) {
		proc_close(p);
		return -1;
	}
	p->login_uid = read_number(p->fd, "loginuid");
	p->login = read_number(p->fd, "sessionid");
	return 0;
}

void
proc_close(struct proc *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

uint32_t
proc_uid(const struct proc *p)
{
	uint32_t uid = PROC_NONE;
	char *text = NULL, *line;
	size_t len;

	if (file_read_at(p->fd, "status", FILE_MAX, &text, &len) == -1)
		return uid;
	line = strstr(text, "\nUid:");
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers, they fit. */
	if (line == NULL || sscanf(line, " Uid: %*u %u", &uid) != 1)
		uid = PROC_NONE;
	free(text);
	return uid;
}

bool
proc_runs(const struct proc *p, const char *path)
{
	static const char deleted[] = " (deleted)";
	char target[PATH_MAX];
	size_t len = strlen(path);
	ssize_t n = readlinkat(p->fd, "exe", target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return strncmp(target, path, len) == 0 &&
	    (target[len] == '\0' || strcmp(target + len, deleted) == 0);
}

int
proc_each(void (*each)(const struct proc *, void *), void *arg)
{
	struct dirent *entry;
	struct proc p;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (proc_open((pid_t)strtol(entry->d_name, NULL, 10), &p) == -1)
			continue;
		each(&p, arg);
		proc_close(&p);
	}
	closedir(dir);
	return 0;
}

struct hunt {
	bool (*match)(const struct proc *, const void *);
	const void *arg;
	int *pidfds;
	size_t n;
};

/*
 * The handle is the very process's if its folder, opened before, can still be
 * read afterwards.
 */
static void
hunt_one(const struct proc *p, void *arg)
{
	struct hunt *h = arg;
	int pidfd;

	if (p->pid <= 1 || p->pid == getpid() || !h->match(p, h->arg) ||
	    (pidfd = pidfd_open(p->pid, 0)) == -1)
		return;
	if (proc_uid(p) == PROC_NONE) {
		close(pidfd);
		return;
	}
	h->pidfds = xreallocarray(h->pidfds, h->n + 1, sizeof(*h->pidfds));
	h->pidfds[h->n++] = pidfd;
}

/* Signals them and waits for their end. */
static void
hunt_signal(struct hunt *h, int number, int ms)
{
	struct pollfd poller = { .events = POLLIN };
	int64_t end = boottime_ms() + ms, left;
	size_t i;

	for (i = 0; i < h->n; i++)
		pidfd_send_signal(h->pidfds[i], number, NULL, 0);
	for (i = 0; i < h->n; i++) {
		poller.fd = h->pidfds[i];
		left = end - boottime_ms();
		poll(&poller, 1, left > 0 ? (int)left : 0);
		close(h->pidfds[i]);
	}
	free(h->pidfds);
	h->pidfds = NULL;
	h->n = 0;
}

int
proc_signal(bool (*match)(const struct proc *, const void *), const void *arg,
    int number)
{
	struct hunt h = { .match = match, .arg = arg };

	if (proc_each(hunt_one, &h) == -1)
		return -1;
	hunt_signal(&h, number, 0);
	return 0;
}

int
proc_end(bool (*match)(const struct proc *, const void *), const void *arg)
{
	struct hunt h = { .match = match, .arg = arg };
	int ended = 0, round;

	for (round = 0; round < ROUNDS; round++) {
		if (proc_each(hunt_one, &h) == -1)
			return -1;
		if (h.n == 0)
			return ended;
		if (round == 0) {
			ended = (int)h.n;
			hunt_signal(&h, SIGTERM, TERM_MS);
		} else {
			hunt_signal(&h, SIGKILL, KILL_MS);
		}
	}
	errno = EBUSY;
	return -1;
}
