/*
 * What root at the machine does when nobody can log in any more.
 */
#ifndef HF_SYSTEM_RECOVERY_H
#define HF_SYSTEM_RECOVERY_H

#include "core/call.h"
#include "core/method.h"

struct change;

extern const struct field	recovery_params[], recovery_notice;

char	*recovery_suffix(const json_t *params);
void	 recovery_run(struct call *);
/* From the user's check: the second factor goes with the same change. */
void	 recovery_check(struct change *);
/* When an account was last recovered; or null. */
void	 recovery_notice_run(struct call *);

#endif
