/*
 * A login that waits for its second factor: the first one was right, on this
 * connection, which is still nobody's.  There is one at most; another attempt,
 * a wrong code or the end of the connection drops it.
 */
#ifndef HF_PENDING_LOGIN_H
#define HF_PENDING_LOGIN_H

#include "core/session.h"

struct connection;

struct pending_login {
	int64_t		 user_id;
	char		*username;
	enum credential	 credential;	/* what was shown */
	/* Of the account then: a code does not go with another password. */
	unsigned char	 stamp[TOKEN_HASH];
};

/* The session that would be. */
void	 pending_login_begin(struct connection *, int64_t user_id,
	    const struct session *);
/* It is the caller's then, to be freed; NULL: there is none. */
struct pending_login *pending_login_take(struct connection *);
void	 pending_login_free(struct pending_login *);	/* NULL is fine */
/* Nobody showed it: that is recorded, as its password is known to somebody. */
void	 pending_login_abandon(struct connection *);

#endif
