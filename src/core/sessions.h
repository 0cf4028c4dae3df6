/*
 * The sessions of all connections: what auth.sessions shows of them, the
 * events of their begin and end, and ending them.
 */
#ifndef HF_SESSIONS_H
#define HF_SESSIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/session.h"

struct connection;

/*
 * May there be one more, for that connection, of that account
 * (max_sessions_per_user), those of SSH included?  What the connection has now is going to end; root's
 * over the Unix socket count for nothing.  The ones there are stay: who comes
 * late is refused, as pam_limits(8) does.
 */
bool	 sessions_allow(const struct session *, const struct connection *);
/* How many the account has here; those of SSH are ssh_list.h's. */
int64_t	 sessions_count(uid_t);

/* All, as auth.sessions lists them; a new array.  current may be NULL. */
json_t	*sessions_list(const struct session *current);
/*
 * Is one of them somebody's who may do everything and logged in since then
 * (boottime_ms())?  Root's at the machine shows nothing.
 */
bool	 sessions_administrator_since(int64_t since);

/* From connection.c: it has a new session; the one it had is over. */
void	 sessions_added(const struct connection *);
void	 sessions_removed(const struct session *);

/*
 * Ends the session of that id: its tokens are void, its connection is closed
 * with 1000, and by whom is recorded.  False: there is none.
 */
bool	 sessions_terminate(const char *id, const struct session *by);
/* All but the one of by, and root's over the Unix socket. */
void	 sessions_terminate_others(const struct session *by);
/*
 * Ends those of an account but root's over the Unix socket, and its tokens.
 * For account_end().
 */
void	 sessions_end_account(uid_t);
/*
 * Accounts or what they may do changed: a session whose account may no longer
 * use the API ends with its connection, the others get the roles that are
 * theirs now; tokens that rest on what was are void.  The
 * "changed" of the resources that say so (method.h).
 */
void	 sessions_review(void);
/*
 * Ends a connection's session, by logout or as it expired, and its tokens; the
 * connection stays.  done as in audit_send().
 */
void	 sessions_logout(struct connection *, void (*done)(int error, void *),
	    void *);
/*
 * Begins to end sessions in the second they expire, their connections with
 * them.
 */
void	 sessions_watch(void);
/* The limits changed: looks at once. */
void	 sessions_look(void);

#endif
