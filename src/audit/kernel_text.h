/*
 * One record of the kernel's audit, as it comes from netlink: a head, then
 * pairs NAME=VALUE.  What somebody else chose the text of (a path, a program's
 * arguments) is in quotes, or in hexadecimal digits when it has a blank, a
 * quote or a control character (kernel/audit.c, audit_log_untrustedstring()).
 *
 * Nothing here is ended by a NUL, and no length is believed.
 */
#ifndef HF_AUDIT_KERNEL_TEXT_H
#define HF_AUDIT_KERNEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char	*at;
	size_t		 len;
};

struct kernel_head {
	int64_t		 time_us;	/* since 1970 */
	int64_t		 serial;	/* the same of one event's records */
};

struct kernel_pair {
	struct span	 name, value;
	bool		 quoted;
};

/* Takes "audit(SECONDS.MS:SERIAL): " away.  False: it is no record. */
bool	 kernel_head(struct span *, struct kernel_head *);
/* Takes the next pair away.  False: there is none. */
bool	 kernel_next(struct span *, struct kernel_pair *);
/* The first of that name.  False: there is none. */
bool	 kernel_find(struct span, const char *name, struct kernel_pair *);
/* Its value as a number in that base.  False: none such, or it is none. */
bool	 kernel_number(struct span, const char *name, int base,
	    int64_t *value);
/*
 * The bytes of a text that somebody chose, malloc'd, their count in *lenp;
 * NULL where the kernel had none.
 */
char	*kernel_decode(const struct kernel_pair *, size_t *lenp);

#endif
