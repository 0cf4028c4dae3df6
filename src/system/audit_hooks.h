/*
 * What tells the audit log of logins and of sudo (monitor/hooks.h) stands in
 * files of other packages, whose upgrades replace them.  Looked at at each
 * start and daily, and put back; what was missing is an alert, and a record:
 * until then logins and commands may have gone unrecorded.
 */
#ifndef HF_SYSTEM_AUDIT_HOOKS_H
#define HF_SYSTEM_AUDIT_HOOKS_H

#include <jansson.h>

struct task_run;

/* At start: looks, and plans to look daily. */
void	 audit_hooks_watch(void);
/* The task of that. */
void	 audit_hooks_task(struct task_run *, const json_t *args);

#endif
