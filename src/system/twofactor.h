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

/* Of users and groups: see core/ssh_codes.h. */
#define TWOFACTOR_MACHINE_ROW(text)					\
	{ .name = "machine", .type = F_BOOL, .def = "false",		\
	  .flags = FF_OWN | FF_GRANTS, .label = "Machine Account",	\
	  .doc = text }
#define TWOFACTOR_WITHOUT_ROW						\
	{ .name = "without_second_factor", .type = F_BOOL,		\
	  .def = "false", .flags = FF_OWN | FF_UNSTORED,		\
	  .doc = "Of root: let it log in by SSH with a password alone." }

/*
 * From a user's check: root comes in by SSH with a password when it has a
 * second factor, or when the call says that it shall without.
 */
void	twofactor_check_root(struct change *);

void	twofactor_renew_run(struct call *);
void	twofactor_unset_run(struct call *);
/* The audit text's rest: the username. */
char	*twofactor_suffix(const json_t *params);

#endif
