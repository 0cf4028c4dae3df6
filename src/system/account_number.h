/*
 * The numbers of users and groups: which are the system's, and which is the
 * next one that nobody has or had, so that none inherits another one's files.
 */
#ifndef HF_ACCOUNT_NUMBER_H
#define HF_ACCOUNT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"
#include "lib/verr.h"

#define NUMBER_LEAST	1000		/* below: Debian policy 9.2.2 */
#define NUMBER_NOBODY	65534		/* nobody, nogroup */
#define NUMBER_MAX	90000000	/* as the API says */

/* Those of one kind. */
struct account_numbers {
	const struct resource	*resource;
	const char		*member;	/* "gid", FF_UNIQUE */
	const char		*value;		/* of the store: the first one
						   that was never given out */
};

bool	account_number_is_system(int64_t);
/*
 * The first one above after that no entry has and none had that was removed;
 * after -1: the first at all.  At the end of all numbers those of removed ones
 * are used again.
 */
int64_t	account_number_next(const struct account_numbers *, int64_t after);
/*
 * It goes, and is not given out again; before the entry goes: a crash in
 * between only leaves a gap.
 */
void	account_number_keep(const struct account_numbers *, int64_t number,
	    struct verr *);

#endif
