/*
 * auth.*: who is calling.  Passwords are verified by PAM in a child of the
 * monitor; core never hashes one, and forgets it with the call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/audit.h"
#include "core/call.h"
#include "core/connection.h"
#include "core/limits.h"
#include "core/op.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/system.h"

/* clang-format off */
static const struct field login_options[] = {
	{ .name = "user_info", .type = F_BOOL, .def = "true",
	  .doc = "Answer with what auth.me says." },
	{ .name = "reconnect_token", .type = F_BOOL, .def = "false",
	  .doc = "Answer with a token to come back with." },
	FIELD_END
};

#define LOGIN_OPTIONS	{ .name = "login_options", .type = F_OBJECT,	\
	.fields = login_options, .model = "AuthCommonOptions",		\
	.def = "{\"user_info\": true, \"reconnect_token\": false}",	\
	.doc = "What to answer with." }
#define SECRET(id, text) { .name = id, .type = F_STR, .doc = text,	\
	.flags = FF_REQUIRED | FF_SECRET }
#define NAME(id, text)	{ .name = id, .type = F_STR, .doc = text,	\
	.flags = FF_REQUIRED }

static const struct field api_key_plain[] = {
	NAME("username", "Whose key it is."), SECRET("api_key", "The key."),
	LOGIN_OPTIONS, FIELD_END
};
static const struct field password_plain[] = {
	NAME("username", "Name of the account."),
	SECRET("password", "Its password."), LOGIN_OPTIONS, FIELD_END
};
static const struct field token_plain[] = {
	SECRET("token", "The token."), LOGIN_OPTIONS, FIELD_END
};
static const struct field otp_token[] = {
	SECRET("otp_token", "The code."), LOGIN_OPTIONS, FIELD_END
};
static const char *const scram_types[] = { "CLIENT_FIRST_MESSAGE",
	"CLIENT_FINAL_MESSAGE", NULL };
static const struct field scram[] = {
	{ .name = "scram_type", .type = F_ENUM, .choices = scram_types,
	  .flags = FF_REQUIRED, .doc = "Which message of the exchange." },
	NAME("rfc_str", "The message, RFC 5802."), FIELD_END
};

static const struct variant mechanisms[] = {
	{ "API_KEY_PLAIN", api_key_plain },
	{ "PASSWORD_PLAIN", password_plain },
	{ "TOKEN_PLAIN", token_plain },
	{ "OTP_TOKEN", otp_token },
	{ "SCRAM", scram },
	{ NULL, NULL }
};

static const struct field login_ex_params[] = {
	{ .name = "login_data", .type = F_UNION, .tag = "mechanism",
	  .variants = mechanisms, .flags = FF_REQUIRED,
	  .doc = "Mechanism and credentials." },
	FIELD_END
};

static const struct field response = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "response_type and its members." };
static const struct field me = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "The caller's account." };
static const struct field strings = { .name = "result", .type = F_STRV,
	.flags = FF_REQUIRED, .doc = "Mechanisms." };
static const struct field always_true = { .name = "result", .type = F_CONST,
	.def = "true", .flags = FF_REQUIRED, .doc = "Always true." };
/* clang-format on */

/*
 * Logins in progress, and those that wait for their turn: the verifications
 * are slow on purpose, so their number is bounded, in all, per address and
 * per account.  The Unix socket never waits behind them: it needs no password.
 */
struct login {
	struct login *next;
	struct call *call;
	char *address, *username;
};

static struct login *waiting;
static unsigned int running, waiting_count;

static json_t *
user_info(const struct session *s)
{
	const json_t *account = account_by_name(s->username);
	const char *home = s->uid == 0 ? "/root" : "/";

	/* clang-format off */
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:n, s:n, s:s, s:b, "
	    "s:{}, s:{s:n, s:b, s:i, s:i}, s:o, s:[s, s]}",
	    "pw_name", s->username,
	    "pw_gecos", json_str(account, "full_name", s->username),
	    "pw_dir", json_str(account, "home", home),
	    "pw_shell", json_str(account, "shell", "/bin/bash"),
	    "pw_uid", (json_int_t)s->uid,
	    "pw_gid", json_int(account, "gid", s->uid),
	    "grouplist", "sid", "source", "LOCAL", "local", 1, "attributes",
	    "two_factor_config", "provisioning_uri", "secret_configured", 0,
	    "interval", 30, "otp_digits", 6,
	    "privilege", session_privilege(s),
	    "account_attributes", "LOCAL", "SYS_ADMIN");
	/* clang-format on */
}

