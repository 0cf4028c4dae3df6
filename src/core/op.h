/*
 * Core's side of the monitor's operations and of workers: send, be called
 * back.  Callbacks always come later, never from within the request.
 */
#ifndef HF_OP_H
#define HF_OP_H

#include <stdint.h>

#include "lib/ipc.h"
#include "services/catalog.h"

struct op_reply {
	int		 error;	/* errno; 0 done.  EPIPE: the other is gone */
	const char	*text;	/* for people, when error is not 0 */
	struct wire_in	 body;	/* the operation's members */
	int		 fd;	/* of MSG_OP_WORKER; -1 */
};

typedef void op_done(const struct op_reply *, void *arg);

/* body may be NULL; fd -1 for none (duplicated, the caller keeps it). */
void	op_request(enum message_type, const struct wire_out *body, int fd,
	    op_done *, void *arg);

/* Services: of all daemons (DAEMON_ALL) of one, or of one of these. */
void	op_run_verb(int service, uint32_t daemon, enum service_verb,
	    op_done *, void *arg);
void	op_ask_state(int service, uint32_t daemon, op_done *, void *arg);

/*
 * Runs a worker's task.  body: the task's own members, without the task
 * index.  At most as many hashing tasks run as there are processors; more are
 * queued up to a bound, then error EBUSY.
 */
void	op_worker(enum task_id, const struct wire_out *body, op_done *,
	    void *arg);

#endif
