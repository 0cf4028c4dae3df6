/*
 * system.advanced.*: what is shown at logins; see advanced.c.
 */
#ifndef HF_SYSTEM_ADVANCED_H
#define HF_SYSTEM_ADVANCED_H

#include "core/change.h"

/* OUTPUT_LOGIN_BANNER and OUTPUT_MOTD, a struct renderer's functions. */
char	*advanced_render_banner(const struct change *, char **whyp);
char	*advanced_render_motd(const struct change *, char **whyp);

#endif
