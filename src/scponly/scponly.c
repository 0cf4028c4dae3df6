/*
 * scponly: the login shell of accounts that transfer files and do nothing
 * else.  It runs as such an account, for sshd and whoever else asks for a
 * shell (su, login), and runs scp or sftp-server for a command that is a
 * transfer (command.h), confined (confine.h).
 *
 * It is linked statically and passes no variable on that another program
 * understands: where pam_env reads ~/.pam_environment (as Debian's sshd has
 * it) or sshd ~/.ssh/environment, an account that can write its home says what
 * LD_PRELOAD is.  Nor can it be read, only executed: so the kernel lets nobody
 * but root at its memory until it is confined.
 */
#include <sys/resource.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scponly/command.h"
#include "scponly/confine.h"

#define VARIABLE_MAX 512
#define REFUSED 1
#define NOT_RUN 127

static const char *const kept[] = { "HOME", "USER", "LOGNAME",
	"SSH_CONNECTION" };
#define KEPT (sizeof(kept) / sizeof(kept[0]))

/* NAME=VALUE of those that sftp-server writes into its log, and scp asks. */
static void
make_environment(char text[KEPT][VARIABLE_MAX], char *environment[KEPT + 3])
{
	static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8";
	const char *value;
	size_t i, n = 0;
	int len;

	environment[n++] = path;
	environment[n++] = locale;
	for (i = 0; i < KEPT; i++) {
		if ((value = getenv(kept[i])) == NULL)
			continue;
		len = snprintf(text[i], VARIABLE_MAX, "%s=%s", kept[i], value);
		if (len > 0 && len < VARIABLE_MAX)
			environment[n++] = text[i];
	}
	environment[n] = NULL;
}

static int
refuse(const char *why)
{
	fprintf(stderr,
	    "This account is for transferring files (sftp, scp)%s%s.\n",
	    *why != '\0' ? ": " : "", why);
	return REFUSED;
}

int
main(int argc, char **argv)
{
	static struct command command;
	static char text[KEPT][VARIABLE_MAX];
	char *environment[KEPT + 3];
	const struct rlimit none = { 0 };
	const char *why, *path;

	if (argc != 3 || strcmp(argv[1], "-c") != 0)
		return refuse("");
	if ((why = command_parse(argv[2], &command)) != NULL)
		return refuse(why);
	make_environment(text, environment);
	if (close_range(STDERR_FILENO + 1, ~0U, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    (path = confine(command.path, command.logs)) == NULL) {
		perror("scponly: this system cannot confine it");
		return NOT_RUN;
	}
	execve(path, command.argv, environment);
	perror(command.path);
	return NOT_RUN;
}
