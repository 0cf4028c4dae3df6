/*
 * The web shell: a connection (message.h, PROTOCOL_SHELL) whose token, in its
 * first message, opens a terminal on this machine for the token's account, if
 * a privilege gives it the web shell.  Who it is, whether it may, that it is
 * recorded and when it ends is decided here; what is typed and shown goes
 * between the front role and the terminal.
 *
 * The connection has a session of its own, made with the token, which is used
 * up by that.  It ends like any (a lock, a limit, somebody's doing), and the
 * terminal with it; also when the session that made the token logs out, and
 * when its account loses the web shell.
 */
#ifndef HF_CORE_SHELL_H
#define HF_CORE_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ipc.h"

/* Of a terminal: columns, or rows; the monitor has the same bound. */
#define SHELL_CELLS	4096

struct connection;
struct session;

/* MSG_SHELL_*; 0, or -1: the front role lies, or is broken. */
int	 shell_message(struct connection *, struct ipc_msg *);
/* MSG_TERMINAL_OVER */
void	 shell_over(struct ipc_msg *);

/* The connection's session is over; the connection is gone. */
void	 shell_end(struct connection *);
void	 shell_forget(struct connection *);
/* A session ends by logout: so do the shells that it made the token for. */
void	 shell_end_of(const struct session *maker);

/* core.resize_shell: 0 or an errno. */
int	 shell_resize(const struct session *, const char *id, uint16_t columns,
	    uint16_t rows);

#endif
