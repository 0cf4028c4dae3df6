/*
 * Who is here by SSH: what the rows of ssh.sessions and ssh.terminate_session
 * name.
 */
#ifndef HF_SSH_SESSIONS_H
#define HF_SSH_SESSIONS_H

#include "core/call.h"
#include "core/method.h"

extern const struct field	ssh_session_list, ssh_terminate_params[];
extern const struct field	ssh_terminated;

/* "4711-123456": process and start, in ticks; 0, or -1: it is no such id. */
int	ssh_session_parse(const char *id, uint32_t *pidp, uint64_t *startp);

char	*ssh_terminate_suffix(const json_t *params);
void	ssh_sessions_run(struct call *);
void	ssh_terminate_session_run(struct call *);

#endif
