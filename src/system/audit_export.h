/*
 * What system/audit.c shows of audit_export.c: reports of the audit log.
 */
#ifndef HF_AUDIT_EXPORT_API_H
#define HF_AUDIT_EXPORT_API_H

#include "core/call.h"

extern const struct field	audit_export_params[];
extern const struct field	audit_export_result;
extern const struct field	audit_report_params[];

void	 audit_export_run(struct call *);
void	 audit_export_abort(struct call *);
void	 audit_report_run(struct call *);

#endif