static void
login_free(struct login *l)
{
	free(l->address);
	free(l->username);
	free(l);
}

static json_t *
authentication(
    const struct call *call, const struct session *s, const char *error)
{
	const json_t *data = call_param(call, 0);
	json_t *credentials, *event;

	if (s != NULL)
		credentials = session_credentials_data(s);
	else
		credentials = json_pack(
		    "{s:s}", "username", json_str(data, "username", ""));
	/* clang-format off */
	event = json_pack("{s:{s:s, s:o}, s:s?, s:{s:i, s:i}}",
	    "credentials", "credentials", "LOGIN_PASSWORD",
	    "credentials_data", credentials, "error", error,
	    "vers", "major", 0, "minor", 1);
	/* clang-format on */
	return audit_record(
	    call->connection, s, "AUTHENTICATION", event, s != NULL);
}

struct verdict_answer {
	struct call *call;
	json_t *response;
};

static void
send_verdict(void *arg)
{
	struct verdict_answer *a = arg;

	call_reply(a->call, a->response);
	free(a);
}

/* A failure is told a second or two later, whatever its reason was. */
static void
failure_recorded(int error, void *arg)
{
	(void)error; /* logins go on when the log cannot be written */
	core_after(LIMIT_LOGIN_DELAY_MS + core_random(LIMIT_LOGIN_DELAY_MS),
	    send_verdict, arg);
}

static void
failed(struct call *call, const char *response_type, const char *error)
{
	struct verdict_answer *a = xcalloc(1, sizeof(*a));
	const char *user = json_str(call_param(call, 0), "username", "");

	log_info(
	    "login.failed", "%s from %s: %s", user, call_origin(call), error);
	a->call = call;
	a->response = json_pack("{s:s}", "response_type", response_type);
	audit_send(authentication(call, NULL, error), failure_recorded, a);
}

static void
success_recorded(int error, void *arg)
{
	(void)error;
	send_verdict(arg);
}

static void
succeeded(struct call *call, struct session *s)
{
	const json_t *options =
	    json_object_get(call_param(call, 0), "login_options");
	struct verdict_answer *a = xcalloc(1, sizeof(*a));

	log_info("login.succeeded", "%s from %s", s->username, s->origin);
	a->call = call;
	a->response = json_pack("{s:s, s:o, s:s, s:n}", "response_type",
	    "SUCCESS", "user_info",
	    json_bool(options, "user_info", true) ? user_info(s) : json_null(),
	    "authenticator", "LEVEL_1", "reconnect_token");
	connection_login(call->connection, s);
	audit_send(authentication(call, s, NULL), success_recorded, a);
}

static void login_next(void);

static void
verified(const struct op_reply *reply, void *arg)
{
	struct login *l = arg;
	struct call *call = l->call;
	struct wire_in body = reply->body;
	enum verdict verdict = wire_get_u8(&body);
	const json_t *account = account_by_name(l->username);
	struct session *s;
	char *origin;

	running--;
	login_free(l);
	login_next();
	if (call->connection == NULL) {
		/* Nobody is there to be logged in. */
		failed(call, "AUTH_ERR", "The client is gone");
		return;
	}
	if (reply->error != 0) {
		log_error("login.verify", "%s", reply->text);
		call_fail(
		    call, reply->error, "The password could not be verified");
		return;
	}
	origin = connection_origin(call->connection);
	if (verdict == VERDICT_EXPIRED)
		failed(call, "EXPIRED", "Account or password expired");
	else if (verdict == VERDICT_DENIED)
		failed(call, "DENIED", "Denied");
	else if (verdict != VERDICT_OK)
		failed(call, "AUTH_ERR", "Bad username or password");
	else if (account == NULL ||
	    (s = account_session(account, origin)) == NULL)
		failed(call, "DENIED", "User lacks API access");
	else
		succeeded(call, s);
	free(origin);
}

