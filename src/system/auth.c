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
#include "core/query.h"
#include "core/session.h"
#include "core/sessions.h"
#include "core/token.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/auth.h"
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

static const struct field login_params[] = {
	NAME("username", "Name of the account."),
	SECRET("password", "Its password."),
	{ .name = "otp_token", .type = F_STR, .flags = FF_NULL | FF_SECRET,
	  .def = "null", .doc = "The second factor's code." },
	FIELD_END
};

static const struct field token_params[] = {
	SECRET("token", "The token."), FIELD_END
};

static const char *const otp_only[] = { "OTP_TOKEN", NULL };
static const struct field continue_fields[] = {
	{ .name = "mechanism", .type = F_ENUM, .choices = otp_only,
	  .flags = FF_REQUIRED, .doc = "Always OTP_TOKEN." },
	SECRET("otp_token", "The code."), LOGIN_OPTIONS, FIELD_END
};
static const struct field continue_params[] = {
	{ .name = "login_data", .type = F_OBJECT, .fields = continue_fields,
	  .model = "AuthOTPToken", .flags = FF_REQUIRED,
	  .doc = "The second factor." },
	FIELD_END
};

static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Was it done?" };
static const struct field response = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "response_type and its members." };
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

static void
login_free(struct login *l)
{
	free(l->address);
	free(l->username);
	free(l);
}

static bool
by_token(const struct call *call)
{
	const json_t *data = call_param(call, 0);

	return call->method->params == token_params ||
	    strcmp(json_str(data, "mechanism", ""), "TOKEN_PLAIN") == 0;
}

/* A secret of auth.login_ex's object or of an older call's parameters. */
static const char *
given(const struct call *call, const char *member, size_t i)
{
	const json_t *data = call_param(call, 0);

	if (json_is_object(data))
		return json_str(data, member, "");
	return json_string_value(call_param(call, i));
}

/* NULL: a token tells only when it is good. */
static const char *
given_user(const struct call *call)
{
	return by_token(call) ? NULL : given(call, "username", 0);
}

