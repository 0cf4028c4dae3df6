/*
 * The monitor's children: clean forks, programs started with exactly the
 * descriptors they need, and the one place that waits for them.
 */
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"

struct watched {
	struct watched *next;
	pid_t pid;
	void (*ended)(pid_t, int, void *);
	void *arg;
};

static struct watched *watched_list;
static uv_signal_t sigchld;

/* libuv's handlers would write into the pipe that we share with the parent. */
static void
default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	int number;

	for (number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
keep_descriptors(const int *keep, size_t n)
{
	int high[CHILD_FDS_MAX], null;
	size_t i;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if ((high[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, 64)) == -1)
			return -1;
	for (i = 0; i < n; i++)
		if (dup3(high[i], (int)(3 + i), O_CLOEXEC) == -1)
			return -1;
	return close_range((unsigned int)(3 + n), ~0U, 0);
}

static pid_t
fork_clean(const int *keep, size_t n, bool outlive)
{
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	if (n > CHILD_FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if ((pid = fork()) != 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return pid;
	}
	default_signals();
	/* The log file is not among what a child keeps. */
	log_set_sink(NULL);
	/* A parent that died before prctl would never be noticed. */
	if (!outlive &&
	    (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent))
		_exit(127);
	if (keep_descriptors(keep, n) == -1)
		_exit(127);
	return 0;
}

pid_t
child_fork(const int *keep, size_t n)
{
	return fork_clean(keep, n, false);
}

/* What sanitizers are told reaches the roles of the test build only. */
static char *const *
child_environment(void)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			     "/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C.UTF-8";
	static char *environment[5] = { path, locale };
#ifdef HF_SANITIZERS
	static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS" };
	const char *value;
	size_t i, n = 2;

	for (i = 0; i < 2 && environment[2] == NULL; i++)
		if ((value = getenv(names[i])) != NULL)
			environment[n++] = xasprintf("%s=%s", names[i], value);
#endif
	return environment;
}

static void
program_exec(const struct child_program *program, char *const *environment)
{
	char *argv[16];
	size_t i;
	int next = 4;

	for (i = 0; program->argv[i] != NULL && i < 15; i++)
		argv[i] = xstrdup(program->argv[i]);
	argv[i] = NULL;
	if (argv[0] == NULL)
		_exit(127);
	if (dup2(3, STDERR_FILENO) == -1 ||
	    dup2(program->log_stdout ? 3 : STDIN_FILENO, STDOUT_FILENO) == -1)
		_exit(127);
	if (program->channel_fd != -1) {
		/* Not close-on-exec: this is the one that stays. */
		if (dup2(4, 3) == -1)
			_exit(127);
		next = 5;
	}
	if (program->session)
		setsid();
	else
		setpgid(0, 0);
	umask(program->umask);
	if (chdir("/") == -1)
		_exit(127);
	if (program->exe_fd != -1)
		execveat(next, "", argv, environment, AT_EMPTY_PATH);
	else
		execve(argv[0], argv, environment);
	dprintf(STDERR_FILENO, "error process.exec %s: %s\n", argv[0],
	    strerror(errno));
	_exit(127);
}

pid_t
child_start(const struct child_program *program)
{
	char *const *environment = child_environment();
	int keep[3];
	size_t n = 0;
	pid_t pid;

	keep[n++] = program->log_fd;
	if (program->channel_fd != -1)
		keep[n++] = program->channel_fd;
	if (program->exe_fd != -1)
		keep[n++] = program->exe_fd;
	if ((pid = fork_clean(keep, n, program->outlive)) == 0)
		program_exec(program, environment);
	return pid;
}

static void
child_ended(pid_t pid, int status)
{
	struct watched **at, *watched;

	for (at = &watched_list; (watched = *at) != NULL; at = &watched->next)
		if (watched->pid == pid)
			break;
	if (watched == NULL)
		return;
	*at = watched->next;
	watched->ended(pid, status, watched->arg);
	free(watched);
}

static void
children_reap(uv_signal_t *handle, int number)
{
	pid_t pid;
	int status;

	(void)handle;
	(void)number;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(pid, status);
}

void
children_watch(uv_loop_t *loop)
{
	uv_signal_init(loop, &sigchld);
	uv_signal_start(&sigchld, children_reap, SIGCHLD);
	uv_unref((uv_handle_t *)&sigchld);
}

void
child_watch(pid_t pid, void (*ended)(pid_t, int, void *), void *arg)
{
	struct watched *watched = xcalloc(1, sizeof(*watched));

	watched->pid = pid;
	watched->ended = ended;
	watched->arg = arg;
	watched->next = watched_list;
	watched_list = watched;
}

static void
run_in_child(int (*fn)(void *, char *, size_t), void *arg, int fd)
{
	char why[512] = "";
	int rc;

	rc = fn(arg, why, sizeof(why));
	file_write_all(fd, why, strlen(why));
	_exit(rc == 0 ? 0 : 1);
}

/* What the child wrote, until it closes the pipe or the time is over. */
static void
read_until(int fd, unsigned int seconds, char *text, size_t size)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	time_t end = time(NULL) + (time_t)seconds + 1;
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size && time(NULL) < end) {
		if (poll(&poller, 1, 200) <= 0)
			continue;
		if ((n = read(fd, text + len, size - len - 1)) <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
}

/* Until it has ended, not yet waited for, or so many milliseconds. */
static void
ends_within(pid_t pid, int milliseconds)
{
	struct pollfd poller = { .fd = pidfd_open(pid, 0), .events = POLLIN };

	while (poll(&poller, 1, milliseconds) == -1 && errno == EINTR)
		;
	if (poller.fd != -1)
		close(poller.fd);
}

int
child_run(int (*fn)(void *, char *, size_t), void *arg, const int *keep,
    size_t n, unsigned int seconds, char *why, size_t size)
{
	char reason[64];
	int fds[CHILD_FDS_MAX], pipes[2], status;
	size_t i;
	pid_t pid;

	why[0] = '\0';
	if (n >= CHILD_FDS_MAX || pipe2(pipes, O_CLOEXEC) == -1)
		return -1;
	if (n > 0)
		for (i = 0; i < n; i++)
			fds[i] = keep[i];
	fds[n] = pipes[1];
	if ((pid = child_fork(fds, n + 1)) == 0)
		run_in_child(fn, arg, (int)(3 + n));
	close(pipes[1]);
	if (pid == -1) {
		close(pipes[0]);
		snprintf(why, size, "fork: %s", strerror(errno));
		return -1;
	}
	read_until(pipes[0], seconds, why, size);
	close(pipes[0]);
	/* It has said all it had to; one that still runs is over time. */
	ends_within(pid, 100);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (why[0] == '\0')
		snprintf(why, size, "a helper process %s",
		    child_reason(status, reason, sizeof(reason)));
	return -1;
}

/* A question to a child, until its pipe is closed. */
struct asked {
	int fd;
	pid_t pid;
	void (*done)(const char *, void *);
	void *arg;
	uv_poll_t poll;
	uv_timer_t timer;
	int handles; /* still open */
	size_t len;
	char text[1024];
};

static void
asked_closed(uv_handle_t *handle)
{
	struct asked *asked = handle->data;

	if (--asked->handles > 0)
		return;
	close(asked->fd);
	free(asked);
}

/* The child is reaped by children_reap(), which nobody watches. */
static void
asked_end(struct asked *asked)
{
	uv_close((uv_handle_t *)&asked->poll, asked_closed);
	uv_close((uv_handle_t *)&asked->timer, asked_closed);
	asked->text[asked->len] = '\0';
	asked->done(asked->text, asked->arg);
}

static void
asked_readable(uv_poll_t *poll, int status, int events)
{
	struct asked *asked = poll->data;
	size_t room = sizeof(asked->text) - 1 - asked->len;
	ssize_t n;

	(void)status;
	(void)events;
	n = read(asked->fd, asked->text + asked->len, room);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		asked->len += (size_t)n;
	if (n <= 0 || (size_t)n == room)
		asked_end(asked);
}

static void
asked_overdue(uv_timer_t *timer)
{
	struct asked *asked = timer->data;

	kill(asked->pid, SIGKILL);
	asked->len = 0;
	asked_end(asked);
}

void
child_ask(uv_loop_t *loop, int (*fn)(void *, char *, size_t), void *arg,
    unsigned int seconds, void (*done)(const char *, void *), void *done_arg)
{
	struct asked *asked;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1) {
		done("", done_arg);
		return;
	}
	asked = xcalloc(1, sizeof(*asked));
	if ((asked->pid = child_fork(&fds[1], 1)) == 0)
		run_in_child(fn, arg, 3);
	close(fds[1]);
	asked->fd = fds[0];
	asked->done = done;
	asked->arg = done_arg;
	asked->handles = 2;
	asked->poll.data = asked->timer.data = asked;
	uv_poll_init(loop, &asked->poll, asked->fd);
	uv_timer_init(loop, &asked->timer);
	/* A fork that failed is the end of the pipe as well. */
	uv_poll_start(&asked->poll, UV_READABLE, asked_readable);
	uv_timer_start(
	    &asked->timer, asked_overdue, (uint64_t)seconds * 1000, 0);
}

int
child_drop_capabilities(const int *keep)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (; *keep != -1; keep++)
		if (capng_update(CAPNG_ADD,
			CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			(unsigned int)*keep) == -1)
			return -1;
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool
child_executed(pid_t pid)
{
	char path[64], ours[PATH_MAX], its[PATH_MAX];
	ssize_t ours_len, its_len;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	ours_len = readlink("/proc/self/exe", ours, sizeof(ours));
	its_len = readlink(path, its, sizeof(its));
	if (ours_len == -1 || its_len == -1)
		return false;
	return its_len != ours_len || memcmp(its, ours, (size_t)ours_len) != 0;
}

const char *
child_reason(int status, char *text, size_t size)
{
	if (WIFEXITED(status))
		snprintf(
		    text, size, "exited with code %d", WEXITSTATUS(status));
	else
		snprintf(text, size, "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return text;
}
