/*
 * Core's side of the audit log: builds records, hands them to the audit role,
 * and keeps what it could not deliver.  A record that matters is on disk, in
 * the log or in the store's outbox, before its call is answered.
 */
#ifndef HF_CORE_AUDIT_H
#define HF_CORE_AUDIT_H

#include <jansson.h>
#include <stdbool.h>

#include "core/call.h"
#include "core/session.h"
#include "lib/ipc.h"
#include "lib/message.h"

struct connection;

/*
 * A record of the service MIDDLEWARE with a fresh audit_id; event_data is
 * stolen.  session may be NULL.
 */
json_t	*audit_record(const struct connection *, const struct session *,
	    const char *event, json_t *event_data, bool success);
/*
 * AUTHENTICATION: a login that succeeded (the session), or one that failed:
 * how it was tried, its credentials_data (stolen), and the reason.
 */
json_t	*audit_authentication(const struct connection *,
	    const struct session *, enum credential, json_t *data,
	    const char *error);
/* METHOD_CALL of a call, parameters redacted. */
json_t	*audit_method_call(struct call *, bool authenticated,
	    bool authorized, bool success);

/*
 * Sends a record (stolen) and calls back once it is on disk: in the log, or
 * when that cannot be written in the outbox, from where it is tried again.
 * The error is not 0 when it is in neither.  done may be NULL.
 */
void	 audit_send(json_t *record, void (*done)(int error, void *), void *);
/*
 * The same for one that takes what the log keeps for a full disk, as those of
 * methods that repair it do: a full administrator's login.
 */
void	 audit_send_urgent(json_t *record, void (*done)(int error, void *),
	    void *);
/*
 * The same for one that the outbox holds: released there by a commit, after
 * which a retry may have sent it already.  It is sent once.
 */
void	 audit_send_outbox(const json_t *record,
	    void (*done)(int error, void *), void *);

/* How the log is kept: audit.update's, as system/audit_config.c has them. */
#define AUDIT_HEAD_RECORDS	1000
#define AUDIT_HEAD_SECONDS	10
struct audit_limits {
	bool		refuse;		/* changes, while it takes no record */
	uint32_t	head_records;	/* one is signed after so many, */
	uint32_t	head_seconds;	/* or so long after the first of them */
	uint64_t	quota;		/* bytes; 0: any number */
	uint64_t	reservation;	/* bytes that are kept for it */
};
void	 audit_set_limits(const struct audit_limits *);

/*
 * NULL while changes may be made; else why not (the log cannot be written, and
 * changes are to be refused then, or the outbox cannot either).  Logins and
 * logout go on.
 */
const char *audit_refuses(void);
unsigned int audit_waiting(void);

/* Life: the role came (back); a message of it. */
void	 audit_connected(struct ipc *);
void	 audit_disconnected(void);
void	 audit_message(struct ipc_msg *);

/*
 * Asks the role (MSG_AUDIT_QUERY, _STATE, _PRUNE, _EXPORT, ...); data NULL:
 * none.  done gets the result or errno and text.  Without the role, it is asked
 * when it is back.  The number is that of the question.
 */
uint32_t audit_ask(enum message_type, const json_t *data,
	    void (*done)(int error, const char *text, void *), void *);
/* Of an export or a verification: percent, and its end before it is done (ECANCELED). */
void	 audit_on_progress(uint32_t id, void (*)(unsigned int percent, void *));
void	 audit_abort(uint32_t id);
/* From done: the descriptor that came with it, the caller's; -1: none. */
int	 audit_take_fd(void);

#endif
