/*
 * What may stand in sshd_config: one row for each directive that OpenSSH 9.2
 * (Debian 12) and 10.0 (Debian 13) know, as sshd_config(5) and servconf.c's
 * table have them, with the danger that lies in it; and the checks of texts
 * against these rows.
 *
 * A text is read more strictly than sshd reads it: a keyword is letters and
 * digits after optional blanks, so that quoted or disguised keywords, which
 * sshd would accept, cannot hide one.
 */
#ifndef HF_SSH_DIRECTIVES_H
#define HF_SSH_DIRECTIVES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/verr.h"

/* Why a directive needs a full administrator; design section 13. */
enum directive_class {
	CLASS_PLAIN,
	CLASS_FILE,	/* names a file */
	CLASS_CODE,	/* runs or loads code */
	CLASS_WEAKENS,	/* can weaken authentication */
	CLASS_BLINDS,	/* can blind the log */
	CLASS_IGNORED,	/* sshd knows it and does nothing */
	CLASS_REFUSED	/* Include: never in a text */
};

/* How `sshd -T` shows what was set. */
enum directive_form {
	FORM_WORD,		/* one word; "yes" for "true" and so on */
	FORM_NUMBER,
	FORM_TIME,		/* in seconds */
	FORM_ALGORITHMS,	/* a list, with +, -, ^ and patterns */
	FORM_ARGUMENTS,		/* the arguments, one blank between them */
	FORM_LINES,		/* one line for each argument */
	FORM_RAW,		/* the rest of the line as it stands */
	FORM_LISTEN,		/* ListenAddress: with the port */
	FORM_STARTUPS,		/* MaxStartups: three numbers */
	FORM_SIZE_TIME,		/* RekeyLimit: bytes and seconds */
	FORM_PRESENT,		/* rewritten; only that it is there is seen */
	FORM_HIDDEN		/* not shown */
};

enum {
	DF_ADDS = 1 << 0,	/* each line adds; else the first one counts */
	DF_NEW_FILE = 1 << 1,	/* the file need not be there */
	DF_HOME_FILE = 1 << 2,	/* relative or with %h %u: in homes */
	/* Where CLASS_CODE names its program: */
	DF_PROGRAM = 1 << 3,	/* first argument */
	DF_PROGRAM_2 = 1 << 4,	/* second argument */
	DF_SHELL = 1 << 5	/* a command of the user's shell: a bare name is
				   looked up there */
};

struct directive {
	const char		*name;
	enum directive_class	 class;
	enum directive_form	 form;
	/* First OpenSSH that takes it inside Match (902 = 9.2); 0: none. */
	unsigned int		 match;
	unsigned int		 from;	/* first OpenSSH with it; 0: old */
	unsigned int		 flags;
	const char		*shown;	/* alias: the name that -T shows */
};

/* Ends with a row without a name. */
extern const struct directive directives[];

/* Case does not count.  NULL when sshd does not know it. */
const struct directive *directive_find(const char *name, size_t len);
/* "names a file" and so on; "" for CLASS_PLAIN. */
const char	*directive_class_text(enum directive_class);

/* Bytes of a line; sshd itself sets no limit. */
#define DIRECTIVE_LINE_MAX	16384

enum line_kind {
	LINE_EMPTY,	/* or a comment */
	LINE_DIRECTIVE,
	LINE_BAD	/* see problem */
};

/* A line as sshd sees it; pointers into the text. */
struct config_line {
	enum line_kind	 kind;
	const char	*start;		/* of the line */
	size_t		 len;		/* without the newline */
	unsigned int	 number;	/* from 1 */
	const char	*keyword;
	size_t		 keyword_len;
	const char	*rest;		/* arguments, blanks at ends removed */
	size_t		 rest_len;
	const char	*problem;	/* LINE_BAD: static text */
};

/* Walks over a text: *at 0 and *number 0 at first; false at its end. */
bool		 config_next_line(const char *text, size_t len, size_t *at,
		    unsigned int *number, struct config_line *);

/*
 * Splits arguments as sshd does: blanks, both quotes, backslash before a
 * quote, a backslash or a blank, a comment at a word's begin.  A
 * NULL-terminated array, freed with arguments_free; NULL: a quote is open.
 */
char		**arguments_split(const char *rest, size_t len);
void		 arguments_free(char **);

/*
 * What the monitor checks before a whole sshd_config is installed, core not
 * being trusted: every directive known, none that is refused, files and
 * programs that are named writable by root alone.  0, or -1 with *whyp
 * (malloc'd) of the form "line N: ...".  An output's vet function.
 */
int		 directives_vet(const char *content, size_t len, char **whyp);

/*
 * The auxiliary parameters of ssh.update: adds an error to "options" for each
 * line at fault, naming line and directive as they were sent.
 */
void		 directives_check_auxiliary(const char *text, bool full_admin,
		    struct verr *);

/*
 * Is NAME set in the text, before its first Match block?  With first not
 * NULL: with that first argument (case counts not).
 */
bool		 directives_has_global(const char *text, const char *name,
		    const char *first);
/*
 * What a line is rendered as when sshd would ignore or not know it: the
 * comment that says so (malloc'd); NULL: as it stands.
 */
char		*directive_met_by_comment(const struct config_line *);

#endif
