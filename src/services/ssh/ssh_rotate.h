/*
 * Replacing host keys: a new key of a type is made and offered beside the one
 * that clients know, for so long that they learn it (UpdateHostKeys of
 * ssh_config(5)); then the old one is withdrawn.  sshd proves itself by the
 * first file of a type and tells of all.
 *
 * Each step is one change of the settings, so that a crash leaves it done or
 * not done:
 *
 *	BEGIN	the new files are made, where nothing names them; then both
 *		are rendered (new_host_keys) and the time begins
 *	UNDO	the old one alone is rendered, the new files go
 *	FINISH	the new one alone is rendered (second_host_keys), the old
 *		files go; by itself when the time is over
 *
 * A key that sshd cannot load is replaced at once: nobody learns from it.
 */
#ifndef HF_SSH_ROTATE_H
#define HF_SSH_ROTATE_H

#include <jansson.h>

#include "core/schema.h"

struct call;
struct change;
struct task_run;

extern const struct field ssh_rotate_params[];
char	*ssh_rotate_suffix(const json_t *params);
void	 ssh_rotate_run(struct call *);

/* After each start of core: what waits goes on, what is left over goes. */
void	 ssh_rotate_resume(void);
/* What is replaced is to be finished, or there is something to tidy up. */
void	 ssh_rotate_task(struct task_run *, const json_t *args);

#endif
