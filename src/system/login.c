/*
 * How logins begin and end: see login.h.
 */
#include "system/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/limits.h"
#include "core/logins.h"
#include "core/pending_login.h"
#include "core/reconnect.h"
#include "core/security.h"
#include "core/sessions.h"
#include "core/token.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/auth.h"

#define RECONNECT_TTL_MIN 60

/* clang-format off */
/* In the order in which they are listed. */
static const struct {
	const char	*name;
	int		 level;		/* up to which it may be used */
	bool		 listed;
	void		(*login)(struct call *);
} mechanisms[] = {
	{ "API_KEY_PLAIN", 1, true, login_api_key },
	{ "TOKEN_PLAIN", 1, true, login_token },
	{ "PASSWORD_PLAIN", 2, true, login_password },
	{ "SCRAM", 1, true, login_scram },
	{ "OTP_TOKEN", 2, false, login_continue },
};
/* clang-format on */

#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

const char *
login_given(const struct call *call, const char *member, size_t i)
{
	const json_t *data = call_param(call, 0);
	const char *text;

	if (json_is_object(data))
		return json_str(data, member, "");
	text = json_string_value(call_param(call, i));
	return text != NULL ? text : "";
}

struct verdict_answer {
	struct call *call;
	json_t *response;
};

/* The older calls say yes or no. */
static void
send_verdict(void *arg)
{
	struct verdict_answer *a = arg;
	const char *type = json_str(a->response, "response_type", "");
	json_t *result = a->response;

	if (a->call->method->result->type == F_BOOL) {
		result = json_boolean(strcmp(type, "SUCCESS") == 0);
		json_decref(a->response);
	}
	call_reply(a->call, result);
	free(a);
}

/*
 * Counted from when the call came, and in whole seconds, so that it tells
 * nothing of what was looked at meanwhile.
 */
static unsigned int
failure_delay(const struct call *call)
{
	int64_t at = security_assurance_level() == 1 ? LIMIT_LOGIN_DELAY_MS :
						       LIMIT_LOGIN_DELAY_2_MS;
	int64_t passed = boottime_ms() - call->since;

	while (at < passed)
		at += LIMIT_LOGIN_SPREAD_MS;
	return (unsigned int)(at - passed) + core_random(LIMIT_LOGIN_SPREAD_MS);
}

static void
failure_recorded(int error, void *arg)
{
	struct verdict_answer *a = arg;

	(void)error; /* logins go on when the log cannot be written */
	core_after(failure_delay(a->call), send_verdict, a);
}

void
login_failed(struct call *call, const char *response_type,
    enum credential credential, json_t *data, const char *why)
{
	struct verdict_answer *a = xcalloc(1, sizeof(*a));

	log_info("login.failed", "%s as %s from %s: %s",
	    credential_name(credential), json_str(data, "username", "somebody"),
	    call_origin(call), why);
	a->call = call;
	a->response = json_pack("{s:s}", "response_type", response_type);
	audit_failure(
	    audit_authentication(call->connection, NULL, credential, data, why),
	    failure_recorded, a);
}

static void
success_recorded(int error, void *arg)
{
	(void)error;
	send_verdict(arg);
}

/* protocol.json, "reconnect_token". */
static int64_t
reconnect_ttl(const struct session *s)
{
	int64_t id = json_int(account_by_uid(s->uid), "id", -1), ttl;
	json_t *attributes = account_state_get(id, "attributes");

	ttl = json_int(
	    json_object_get(attributes, "preferences"), "lifetime", TOKEN_TTL);
	json_decref(attributes);
	if (ttl < RECONNECT_TTL_MIN)
		ttl = TOKEN_TTL;
	if (session_limits.age != 0 && ttl > session_limits.age)
		ttl = session_limits.age;
	return ttl;
}

