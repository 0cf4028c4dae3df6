/*
 * The commands of holdfast(1): what each gets, what each answers.
 */
#ifndef HF_CLI_COMMAND_H
#define HF_CLI_COMMAND_H

#include <stdbool.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_SERVER = 1,	/* refused, or status found something */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3
};

struct invocation {
	const char	*command;	/* its name */
	const char	*instance;	/* DIR; NULL: this machine's own */
	bool		 json;
	bool		 no_wait;
	int		 argc;		/* arguments of the command */
	char		**argv;		/* NULL at the end */
};

enum exit_code	command_audit(const struct invocation *);
enum exit_code	command_call(const struct invocation *);
enum exit_code	command_describe(const struct invocation *);
enum exit_code	command_enter(const struct invocation *);
enum exit_code	command_noun(const struct invocation *);
enum exit_code	command_recover(const struct invocation *);
enum exit_code	command_reidentify(const struct invocation *);
enum exit_code	command_renew_2fa(const struct invocation *);
enum exit_code	command_setup_admin(const struct invocation *);
enum exit_code	command_ssh(const struct invocation *);
enum exit_code	command_status(const struct invocation *);

#endif
