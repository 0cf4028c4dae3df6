/*
 * Passwords of accounts: the rules that a new one has to keep (system.security)
 * and how old it may become.  What they are counted from are the members of an
 * account's entry: unixhash, last_password_change (seconds since the epoch),
 * password_history (the hashes before unixhash, oldest first).
 */
#ifndef HF_PASSWORD_H
#define HF_PASSWORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/verr.h"

#define PASSWORD_BYTES_MAX	511	/* CRYPT_MAX_PASSPHRASE_SIZE, crypt(3) */
#define PASSWORD_HISTORY_MAX	10	/* hashes that are kept */

struct change;

/*
 * Hashes a new password in a worker, unless it is one that the account
 * (NULL: a new one) has or had and the rules want another: then reused is
 * true and hash "".  error: errno, and then only text is set.
 */
typedef void	password_hashed(int error, const char *text, const char *hash,
		    bool reused, void *arg);
void	password_hash(const char *password, const json_t *account,
	    password_hashed *done, void *arg);

/* The rules on it, as errors on the attribute. */
void	password_check(const char *password, struct verr *,
	    const char *attribute);
/* The error for one that is reused. */
void	password_reused(struct verr *, const char *attribute);

/*
 * Is the account's password too young to be changed by its owner?  The number
 * of days that it has to wait, or 0.
 */
int64_t	password_too_young(const json_t *account);

/* password_history once the present password is replaced; new reference. */
json_t	*password_history_next(const json_t *account);

/* Whole days since its last change; -1: never changed, or there is none. */
int64_t	password_age(const json_t *account);
/*
 * After how many days shadow(5) has it expire; -1: never.  Root's never does,
 * nor that of an account that has none, nor the youngest one of those who may
 * do everything.  Entries as of change_view(); change may be NULL.
 */
int64_t	password_max_age(const struct change *, const json_t *account);
/* Does it expire within six days, or has it? */
bool	password_change_required(const json_t *account);

#endif
