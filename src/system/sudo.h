/*
 * What accounts may do with sudo: sudo_commands and sudo_commands_nopasswd of
 * users and groups, the file of sudoers.d that they become, and what there is
 * to be said of them.
 *
 * A command is a program's absolute path and, if it is to take these only, its
 * arguments; or ALL.  Wildcards mean what sudoers(5) says; everything else
 * that is special there is written so that it stands for itself.
 */
#ifndef HF_SUDO_H
#define HF_SUDO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct change;

/*
 * Why it cannot be one, in words for people (static); NULL: it can.  Whether
 * there is such a program is asked of the machine (sudo_lookup).
 */
const char *sudo_command_problem(const char *command);

/* What speaks against a command that is none the less carried out. */
struct sudo_risk {
	const char *finding;	/* "WILDCARD", as sudo.findings has it */
	const char *reason;	/* static */
};
/* The gravest that can be seen by its text; false: none. */
bool	sudo_command_risk(const char *command, struct sudo_risk *);

/* Both lists of an entry of a user or group, as errors on their members. */
void	sudo_check(struct change *);
/* Then asks for the programs that were not there before, and goes on. */
void	sudo_lookup(struct change *, void (*then)(struct change *));

/* The rules of one account as lines; id: "#3000" or "%#3000". */
void	sudo_put_rules(FILE *, const char *id, const char *name,
	    const json_t *entry);
/* OUTPUT_SUDOERS */
char	*sudo_render_output(const struct change *, char **whyp);

/* Looks at all commands again, for the alerts; a resource's .changed. */
void	sudo_review(void);

#endif
