/*
 * What an account may do: the roles and the web shell that the privileges of
 * its groups grant, its sudo rules, and being an administrator of the machine
 * itself.  A change is measured by it, since nobody raises anybody above
 * himself (design section 14).
 *
 * Accounts and groups are stored objects.  Of a change (NULL: none) they are
 * looked at as it will leave them.
 */
#ifndef HF_RIGHTS_H
#define HF_RIGHTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"
#include "core/privilege.h"
#include "core/session.h"

#define GID_ADMINISTRATORS 544 /* builtin_administrators */

/* What the privileges of some groups grant together. */
struct granted {
	struct role_set	 roles;		/* expanded */
	bool		 web_shell;
};

/* What a session of the account has.  False: nothing at all. */
bool	 rights_granted(const json_t *account, struct granted *);

/*
 * Every role and right (roles by its groups' privileges, web shell, sudo
 * rules, being root or in a group that is as good as root) that this account
 * has: what the session lacks of it, malloc'd ("FULL_ADMIN"), or NULL when it
 * has all.  session NULL has nothing.
 */
char	*rights_missing(const struct session *, const struct change *,
	    const json_t *account);
/* The same for a group, and for what a privilege grants, and to whom. */
char	*rights_missing_group(const struct session *, const struct change *,
	    const json_t *group);
char	*rights_missing_privilege(const struct session *,
	    const json_t *privilege);

/* Has the account the same before and after the change? */
bool	 rights_equal(const struct change *, const json_t *before,
	    const json_t *after);
/* May it do everything, by whatever it logs in? */
bool	 rights_has_all(const struct change *, const json_t *account);
/*
 * Can it log in with a password, as an administrator who may do everything?
 * One whose time is going to be over does not count.
 */
bool	 rights_administers(const struct change *, const json_t *account);

#endif
