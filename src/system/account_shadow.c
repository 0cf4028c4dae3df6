/* What shadow(5) says of an account: see account_shadow.h. */
#include "system/account_shadow.h"

#include <string.h>

#include "core/change.h"
#include "core/password.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/user.h"

#define DAY 86400
#define EXPIRED 1 /* the first day; 0 is said to be read as "never" */
#define WARN_DAYS 7 /* the default of login.defs(5) */

/*
 * A locked account is expired, which stops keys and cron as well as the "!"
 * before its hash stops passwords.
 */
void
account_shadow(const struct change *c, const json_t *account,
    struct account_shadow *shadow)
{
	int64_t changed = json_int(account, "last_password_change", -1);

	*shadow = (struct account_shadow){ -1, -1, -1, -1, -1, -1 };
	if (changed != -1) {
		shadow->change = changed / DAY;
		shadow->max = password_max_age(c, account);
	}
	if (shadow->max != -1) {
		shadow->warn = WARN_DAYS;
		shadow->inactive = 0; /* expired is expired, for SSH too */
	}
	if (json_bool(account, "locked", false))
		shadow->expire = EXPIRED;
}

char *
account_shadow_hash(const json_t *account)
{
	const char *hash = json_str(account, "unixhash", "*");

	if (json_bool(account, "password_disabled", false))
		hash = "*";
	if (strcmp(hash, USER_HASH_KEPT) == 0 ||
	    !json_bool(account, "locked", false))
		return xstrdup(hash);
	return xasprintf("!%s", hash);
}
