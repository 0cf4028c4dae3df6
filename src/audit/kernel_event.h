/*
 * Events of the kernel's audit: the records of one thing that happened, which
 * come one by one, and those of several things mixed.  They are joined by
 * their serial number until the record that ends them, or for a while.
 *
 * How many are open at a time, and how large one may be, is bounded.
 */
#ifndef HF_AUDIT_KERNEL_EVENT_H
#define HF_AUDIT_KERNEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/kernel_text.h"

#define KERNEL_LINES_MAX	128	/* of one event */
#define KERNEL_TEXT_MAX		((size_t)64 * 1024)
#define KERNEL_OPEN_MAX		64	/* events at a time */
#define KERNEL_WAIT_MS		2000	/* for an end that does not come */

struct kernel_line {
	uint16_t	 type;		/* linux/audit.h */
	size_t		 at, len;	/* in the event's text, headless */
};

struct kernel_event {
	int64_t		 serial, time_us;
	int64_t		 since;		/* its first record, ms */
	struct kernel_line lines[KERNEL_LINES_MAX];
	size_t		 count;
	char		*text;
	size_t		 len, size;
	unsigned int	 cut;		/* records there was no room for */
};

/* The first record of that type, "" when there is none. */
struct span	 kernel_event_line(const struct kernel_event *, uint16_t type);
/* NULL is fine. */
void		 kernel_event_free(struct kernel_event *);

struct kernel_events;

/* ended: of each event once, which is the callee's then. */
struct kernel_events *kernel_events_new(
		    void (*ended)(struct kernel_event *, void *), void *arg);
/* What is open is forgotten.  NULL is fine. */
void		 kernel_events_free(struct kernel_events *);
/* A record, without its head, at a time in ms. */
void		 kernel_events_take(struct kernel_events *, uint16_t type,
		    const struct kernel_head *, struct span text, int64_t now);
/* Ends what waited long enough.  True: some still wait. */
bool		 kernel_events_age(struct kernel_events *, int64_t now);

#endif
