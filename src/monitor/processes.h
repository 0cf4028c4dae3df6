/*
 * The roles as processes: started from our own executable, joined to their
 * peers, watched, restarted.  Who talks to whom is the table in processes.c.
 */
#ifndef HF_MONITOR_PROCESSES_H
#define HF_MONITOR_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "lib/ipc.h"
#include "lib/startup.h"
#include "monitor/logfile.h"

struct processes_setup {
	uv_loop_t	*loop;
	int		 exe_fd;	/* our own executable */
	int		 dir_fd;	/* the instance's folder */
	int		 listen_fd;	/* TCP, for web: the first of doors.h */
	int		 socket_fd;	/* Unix, for local */
	int		 syslog_fd;	/* /dev/log, for audit; or -1 */
	int		 kernel_fd;	/* the kernel's audit, for audit; or -1 */
	bool		 journal;	/* systemd's is read */
	int		 page_fd;	/* the web interface, for web; or -1 */
	int		 codes_fd;	/* SECOND_FACTOR_SOCKET, for core */
	int		 facts_fd;	/* FACT_SOCKET, for audit */
	const struct facts *facts;
	/* Core serves; its notice (message.h, MSG_READY). */
	void		(*notice)(const char *);
	/* All serve, for the first time. */
	void		(*ready)(void);
	/* One died too often before that. */
	void		(*failed)(const char *why);
	/* After processes_stop(): the last one is gone. */
	void		(*stopped)(void);
};

/* The struct must stay. */
void	processes_start(const struct processes_setup *);

/* MSG_STOP to all, audit last; those that do not end in time are killed. */
void	processes_stop(void);

/* To a role; 0, or -1 when it is away. */
int	processes_send(enum role, enum message_type, uint32_t id,
	    const struct wire_out *, const int *fds, unsigned int nfds);

/*
 * Starts a worker for a task with its channel; pid or -1.  last as in
 * logfile_source().
 */
pid_t	processes_start_worker(const char *task, int channel_fd);

/* [str role, u32 pid, u32 restarts, u64 running since]* */
void	processes_status(struct wire_out *);

#endif
