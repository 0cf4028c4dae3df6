/*
 * The plugin of sudo that tells the audit role what sudo allows and refuses
 * (sudo_plugin(5), "Audit plugin API"); loaded as root.
 *
 * What sudo says to the system log comes with the number of who called it, so
 * that he could say it himself, and says nothing at all of a command of more
 * than some 200 KB.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sudo_plugin.h>
#include <syslog.h>
#include <unistd.h>

#include "pam/tell.h"

/* Of sudo's lists of NAME=VALUE, what is told, and as what. */
struct member {
	const char *given, *told;
};

/* clang-format off */
static const struct member of_user[] = {
	{ "user", "submituser" }, { "uid", "submituid" },
	{ "cwd", "submitcwd" }, { "host", "submithost" },
	{ "tty", "ttyname" }, { "lines", "lines" }, { "cols", "columns" },
	{ NULL, NULL }
};
static const struct member of_settings[] = {
	{ "runas_user", "asked_user" }, { "runas_group", "asked_group" },
	{ NULL, NULL }
};
static const struct member of_command[] = {
	{ "command", "command" }, { "runas_user", "runuser" },
	{ "runas_group", "rungroup" }, { "runas_uid", "runuid" },
	{ "runas_gid", "rungid" }, { "cwd", "runcwd" },
	{ "chroot", "runchroot" },
	{ NULL, NULL }
};
/* clang-format on */

/* Sudo's own, there until it closes us. */
static char *const *settings, *const *user;
static char *const *submitted;

static const char *
value_of(char *const list[], const char *name)
{
	size_t len = strlen(name);

	for (; list != NULL && *list != NULL; list++)
		if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
			return *list + len + 1;
	return NULL;
}

static void
put_members(struct fact *fact, const struct member *m, char *const list[])
{
	for (; m->given != NULL; m++)
		fact_put(fact, m->told, value_of(list, m->given));
}

static int
plugin_open(unsigned int version, sudo_conv_t conversation, sudo_printf_t print,
    char *const given[], char *const user_info[], int submit_optind,
    char *const submit_argv[], char *const submit_envp[], char *const options[],
    const char **errstr)
{
	(void)version;
	(void)conversation;
	(void)print;
	(void)submit_envp;
	(void)options;
	(void)errstr;
	settings = given;
	user = user_info;
	submitted = submit_argv;
	if (submitted != NULL && submit_optind > 0)
		submitted += submit_optind;
	return 1;
}

static void
put_arguments(struct fact *fact, char *const arguments[])
{
	for (; arguments != NULL && *arguments != NULL; arguments++)
		fact_put(fact, "arg", *arguments);
}

/* 1, or -1: sudo is to stop. */
static int
tell(const char *kind, const char *why, char *const command_info[],
    char *const arguments[], const char **errstr)
{
	struct fact *fact = malloc(sizeof(*fact));
	enum told told = TOLD_NOT;

	if (fact != NULL) {
		fact_begin(fact, kind);
		fact_put_number(fact, "pid", getpid());
		fact_put(fact, "why", why);
		put_members(fact, of_user, user);
		put_members(fact, of_settings, settings);
		put_members(fact, of_command, command_info);
		put_arguments(fact, arguments);
		told = fact_tell(fact);
		free(fact);
	}
	if (told != TOLD)
		syslog(LOG_AUTHPRIV | LOG_NOTICE,
		    "not recorded by Holdfast's audit log: %s", kind);
	if (told == TOLD_NOT && errstr != NULL)
		*errstr = "it cannot be recorded";
	return told == TOLD_NOT ? -1 : 1;
}

static int
plugin_accept(const char *name, unsigned int type, char *const command_info[],
    char *const run_argv[], char *const run_envp[], const char **errstr)
{
	(void)name;
	(void)run_envp;
	/* Each plugin's word comes here; the front end's is the last. */
	if (type != SUDO_FRONT_END)
		return 1;
	return tell("accept", NULL, command_info, run_argv, errstr);
}

static int
plugin_reject(const char *name, unsigned int type, const char *why,
    char *const command_info[], const char **errstr)
{
	(void)name;
	(void)type;
	return tell("reject", why, command_info, submitted, errstr);
}

static int
plugin_error(const char *name, unsigned int type, const char *why,
    char *const command_info[], const char **errstr)
{
	(void)name;
	(void)type;
	return tell("error", why, command_info, submitted, errstr);
}

__attribute__((visibility("default"))) struct audit_plugin holdfast_audit = {
	.type = SUDO_AUDIT_PLUGIN,
	.version = SUDO_API_VERSION,
	.open = plugin_open,
	.accept = plugin_accept,
	.reject = plugin_reject,
	.error = plugin_error,
};
