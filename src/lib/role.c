/*
 * The table of roles: name, user, id.
 */
#include <string.h>

#include "lib/role.h"

/* clang-format off */
static const struct role_info roles[ROLE_COUNT] = {
	[ROLE_MONITOR] = { .name = "monitor", .user = "root", .uid = 0,
	  .doc = "starts and watches the others, carries out the "
	         "privileged operations, runs services" },
	[ROLE_WEB] = { .name = "web", .user = "_hfweb", .uid = 471,
	  .doc = "speaks TLS, HTTP and WebSocket with the network" },
	[ROLE_LOCAL] = { .name = "local", .user = "_hflocal", .uid = 472,
	  .doc = "speaks WebSocket on the Unix socket" },
	[ROLE_CORE] = { .name = "core", .user = "_hfcore", .uid = 473,
	  .doc = "sessions, validation, configuration, jobs" },
	[ROLE_WORKER] = { .name = "worker", .user = "_hfworker", .uid = 474,
	  .doc = "one task: connects out, resolves names or hashes" },
	[ROLE_AUDIT] = { .name = "audit", .user = "_hfaudit", .uid = 475,
	  .doc = "appends to the audit log and answers queries of it" },
	[ROLE_JOURNAL] = { .name = "journal", .user = "_hfjournal", .uid = 476,
	  .group = "systemd-journal",
	  .doc = "reads systemd's journal for the audit log" },
};
/* clang-format on */

const struct role_info *
role_info(enum role role)
{
	return &roles[role];
}

enum role
role_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0)
			break;
	return (enum role)i;
}
