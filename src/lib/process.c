/*
 * The one way to run another program: argv, no shell, an empty environment,
 * bounded output, a time limit.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/process.h"
#include "lib/xalloc.h"

#define KEEP_MAX 16

/* What the child needs; made before fork(), so that it allocates nothing. */
struct launch {
	const char *const *argv;
	int in_fd, out_fd;
	int status_fd; /* errno, when exec fails */
	unsigned int keep[KEEP_MAX + 1]; /* ascending */
	size_t nkeep;
	int (*prepare)(void *);
	void *arg;
	pid_t parent;
};

/* clang-format off */
static const char *const environment[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL
};
/* clang-format on */

static void
reset_signals(void)
{
	struct sigaction action;
	sigset_t none;
	int i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_DFL;
	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL); /* fails for some; fine */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Closes every descriptor from 3 on but those kept. */
static int
close_others(const struct launch *l)
{
	unsigned int from = 3;
	size_t i;

	for (i = 0; i < l->nkeep; i++) {
		if (l->keep[i] > from &&
		    close_range(from, l->keep[i] - 1, 0) == -1)
			return -1;
		from = l->keep[i] + 1;
		if (l->keep[i] != (unsigned int)l->status_fd &&
		    fcntl((int)l->keep[i], F_SETFD, 0) == -1)
			return -1;
	}
	return close_range(from, ~0u, 0);
}

static void __attribute__((noreturn)) child(const struct launch *l)
{
	int error;

	reset_signals();
	errno = 0;
	if (l->prepare != NULL && l->prepare(l->arg) != 0) {
		if (errno == 0)
			errno = ECANCELED;
		goto fail;
	}
	/* After prepare: a change of user would undo it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		goto fail;
	if (getppid() != l->parent)
		_exit(127);
	/* dup2() of 0 onto itself leaves close-on-exec as it was. */
	if (dup2(l->in_fd, STDIN_FILENO) == -1 ||
	    fcntl(STDIN_FILENO, F_SETFD, 0) == -1 ||
	    dup2(l->out_fd, STDOUT_FILENO) == -1 ||
	    dup2(l->out_fd, STDERR_FILENO) == -1 || chdir("/") == -1 ||
	    close_others(l) == -1)
		goto fail;
	execve(l->argv[0], (char *const *)l->argv, (char *const *)environment);
fail:
	error = errno;
	while (
	    write(l->status_fd, &error, sizeof(error)) == -1 && errno == EINTR)
		;
	_exit(127);
}

/* A copy from 3 on, so that it is not in the way of 0, 1 and 2. */
static int
raise_fd(int *fdp)
{
	int fd;

	if (*fdp > STDERR_FILENO)
		return 0;
	fd = fcntl(*fdp, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd == -1)
		return -1;
	close(*fdp);
	*fdp = fd;
	return 0;
}

static int
make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) == -1) {
		fds[0] = fds[1] = -1;
		return -1;
	}
	return raise_fd(&fds[0]) == -1 || raise_fd(&fds[1]) == -1 ? -1 : 0;
}

static void
close_fd(int *fdp)
{
	int error = errno;

	if (*fdp != -1)
		close(*fdp);
	*fdp = -1;
	errno = error;
}

static int
collect_keep(struct launch *l, const int *fds)
{
	size_t i, j;
	unsigned int swap;

	for (i = 0; fds != NULL && fds[i] != -1; i++) {
		if (i == KEEP_MAX || fds[i] <= STDERR_FILENO) {
			errno = EINVAL;
			return -1;
		}
		l->keep[l->nkeep++] = (unsigned int)fds[i];
	}
	l->keep[l->nkeep++] = (unsigned int)l->status_fd;
	for (i = 1; i < l->nkeep; i++) {
		for (j = i; j > 0 && l->keep[j] < l->keep[j - 1]; j--) {
			swap = l->keep[j];
			l->keep[j] = l->keep[j - 1];
			l->keep[j - 1] = swap;
		}
	}
	return 0;
}

