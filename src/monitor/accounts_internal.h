/*
 * What reading the list of accounts (accounts.c) and merging it
 * (accounts_merge.c) share.
 */
#ifndef HF_MONITOR_ACCOUNTS_INTERNAL_H
#define HF_MONITOR_ACCOUNTS_INTERNAL_H

#include "monitor/accounts.h"

/*
 * Users, or groups, in the order of their names and in that of their ids: an
 * account file may have ten thousand lines, each looked up in ten thousand.
 */
struct named {
	const char	*name;
	unsigned long	 id;
	bool		 kept; /* a user whose hash is in shadow alone */
	size_t		 at; /* in the accounts */
};

struct account_names {
	struct named	*by_name, *by_id;
	size_t		 count;
};

/* accounts NULL: there are none. */
void	account_names_make(struct account_names *, const struct accounts *,
	    bool groups);
void	account_names_clear(struct account_names *);
/* NULL: it is not there. */
const struct named *account_names_find(const struct account_names *,
	    const char *name);
const struct named *account_names_find_id(const struct account_names *,
	    unsigned long id);

/* One line at a time, without its newline; NULL at the end. */
const char *account_line_next(const char **at, size_t *lenp);
/* A number that Holdfast gives, not one of the system? */
bool	account_id_local(unsigned long);
/* Says why, of that account; always -1. */
int	account_refuse(char *why, size_t, const char *name, const char *what);

#endif
