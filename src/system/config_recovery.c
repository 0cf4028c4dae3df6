/*
 * config.*: what root at the machine can do about a configuration that was
 * refused (damaged, of a newer Holdfast, without its key).  Core begins anew
 * afterwards, as at every start.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/core.h"
#include "core/sealed.h"
#include "core/session.h"
#include "core/store_copies.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "system/config.h"

/* clang-format off */
const struct field config_restore_params[] = {
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED, .max = 255,
	  .doc = "Its name, of config.copies." },
	FIELD_END
};
/* clang-format on */

char *
config_restore_suffix(const json_t *params)
{
	return json_text(json_array_get(params, 0));
}

void
config_copies_run(struct call *call)
{
	call_reply(call, store_copies(PATH_STATE));
}

/*
 * Only where nothing else helps: one in use is changed by config.upload, which
 * checks what it does.
 */
static bool
may_recover(struct call *call)
{
	if (!session_internal(call->session)) {
		call_fail(call, EPERM,
		    "Only root at the machine may do this, over the Unix "
		    "socket");
		return false;
	}
	if (core_store() != NULL) {
		call_fail(call, EBUSY,
		    "The configuration is in use: there is nothing to recover");
		return false;
	}
	return true;
}

static void
recovered(struct call *call, int rc, char *why)
{
	if (rc == -1)
		call_fail(call, EINVAL, "%s", why);
	else {
		call_reply(call, NULL);
		core_restart();
	}
	free(why);
}

void
config_restore_copy_run(struct call *call)
{
	const char *name = json_string_value(call_param(call, 0));
	char *why = NULL;
	int rc;

	if (!may_recover(call))
		return;
	rc = store_copy_restore(PATH_STATE, name, &why);
	if (rc == 0)
		log_warn("config.restored", "%s", name);
	recovered(call, rc, why);
}

void
config_forget_secrets_run(struct call *call)
{
	char *why = NULL;
	int rc;

	if (!may_recover(call))
		return;
	rc = sealed_forget_all(PATH_STATE, &why);
	if (rc == 0)
		log_warn("config.forgotten", "all secrets");
	recovered(call, rc, why);
}
