/*
 * The commands of an account that only transfers files: what a login shell is
 * given behind "-c".  They are scp's of the old protocol (scp -t, scp -f, as
 * OpenSSH, PuTTY and libssh2 send them) and Debian's sftp-server, for who has
 * it as a subsystem; nothing else.
 *
 * The line is taken apart as sh(1) would do it, as far as it only quotes; what
 * a shell would do more with (variables, patterns, further commands) is
 * refused.  No option is accepted that has a program run.
 */
#ifndef HF_SCPONLY_COMMAND_H
#define HF_SCPONLY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_TEXT	((size_t)32 * 1024)	/* bytes, with what ends words */
#define COMMAND_WORDS	256

struct command {
	const char	*path;		/* the program; static */
	bool		 logs;		/* does it write to the system log? */
	char		*argv[COMMAND_WORDS + 2]; /* NULL ends; into text */
	char		 text[COMMAND_TEXT + 2];
};

/* NULL and the command, or why it is refused (static). */
const char	*command_parse(const char *line, struct command *);

#endif
