/*
 * The closed table of what core may ask of the monitor: each operation with
 * its limits, carried out in a short-lived child that keeps only the
 * capabilities named, or in the monitor itself where it only reads /proc and
 * tables of ours.  Core is not trusted: each operation checks its arguments.
 */
#ifndef HF_MONITOR_OPERATIONS_H
#define HF_MONITOR_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/ipc.h"

#define WHY_MAX	1024

/* A request as its function sees it, in the child or in the monitor. */
struct operation_call {
	struct wire_in	body;
	struct wire_out	reply;		/* the members, when it succeeds */
	char		why[WHY_MAX];	/* for people, when it does not */
	int		fd;		/* received, or -1 */
};

/* Whom to answer; survives that core's end, whose answers are dropped. */
struct operation_ticket {
	uint32_t	id;
	unsigned int	generation;
};

void	operations_start(uv_loop_t *);
void	operations_message(struct ipc_msg *);
/* What was queued is forgotten, what runs answers nobody. */
void	operations_core_gone(void);
/* Takes nothing new; what runs goes on until its time limit. */
void	operations_stop(void);

/* members may be NULL; fd -1 for none. */
void	operations_reply(const struct operation_ticket *, int error,
	    const char *text, const struct wire_out *members, int fd);

/* Tells core that a service's state changed without being asked to. */
void	operations_service_changed(uint32_t service);

/* Fills call->why; returns the errno, for `return operation_fail(...)`. */
int	operation_fail(struct operation_call *, int error, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/*
 * The functions of the table, by file.  They return 0 or an errno.
 * op_password.c, op_accounts.c, op_output.c:
 */
int	op_verify_password(struct operation_call *);
int	op_install_accounts(struct operation_call *);
int	op_read_accounts(struct operation_call *);
int	op_check_output(struct operation_call *);
int	op_install_output(struct operation_call *);
int	op_restore_output(struct operation_call *);
int	op_read_output(struct operation_call *);
int	op_effective(struct operation_call *);
int	op_effective_of(struct operation_call *);
/* op_held.c */
int	op_hold(struct operation_call *);
int	op_hold_run(struct operation_call *);
int	op_release(struct operation_call *);
/* op_ssh.c */
int	op_ssh_sessions(struct operation_call *);
int	op_end_ssh(struct operation_call *);
/* op_ssh_keys.c */
int	op_ssh_host_keys(struct operation_call *);
int	op_ssh_host_key(struct operation_call *);
/* op_installed.c */
int	op_ssh_installed(struct operation_call *);
int	op_ssh_files(struct operation_call *);	/* op_ssh_files.c */
int	op_ssh_pam(struct operation_call *);
int	op_hooks(struct operation_call *);
int	op_seal(struct operation_call *);
/* op_home.c, op_owned.c, op_commands.c: */
int	op_check_home(struct operation_call *);
int	op_stage_home(struct operation_call *);
int	op_settle_home(struct operation_call *);
int	op_update_home(struct operation_call *);
int	op_end_processes(struct operation_call *);
int	op_files_of(struct operation_call *);
int	op_check_commands(struct operation_call *);
/* op_kernel_audit.c */
int	op_kernel_audit(struct operation_call *);
/* op_ask.c: in the monitor, at once */
int	op_peer_identity(struct operation_call *);
int	op_interfaces(struct operation_call *);
int	op_status(struct operation_call *);
int	op_admin_ready(struct operation_call *);
int	op_service_status(struct operation_call *);
int	op_held(struct operation_call *);	/* held.c, as the next */
int	op_take_back(struct operation_call *);
/* manager.c, op_worker.c: in the monitor, answered later */
void	op_service_control(const struct operation_ticket *, struct wire_in *);
void	op_start_worker(const struct operation_ticket *, struct wire_in *);

#endif
