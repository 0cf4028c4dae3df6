/*
 * The methods about second factors that other namespaces have in their tables:
 * user.renew_2fa_secret and user.unset_2fa_secret in user.c.
 */
#ifndef HF_SYSTEM_TWOFACTOR_H
#define HF_SYSTEM_TWOFACTOR_H

#include "core/call.h"
#include "core/change.h"
#include "core/method.h"

extern const struct field	twofactor_renew_params[];
extern const struct field	twofactor_unset_params[];
extern const struct field	twofactor_config_fields[];

void	twofactor_renew_run(struct call *);
void	twofactor_unset_run(struct call *);
/* The audit text's rest: the username. */
char	*twofactor_suffix(const json_t *params);

#endif
