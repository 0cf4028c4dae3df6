/*
 * The kernel's audit, read from its multicast group: what it says of our
 * login sessions becomes records.
 *
 * So many records a second are made of what one person does, and the rest is
 * counted in one; what the kernel or the socket lost is as well.
 */
#ifndef HF_AUDIT_KERNEL_H
#define HF_AUDIT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "audit/source.h"

/* Of one login uid; more are summed. */
#define KERNEL_RECORDS_A_SECOND	500

struct kernel_reader;

struct kernel_place {
	int		 fd;		/* the socket, taken over */
	bool		 machine;	/* else an instance */
	int		 dirfd;		/* of the store, borrowed */
	int		 etc_fd;	/* taken over */
	const char	*boot;		/* which start of the machine */
};

/* NULL with errno. */
struct kernel_reader *kernel_reader_new(uv_loop_t *, struct sources *,
		    const struct kernel_place *);
/* What is open becomes records; before the last commit.  NULL is fine. */
void		 kernel_reader_stop(struct kernel_reader *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void		 kernel_reader_free(struct kernel_reader *);

/* A process of the instance, run by root: see kernel_session.h.  NULL is fine. */
void		 kernel_reader_process(struct kernel_reader *, pid_t);
/* So many more the kernel lost.  NULL is fine. */
void		 kernel_reader_lost(struct kernel_reader *, uint32_t count);

/*
 * One datagram (at least a header long), at a time in ms: for
 * kernel_reader_new()'s socket, and for who feeds it otherwise.
 */
void		 kernel_reader_take(struct kernel_reader *, const char *data,
		    size_t len, int64_t now);

#endif
