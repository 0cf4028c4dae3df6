/*
 * Reconnect tokens (protocol.json, "reconnect_token"): what a client comes
 * back with, once, from the same address, when its connection was lost or core
 * was restarted.  They are therefore kept on disk: hashes of them, with the
 * account (account_state "reconnect").
 *
 * One dies with what it rests on: the account's password, lock or rights (its
 * stamp), the age that the login may have, or the end of the session that it
 * was made in.
 */
#ifndef HF_RECONNECT_H
#define HF_RECONNECT_H

#include "core/session.h"
#include "core/token.h"

#define RECONNECT_MAX	32	/* of one account; the oldest go */

/*
 * One for the session, which must be an account's; free with freezero_str().
 * NULL: its account takes none, or it could not be kept.
 */
char	*reconnect_new(const struct session *, const struct token_origin *,
	    int64_t ttl);
/*
 * A session as that which made the token was, if it is good there; it is used
 * up then.  The reference is the caller's; NULL: it is not.
 */
struct session *reconnect_use(const char *text, const struct token_origin *);
/* Those that a session made are void. */
void	 reconnect_end_of(const struct session *);
/* Those of an account are. */
void	 reconnect_end_account(uid_t);
/* Accounts changed: those that rest on what was are void. */
void	 reconnect_review(void);

#endif
