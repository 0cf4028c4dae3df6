/*
 * Running programs: what they get, what of them comes back, and that none of
 * them keeps us.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/process.h"

#define SH(script)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		"/bin/sh", "-c", script, NULL                                  \
	}

static struct process_result result;

static int
teardown(void **state)
{
	(void)state;
	free(result.output);
	result.output = NULL;
	return 0;
}

static int
run(const char *const argv[])
{
	return process_run(argv, -1, NULL, 10000, 20, NULL, NULL, &result);
}

static void
test_output(void **state)
{
	(void)state;
	assert_int_equal(run(SH("echo out; echo err >&2; exit 3")), 0);
	assert_string_equal(result.output, "out\nerr\n");
	assert_int_equal(result.output_len, 8);
	assert_true(WIFEXITED(result.status));
	assert_int_equal(WEXITSTATUS(result.status), 3);
	assert_int_equal(result.timed_out, 0);
}

static void
test_silent(void **state)
{
	(void)state;
	assert_int_equal(run(SH("exit 0")), 0);
	assert_string_equal(result.output, "");
	assert_int_equal(result.status, 0);
}

static void
test_environment(void **state)
{
	(void)state;
	setenv("SECRET", "x", 1);
	assert_int_equal(run((const char *const[]){ "/usr/bin/env", NULL }), 0);
	assert_string_equal(
	    result.output, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
}

/* Arguments arrive as they are; nothing is expanded. */
static void
test_arguments(void **state)
{
	(void)state;
	assert_int_equal(run((const char *const[]){ "/usr/bin/printf",
			     "%s|%s|%s", "$(id)", "; ls", "a b", NULL }),
	    0);
	assert_string_equal(result.output, "$(id)|; ls|a b");
}

static void
test_input(void **state)
{
	int fd = memfd_sealed("input", "from memory", 11);

	(void)state;
	assert_int_equal(process_run((const char *const[]){ "/bin/cat", NULL },
			     fd, NULL, 100, 20, NULL, NULL, &result),
	    0);
	assert_string_equal(result.output, "from memory");
	close(fd);
	free(result.output);
	/* None: the end of the input at once. */
	assert_int_equal(run((const char *const[]){ "/bin/cat", NULL }), 0);
	assert_string_equal(result.output, "");
}