static json_t *
authentication(
    const struct call *call, const struct session *s, const char *error)
{
	const char *class = by_token(call) ? "TOKEN" : "LOGIN_PASSWORD";
	json_t *credentials, *event;

	if (s != NULL)
		credentials = session_credentials(s);
	else
		credentials = json_pack("{s:s, s:{s:s?}}", "credentials", class,
		    "credentials_data", "username", given_user(call));
	/* clang-format off */
	event = json_pack("{s:o, s:s?, s:{s:i, s:i}}",
	    "credentials", credentials, "error", error,
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
	const char *type = json_str(a->response, "response_type", "");
	json_t *result = a->response;

	if (a->call->method->result == &boolean) {
		result = json_boolean(strcmp(type, "SUCCESS") == 0);
		json_decref(a->response);
	}
	call_reply(a->call, result);
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
	const char *user = given_user(call);

	log_info("login.failed", "%s from %s: %s",
	    user != NULL ? user : "a token", call_origin(call), error);
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

/* A token to come back with from where the client is, once. */
static json_t *
reconnect_token(const struct connection *c, const json_t *options)
{
	struct token_origin origin = connection_token_origin(c);
	struct token_options o = {
		.origin = &origin, .ttl = TOKEN_TTL, .single_use = true
	};
	char *token;
	json_t *value;

	if (!json_bool(options, "reconnect_token", false) ||
	    (token = token_new(c->session, &o)) == NULL)
		return json_null();
	value = json_string(token);
	freezero_str(token);
	return value;
}

static void
succeeded(struct call *call, struct session *s)
{
	const json_t *options =
	    json_object_get(call_param(call, 0), "login_options");
	struct verdict_answer *a = xcalloc(1, sizeof(*a));

	log_info("login.succeeded", "%s from %s", s->username, s->origin);
	a->call = call;
	connection_login(call->connection, s);
	a->response = json_pack("{s:s, s:o, s:s, s:o}", "response_type",
	    "SUCCESS", "user_info",
	    json_bool(options, "user_info", true) ? auth_user_info(s) :
						    json_null(),
	    "authenticator", "LEVEL_1", "reconnect_token",
	    reconnect_token(call->connection, options));
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
	struct wire_out out = { 0 };

	running++;
	wire_put_str(&out, l->username);
	wire_put_str(&out, given(l->call, "password", 1));
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
password_login(struct call *call)
{
	const char *username = given(call, "username", 0);
	struct login *l;

	if (!plausible(username) || given(call, "password", 1)[0] == '\0') {
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
token_login(struct call *call)
{
	struct token_origin from = connection_token_origin(call->connection);
	unsigned char hash[TOKEN_HASH];
	struct session *maker, *s;
	char *origin;

	maker = token_use(given(call, "token", 0), &from, NULL, hash);
	if (maker == NULL) {
		failed(call, "AUTH_ERR", "Invalid token");
		return;
	}
	origin = connection_origin(call->connection);
	s = account_session_again(maker, origin);
	if (s == NULL) {
		failed(call, "DENIED", "User lacks API access");
	} else {
		session_of_token(s, maker, hash);
		succeeded(call, s);
	}
	free(origin);
	session_release(maker);
}

/* What the accounts bring with them has its frame here. */
static void
no_second_factor(struct call *call)
{
	call_fail(call, EINVAL, "OTP_TOKEN: no authentication in progress");
}

static void
login_ex_run(struct call *call)
{
	/* clang-format off */
	static const struct {
		const char *mechanism;
		void (*login)(struct call *);
	} known[] = {
		{ "PASSWORD_PLAIN", password_login },
		{ "TOKEN_PLAIN", token_login },
		{ "OTP_TOKEN", no_second_factor },
	};
	/* clang-format on */
	const char *mechanism = json_str(call_param(call, 0), "mechanism", "");
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].mechanism, mechanism) == 0) {
			known[i].login(call);
			return;
		}
	call_fail(
	    call, EOPNOTSUPP, "%s: mechanism is not supported", mechanism);
}

static void
mechanism_choices_run(struct call *call)
{
	call_reply(call, json_pack("[s, s]", "TOKEN_PLAIN", "PASSWORD_PLAIN"));
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
	sessions_logout(call->connection, logout_recorded, call);
}

static const char *const choices_roles[] = { "READONLY_ADMIN", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "auth.generate_token", .auth = AUTH_SESSION,
	  .params = auth_generate_params, .result = &auth_token,
	  .audit = "Generate authentication token for session",
	  .doc = "A token that logs in as the caller.",
	  .run = auth_generate_token },
	{ .name = "auth.login", .auth = AUTH_NONE, .params = login_params,
	  .result = &boolean, .doc = "Logs in, the older way.",
	  .run = password_login },
	{ .name = "auth.login_ex", .auth = AUTH_NONE,
	  .params = login_ex_params, .result = &response,
	  .doc = "Logs in.", .run = login_ex_run },
	{ .name = "auth.login_ex_continue", .auth = AUTH_NONE,
	  .params = continue_params, .result = &response,
	  .doc = "Logs in with the second factor asked for.",
	  .run = no_second_factor },
	{ .name = "auth.login_with_token", .auth = AUTH_NONE,
	  .params = token_params, .result = &boolean,
	  .doc = "Logs in with a token, the older way.", .run = token_login },
	{ .name = "auth.logout", .auth = AUTH_SESSION, .result = &always_true,
	  .doc = "Ends the session; the connection stays.",
	  .run = logout_run },
	{ .name = "auth.me", .auth = AUTH_SESSION, .result = &auth_me_result,
	  .doc = "The caller's account and privilege.", .run = auth_me },
	{ .name = "auth.mechanism_choices", .kind = KIND_CHOICES,
	  .auth = AUTH_NONE, .roles = choices_roles, .result = &strings,
	  .doc = "The mechanisms that auth.login_ex takes.",
	  .run = mechanism_choices_run },
	{ .name = "auth.sessions", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = auth_sessions_read, .params = query_params,
	  .result = &auth_session_list, .doc = "Who is logged in.",
	  .run = auth_sessions },
	{ .name = "auth.set_attribute", .auth = AUTH_SESSION,
	  .params = auth_attribute_params,
	  .doc = "Keeps something of the page's for the caller's account.",
	  .run = auth_set_attribute },
	{ .name = "auth.terminate_other_sessions", .auth = AUTH_ROLE,
	  .roles = auth_sessions_write, .result = &always_true,
	  .doc = "Ends all sessions but the caller's and root's on the Unix "
	  "socket.", .run = auth_terminate_others },
	{ .name = "auth.terminate_session", .auth = AUTH_ROLE,
	  .roles = auth_sessions_write, .params = auth_terminate_params,
	  .result = &boolean, .doc = "Ends a session and its connection; its "
	  "tokens are void.", .run = auth_terminate },
	METHOD_END
};

const struct resource auth_resource = {
	.name = "auth", .doc = "Who is calling.", .kind = RESOURCE_SERVICE,
	.verbose_name = "Auth", .methods = methods, .events = auth_events
};
/* clang-format on */
