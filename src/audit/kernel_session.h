/*
 * Which of the machine's login sessions (the kernel's numbers of them) are
 * ours: of a machine all, of an instance those that began in it.
 *
 * Whose a session is shows when it begins: the kernel names the process that
 * sets the login uid, and a process of the instance has spoken, as root, on
 * its /dev/log, or does so at once: sshd, login and cron say whom they let in.
 * Outside, nobody can reach that socket.
 */
#ifndef HF_AUDIT_KERNEL_SESSION_H
#define HF_AUDIT_KERNEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SESSION_NONE	UINT32_MAX
/* How long before or after a login its process may speak, ms. */
#define SESSION_BEFORE_MS	60000
#define SESSION_AFTER_MS	10000

struct kernel_sessions;

enum whose { WHOSE_OURS, WHOSE_OTHERS, WHOSE_UNKNOWN /* yet */ };

/*
 * all: of a machine.  Otherwise they are kept in the folder dirfd (borrowed),
 * for one start of the machine, which boot names.
 */
struct kernel_sessions *kernel_sessions_new(bool all, int dirfd,
		    const char *boot);
/* NULL is fine. */
void		 kernel_sessions_free(struct kernel_sessions *);

/* A process of ours, run by root.  True: it makes an unknown session ours. */
bool		 kernel_sessions_process(struct kernel_sessions *, pid_t,
		    int64_t now);
/* A session begins, by that process. */
void		 kernel_sessions_login(struct kernel_sessions *, pid_t,
		    uint32_t session, int64_t now);
enum whose	 kernel_sessions_whose(const struct kernel_sessions *,
		    uint32_t session, int64_t now);

#endif
