/*
 * STIG mode (stig.json, "gpos_stig"): what has to be so before it is switched
 * on, and what the password rules are then.
 *
 * What it changes elsewhere asks security_stig() and
 * security_assurance_level().  What would have to change and cannot yet is
 * listed here, and refuses the mode: a machine does not say that it keeps
 * rules which it does not.
 */
#include <string.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/rights.h"
#include "core/session.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "system/audit_kernel.h"
#include "system/security_internal.h"
#include "system/user.h"
#include "system/user_internal.h"

#define FIELD "enable_gpos_stig"
#define NONE (-1)

/* clang-format off */
static const char *const unbuilt[] = {
	"the record of what is typed on root's terminals",
	"kernel.io_uring_disabled",
};

/* "password_limits" and "password_defaults_when_unset"; bounds inclusive. */
static const struct {
	const char	*member;
	int64_t		 def, min, max;	/* NONE: no such bound */
	const char	*source;
} limits[] = {
	{ "min_password_age", 1, NONE, NONE, "SRG-OS-000075-GPOS-00043" },
	{ "max_password_age", 60, NONE, 60, "SRG-OS-000076-GPOS-00044" },
	{ "password_history_length", 5, 5, NONE, "SRG-OS-000077-GPOS-00045" },
	{ "min_password_length", 15, 15, NONE, "SRG-OS-000078-GPOS-00046" },
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* All four of password_complexity_ruleset. */
#define CLASSES 4
#define RULESET "password_complexity_ruleset"

static void
fill_in(json_t *after)
{
	json_t *set = json_object_get(json_object_get(after, RULESET), "$set");
	size_t i;

	for (i = 0; i < COUNT(limits); i++)
		if (json_is_null(json_object_get(after, limits[i].member)))
			json_object_set_new(after, limits[i].member,
			    json_integer(limits[i].def));
	if (json_array_size(set) == 0)
		json_object_set_new(after, RULESET,
		    json_set(json_pack("[s, s, s, s]", "UPPER", "LOWER",
			"NUMBER", "SPECIAL")));
}

static void
check_limits(struct change *c)
{
	json_t *set =
	    json_object_get(json_object_get(c->after, RULESET), "$set");
	int64_t value;
	size_t i;

	for (i = 0; i < COUNT(limits); i++) {
		value = json_int(c->after, limits[i].member, NONE);
		if (limits[i].max != NONE &&
		    (value == NONE || value > limits[i].max))
			verr_add(c->errors, limits[i].member,
			    "At most %lld in STIG mode (%s)",
			    (long long)limits[i].max, limits[i].source);
		if (limits[i].min != NONE && value < limits[i].min)
			verr_add(c->errors, limits[i].member,
			    "At least %lld in STIG mode (%s)",
			    (long long)limits[i].min, limits[i].source);
	}
	if (json_array_size(set) != CLASSES)
		verr_add(c->errors, RULESET, "All of them in STIG mode");
}

static void
needs(struct change *c, bool met, const char *what)
{
	if (!met)
		verr_add(c->errors, FIELD, "It needs %s", what);
}

static void
check_twofactor(struct change *c)
{
	const json_t *entry =
	    store_get(core_store(), "auth.twofactor", TWOFACTOR_ENTRY);

	needs(c, json_bool(entry, "enabled", false),
	    "two-factor authentication to be enabled");
	needs(c, json_bool(json_object_get(entry, "services"), "ssh", false),
	    "two-factor authentication for SSH to be enabled");
}

/* Those of the system itself have passwords that nobody owns. */
static void
check_shared(struct change *c, const json_t *user)
{
	const char *hash = json_str(user, "unixhash", "*");

	if (user_is_immutable(user) && !user_is_foreign(user) &&
	    (hash[0] == '$' || strcmp(hash, USER_HASH_KEPT) == 0) &&
	    !json_bool(user, "password_disabled", false) &&
	    !json_bool(user, "locked", false))
		verr_add(c->errors, FIELD,
		    "%s has a password: personal administrators are needed "
		    "instead (SRG-OS-000109-GPOS-00056)",
		    json_str(user, "username", ""));
}

/* Without them nobody could come in any more. */
static void
check_accounts(struct change *c)
{
	json_t *users = store_list(core_store(), "user"), *user;
	const struct session *s = c->call->session;
	bool somebody = false, administrator = false;
	size_t i;

	json_array_foreach(users, i, user) {
		check_shared(c, user);
		if (json_bool(user, "locked", false) ||
		    !twofactor_configured(user))
			continue;
		somebody = true;
		administrator |= rights_administers(c, user);
	}
	json_decref(users);
	needs(c, somebody, "an account with a second factor");
	needs(c, administrator,
	    "an administrator who may do everything and has a second factor");
	needs(c, s != NULL && session_login(s)->second_factor,
	    "to be switched on by who logged in with a second factor");
}

void
security_stig_check(struct change *c)
{
	size_t i;

	if (!json_bool(c->after, FIELD, false))
		return;
	needs(c, json_bool(c->after, "enable_fips", false), "enable_fips");
	if (!json_bool(c->before, FIELD, false)) {
		fill_in(c->after);
		check_twofactor(c);
		check_accounts(c);
		needs(c, audit_kernel_on(),
		    "the rules of the kernel's audit to be loaded");
		for (i = 0; i < COUNT(unbuilt); i++)
			verr_add(c->errors, FIELD, "It is not built yet: %s",
			    unbuilt[i]);
	}
	check_limits(c);
}
