/*
 * An event of the kernel's audit as a record of the service SYSTEM
 * (audit.json, system_mapping): its name is that of the rule, or of the kind
 * of event; who is its login uid, whatever he became since.
 *
 * What programs say through the kernel (linux/audit.h, 1100 to 1199 and 2000
 * on) is not taken where source_fact.h has the same from them: what is left is
 * systemd's, that a service of the machine starts or stops.
 */
#ifndef HF_AUDIT_KERNEL_RECORD_H
#define HF_AUDIT_KERNEL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/kernel_event.h"
#include "audit/names.h"
#include "audit/source.h"

struct kernel_record {
	struct source_record	 source;
	char			 event[64], session[16], username[64];
	char			 address[64];
};

/* Who logged in, and which session it is; NAME_UNSET, SESSION_NONE. */
uint32_t kernel_event_user(const struct kernel_event *);
uint32_t kernel_event_session(const struct kernel_event *);
/* Does it become a record, of a machine or of an instance? */
bool	 kernel_event_counts(const struct kernel_event *, bool machine);
/* What it becomes.  The event's data is in source, to be stolen. */
void	 kernel_record_make(const struct kernel_event *, struct names *,
	    struct kernel_record *);

#endif
