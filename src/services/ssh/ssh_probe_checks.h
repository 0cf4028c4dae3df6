/*
 * A probe of this machine's own sshd against its settings.
 */
#ifndef HF_SSH_PROBE_CHECKS_H
#define HF_SSH_PROBE_CHECKS_H

#include <jansson.h>

#include "services/ssh/ssh_report.h"

struct ssh_probe_seen {
	const struct ssh_report	*report;
	const char		*effective;	 /* sshd -T */
	const char		*effective_root; /* of a connection of root's */
	const json_t		*config;	 /* the settings */
};

/*
 * New array of {check, expected, seen, met, evidence, time, tool_version};
 * those that are not met are findings too.
 */
json_t	*ssh_probe_checks(const struct ssh_probe_seen *, const char *user,
	    json_t *findings);

/* Of a list of key exchanges what signals something; new array. */
json_t	*ssh_probe_markers(const char *kex);

/* Directives of auxiliary parameters that are more than plain ones. */
void	 ssh_probe_directives(json_t *findings, const char *options);

#endif
