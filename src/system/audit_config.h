/*
 * What others see of audit_config.c: the settings of the audit log.
 */
#ifndef HF_AUDIT_CONFIG_H
#define HF_AUDIT_CONFIG_H

#include "core/call.h"
#include "core/change.h"

extern const struct field	audit_fields[];
extern const struct field	audit_update_params[];
extern const struct field	audit_entry_result[];

void	 audit_config_run(struct call *);
void	 audit_update_run(struct call *);
/*
 * May the caller see the arguments of programs in records?  Who may only read
 * the log may not.
 */
bool	 audit_shows_arguments(const struct call *);
/* The hooks of the resource. */
void	 audit_config_check(struct change *);
void	 audit_config_extend(json_t *entry);
void	 audit_config_changed(void);
void	 audit_config_gather(void (*done)(void));

/* The settings; NULL: they are not known. */
const json_t	*audit_settings(void);
/* How many days records are kept now, as the settings say. */
int64_t	 audit_days_now(const json_t *entry);
/* The alert while what was shortened does not count yet. */
void	 audit_tell_shortened(const json_t *entry);

#endif
