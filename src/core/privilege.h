/*
 * Roles: what each includes, and sets of them.  A session carries the set of
 * every role it was granted, directly or through another one.
 *
 * The names and what they include are the API's (role_table.c).
 */
#ifndef HF_PRIVILEGE_H
#define HF_PRIVILEGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ROLE_BUILTIN = 1 << 0,	/* internal; others open the web UI */
	ROLE_STIG = 1 << 1,	/* may be granted in STIG mode */
	ROLE_FULL = 1 << 2	/* may call everything */
};

struct role_row {
	const char	*name;
	unsigned int	 flags;
	const char	*const *includes;	/* NULL ends; NULL: none */
};

/* All roles, sorted by name. */
extern const struct role_row role_table[];
extern const size_t role_count;

#define ROLE_SET_MAX	256

struct role_set {
	uint64_t	bits[ROLE_SET_MAX / 64];
};

/*
 * The set of all roles that names (NULL at the end) grant, transitively; one
 * that may call everything grants all.  -1 when a name is unknown: the others
 * are in the set.
 */
int	 role_set_of(const char *const *names, struct role_set *);
/* Adds one role and what it includes; false for an unknown name. */
bool	 role_set_add(struct role_set *, const char *name);
void	 role_set_join(struct role_set *, const struct role_set *more);
/* Leaves those that may be granted in STIG mode. */
void	 role_set_keep_stig(struct role_set *);
/* False for an unknown name.  Called on every call: no allocation. */
bool	 role_set_has(const struct role_set *, const char *name);
/* Does one of the roles open the web UI (is not internal)? */
bool	 role_set_webui(const struct role_set *);
/* Their names, sorted; a new array. */
json_t	*role_set_json(const struct role_set *);

/*
 * For core.get_methods: the names of all roles that include one of these
 * (NULL at the end, or NULL), sorted, those that may call everything left
 * out; a new array.
 */
json_t	*roles_that_grant(const char *const *names);

/* Row of a role, or NULL. */
const struct role_row *role_find(const char *name);

#endif
