/*
 * MSG_OP_HOOKS: what tells the audit role of logins and of sudo is put back
 * where a package's upgrade, or somebody, took it away.
 */
#include <errno.h>

#include "monitor/hooks.h"
#include "monitor/operations.h"

#define WHAT_MAX 512

int
op_hooks(struct operation_call *call)
{
	char what[WHAT_MAX] = "";

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (hooks_missing(what, sizeof(what)) == -1)
		return operation_fail(call, EIO, "%s", what);
	wire_put_str(&call->reply, what);
	if (what[0] != '\0' && hooks_install(what, sizeof(what)) == -1)
		wire_put_str(&call->reply, what);
	else
		wire_put_str(&call->reply, "");
	return 0;
}
