/*
 * How every way of logging in begins and ends (login.c), and the ways there
 * are.  A way that finds its caller to be somebody makes the session and calls
 * login_succeeded; any other end is login_failed, which says the same, after
 * the same time, whatever was wrong.
 */
#ifndef HF_SYSTEM_LOGIN_H
#define HF_SYSTEM_LOGIN_H

#include "core/call.h"
#include "core/session.h"

/* The answer's response_type; of failures, what the client may know. */
#define LOGIN_WRONG	"AUTH_ERR"
#define LOGIN_EXPIRED	"EXPIRED"
#define LOGIN_DENIED	"DENIED"

/*
 * A member of auth.login_ex's object, or parameter i of an older call, as text;
 * borrowed, "" when it is not there.
 */
const char *login_given(const struct call *, const char *member, size_t i);

/*
 * The connection's session from now on (stolen): recorded, told to the account
 * and answered.
 */
void	 login_succeeded(struct call *, struct session *);
/* The same with an answer of its own (stolen), to which user_info is set. */
void	 login_succeeded_with(struct call *, struct session *,
	    json_t *response);
/*
 * Recorded with the reason and answered a second or two after the call came,
 * a boolean false where the older calls are.  data (stolen): the record's
 * credentials_data.
 */
void	 login_failed(struct call *, const char *response_type,
	    enum credential, json_t *data, const char *why);

/*
 * The same for a session (stolen) of an account that was shown to be it by a
 * password: the second factor is asked for first, where there has to be one
 * (login_factor.c).
 */
void	 login_factor(struct call *, struct session *,
	    const json_t *account);

/* The methods' rows in auth.c name these. */
void	 login_ex(struct call *);
void	 login_mechanisms(struct call *);
void	 login_password(struct call *);		/* login_password.c */
void	 login_token(struct call *);
void	 login_continue(struct call *);		/* login_factor.c */
void	 login_api_key(struct call *);		/* login_api_key.c */
void	 login_scram(struct call *);		/* login_scram.c */

/*
 * Of a key that was shown or proven: in with it, unless it is over or its user
 * may not.  response as above; NULL: it was not by SCRAM.
 */
void	 login_with_key(struct call *, const json_t *key, json_t *response);
/* credentials_data of an attempt with it; both may be NULL. */
json_t	*login_key_data(const char *username, const json_t *key);

#endif