static json_t *
reconnect_token(const struct connection *c, const json_t *options)
{
	struct token_origin origin = connection_token_origin(c);
	char *token = NULL;
	json_t *value;

	if (json_bool(options, "reconnect_token", false) &&
	    security_assurance_level() == 1)
		token = reconnect_new(
		    c->session, &origin, reconnect_ttl(c->session));
	value = token != NULL ? json_string(token) : json_null();
	freezero_str(token);
	return value;
}

static json_t *
success(const struct call *call, const json_t *options)
{
	return json_pack("{s:s, s:n, s:o, s:o}", "response_type", "SUCCESS",
	    "user_info", "authenticator",
	    json_sprintf("LEVEL_%d", security_assurance_level()),
	    "reconnect_token", reconnect_token(call->connection, options));
}

void
login_succeeded(struct call *call, struct session *s)
{
	login_succeeded_with(call, s, NULL);
}

void
login_succeeded_with(struct call *call, struct session *s, json_t *response)
{
	const json_t *options =
	    json_object_get(call_param(call, 0), "login_options");
	struct verdict_answer *a;
	json_t *record;

	if (!sessions_allow(s, call->connection)) {
		login_failed(call, LOGIN_DENIED, s->credential,
		    json_pack("{s:s}", "username", s->username),
		    "It has as many sessions as it may have");
		session_release(s);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	log_info("login.succeeded", "%s as %s from %s", session_class(s),
	    s->username, s->origin);
	a->call = call;
	if (s->credential != CREDENTIAL_TOKEN)
		logins_succeeded(s, call->connection);
	pending_login_abandon(call->connection);
	connection_login(call->connection, s);
	if (response == NULL)
		response = success(call, options);
	if (json_bool(options, "user_info", true))
		json_object_set_new(response, "user_info", auth_user_info(s));
	a->response = response;
	record = audit_authentication(
	    call->connection, s, s->credential, NULL, NULL);
	if (s->full_admin)
		audit_send_urgent(record, success_recorded, a);
	else
		audit_send(record, success_recorded, a);
}

void
login_token(struct call *call)
{
	struct token_origin from = connection_token_origin(call->connection);
	const char *token = login_given(call, "token", 0);
	unsigned char hash[TOKEN_HASH];
	struct session *maker, *s;
	char *origin;

	maker = token_use(token, &from, NULL, hash);
	if (maker == NULL && (maker = reconnect_use(token, &from)) != NULL)
		token_hash(token, hash);
	if (maker == NULL) {
		login_failed(call, LOGIN_WRONG, CREDENTIAL_TOKEN,
		    json_pack("{s:n}", "username"), "Invalid token");
		return;
	}
	origin = connection_origin(call->connection);
	s = account_session_again(maker, origin);
	if (s == NULL) {
		login_failed(call, LOGIN_DENIED, CREDENTIAL_TOKEN,
		    json_pack("{s:s}", "username", maker->username),
		    "User lacks API access");
	} else {
		session_of_token(s, maker, hash);
		login_succeeded(call, s);
	}
	free(origin);
	session_release(maker);
}

void
login_ex(struct call *call)
{
	const char *mechanism = json_str(call_param(call, 0), "mechanism", "");
	size_t i;

	/* Whoever begins anew has no code to show. */
	if (strcmp(mechanism, "OTP_TOKEN") != 0)
		pending_login_abandon(call->connection);
	for (i = 0; i < MECHANISMS; i++)
		if (strcmp(mechanisms[i].name, mechanism) == 0 &&
		    security_assurance_level() <= mechanisms[i].level) {
			mechanisms[i].login(call);
			return;
		}
	call_fail(
	    call, EOPNOTSUPP, "%s: mechanism is not supported", mechanism);
}

/* Who came with a one-time password makes no tokens. */
void
login_mechanisms(struct call *call)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < MECHANISMS; i++)
		if (mechanisms[i].listed &&
		    security_assurance_level() <= mechanisms[i].level &&
		    (mechanisms[i].login != login_token ||
			session_may_have_tokens(call->session)))
			json_array_append_new(
			    names, json_string(mechanisms[i].name));
	call_reply(call, names);
}
