/*
 * Who a connection speaks for: made by a login, or by the peer's uid on the
 * Unix socket; ends with the connection, a logout, a new login on it, its age,
 * or by somebody who may end it (sessions.h).
 */
#ifndef HF_SESSION_H
#define HF_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/core.h"
#include "core/privilege.h"
#include "lib/uuid.h"

/* How it was logged in, by the API's names (session_class). */
enum credential { CREDENTIAL_PASSWORD, CREDENTIAL_UNIX_SOCKET,
    CREDENTIAL_TOKEN, CREDENTIAL_TWOFACTOR, CREDENTIAL_ONETIME_PASSWORD,
    CREDENTIAL_API_KEY };

#define TOKEN_HASH	32	/* bytes of SHA-256 */

struct session {
	unsigned int	 references;
	char		 id[UUID_LEN];
	char		*username;
	uid_t		 uid;
	uint32_t	 login_uid;	/* the person behind sudo; UINT32_MAX */
	char		*origin;	/* "192.0.2.1:4711", "pid:42" */
	char		*address;	/* "192.0.2.1"; NULL: Unix socket */
	enum credential	 credential;
	bool		 second_factor;	/* it was shown one as well */
	/* CREDENTIAL_API_KEY: which, and whether it was proven by SCRAM. */
	int64_t		 api_key;
	char		*api_key_name;
	bool		 scram;
	char		 login_id[UUID_LEN];
	int64_t		 login_at;	/* seconds since the epoch */
	/* By boottime_ms(): of the login that it goes back to; last message. */
	int64_t		 authenticated, used;
	bool		 full_admin;
	struct role_set	 roles;
	bool		 web_shell;
	bool		 stig;		/* roles alone count, FULL_ADMIN too */
	bool		 readonly;	/* of its own will, for ever */
	/* Hash of what the account's ways in rest on (account.c). */
	unsigned char	 stamp[TOKEN_HASH];
	bool		 terminated;	/* what it left running calls no more */
	/* What was known of the account's logins before; NULL: nothing. */
	json_t		*last_login;
	/* CREDENTIAL_TOKEN: the login that it goes back to, and the token. */
	struct session	*parent;
	unsigned char	 token[TOKEN_HASH];
};

/* In seconds, 0: none. */
struct session_limits {
	int64_t	age;	/* since the login */
	int64_t	idle;	/* since the last message */
};

/*
 * Those of assurance level 1; whoever has other ones sets them, and calls
 * sessions_look().
 */
extern struct session_limits	session_limits;

/* One reference is the caller's.  roles: those granted, not yet expanded. */
struct session	*session_new(const char *username, uid_t uid,
		    const char *origin, enum credential,
		    const char *const *roles);
struct session	*session_keep(struct session *);
void		 session_release(struct session *);	/* NULL is fine */

/*
 * Gives it these roles (expanded) and the web shell instead of those it has:
 * less in STIG mode, and no more than READONLY_ADMIN once it became read-only.
 */
void		 session_grant(struct session *, const struct role_set *,
		    bool web_shell);
/* From now on it has READONLY_ADMIN alone; so have sessions made from it. */
void		 session_become_readonly(struct session *);
/* Makes it one that a token of another one (or its parent) logged in. */
void		 session_of_token(struct session *, struct session *maker,
		    const unsigned char token[static TOKEN_HASH]);
/* The login that it goes back to: itself, or that of its token. */
const struct session *session_login(const struct session *);
/* When it is past its age or idle for too long; INT64_MAX: never. */
int64_t		 session_end(const struct session *);	/* boottime_ms() */
bool		 session_expired(const struct session *);
/* Root's over the Unix socket: no events of it, nor ended among others. */
bool		 session_internal(const struct session *);
/* May it make tokens?  Not one of a one-time password.  NULL is fine. */
bool		 session_may_have_tokens(const struct session *);
/* One of the roles, or all rights; roles NULL: only those with all rights. */
bool		 session_has_any(const struct session *,
		    const char *const *roles);

/* "UNIX_SOCKET", "LOGIN_PASSWORD", ...; and the session's credentials_data. */
const char	*credential_name(enum credential);
const char	*session_class(const struct session *);
json_t		*session_credentials_data(const struct session *);
/* Both, as an audit record has them. */
json_t		*session_credentials(const struct session *);
/* The privilege object of auth.me. */
json_t		*session_privilege(const struct session *);

#endif
