/*
 * The second factor of a login: asked for on the same connection once the
 * first one was right, until then nobody is logged in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/logins.h"
#include "core/pending_login.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/login.h"

static void
failed(struct call *call, const char *username, const char *why)
{
	logins_failed(username, call->connection, false);
	login_failed(call, LOGIN_WRONG, CREDENTIAL_TWOFACTOR,
	    json_pack("{s:s}", "username", username), why);
}

/* What was shown first stays known where it is not a password. */
static void
judge(struct call *call, struct session *s, const json_t *account,
    const char *code)
{
	if (!twofactor_check(account, code)) {
		failed(call, s->username, "Wrong one-time code");
		session_release(s);
		return;
	}
	s->second_factor = true;
	if (s->credential == CREDENTIAL_PASSWORD)
		s->credential = CREDENTIAL_TWOFACTOR;
	login_succeeded(call, s);
}

static void
ask(struct call *call, struct session *s, const json_t *account)
{
	log_info("login.pending", "%s from %s", s->username, s->origin);
	pending_login_begin(call->connection, json_int(account, "id", -1), s);
	call_reply(call,
	    json_pack("{s:s, s:s}", "response_type", "OTP_REQUIRED", "username",
		s->username));
	session_release(s);
}

void
login_factor(struct call *call, struct session *s, const json_t *account)
{
	bool older = !json_is_object(call_param(call, 0));

	if (twofactor_required(account)) {
		/* The older call brings the code along. */
		if (older)
			judge(call, s, account, login_given(call, "", 2));
		else
			ask(call, s, account);
	} else if (twofactor_mandatory() &&
	    s->credential != CREDENTIAL_ONETIME_PASSWORD) {
		failed(call, s->username, "It has no second factor");
		session_release(s);
	} else
		login_succeeded(call, s);
}

void
login_continue(struct call *call)
{
	struct pending_login *p = pending_login_take(call->connection);
	const json_t *account;
	struct session *s = NULL;
	char *origin;

	if (p == NULL) {
		call_fail(
		    call, EINVAL, "OTP_TOKEN: no authentication in progress");
		return;
	}
	account = store_get(core_store(), "user", p->user_id);
	origin = connection_origin(call->connection);
	if (account != NULL)
		s = account_session(account, origin);
	free(origin);
	if (s == NULL || memcmp(s->stamp, p->stamp, TOKEN_HASH) != 0) {
		failed(call, p->username, "The account was changed meanwhile");
		session_release(s);
	} else {
		s->credential = p->credential;
		judge(call, s, account, login_given(call, "otp_token", 0));
	}
	pending_login_free(p);
}
