/*
 * The kernel's audit, of which a machine has one: our rules in it, the socket
 * that its records come from, and its former state, which comes back.
 *
 * Who has it, and what was before, stands in a rule of the kernel's own list
 * that nothing matches: there it is seen from every mount namespace, outlives
 * us, and is gone with all else when the machine starts anew.
 */
#ifndef HF_MONITOR_KERNEL_AUDIT_H
#define HF_MONITOR_KERNEL_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/message.h"

/* What the settings ask for. */
struct kernel_audit_wish {
	bool	rules;	/* ours are loaded, and records made */
	bool	lock;	/* nobody changes them until the next start (-e 2) */
	bool	panic;	/* the machine stops when a record is lost (-f 2) */
};

struct kernel_audit_report {
	enum kernel_audit_state	state;
	uint32_t		rules;	/* of ours, loaded */
	char			why[256]; /* what is wrong; "": nothing */
};

/*
 * Before anything else: may it be touched at all?  machine: its rules stay
 * when we end, and nobody else takes them over.
 */
void	 kernel_audit_permit(bool machine);
bool	 kernel_audit_permitted(void);
bool	 kernel_audit_of_machine(void);

/*
 * The socket that records can be read from (AUDIT_NLGRP_READLOG); -1 when
 * there is none: what the report says then.
 */
int	 kernel_audit_socket(void);

/* In a child, with CAP_AUDIT_CONTROL; owner is the monitor. */
void	 kernel_audit_apply(pid_t owner, const struct kernel_audit_wish *,
	    struct kernel_audit_report *);

/* What an instance that is no more left behind, whichever it was. */
void	 kernel_audit_recover(void);
/* At the end of an instance. */
void	 kernel_audit_release(void);

/*
 * Calls now and then with how many records the kernel says it lost since it
 * began to run.
 */
void	 kernel_audit_watch(uv_loop_t *, void (*lost)(uint32_t));
/*
 * How many more that are: auditctl(8) --reset-lost begins it again, and then
 * all of them are new.
 */
uint32_t kernel_audit_more_lost(uint32_t before, uint32_t now);
/* The loop must turn once more before it is closed. */
void	 kernel_audit_unwatch(void);

#endif
