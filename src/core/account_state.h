/*
 * State of an account that is no configuration: durable, but without a
 * revision, not touched by config.upload or a rollback, gone with the account.
 *
 * Kept in memory and written through; on disk a value of the store each
 * ("account/7/failures"), sealed to its name, as what lets somebody in is
 * among them.  A member has one owner:
 *
 *	attributes	auth.set_attribute
 *	until		user_until.c: ends by the machine's clock
 */
#ifndef HF_ACCOUNT_STATE_H
#define HF_ACCOUNT_STATE_H

#include <jansson.h>
#include <stdint.h>

/* New reference, not to be changed; NULL: there is none. */
json_t	*account_state_get(int64_t user_id, const char *member);
/*
 * On disk when it returns.  The value is stolen; NULL removes it.  0 or -1
 * with errno: ENOENT when there is no such account, EIO, ENOSPC.
 */
int	 account_state_set(int64_t user_id, const char *member, json_t *value);
/* Each account that has the member; must not set it. */
void	 account_state_each(const char *member,
	    void (*each)(int64_t user_id, const json_t *value, void *),
	    void *arg);
/* Accounts were removed: so is what was kept of them. */
void	 account_state_review(void);

#endif
