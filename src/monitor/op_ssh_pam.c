/*
 * MSG_OP_SSH_PAM: are our lines still in sshd's PAM service?  Packages replace
 * such files, people edit them; without our lines sshd asks for no code.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/xalloc.h"
#include "monitor/hooks.h"
#include "monitor/operations.h"
#include "services/ssh/ssh_pam.h"

static int
install(struct operation_call *call)
{
	char *why = NULL;
	int rc = 0;

	if (ssh_pam_install(&why) == -1)
		rc = operation_fail(call, EIO, "%s", why);
	else if (hooks_install(call->why, sizeof(call->why)) == -1)
		rc = EIO;
	free(why);
	return rc;
}

int
op_ssh_pam(struct operation_call *call)
{
	bool repair = wire_get_u8(&call->body) != 0;
	char *missing, *still = NULL;
	int rc = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	missing = ssh_pam_missing();
	if (missing != NULL && repair)
		rc = install(call);
	if (missing != NULL && rc == 0)
		still = ssh_pam_missing();
	wire_put_str(&call->reply, missing != NULL ? missing : "");
	wire_put_u8(&call->reply, still == NULL);
	free(still);
	free(missing);
	return rc;
}