static void
verify(struct login *l)
{
	const json_t *data = call_param(l->call, 0);
	struct wire_out out = { 0 };

	running++;
	wire_put_str(&out, l->username);
	wire_put_str(&out, json_str(data, "password", ""));
	op_request(MSG_OP_VERIFY_PASSWORD, &out, -1, verified, l);
	wire_free(&out);
}

static void
login_next(void)
{
	struct login *l = waiting;

	if (l == NULL || running >= LIMIT_LOGINS_RUNNING)
		return;
	waiting = l->next;
	waiting_count--;
	verify(l);
}

/* -1: too many are waiting already, in all, of this address or account. */
static int
enqueue(struct login *l)
{
	struct login **at;
	unsigned int address = 0, account = 0;

	for (at = &waiting; *at != NULL; at = &(*at)->next) {
		address += strcmp((*at)->address, l->address) == 0;
		account += strcmp((*at)->username, l->username) == 0;
	}
	if (waiting_count >= LIMIT_LOGINS_WAITING ||
	    address >= LIMIT_LOGINS_ADDRESS || account >= LIMIT_LOGINS_ADDRESS)
		return -1;
	*at = l;
	waiting_count++;
	return 0;
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

static void
login_ex_run(struct call *call)
{
	const json_t *data = call_param(call, 0);
	const char *mechanism = json_str(data, "mechanism", "");
	const char *username = json_str(data, "username", "");
	struct login *l;

	if (strcmp(mechanism, "OTP_TOKEN") == 0) {
		call_fail(
		    call, EINVAL, "OTP_TOKEN: no authentication in progress");
		return;
	}
	if (strcmp(mechanism, "PASSWORD_PLAIN") != 0) {
		call_fail(call, EOPNOTSUPP, "%s: mechanism is not supported",
		    mechanism);
		return;
	}
	if (!plausible(username) || json_str(data, "password", "")[0] == '\0') {
		failed(call, "AUTH_ERR", "Bad username or password");
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->call = call;
	l->address = xstrdup(call->connection->address);
	l->username = xstrdup(username);
	if (running < LIMIT_LOGINS_RUNNING) {
		verify(l);
	} else if (enqueue(l) == -1) {
		login_free(l);
		call_fail(call, EBUSY, "Too many logins at the same time");
	}
}

static void
mechanism_choices_run(struct call *call)
{
	call_reply(call, json_pack("[s]", "PASSWORD_PLAIN"));
}

static void
me_run(struct call *call)
{
	call_reply(call, user_info(call->session));
}

static void
logout_recorded(int error, void *arg)
{
	(void)error;
	call_reply(arg, json_true());
}

static void
logout_run(struct call *call)
{
	json_t *data = json_pack(
	    "{s:o}", "credentials", session_credentials(call->session));
	json_t *record =
	    audit_record(call->connection, call->session, "LOGOUT", data, true);

	connection_login(call->connection, NULL);
	audit_send(record, logout_recorded, call);
}

static const char *const choices_roles[] = { "READONLY_ADMIN", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "auth.login_ex", .auth = AUTH_NONE,
	  .params = login_ex_params, .result = &response,
	  .doc = "Logs in.", .run = login_ex_run },
	{ .name = "auth.logout", .auth = AUTH_SESSION, .result = &always_true,
	  .doc = "Ends the session; the connection stays.",
	  .run = logout_run },
	{ .name = "auth.me", .auth = AUTH_SESSION, .result = &me,
	  .doc = "The caller's account and privilege.", .run = me_run },
	{ .name = "auth.mechanism_choices", .kind = KIND_CHOICES,
	  .auth = AUTH_NONE, .roles = choices_roles, .result = &strings,
	  .doc = "The mechanisms that auth.login_ex takes.",
	  .run = mechanism_choices_run },
	METHOD_END
};

const struct resource auth_resource = {
	.name = "auth", .doc = "Who is calling.", .kind = RESOURCE_SERVICE,
	.verbose_name = "Auth", .methods = methods,
	.output = -1, .service = -1
};
/* clang-format on */
