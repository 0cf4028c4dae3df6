/*
 * Who a connection speaks for: made by a login, or by the peer's uid on the
 * Unix socket; ends with the connection, a logout, or a new login on it.
 */
#ifndef HF_SESSION_H
#define HF_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/core.h"
#include "core/privilege.h"

struct session {
	unsigned int	 references;
	char		 id[UUID_LEN];
	char		*username;
	uid_t		 uid;
	uint32_t	 login_uid;	/* the person behind sudo; UINT32_MAX */
	char		*origin;	/* "192.0.2.1:4711", "pid:42" */
	char		*address;	/* "192.0.2.1"; NULL: Unix socket */
	bool		 unix_socket;
	char		 login_id[UUID_LEN];
	int64_t		 login_at;	/* seconds since the epoch */
	bool		 full_admin;
	struct role_set	 roles;
	bool		 web_shell;
};

/* One reference is the caller's.  roles: those granted, not yet expanded. */
struct session	*session_new(const char *username, uid_t uid,
		    const char *origin, bool unix_socket,
		    const char *const *roles);
struct session	*session_keep(struct session *);
void		 session_release(struct session *);	/* NULL is fine */

/* One of the roles, or all rights; roles NULL: only those with all rights. */
bool		 session_has_any(const struct session *,
		    const char *const *roles);

/* "UNIX_SOCKET" or "LOGIN_PASSWORD"; and its credentials_data. */
const char	*session_class(const struct session *);
json_t		*session_credentials_data(const struct session *);
/* Both, as an audit record has them. */
json_t		*session_credentials(const struct session *);
/* The privilege object of auth.me. */
json_t		*session_privilege(const struct session *);

#endif
