/*
 * The settings of system.security as others ask for them: see security.h.
 */
#include "core/security.h"

#include <string.h>

#include "core/core.h"
#include "core/resource.h"
#include "core/logins.h"
#include "lib/json.h"

/* protocol.json, "assurance_levels". */
#define LEVEL_2_AGE 43200
#define LEVEL_2_IDLE 1800
#define STIG_SESSIONS 10 /* SRG-OS-000027-GPOS-00008 */

static const json_t *
settings(void)
{
	if (core_store() == NULL)
		return NULL;
	return store_get(core_store(), "system.security", SECURITY_ENTRY);
}

static unsigned int
classes_of(const json_t *names)
{
	/* clang-format off */
	static const struct {
		const char *name;
		unsigned int class;
	} known[] = {
		{ "UPPER", CLASS_UPPER }, { "LOWER", CLASS_LOWER },
		{ "NUMBER", CLASS_NUMBER }, { "SPECIAL", CLASS_SPECIAL }
	};
	/* clang-format on */
	unsigned int classes = 0;
	json_t *name;
	size_t i, k;

	names = json_object_get(names, "$set");
	json_array_foreach(names, i, name)
		for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (strcmp(json_string_value(name), known[k].name) == 0)
				classes |= known[k].class;
	return classes;
}

void
security_password_rules(const struct change *c, struct password_rules *rules)
{
	const json_t *s = settings();

	if (c != NULL)
		s = change_view(
		    c, resource_find("system.security"), SECURITY_ENTRY);
	*rules = (struct password_rules){
		.min_age = json_int(s, "min_password_age", 0),
		.max_age = json_int(s, "max_password_age", 0),
		.min_length = json_int(s, "min_password_length", 0),
		.history = json_int(s, "password_history_length", 0),
		.classes = classes_of(
		    json_object_get(s, "password_complexity_ruleset")),
	};
}

bool
security_stig(void)
{
	return json_bool(settings(), "enable_gpos_stig", false);
}

bool
security_fips(void)
{
	return json_bool(settings(), "enable_fips", false);
}

int
security_assurance_level(void)
{
	return security_stig() ? 2 : 1;
}

/* The smaller one; 0 is no limit. */
static int64_t
stricter(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int64_t
security_lockout_of(const json_t *s)
{
	int64_t set = json_int(s, "lockout_failures", 0);

	return json_bool(s, "enable_gpos_stig", false) ?
	    stricter(set, LOCKOUT_FAILURES) :
	    set;
}

int64_t
security_lockout_failures(void)
{
	return security_lockout_of(settings());
}

int64_t
security_max_sessions(void)
{
	int64_t most = json_int(settings(), "max_sessions_per_user", 0);

	return security_stig() ? stricter(most, STIG_SESSIONS) : most;
}

struct session_limits
security_session_limits(void)
{
	const json_t *s = settings();
	struct session_limits limits = session_limits;

	limits.age = json_int(s, "session_max_age", limits.age);
	limits.idle = json_int(s, "session_idle_timeout", 0);
	if (security_stig()) {
		limits.age = stricter(limits.age, LEVEL_2_AGE);
		limits.idle = stricter(limits.idle, LEVEL_2_IDLE);
	}
	return limits;
}
