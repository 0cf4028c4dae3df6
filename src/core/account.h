/*
 * Accounts as sessions see them: name, uid, roles.  They come through this one
 * interface, whatever keeps them.
 */
#ifndef HF_ACCOUNT_H
#define HF_ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/rights.h"
#include "core/session.h"

/* The account's entry, borrowed; NULL when there is none. */
const json_t	*account_by_name(const char *username);
const json_t	*account_by_uid(uid_t);
/* Number of its primary group; without an entry, its user's. */
json_int_t	 account_gid(const json_t *account, uid_t);
/* A session for it, or NULL when it may not use the API. */
struct session	*account_session(const json_t *account, const char *origin);
struct session	*account_session_of_uid(uid_t, const char *origin);
/* One for whoever has that session, if he may still use the API; or NULL. */
struct session	*account_session_again(const struct session *,
		    const char *origin);
/* Does its shell let it in: is it neither nologin(8) nor false(1)? */
bool		 account_has_shell(const json_t *account);
/* Does it run what it is told, holdfast(1) say, and not transfers alone? */
bool		 account_runs_commands(const json_t *account);
/* Do its groups' privileges let it do everything? */
bool		 account_is_administrator(const json_t *account);
/*
 * The roles that its groups' privileges grant, and those of the group with
 * that number, without what they include; new arrays.
 */
json_t		*account_roles(const json_t *account);
json_t		*account_roles_of_group(int64_t gid);
/* Is there an administrator?  A stored flag, not a look at accounts. */
bool		 account_administrator_set_up(void);
#endif
