/* MSG_OP_VERIFY_PASSWORD: PAM's service "holdfast", in a child of its own. */
#include <crypt.h>
#include <errno.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <security/pam_appl.h>

#include "lib/xalloc.h"
#include "monitor/accounts.h"
#include "monitor/operations.h"

#define SERVICE "holdfast"
#define USER_MAX 255
#define PASSWORD_MAX 1024

/* The password answers one question that is not echoed; nothing else is. */
struct conversation {
	const char *password;
};

static int
converse(int n, const struct pam_message **messages,
    struct pam_response **responsesp, void *arg)
{
	struct conversation *conversation = arg;
	struct pam_response *responses;
	int i;

	if (n < 1 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	responses = xcalloc((size_t)n, sizeof(*responses));
	for (i = 0; i < n; i++) {
		if (messages[i]->msg_style == PAM_ERROR_MSG ||
		    messages[i]->msg_style == PAM_TEXT_INFO)
			continue;
		if (messages[i]->msg_style != PAM_PROMPT_ECHO_OFF ||
		    conversation->password == NULL) {
			for (; i > 0; i--)
				freezero_str(responses[i - 1].resp);
			free(responses);
			return PAM_CONV_ERR;
		}
		responses[i].resp = xstrdup(conversation->password);
		conversation->password = NULL;
	}
	*responsesp = responses;
	return PAM_SUCCESS;
}

/*
 * A user who does not exist or has no hash must cost as much time as a wrong
 * password does.
 */
static void
spend_time(const char *user, const char *password)
{
	static const char setting[] = "$y$j9T$5PGBIQMSWr8KXpBZ2hzkB.";
	const struct spwd *entry = getspnam(user);
	struct crypt_data *data;

	if (entry != NULL && entry->sp_pwdp != NULL && entry->sp_pwdp[0] == '$')
		return;
	data = xcalloc(1, sizeof(*data));
	crypt_r(password, setting, data);
	freezero(data, sizeof(*data));
}

static int
verdict_of(int rc, bool authenticated)
{
	switch (rc) {
	case PAM_SUCCESS:
		return VERDICT_OK;
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_ACCT_EXPIRED:
	case PAM_CRED_EXPIRED:
		return VERDICT_EXPIRED;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_CRED_INSUFFICIENT:
	case PAM_PERM_DENIED:
		return authenticated ? VERDICT_DENIED : VERDICT_WRONG;
	default:
		return -1;
	}
}

static int
verify(struct operation_call *call, const char *user, const char *password)
{
	struct conversation state = { password };
	struct pam_conv conversation = { converse, &state };
	pam_handle_t *pam = NULL;
	bool authenticated = false;
	int rc, verdict;

	rc = pam_start(SERVICE, user, &conversation, &pam);
	if (rc == PAM_SUCCESS) {
		rc = pam_authenticate(
		    pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
		if (rc == PAM_SUCCESS) {
			authenticated = true;
			rc = pam_acct_mgmt(
			    pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
		}
	}
	verdict = verdict_of(rc, authenticated);
	if (verdict == -1)
		operation_fail(call, EIO, "PAM: %s", pam_strerror(pam, rc));
	if (pam != NULL)
		pam_end(pam, rc);
	if (verdict == -1)
		return EIO;
	if (verdict == VERDICT_WRONG)
		spend_time(user, password);
	wire_put_u8(&call->reply, (uint8_t)verdict);
	return 0;
}

int
op_verify_password(struct operation_call *call)
{
	char *user = wire_get_str(&call->body, USER_MAX);
	char *password = wire_get_str(&call->body, PASSWORD_MAX);
	int rc;

	if (wire_end(&call->body) == -1)
		rc = operation_fail(call, EINVAL, "malformed request");
	else if (!accounts_name_valid(user))
		rc = operation_fail(call, EINVAL, "not a user's name");
	else
		rc = verify(call, user, password);
	free(user);
	freezero_str(password);
	return rc;
}
