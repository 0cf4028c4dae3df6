/*
 * Commands of sudo as text: what may be one, how it is written in a file of
 * sudoers(5), and which are known to give more than they say.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/sudo.h"

#define COMMAND_MAX 1024
#define WILDCARDS "*?["

/* clang-format off */
/*
 * Programs that run others, or write any file, for who may run them as root.
 * Names as of fnmatch(3).
 */
static const struct {
	const char *name, *reason;
} risky_programs[] = {
	{ "ash", "it is a shell" },
	{ "apt", "it runs commands that its options name" },
	{ "apt-get", "it runs commands that its options name" },
	{ "at", "it runs commands later" },
	{ "awk", "its programs run commands" },
	{ "bash", "it is a shell" },
	{ "batch", "it runs commands later" },
	{ "busybox*", "it is a shell, too" },
	{ "capsh", "it starts a shell" },
	{ "chmod", "it can make any file anybody's" },
	{ "chown", "it can make any file anybody's" },
	{ "chroot", "it starts a shell" },
	{ "cp", "it can replace any file" },
	{ "cpulimit", "it runs any command" },
	{ "crontab", "it runs commands later" },
	{ "csh", "it is a shell" },
	{ "dash", "it is a shell" },
	{ "dd", "it can write any file" },
	{ "docker", "it mounts the whole machine" },
	{ "dpkg", "it runs scripts of any package" },
	{ "ed", "it starts a shell" },
	{ "emacs*", "it starts a shell" },
	{ "env", "it runs any command" },
	{ "ex", "it starts a shell" },
	{ "expect", "it runs any command" },
	{ "find", "its -exec runs any command" },
	{ "fish", "it is a shell" },
	{ "flock", "it runs any command" },
	{ "ftp", "it starts a shell" },
	{ "gawk", "its programs run commands" },
	{ "gdb", "it starts a shell" },
	{ "git", "it starts a pager and hooks" },
	{ "install", "it can replace any file" },
	{ "ionice", "it runs any command" },
	{ "journalctl", "it starts a pager" },
	{ "ksh*", "it is a shell" },
	{ "less", "it starts a shell" },
	{ "ln", "it can put any file anywhere" },
	{ "lua*", "its programs run commands" },
	{ "make", "its rules run commands" },
	{ "man", "it starts a pager" },
	{ "mawk", "its programs run commands" },
	{ "more", "it starts a shell" },
	{ "mount", "it can put any file system anywhere" },
	{ "mv", "it can replace any file" },
	{ "nano", "it runs commands" },
	{ "nice", "it runs any command" },
	{ "nmap", "its scripts run commands" },
	{ "node*", "its programs run commands" },
	{ "nohup", "it runs any command" },
	{ "nsenter", "it starts a shell" },
	{ "perl*", "its programs run commands" },
	{ "pg", "it starts a shell" },
	{ "php*", "its programs run commands" },
	{ "pip*", "it runs scripts of any package" },
	{ "podman", "it mounts the whole machine" },
	{ "python*", "its programs run commands" },
	{ "rbash", "it is a shell" },
	{ "rsync", "its options run commands" },
	{ "ruby*", "its programs run commands" },
	{ "run-parts", "it runs any command" },
	{ "scp", "its options run commands" },
	{ "screen", "it starts a shell" },
	{ "script", "it starts a shell" },
	{ "sed", "its e command runs any other" },
	{ "setpriv", "it runs any command" },
	{ "sftp", "it starts a shell" },
	{ "sh", "it is a shell" },
	{ "socat", "it runs any command" },
	{ "ssh", "its options run commands" },
	{ "start-stop-daemon", "it runs any command" },
	{ "stdbuf", "it runs any command" },
	{ "strace", "it runs any command" },
	{ "su", "it starts a shell" },
	{ "sudo", "it runs any command" },
	{ "sudoedit", "it writes any file" },
	{ "systemctl", "it starts a pager and any service" },
	{ "systemd-run", "it runs any command" },
	{ "tar", "its options run commands" },
	{ "taskset", "it runs any command" },
	{ "tcsh", "it is a shell" },
	{ "tclsh*", "its programs run commands" },
	{ "tcpdump", "its options run commands" },
	{ "tee", "it can write any file" },
	{ "time", "it runs any command" },
	{ "timeout", "it runs any command" },
	{ "tmux", "it starts a shell" },
	{ "unshare", "it starts a shell" },
	{ "useradd", "it can make an account of root's" },
	{ "usermod", "it can make any account root's" },
	{ "vi", "it starts a shell" },
	{ "view", "it starts a shell" },
	{ "vim*", "it starts a shell" },
	{ "visudo", "it gives any right" },
	{ "watch", "it runs any command" },
	{ "wget", "it can write any file" },
	{ "xargs", "it runs any command" },
	{ "zip", "its options run commands" },
	{ "zsh*", "it is a shell" },
	{ NULL, NULL }
};
/* clang-format on */

