/*
 * Logging in with a password, or a one-time password in its place.  Passwords
 * are verified by PAM in a child of the monitor; core never hashes one, and
 * forgets it with the call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/limits.h"
#include "core/logins.h"
#include "core/onetime.h"
#include "core/op.h"
#include "core/security.h"
#include "core/turn.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/login.h"

/*
 * The verifications are slow on purpose, so their number is bounded.  The Unix
 * socket never waits behind them: it needs no password.
 */
static struct turns turns = { .at_once = LIMIT_LOGINS_RUNNING };

/* Logins of the last administrator that are held back. */
static unsigned int delayed_count;

struct login {
	struct call *call;
	char *address, *username;
};

static void
login_free(struct login *l)
{
	free(l->address);
	free(l->username);
	free(l);
}

static json_t *
whose(const char *username)
{
	return json_pack("{s:s}", "username", username);
}

/* One that was tried and is wrong. */
static void
wrong(struct call *call, const char *username, const char *why)
{
	logins_failed(username, call->connection, true);
	login_failed(
	    call, LOGIN_WRONG, CREDENTIAL_PASSWORD, whose(username), why);
}

/* It is right: of an account that may use the API? */
static void
proven(struct call *call, const char *username, enum credential credential)
{
	const json_t *account = account_by_name(username);
	char *origin = connection_origin(call->connection);
	struct session *s = NULL;

	if (account != NULL)
		s = account_session(account, origin);
	free(origin);
	if (s == NULL) {
		login_failed(call, LOGIN_DENIED, credential, whose(username),
		    "User lacks API access");
		return;
	}
	s->credential = credential;
	login_factor(call, s, account);
}

static void
judged(struct call *call, const char *username, enum verdict verdict)
{
	const json_t *account = account_by_name(username);

	if (verdict == VERDICT_WRONG ||
	    json_bool(account, "password_disabled", false))
		wrong(call, username, "Bad username or password");
	else if (verdict == VERDICT_EXPIRED)
		login_failed(call, LOGIN_EXPIRED, CREDENTIAL_PASSWORD,
		    whose(username), "Account or password expired");
	else if (verdict == VERDICT_DENIED)
		login_failed(call, LOGIN_DENIED, CREDENTIAL_PASSWORD,
		    whose(username), "Denied");
	else
		proven(call, username, CREDENTIAL_PASSWORD);
}

static void
verified(const struct op_reply *reply, void *arg)
{
	struct login *l = arg;
	struct call *call = l->call;
	struct wire_in body = reply->body;
	enum verdict verdict = wire_get_u8(&body);

	if (reply->error != 0) {
		log_error("login.verify", "%s", reply->text);
		call_fail(
		    call, reply->error, "The password could not be verified");
	} else if (call->connection == NULL) {
		/* Nobody is there to be logged in. */
		login_failed(call, LOGIN_WRONG, CREDENTIAL_PASSWORD,
		    whose(l->username), "The client is gone");
	} else
		judged(call, l->username, verdict);
	login_free(l);
	turn_leave(&turns);
}

static void
verify(void *arg)
{
	struct login *l = arg;
	struct wire_out out = { 0 };

	wire_put_str(&out, l->username);
	wire_put_str(&out, login_given(l->call, "password", 1));
	op_request(MSG_OP_VERIFY_PASSWORD, &out, -1, verified, l);
	wire_free(&out);
}

static void
begin(struct login *l)
{
	if (turn_enter(&turns, l->address, l->username, verify, l) == -1) {
		call_fail(l->call, EBUSY, "Too many logins at the same time");
		login_free(l);
	}
}

static void
delayed(void *arg)
{
	delayed_count--;
	begin(arg);
}

/* The last administrator is not locked out, but has to be patient. */
static void
begin_later(struct login *l)
{
	if (delayed_count >= LIMIT_LOGINS_WAITING) {
		call_fail(l->call, EBUSY, "Too many logins at the same time");
		login_free(l);
		return;
	}
	delayed_count++;
	core_after(LIMIT_LOCKOUT_DELAY_MS, delayed, l);
}

/* What the monitor would refuse as a name needs no child to be refused. */
static bool
plausible(const char *username)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789_.-";
	size_t len = strlen(username);

	return len > 0 && len <= 32 && strspn(username, allowed) == len;
}

/* True: it was one, and the call is answered. */
static bool
onetime(struct call *call, const char *username)
{
	const json_t *account = account_by_name(username);

	if (account == NULL || json_bool(account, "locked", false) ||
	    json_bool(account, "password_disabled", false) ||
	    !onetime_use(
		json_int(account, "id", -1), login_given(call, "password", 1)))
		return false;
	proven(call, username, CREDENTIAL_ONETIME_PASSWORD);
	return true;
}

void
login_password(struct call *call)
{
	const char *username = login_given(call, "username", 0);
	enum lockout lockout;
	struct login *l;

	if (!plausible(username) ||
	    login_given(call, "password", 1)[0] == '\0') {
		wrong(call, username, "Bad username or password");
		return;
	}
	lockout = logins_lockout(username, call->connection);
	if (lockout == LOCKOUT_CLOSED) {
		login_failed(call, LOGIN_DENIED, CREDENTIAL_PASSWORD,
		    whose(username), "Locked out after failed logins");
		return;
	}
	if (lockout == LOCKOUT_OPEN && onetime(call, username))
		return;
	l = xcalloc(1, sizeof(*l));
	l->call = call;
	l->address = xstrdup(call->connection->address);
	l->username = xstrdup(username);
	if (lockout == LOCKOUT_DELAYED)
		begin_later(l);
	else
		begin(l);
}
