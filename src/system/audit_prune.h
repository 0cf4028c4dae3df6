/*
 * The daily pruning of the audit log: whole segments that are older than the
 * retention go.  On a machine that is given to Holdfast sealed segments have
 * an attribute that keeps everybody from removing them (monitor/seal.h): the
 * monitor takes it off those, and sees to it that all others have it.
 */
#ifndef HF_SYSTEM_AUDIT_PRUNE_H
#define HF_SYSTEM_AUDIT_PRUNE_H

#include "core/call.h"

/* At start: seals what is to be, and plans the task. */
void	 audit_prune_start(void);
/* audit.confirm_clock */
void	 audit_confirm_run(struct call *);

#endif
