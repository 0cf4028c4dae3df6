/*
 * What tells the audit role of logins and of sudo (src/pam): libraries that
 * sshd, su, login and sudo load, and the lines of their settings that say so.
 * And the shell of accounts that only transfer files (src/scponly), with the
 * lines that keep them from what would run their files with another one.
 */
#ifndef HF_MONITOR_HOOKS_H
#define HF_MONITOR_HOOKS_H

#include <stddef.h>

/* Lines of ours in a file of somebody else's. */
struct hook {
	const char	*folder, *file;
	const char	*program;	/* where it is, the file is made; or NULL */
	const char	*packaged;	/* folder of the one that counts where it is
					   not; or NULL */
	const char	*ours;		/* in each line of ours, and in no other */
	const char	*first, *last;	/* lines before and behind all others */
};
extern const struct hook hooks[];	/* ends with folder NULL */

/* The file's text with our lines, whether it had them or not: malloc'd. */
char	*hook_text(const struct hook *, const char *text);

/*
 * As root, where the services will run: installs libraries and lines, unless
 * they are there.  A program that is not installed has none.  0, or -1 with a
 * line for people.
 */
int	 hooks_install(char *why, size_t size);
/*
 * Is something of it not there any more, as when a package replaced a file?
 * 1: *what names the files; 0: no; -1 with a line for people.
 */
int	 hooks_missing(char *what, size_t size);

#endif
