/*
 * The settings of system.security as others ask for them, and what STIG mode
 * means for them.  As stored: without a store, those of a new machine.
 */
#ifndef HF_SECURITY_H
#define HF_SECURITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"
#include "core/session.h"

#define SECURITY_ENTRY	1	/* id of the one entry of system.security */

enum password_class {	/* bits of password_complexity_ruleset */
	CLASS_UPPER	= 1 << 0,
	CLASS_LOWER	= 1 << 1,
	CLASS_NUMBER	= 1 << 2,
	CLASS_SPECIAL	= 1 << 3
};

/* 0 where there is no such rule. */
struct password_rules {
	int64_t		min_age, max_age;	/* days */
	int64_t		min_length;		/* characters */
	int64_t		history;		/* incl. the present one */
	unsigned int	classes;		/* one of each */
};
/* As a change will leave them; NULL: as they are. */
void	security_password_rules(const struct change *,
	    struct password_rules *);

/* Are the rules of the STIG (stig.json) in force? */
bool	security_stig(void);
/* Only what FIPS 140 knows: SHA-512 crypt instead of yescrypt. */
bool	security_fips(void);
/* The NIST 800-63B level that logins have to reach: 1 or 2. */
int	security_assurance_level(void);
/* How many failed logins in a row lock out (logins.h); 0: any number. */
int64_t	security_lockout_failures(void);
int64_t	security_lockout_of(const json_t *settings);
/* How many sessions an account may have at a time; 0: any number. */
int64_t	security_max_sessions(void);
/* The sessions' limits as the settings and the level have them. */
struct session_limits security_session_limits(void);

#endif
