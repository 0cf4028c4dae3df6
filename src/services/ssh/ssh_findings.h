/*
 * What is weak of what a probe saw, and why: a table of published advice.
 */
#ifndef HF_SSH_FINDINGS_H
#define HF_SSH_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "services/ssh/ssh_report.h"

/* Appends {name, severity, reason, source, remedy} to an array. */
void	ssh_finding(json_t *findings, const char *name, const char *severity,
	    const char *reason, const char *source, const char *remedy);

/*
 * Of what any server offers.  fips: it was chosen to offer what FIPS 140
 * approves, so that what follows from it is none.  user: whose methods of
 * authentication were seen.
 */
void	ssh_findings(json_t *findings, const struct ssh_report *,
	    const char *user, bool fips);

/* Of the public key of that many bits by which somebody logs in. */
void	ssh_finding_key(json_t *findings, const char *username,
	    unsigned int bits);

#endif
