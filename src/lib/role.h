/*
 * The processes of holdfastd and the users they run as (design: one job, one
 * user, one sandbox each).  One table; nothing else knows these ids.
 */
#ifndef HF_ROLE_H
#define HF_ROLE_H

#include <sys/types.h>

enum role {
	ROLE_MONITOR,
	ROLE_WEB,
	ROLE_LOCAL,
	ROLE_CORE,
	ROLE_WORKER,
	ROLE_AUDIT,
	ROLE_JOURNAL,
	ROLE_COUNT
};

/* A set of roles, for the message table. */
#define ROLE_BIT(role)	(1u << (role))

struct role_info {
	const char	*name;	/* as ps shows it and as argv says it */
	const char	*user;	/* account that exists in the instance only */
	uid_t		 uid;	/* also its gid; 0 for the monitor */
	const char	*group;	/* one more that it is in, or NULL */
	const char	*doc;
};

const struct role_info	*role_info(enum role);

/* The role of that name, or ROLE_COUNT. */
enum role		 role_by_name(const char *);

#endif
