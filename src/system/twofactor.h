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

void	twofactor_renew_run(struct call *);
void	twofactor_unset_run(struct call *);
/* The audit text's rest: the username. */
char	*twofactor_suffix(const json_t *params);

/* The row of user.renew_2fa_secret's result, but for those of a user. */
#define TWOFACTOR_CONFIG_ROW						\
	{ .name = "twofactor_config", .type = F_OBJECT,			\
	  .fields = twofactor_config_fields,				\
	  .model = "UserTwofactorConfigEntry", .flags = FF_REQUIRED,	\
	  .doc = "The second factor, with what an app scans." }
extern const struct field	twofactor_config_fields[];

#endif
