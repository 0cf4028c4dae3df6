/*
 * The account files as the monitor reads them for core: the answer to
 * MSG_OP_READ_ACCOUNTS, a line at a time.
 */
#ifndef HF_ACCOUNT_LINES_H
#define HF_ACCOUNT_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct op_reply;

/* Strings are good until the function that gets the line returns. */
struct user_line {
	char		*name;
	bool		 managed;	/* Holdfast's, perhaps half removed */
	uint32_t	 uid, gid;
	char		*gecos, *home, *shell;
};

struct group_line {
	char		*name;
	bool		 managed;
	uint32_t	 gid;
	json_t		*members;	/* names */
};

/* What to call for each; a member may be NULL.  False: no more of these. */
struct line_readers {
	bool	(*user)(const struct user_line *, void *);
	bool	(*group)(const struct group_line *, void *);
	bool	(*shell)(const char *path, void *);
};

/* 0, or -1: it failed, or is malformed (from where on nothing is called). */
int	account_lines(const struct op_reply *, const struct line_readers *,
	    void *arg);

#endif
