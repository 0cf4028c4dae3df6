/*
 * holdfast enter: a command inside an instance's mount namespace, as root.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output.h"
#include "lib/file.h"
#include "lib/xalloc.h"

#define SHELL "/bin/bash"
#define PID_FILE "monitor.pid"
#define STAT_MAX 4096
#define EXIT_NOT_RUN 126 /* as a shell says it */
#define EXIT_NOT_FOUND 127

/* When the process started: field 22 of its stat, see proc(5).  0 or -1. */
static int
start_time(int process_fd, unsigned long long *timep)
{
	char *text, *at, *end;
	size_t len;
	int i, result = -1;

	if (file_read_at(process_fd, "stat", STAT_MAX, &text, &len) == -1)
		return -1;
	/* The name, field 2, may contain anything, a parenthesis too. */
	if ((at = strrchr(text, ')')) == NULL)
		goto out;
	for (i = 3; i <= 22 && at != NULL; i++)
		if ((at = strchr(at, ' ')) != NULL)
			at++;
	if (at == NULL)
		goto out;
	*timep = strtoull(at, &end, 10);
	if (end > at && *end == ' ')
		result = 0;
out:
	free(text);
	return result;
}

/* "PID STARTTIME\n", digits only.  0 or -1. */
static int
pid_file_parse(
    const char *text, unsigned long *pidp, unsigned long long *startedp)
{
	char again[64], *end;

	*pidp = strtoul(text, &end, 10);
	*startedp = strtoull(end, NULL, 10);
	snprintf(again, sizeof(again), "%lu %llu\n", *pidp, *startedp);
	return *pidp != 0 && strcmp(again, text) == 0 ? 0 : -1;
}

/*
 * Opens the mount namespace of the instance's monitor.  Everything is asked of
 * one descriptor of its /proc folder, which never stands for a later process
 * with the same number.  The descriptor, or -1 with what is wrong in *whyp.
 */
static int
namespace_open(const char *instance, const char **whyp)
{
	unsigned long long expected, started;
	char *text = NULL, process[32];
	int process_fd = -1, folder_fd, fd = -1;
	unsigned long pid;
	size_t len;

	*whyp = "no Holdfast is running there";
	folder_fd = open(instance, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd == -1) {
		*whyp = strerror(errno);
		return -1;
	}
	if (file_read_at(folder_fd, PID_FILE, STAT_MAX, &text, &len) == -1) {
		if (errno != ENOENT)
			*whyp = strerror(errno);
		goto out;
	}
	if (pid_file_parse(text, &pid, &expected) == -1) {
		*whyp = PID_FILE " is damaged";
		goto out;
	}
	snprintf(process, sizeof(process), "/proc/%lu", pid);
	process_fd = open(process, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process_fd == -1 || start_time(process_fd, &started) == -1 ||
	    started != expected)
		goto out;
	fd = openat(process_fd, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT && errno != ESRCH)
		*whyp = strerror(errno);
out:
	if (process_fd != -1)
		close(process_fd);
	close(folder_fd);
	free(text);
	return fd;
}

/* Root's own environment; of the caller's what concerns the terminal. */
static int
environment_set(void)
{
	static const char *const kept[] = { "TERM", "COLORTERM", "LANG",
		"LC_ALL", NULL };
	static const char *const fixed[][2] = { { "HOME", "/root" },
		{ "USER", "root" }, { "LOGNAME", "root" }, { "SHELL", SHELL },
		{ "PATH",
		    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		    "/sbin:/bin" } };
	char *values[sizeof(kept) / sizeof(*kept)] = { NULL };
	const char *value;
	size_t i;
	int result = 0;

	for (i = 0; kept[i] != NULL; i++)
		if ((value = getenv(kept[i])) != NULL)
			values[i] = xstrdup(value);
	if (clearenv() != 0)
		result = -1;
	for (i = 0; kept[i] != NULL; i++) {
		if (values[i] != NULL && setenv(kept[i], values[i], 1) == -1)
			result = -1;
		free(values[i]);
	}
	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (setenv(fixed[i][0], fixed[i][1], 1) == -1)
			result = -1;
	return result;
}

enum exit_code
command_enter(const struct invocation *invocation)
{
	static char login_name[] = "-bash";
	char *login[] = { login_name, NULL };
	const char *why;
	int fd;

	if (invocation->instance == NULL) {
		complain("enter: which instance?  Say -i DIR");
		return EXIT_USAGE;
	}
	if (geteuid() != 0) {
		complain("enter: only root may enter an instance");
		return EXIT_SERVER;
	}
	if ((fd = namespace_open(invocation->instance, &why)) == -1) {
		complain("%s: %s", invocation->instance, why);
		return EXIT_UNREACHABLE;
	}
	if (setns(fd, CLONE_NEWNS) == -1 || chdir("/") == -1 ||
	    environment_set() == -1) {
		complain("enter: %s", strerror(errno));
		return EXIT_SERVER;
	}
	close(fd);
	if (invocation->argc == 0)
		execv(SHELL, login);
	else
		execvp(invocation->argv[0], invocation->argv);
	complain("enter: %s: %s",
	    invocation->argc == 0 ? SHELL : invocation->argv[0],
	    strerror(errno));
	/* Like a shell's; beyond our own table since CMD's codes are too. */
	exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}
