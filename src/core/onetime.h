/*
 * One-time passwords (protocol.json, "one_time_password"): good for one login
 * within a day, made by an administrator for somebody who has lost theirs.
 * Random text of 142 bits; kept is an HMAC of it under the store's key, with
 * the account (account_state "onetime").  A new password of the account ends
 * those that there are.
 */
#ifndef HF_ONETIME_H
#define HF_ONETIME_H

#include <stdbool.h>
#include <stdint.h>

#define ONETIME_SECONDS	86400
#define ONETIME_MAX	8	/* not yet used, of one account */

/*
 * A new one; the oldest goes when there are too many.  Free with
 * freezero_str().  NULL with errno when it cannot be kept.
 */
char	*onetime_new(int64_t user_id);
/* Is it one of the account's?  It was, once this has said so. */
bool	 onetime_use(int64_t user_id, const char *text);

#endif