static void
test_output_bound(void **state)
{
	(void)state;
	assert_int_equal(process_run(SH("head -c 1000000 /dev/zero; "
					"echo end"),
			     -1, NULL, 1000, 20, NULL, NULL, &result),
	    0);
	assert_int_equal(result.output_len, 1000);
	assert_int_equal(result.status, 0);
	free(result.output);
	assert_int_equal(
	    process_run(SH("echo x"), -1, NULL, 0, 20, NULL, NULL, &result), 0);
	assert_int_equal(result.output_len, 0);
	assert_string_equal(result.output, "");
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
test_timeout(void **state)
{
	double start = seconds();

	(void)state;
	assert_int_equal(process_run(SH("trap '' TERM HUP INT; echo begun; "
					"while :; do sleep 30; done"),
			     -1, NULL, 100, 1, NULL, NULL, &result),
	    0);
	assert_int_equal(result.timed_out, 1);
	assert_int_equal(result.status, -1);
	assert_string_equal(result.output, "begun\n");
	assert_true(seconds() - start < 10);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A flood does not outlast the limit. */
static void
test_timeout_flood(void **state)
{
	double start = seconds();

	(void)state;
	assert_int_equal(
	    process_run((const char *const[]){ "/usr/bin/yes", NULL }, -1, NULL,
		10, 1, NULL, NULL, &result),
	    0);
	assert_int_equal(result.timed_out, 1);
	assert_true(seconds() - start < 10);
}

/* A grandchild that keeps the pipe does not keep us. */
static void
test_left_behind(void **state)
{
	double start = seconds();

	(void)state;
	assert_int_equal(run(SH("sleep 15 & echo done")), 0);
	assert_string_equal(result.output, "done\n");
	assert_int_equal(result.status, 0);
	assert_true(seconds() - start < 10);
}

static void
test_not_started(void **state)
{
	(void)state;
	assert_int_equal(
	    run((const char *const[]){ "/no/such/program", NULL }), -1);
	assert_int_equal(errno, ENOENT);
	assert_null(result.output);
	assert_int_equal(result.status, -1);
	assert_int_equal(run((const char *const[]){ "/etc/passwd", NULL }), -1);
	assert_int_equal(errno, EACCES);
	/* Not by PATH. */
	assert_int_equal(run((const char *const[]){ "true", NULL }), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_signal(void **state)
{
	(void)state;
	assert_int_equal(run(SH("kill -SEGV $$")), 0);
	assert_true(WIFSIGNALED(result.status));
	assert_int_equal(WTERMSIG(result.status), SIGSEGV);
}

static const char list[] = "for f in /proc/self/fd/*; do "
			   "case ${f##*/} in [0-9]*) "
			   "[ -e $f ] && echo ${f##*/};; esac; done";

static void
test_descriptors(void **state)
{
	int fds[3], i;

	(void)state;
	/* Neither what is close-on-exec nor what is not. */
	for (i = 0; i < 3; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	assert_int_equal(fcntl(fds[1], F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(run(SH(list)), 0);
	assert_string_equal(result.output, "0\n1\n2\n");
	free(result.output);
	/* What it keeps, whatever their order. */
	assert_int_equal(fcntl(fds[0], F_DUPFD, 40), 40);
	assert_int_equal(fcntl(fds[0], F_DUPFD_CLOEXEC, 50), 50);
	assert_int_equal(process_run(SH(list), -1, (int[]){ 50, 40, -1 }, 1000,
			     20, NULL, NULL, &result),
	    0);
	assert_string_equal(result.output, "0\n1\n2\n40\n50\n");
	free(result.output);
	result.output = NULL;
	assert_int_equal(process_run(SH("exit 0"), -1, (int[]){ 1, -1 }, 10, 20,
			     NULL, NULL, &result),
	    -1);
	assert_int_equal(errno, EINVAL);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	close(40);
	close(50);
}

/* Even when our own 0, 1 and 2 are closed. */
static void
test_low_descriptors(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		close(0);
		close(1);
		close(2);
		if (run(SH("cat; echo a; echo b >&2")) == -1)
			_exit(1);
		_exit(strcmp(result.output, "a\nb\n") == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_signals_reset(void **state)
{
	sigset_t mask, old;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&mask);
	sigprocmask(SIG_SETMASK, &mask, &old);
	assert_int_equal(run(SH("grep -E '^Sig(Blk|Ign|Cgt)' "
				"/proc/self/status | tr -d '\\n\\t'; pwd")),
	    0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_non_null(strstr(result.output, "SigBlk:0000000000000000"));
	assert_non_null(strstr(result.output, "SigIgn:0000000000000000"));
	assert_non_null(strstr(result.output, "/\n"));
}

static int
limit(void *arg)
{
	const struct rlimit value = { *(rlim_t *)arg, *(rlim_t *)arg };

	return setrlimit(RLIMIT_FSIZE, &value);
}

static int
refuse(void *arg)
{
	(void)arg;
	errno = ENOLCK;
	return -1;
}

static void
test_prepare(void **state)
{
	rlim_t bytes = 512 * 7;

	(void)state;
	assert_int_equal(process_run(SH("ulimit -f"), -1, NULL, 100, 20, limit,
			     &bytes, &result),
	    0);
	assert_string_equal(result.output, "7\n");
	free(result.output);
	assert_int_equal(process_run(SH("echo no"), -1, NULL, 100, 20, refuse,
			     NULL, &result),
	    -1);
	assert_int_equal(errno, ENOLCK);
	assert_null(result.output);
}

/* The program dies with us. */
static void
test_death(void **state)
{
	int ends[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		char script[64];

		snprintf(script, sizeof(script), "echo x >&%d; exec sleep 30",
		    ends[1]);
		process_run(SH(script), -1, (int[]){ ends[1], -1 }, 100, 30,
		    NULL, NULL, &result);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	alarm(20);
	while (read(ends[0], &byte, 1) > 0)
		;
	alarm(0);
	close(ends[0]);
}

#define WITH(test) cmocka_unit_test_teardown(test, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_output),
		WITH(test_silent),
		WITH(test_environment),
		WITH(test_arguments),
		WITH(test_input),
		WITH(test_output_bound),
		WITH(test_timeout),
		WITH(test_timeout_flood),
		WITH(test_left_behind),
		WITH(test_not_started),
		WITH(test_signal),
		WITH(test_descriptors),
		WITH(test_low_descriptors),
		WITH(test_signals_reset),
		WITH(test_prepare),
		WITH(test_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
