/* The account files on disk: read, merged, written one atomic step each. */
#ifndef HF_MONITOR_ACCOUNTFILES_H
#define HF_MONITOR_ACCOUNTFILES_H

#include <stddef.h>

#include "monitor/accounts.h"

struct account_texts {
	int	 etc_fd;
	char	*text[ACCOUNT_FILES];
};

/* Reads all of them; 0 or -1 with why.  Free in both cases. */
int	accountfiles_read(struct account_texts *, char *why, size_t);
void	accountfiles_free(struct account_texts *);

/*
 * Replaces a file by text, which is taken over, when it differs; owner and
 * mode stay.  0 or -1 with why.
 */
int	accountfiles_write(struct account_texts *, enum account_file,
	    char *text, char *why, size_t);

/*
 * Merges into all files (gone as of accounts_merge).  The order never grants
 * meanwhile: locks and new hashes first, the line that makes a user exist
 * last.
 */
int	accountfiles_merge(struct account_texts *, const struct accounts *,
	    const struct accounts *gone, char *why, size_t);

/*
 * Could that list be installed?  0; EINVAL, EEXIST: no, and why; EIO: that
 * cannot be said.  (op_accounts.c)
 */
int	op_accounts_check(const char *content, char *why, size_t);

#endif
