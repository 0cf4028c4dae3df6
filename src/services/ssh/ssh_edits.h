/*
 * What somebody else wrote into sshd_config since it was rendered, or put
 * beside it: found at start, before each change that would replace the file,
 * and every few minutes.  Until a full administrator says what becomes of it
 * (ssh.foreign_edits), nothing is replaced.
 */
#ifndef HF_SSH_EDITS_H
#define HF_SSH_EDITS_H

#include "core/method.h"

struct change;
struct ssh_files;
struct task_run;

extern const struct field ssh_edits_params[];
extern const struct field ssh_edits_result;
extern const struct field ssh_edited_list;
extern const struct field ssh_import_last;

/* Before files are brought in line with the store, at each start. */
void	 ssh_edits_gather(void (*done)(void *), void *);
/* A struct renderer's. */
void	 ssh_edits_look(struct change *);
/* Of the scheduler's table. */
void	 ssh_edits_task(struct task_run *, const json_t *args);
/* Is it a change that replaces what was edited?  Then it is one in any case. */
bool	 ssh_edits_replaced_by(const struct change *);
/* From check, of such a one: what it makes of accounts. */
void	 ssh_edits_account(struct change *);

char	*ssh_edits_suffix(const json_t *params);
void	 ssh_edits_run(struct call *);
void	 ssh_edited_run(struct call *);
void	 ssh_import_report_run(struct call *);

#endif
