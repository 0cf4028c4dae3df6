/*
 * The SSH service as a resource of the API.
 */
#ifndef HF_SSH_H
#define HF_SSH_H

#include "core/method.h"

struct change;
struct task_run;

extern const struct resource ssh_resource;

/* OUTPUT_SSHD_CONFIG, a struct renderer's functions. */
char	*ssh_render_output(const struct change *, char **whyp);
/*
 * The same of settings that are not stored.  root_password: root may log in
 * with one, 1 or 0; -1: as the account says.
 */
char	*ssh_render_entry(const struct change *, const json_t *entry,
	    int root_password, char **whyp);
void	 ssh_rejected(struct change *, const char *complaint);

/* Of the scheduler's table (ssh_idle.c). */
void	 ssh_idle_task(struct task_run *, const json_t *args);

#endif
