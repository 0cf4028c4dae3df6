/*
 * Logins that are not core's (SSH, su, the console) as records of the service
 * SYSTEM: LOGIN, and CREDENTIAL for their end.  Many failures of the same
 * account from the same place become one record a minute (lib/tally.h).
 */
#ifndef HF_AUDIT_SOURCE_LOGIN_H
#define HF_AUDIT_SOURCE_LOGIN_H

#include <stdbool.h>
#include <uv.h>

#include "audit/source.h"

/* Of whose process it is said; texts, as they may be any. */
struct login_ids {
	const char	*auid, *auid_name, *uid, *uid_name, *gid, *gid_name;
};

/* Texts are borrowed; NULL: not known, or none. */
struct login {
	const char	*program;	/* "sshd" */
	const char	*username;	/* who logs in, or becomes another */
	const char	*target;	/* as whom he then goes on */
	const char	*address, *session, *tty;
	const char	*how;		/* what proved who he is */
	const char	*why;		/* it was refused */
	struct login_ids ids;
	struct source_origin origin;
};

void	source_login_began(struct sources *, const struct login *);
void	source_login_ended(struct sources *, const struct login *);

/* This machine looked at what its sshd would take. */
void	source_login_probed(struct sources *, const struct login *);

struct login_failures;

struct login_failures *login_failures_new(uv_loop_t *, struct sources *);
/* The sums as of now become records. */
void	login_failures_flush(struct login_failures *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void	login_failures_free(struct login_failures *);

void	source_login_refused(struct login_failures *, const struct login *);

#endif