/* Reads what is there; false at the end of the pipe. */
static bool
take_output(int fd, size_t max, struct process_result *result)
{
	char chunk[16384];
	ssize_t n;
	size_t room;

	n = read(fd, chunk, sizeof(chunk));
	if (n == -1)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	room = max - result->output_len;
	if ((size_t)n < room)
		room = (size_t)n;
	if (room > 0) {
		result->output = xreallocarray(
		    result->output, result->output_len + room + 1, 1);
		memcpy(result->output + result->output_len, chunk, room);
		result->output_len += room;
		result->output[result->output_len] = '\0';
	}
	return true;
}

/*
 * Until the program has ended; a child of its own that still holds the pipe
 * does not keep us.
 */
static void
watch(int out, int pidfd, int64_t deadline, size_t max,
    struct process_result *result)
{
	struct pollfd polls[2] = { { .fd = out, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN } };
	int64_t left;

	for (;;) {
		left = deadline - boottime_ms();
		if (left <= 0) {
			result->timed_out = 1;
			return;
		}
		if (left > 60 * 1000)
			left = 60 * 1000;
		if (poll(polls, 2, (int)left) <= 0)
			continue;
		if (polls[0].revents != 0) {
			if (!take_output(out, max, result))
				polls[0].fd = -1;
		} else if (polls[1].revents != 0) {
			return;
		}
	}
}

/* 0 when the program runs, else -1 with errno of what hindered it. */
static int
started(int status_fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(status_fd, &error, sizeof(error));
	while (n == -1 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n == (ssize_t)sizeof(error))
		errno = error;
	return -1;
}

static void
reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) == -1) {
		if (errno != EINTR) {
			*status = -1;
			return;
		}
	}
}

static int
run(struct launch *l, int out_fd, int status_fd, size_t max,
    unsigned int seconds, struct process_result *result)
{
	int64_t deadline = boottime_ms() + (int64_t)seconds * 1000;
	int pidfd, error, status;
	pid_t pid;

	l->parent = getpid();
	if ((pid = fork()) == -1)
		return -1;
	if (pid == 0)
		child(l);
	close_fd(&l->out_fd);
	close_fd(&l->status_fd);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd == -1 || started(status_fd) == -1) {
		error = errno;
		kill(pid, SIGKILL);
		reap(pid, &status);
		close_fd(&pidfd);
		errno = error;
		return -1;
	}
	watch(out_fd, pidfd, deadline, max, result);
	close_fd(&pidfd);
	if (result->timed_out)
		kill(pid, SIGKILL);
	reap(pid, &status);
	if (!result->timed_out)
		result->status = status;
	return 0;
}

int
process_run(const char *const argv[], int in_fd, const int *keep_fds,
    size_t output_max, unsigned int seconds, int (*prepare)(void *), void *arg,
    struct process_result *result)
{
	struct launch launch = { .argv = argv, .prepare = prepare, .arg = arg };
	int out[2] = { -1, -1 }, status[2] = { -1, -1 }, null = -1, r = -1;

	memset(result, 0, sizeof(*result));
	result->status = -1;
	if (argv[0] == NULL || argv[0][0] != '/') {
		errno = EINVAL;
		return -1;
	}
	if (make_pipe(out) == -1 || make_pipe(status) == -1)
		goto out;
	if (in_fd == -1) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null == -1)
			goto out;
	}
	if (fcntl(out[0], F_SETFL, O_NONBLOCK) == -1)
		goto out;
	launch.in_fd = in_fd != -1 ? in_fd : null;
	launch.out_fd = out[1];
	launch.status_fd = status[1];
	if (collect_keep(&launch, keep_fds) == -1)
		goto out;
	result->output = xcalloc(1, 1);
	r = run(&launch, out[0], status[0], output_max, seconds, result);
	/* transferred: run() closed them */
	out[1] = launch.out_fd;
	status[1] = launch.status_fd;
	if (r == -1) {
		free(result->output);
		result->output = NULL;
		result->output_len = 0;
	}
out:
	close_fd(&out[0]);
	close_fd(&out[1]);
	close_fd(&status[0]);
	close_fd(&status[1]);
	close_fd(&null);
	return r;
}
