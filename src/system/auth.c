/*
 * auth.*: who is calling.
 */
#include <errno.h>

#include "core/call.h"
#include "core/query.h"
#include "core/security.h"
#include "core/sessions.h"
#include "system/auth.h"
#include "system/login.h"
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

static const struct field key_params[] = {
	SECRET("api_key", "The key."), FIELD_END
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

static void
login_with_token(struct call *call)
{
	if (security_assurance_level() == 1)
		login_token(call);
	else
		call_fail(call, EOPNOTSUPP,
		    "TOKEN_PLAIN: mechanism is not supported");
}

static void
login_with_api_key(struct call *call)
{
	if (security_assurance_level() == 1)
		login_api_key(call);
	else
		call_fail(call, EOPNOTSUPP,
		    "API_KEY_PLAIN: mechanism is not supported");
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
	{ .name = "auth.generate_onetime_password", .auth = AUTH_ROLE,
	  .roles = auth_onetime_roles, .params = auth_onetime_params,
	  .result = &auth_onetime_result,
	  .audit = "Generate onetime password for user",
	  .doc = "A password for one login, for who has lost theirs.",
	  .run = auth_generate_onetime },
	{ .name = "auth.generate_token", .auth = AUTH_SESSION,
	  .params = auth_generate_params, .result = &auth_token,
	  .audit = "Generate authentication token for session",
	  .doc = "A token that logs in as the caller.",
	  .run = auth_generate_token },
	{ .name = "auth.login", .auth = AUTH_NONE, .params = login_params,
	  .result = &boolean, .doc = "Logs in, the older way.",
	  .run = login_password },
	{ .name = "auth.login_ex", .auth = AUTH_NONE,
	  .params = login_ex_params, .result = &response,
	  .doc = "Logs in.", .run = login_ex },
	{ .name = "auth.login_ex_continue", .auth = AUTH_NONE,
	  .params = continue_params, .result = &response,
	  .doc = "Logs in with the second factor asked for.",
	  .run = login_continue },
	{ .name = "auth.login_with_api_key", .auth = AUTH_NONE,
	  .params = key_params, .result = &boolean,
	  .doc = "Logs in with an API key, the older way.",
	  .run = login_with_api_key },
	{ .name = "auth.login_with_token", .auth = AUTH_NONE,
	  .params = token_params, .result = &boolean,
	  .doc = "Logs in with a token, the older way.",
	  .run = login_with_token },
	{ .name = "auth.logout", .auth = AUTH_SESSION, .result = &always_true,
	  .doc = "Ends the session; the connection stays.",
	  .run = logout_run },
	{ .name = "auth.me", .auth = AUTH_SESSION, .result = &auth_me_result,
	  .doc = "The caller's account and privilege.", .run = auth_me },
	{ .name = "auth.mechanism_choices", .kind = KIND_CHOICES,
	  .auth = AUTH_NONE, .roles = choices_roles, .result = &strings,
	  .doc = "The mechanisms that auth.login_ex takes.",
	  .run = login_mechanisms },
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
