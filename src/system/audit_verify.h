/*
 * What system/audit.c shows of audit_verify.c: the proof of the live log.
 */
#ifndef HF_AUDIT_VERIFY_API_H
#define HF_AUDIT_VERIFY_API_H

#include "core/call.h"

extern const struct field	audit_verify_result;

void	 audit_verify_run(struct call *);
void	 audit_verify_abort(struct call *);

#endif
