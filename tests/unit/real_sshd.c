/*
 * The installed sshd for unit tests.
 */
#include "real_sshd.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/process.h"
#include "services/ssh/ssh_prepare.h"

#define SSHD "/usr/sbin/sshd"
#define CONFIG "/etc/ssh/sshd_config"

bool
real_sshd_enter(void)
{
	static int entered = -1;
	char *why = NULL;

	if (entered != -1)
		return entered == 1;
	entered = 0;
	if (access(SSHD, X_OK) == -1 || geteuid() != 0 ||
	    unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") == -1 ||
	    mount("none", "/etc/ssh", "tmpfs", 0, "mode=755") == -1)
		return false;
	if (ssh_prepare(&why) == -1)
		abort();
	entered = 1;
	return true;
}

char *
real_sshd_run(const char *flag, const char *config, const char *spec, bool *okp)
{
	const char *argv[] = { SSHD, flag, "-f", CONFIG,
		spec == NULL ? NULL : "-C", spec, NULL };
	struct process_result result = { 0 };
	int fd = open(CONFIG, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || file_write_all(fd, config, strlen(config)) == -1)
		abort();
	close(fd);
	if (process_run(
		argv, -1, NULL, 4 * 1024 * 1024, 30, NULL, NULL, &result) == -1)
		abort();
	*okp = result.status == 0;
	return result.output;
}
