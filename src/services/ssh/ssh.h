/*
 * The SSH service as a resource of the API.
 */
#ifndef HF_SSH_H
#define HF_SSH_H

#include "core/method.h"

struct change;

extern const struct resource ssh_resource;

/* OUTPUT_SSHD_CONFIG, a struct renderer's functions. */
char	*ssh_render_output(const struct change *, char **whyp);
void	 ssh_rejected(struct change *, const char *complaint);

#endif
