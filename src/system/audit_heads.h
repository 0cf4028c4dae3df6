/*
 * Heads of the audit log leave the machine: by audit.head and its download,
 * and by a webhook at a cadence.  Only what was handed over counts, and since
 * when nothing was is shown, kept over restarts, and after a time an alert.
 */
#ifndef HF_AUDIT_HEADS_H
#define HF_AUDIT_HEADS_H

#include "core/call.h"
#include "core/change.h"

extern const struct field	audit_head_result;
extern const struct field	audit_head_kept_params[];
extern const struct field	audit_head_left_fields[];
extern const struct field	audit_reidentify_result;

void	 audit_head_run(struct call *);
void	 audit_head_download_run(struct call *);
void	 audit_head_kept_run(struct call *);
void	 audit_reidentify_run(struct call *);

/* Of the settings' own hooks (audit_config.c); entry: as stored. */
void	 audit_heads_check(struct change *);
void	 audit_heads_extend(json_t *entry);
void	 audit_heads_gather(const json_t *entry);
void	 audit_heads_changed(const json_t *entry);
/* Once a minute: is it too long ago? */
void	 audit_heads_look(const json_t *entry);

/* For holdfast.status: {head_left, head_webhook_error}; a new reference. */
json_t	*audit_heads_status(void);

#endif
