/*
 * config.*: what its files share.
 */
#ifndef HF_CONFIG_H
#define HF_CONFIG_H

#include "core/call.h"

struct resource;

/* config_history.c: revisions, listed and compared. */
extern const struct field	config_diff_params[];

void	config_history_run(struct call *);
void	config_diff_run(struct call *);

/* False: the store was refused, and the call answered so. */
bool	config_usable(struct call *);
/* Answers when store_history() failed (errno). */
void	config_unreadable(struct call *);
/* Names of members that differ; empty when there is no telling. */
json_t	*config_changed(const struct resource *, const json_t *before,
	    const json_t *after);

/* config_rollback.c */
extern const struct field	config_rollback_params[];

void	config_rollback_run(struct call *);
char	*config_rollback_suffix(const json_t *params);

/* config_backup.c */
extern const struct field	config_save_params[];
extern const struct field	config_upload_params[];
extern const struct field	config_reset_params[];

void	config_save_run(struct call *);
void	config_upload_run(struct call *);
void	config_reset_run(struct call *);

/* config_recovery.c: a store that was refused, for root at the machine. */
extern const struct field	config_restore_params[];

void	config_copies_run(struct call *);
void	config_restore_copy_run(struct call *);
void	config_forget_secrets_run(struct call *);
char	*config_restore_suffix(const json_t *params);

#endif
