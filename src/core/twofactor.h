/*
 * The second factor of accounts: a secret each, from which their authenticator
 * makes codes (totp.h), and when one is asked for (auth.twofactor).
 *
 * The secrets are entries beside those of the users, of the same ids; so no
 * query, event or description of a user can show one, and they go with the
 * user.  A configuration that is uploaded brings them along for accounts that
 * it makes; those of accounts that are there stay as they are.
 */
#ifndef HF_TWOFACTOR_H
#define HF_TWOFACTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"

#define TWOFACTOR_ENTRY		1	/* id of auth.twofactor's one entry */
#define TWOFACTOR_WINDOW_MAX	20	/* steps, before and after */

extern const struct resource twofactor_secret_resource;

/* account: a user's entry (account.h); NULL has no second factor. */

/* Is there a secret in force? */
bool	 twofactor_configured(const json_t *account);
/* There is, and codes are asked for. */
bool	 twofactor_required(const json_t *account);
/* Codes are asked for of who has one. */
bool	 twofactor_enabled(void);
/* Nobody comes in without one: codes are asked for, in STIG mode. */
bool	 twofactor_mandatory(void);

/*
 * Is it right, for a moment that the window allows, and was never used before?
 * It is used now, and that is on disk when this returns.  After ten wrong ones
 * in a row one is looked at every five minutes, so that nobody who has the
 * password guesses the code.
 */
bool	 twofactor_check(const json_t *account, const char *code);

/*
 * two_factor_config as the API shows it: {provisioning_uri: null,
 * secret_configured, interval, otp_digits}.  A secret is shown once, when it
 * is made.
 */
json_t	*twofactor_config(const json_t *account);

/*
 * A change of an account's secret answers with the user's entry and its
 * twofactor_config, the provisioning_uri in it.  The members to change: with a new secret that is in
 * force at once, or once a code of it was confirmed (the one before stays so
 * long).  New references, full of secrets.
 */
json_t	*twofactor_renewal(int64_t interval, int64_t digits, bool confirm);
/* With the one that waits in force; NULL: the code is not one of it. */
json_t	*twofactor_confirmation(const json_t *account, const char *code);
/* Does one wait? */
bool	 twofactor_waits(const json_t *account);
/* A new secret is in force at once: wrong codes of the one before are past. */
void	 twofactor_replaced(struct change *);

/* From a user's check: the account goes, and its secret with it. */
void	 twofactor_forget(struct change *, int64_t user_id);

#endif
