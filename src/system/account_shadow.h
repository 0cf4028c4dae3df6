/*
 * What shadow(5) says of an account besides its hash.
 */
#ifndef HF_ACCOUNT_SHADOW_H
#define HF_ACCOUNT_SHADOW_H

#include <jansson.h>
#include <stdint.h>

struct change;

/* In days, since the epoch or of a duration; -1: empty. */
struct account_shadow {
	int64_t	change, min, max, warn, inactive, expire;
};

/* As of that change (NULL: as it is stored). */
void		 account_shadow(const struct change *, const json_t *account,
		    struct account_shadow *);
/*
 * The hash as the list of accounts has it (monitor/accounts.h), malloc'd and
 * secret: behind "!" where the account is locked, "*" without a password.
 */
char		*account_shadow_hash(const json_t *account);

#endif