static bool
is_all(const char *command)
{
	return strcmp(command, "ALL") == 0;
}

/* A backslash says that a wildcard behind it is none: nothing else. */
static bool
backslashes_fit(const char *command)
{
	const char *at = command;

	while ((at = strchr(at, '\\')) != NULL) {
		if (at < command + strcspn(command, " ") || at[1] == '\0' ||
		    strchr("*?[]!", at[1]) == NULL)
			return false;
		at += 2;
	}
	return true;
}

const char *
sudo_command_problem(const char *command)
{
	const char *at;

	if (is_all(command))
		return NULL;
	for (at = command; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			return "A command has no line break, tab or other "
			       "control character";
	if (command[0] != '/')
		return "Executable must be an absolute path";
	if (strlen(command) > COMMAND_MAX)
		return "A command has at most 1024 characters";
	if (!backslashes_fit(command))
		return "A backslash stands only among the arguments, before a "
		       "wildcard that is meant as itself";
	return NULL;
}

/* --- What speaks against it ----------------------------------------------- */

static bool
risk(struct sudo_risk *risk, const char *finding, const char *reason)
{
	risk->finding = finding;
	risk->reason = reason;
	return true;
}

static const char *
program_reason(const char *program)
{
	const char *name = strrchr(program, '/') + 1;
	size_t i;

	for (i = 0; risky_programs[i].name != NULL; i++)
		if (fnmatch(risky_programs[i].name, name, 0) == 0)
			return risky_programs[i].reason;
	return NULL;
}

/* sudoers(5): arguments from ^ to $ are a regular expression. */
static bool
is_expression(const char *arguments)
{
	size_t len = strlen(arguments);

	return len > 1 && arguments[0] == '^' && arguments[len - 1] == '$';
}

bool
sudo_command_risk(const char *command, struct sudo_risk *found)
{
	size_t len = strcspn(command, " ");
	const char *arguments = command + len + strspn(command + len, " ");
	char *program = xstrndup(command, len);
	const char *reason = NULL;
	bool any = true;

	if (!is_all(command) && program[0] == '/')
		reason = program_reason(program);
	if (is_all(command))
		risk(found, "ALL", "it allows everything");
	else if (strpbrk(program, WILDCARDS) != NULL)
		risk(found, "WILDCARD",
		    "a wildcard in a program's path allows "
		    "programs that nobody thought of");
	else if (len > 0 && program[len - 1] == '/')
		risk(found, "FOLDER",
		    "it allows every program in a folder, "
		    "those of tomorrow as well");
	else if (reason != NULL)
		risk(found, "SHELL", reason);
	else if (strpbrk(arguments, WILDCARDS) != NULL)
		risk(found, "WILDCARD",
		    "a wildcard among arguments stands for "
		    "any number of others, blanks between them");
	else if (is_expression(arguments))
		risk(found, "EXPRESSION",
		    "a regular expression allows "
		    "arguments that nobody thought of");
	else
		any = false;
	free(program);
	return any;
}

/* --- As a file of sudoers ------------------------------------------------- */

static void
put_command(FILE *out, const char *command)
{
	const char *at = command;
	size_t len;

	if (is_all(command)) {
		fputs(command, out);
		return;
	}
	while (*at != '\0') {
		if (strchr(",:=#", *at) != NULL)
			fputc('\\', out);
		fputc(*at, out);
		len = *at == ' ' ? strspn(at, " ") : 1;
		at += len;
	}
}

static void
put_rule(FILE *out, const char *id, const char *tag, const json_t *commands)
{
	const char *separator = " ";
	json_t *command;
	size_t i;

	if (json_array_size(commands) == 0)
		return;
	fprintf(out, "%s ALL=(ALL) %s:", id, tag);
	json_array_foreach(commands, i, command) {
		fputs(separator, out);
		put_command(out, json_string_value(command));
		separator = ", ";
	}
	fputc('\n', out);
}

/* For people; what it is elsewhere, it ends no line here. */
static void
put_name(FILE *out, const char *name)
{
	fputs("# ", out);
	for (; *name != '\0'; name++)
		fputc((unsigned char)*name < ' ' ? '?' : *name, out);
	fputc('\n', out);
}

void
sudo_put_rules(FILE *out, const char *id, const char *name, const json_t *entry)
{
	const json_t *asked = json_object_get(entry, "sudo_commands");
	const json_t *free = json_object_get(entry, "sudo_commands_nopasswd");

	if (json_array_size(asked) == 0 && json_array_size(free) == 0)
		return;
	put_name(out, name);
	put_rule(out, id, "PASSWD", asked);
	/* The last that fits counts: without a password where both do. */
	put_rule(out, id, "NOPASSWD", free);
}
