/*
 * The kernel's audit, as audit.update asks for it and audit.config shows it.
 */
#ifndef HF_SYSTEM_AUDIT_KERNEL_H
#define HF_SYSTEM_AUDIT_KERNEL_H

#include <jansson.h>
#include <stdbool.h>

#include "core/change.h"

/* What audit.config shows of it. */
extern const struct field	audit_kernel_shown[];

void	 audit_kernel_check(struct change *);
/* Asks the monitor for what the entry says. */
void	 audit_kernel_changed(const json_t *entry);
/* {state, rules, problem}; new. */
json_t	*audit_kernel_state(void);
/* Are our rules in it, as far as the monitor said? */
bool	 audit_kernel_on(void);

#endif
