/*
 * The terminals of the web shell: a pty in which login(1) lets an account in
 * that core has authenticated, through PAM's service "login" as at the
 * console.  What is typed and shown goes between the front role and the pty;
 * the monitor keeps an end of it for the size and for the end, and reads none
 * of it.
 */
#ifndef HF_MONITOR_TERMINAL_H
#define HF_MONITOR_TERMINAL_H

#include <uv.h>

#include "monitor/operations.h"

void	terminals_start(uv_loop_t *);
/* Ends them all: core, which knows whose they are, is gone, or we stop. */
void	terminals_end(void);

/* MSG_OP_TERMINAL, MSG_OP_TERMINAL_SIZE, MSG_OP_TERMINAL_END */
void	op_terminal(const struct operation_ticket *, struct wire_in *);
int	op_terminal_size(struct operation_call *);
int	op_terminal_end(struct operation_call *);

#endif
