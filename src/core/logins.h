/*
 * What is remembered of an account's logins: the last one, the failed attempts
 * since, and, where system.security asks for it, which source has tried too
 * often and is locked out for a while.
 *
 * Locked out is an address (of IPv6 its /64) from the password of one account,
 * never an account as a whole: nobody outside keeps its owner from coming in.
 * Keys, tokens, open sessions and the Unix socket are not concerned.  The last
 * full administrator who could still log in from there waits instead.
 */
#ifndef HF_LOGINS_H
#define HF_LOGINS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct connection;
struct session;

enum lockout { LOCKOUT_OPEN, LOCKOUT_DELAYED, LOCKOUT_CLOSED };

/* stig.json, "lockout". */
#define LOCKOUT_FAILURES	3
#define LOCKOUT_SECONDS		900	/* from one failure to the next; and
					   from the last to the end of it */

/* May a password be tried from there?  Of no account as well. */
enum lockout logins_lockout(const char *username, const struct connection *);
/* One was wrong; counted: as one that leads to a lockout. */
void	 logins_failed(const char *username, const struct connection *,
	    bool counted);
/*
 * A login succeeded: remembered, and what was known before is told to the
 * session (its last_login).
 */
void	 logins_succeeded(struct session *, const struct connection *);

/*
 * The same of a password that is given in an SSH login from that address, ""
 * being nowhere.  One that may be tried is counted as wrong, until it turns
 * out to be right: sshd says nothing of one that was not.
 */
enum lockout logins_try(const char *username, const char *address);
void	 logins_right(const char *username, const char *address);

/* sshd let somebody in by that way ("SSH_KEY"), from that address. */
void	 logins_by_ssh(const char *username, const char *way,
	    const char *origin);

/* Is somewhere locked out from the account's password?  And let it be over. */
bool	 logins_locked(int64_t user_id);
int	 logins_unlock(int64_t user_id);	/* 0 or -1 with errno */

#endif
