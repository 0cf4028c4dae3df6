/*
 * auth.generate_onetime_password: a way in for somebody who has none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/onetime.h"
#include "core/rights.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/auth.h"

#define ATTRIBUTE "auth.generate_onetime_password.username"

/* clang-format off */
const char *const auth_onetime_roles[] = { "ACCOUNT_WRITE", NULL };

static const struct field onetime_fields[] = {
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Whose it is." },
	FIELD_END
};
const struct field auth_onetime_params[] = {
	{ .name = "generate_single_use_password", .type = F_OBJECT,
	  .fields = onetime_fields, .flags = FF_REQUIRED,
	  .model = "AuthGenerateOnetimePasswordArgs", .doc = "For whom." },
	FIELD_END
};
const struct field auth_onetime_result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED | FF_SECRET,
	.doc = "The password: good for one login within a day." };
/* clang-format on */

void
auth_generate_onetime(struct call *call)
{
	const char *username = json_str(call_param(call, 0), "username", "");
	const json_t *account = account_by_name(username);
	char *missing = NULL, *text;

	if (account != NULL)
		missing = rights_missing(call->session, NULL, account);
	if (account == NULL) {
		call_fail_attribute(call, EINVAL, ATTRIBUTE,
		    "%s: user does not exist.", username);
	} else if (missing != NULL) {
		call_fail_attribute(call, EPERM, ATTRIBUTE,
		    "%s has %s, which you have not", username, missing);
	} else if (json_bool(account, "password_disabled", false)) {
		call_fail_attribute(call, EINVAL, ATTRIBUTE,
		    "%s may not log in with a password", username);
	} else if ((text = onetime_new(json_int(account, "id", -1))) == NULL) {
		call_fail(
		    call, errno, "It could not be kept: %s", strerror(errno));
	} else {
		call_reply(call, json_string(text));
		freezero_str(text);
	}
	free(missing);
}
