/*
 * auth.*: the sessions there are, ending them, and tokens.
 */
#include <errno.h>
#include <string.h>

#include "core/connection.h"
#include "core/query.h"
#include "core/security.h"
#include "core/sessions.h"
#include "core/token.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/auth.h"

#define ATTRIBUTES_MAX 4096

/* clang-format off */
const char *const auth_sessions_read[] = { "AUTH_SESSIONS_READ", NULL };
const char *const auth_sessions_write[] = { "AUTH_SESSIONS_WRITE", NULL };

const struct event auth_events[] = {
	{ .name = "auth.sessions", .auth = AUTH_ROLE,
	  .doc = "Sessions that begin and end; not root's on the Unix socket." },
	EVENT_END
};

static const struct field key_id[] = {
	{ .name = "id", .type = F_INT }, FIELD_END
};
static const struct field entry_fields[] = {
	{ .name = "id", .type = F_STR, .flags = FF_REQUIRED, .doc = "Id." },
	{ .name = "current", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it the caller's?" },
	{ .name = "internal", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it root's on the Unix socket?" },
	{ .name = "origin", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Where its client is." },
	{ .name = "credentials", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "How it was logged in." },
	{ .name = "credentials_data", .type = F_DICT, .flags = FF_REQUIRED,
	  .doc = "Who logged in, and when." },
	{ .name = "created_at", .type = F_ANY, .flags = FF_REQUIRED | FF_DATE,
	  .doc = "When it began." },
	{ .name = "secure_transport", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is what it sends hidden from others?" },
	{ .name = "api_keys", .type = F_ARRAY, .fields = key_id,
	  .flags = FF_REQUIRED | FF_OWN,
	  .doc = "Ids of the API keys that were made in it." },
	FIELD_END
};
static const struct field entry = { .name = "item", .type = F_OBJECT,
	.fields = entry_fields, .doc = "A session." };
const struct field auth_session_list = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .flags = FF_REQUIRED, .doc = "The sessions." };

const struct field auth_terminate_params[] = {
	{ .name = "id", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The session's id." },
	FIELD_END
};

const struct field auth_generate_params[] = {
	{ .name = "ttl", .type = F_INT, .flags = FF_NULL, .def = "600",
	  .min = 1, .max = INT64_MAX, .unit = "s",
	  .doc = "How long it is good after its last use." },
	{ .name = "attrs", .type = F_DICT, .def = "{}",
	  .doc = "What it is for; one with any is not for logging in." },
	{ .name = "match_origin", .type = F_BOOL, .def = "true",
	  .doc = "Is it good only from where it was asked for?" },
	{ .name = "single_use", .type = F_BOOL, .def = "false",
	  .doc = "Is it good only once?" },
	FIELD_END
};
const struct field auth_token = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED | FF_SECRET, .doc = "The token." };
/* clang-format on */

void
auth_sessions(struct call *call)
{
	query_reply(call, sessions_list(call->session));
}

/* What a token is for is kept with it. */
static bool
attributes_fit(struct call *call)
{
	char *text = json_text(call_param(call, 1));
	bool fit = strlen(text) <= ATTRIBUTES_MAX;
	struct verr *errors;

	freezero_str(text);
	if (fit)
		return true;
	errors = verr_new();
	verr_add(errors, "attrs", "At most %d characters are possible",
	    ATTRIBUTES_MAX);
	call_fail_invalid(call, errors);
	return false;
}

void
auth_generate_token(struct call *call)
{
	const json_t *ttl = call_param(call, 0);
	struct token_origin origin;
	struct token_options o = {
		.ttl = json_is_null(ttl) ? TOKEN_TTL : json_integer_value(ttl),
		.attributes = call_param(call, 1),
		.single_use = json_is_true(call_param(call, 3))
	};
	char *token;

	if (call->connection == NULL) {
		call_fail(call, EINVAL, "A token is for a connection's peer");
		return;
	}
	if (!session_may_have_tokens(call->session)) {
		call_fail(call, EOPNOTSUPP,
		    "A session of a one-time password has no tokens");
		return;
	}
	if (!o.single_use && security_assurance_level() > 1) {
		call_fail(call, EOPNOTSUPP,
		    "A token has to be for a single use at this level");
		return;
	}
	if (!attributes_fit(call))
		return;
	origin = connection_token_origin(call->connection);
	if (json_is_true(call_param(call, 2)))
		o.origin = &origin;
	if ((token = token_new(call->session, &o)) == NULL) {
		call_fail(call, EBUSY, "Too many tokens of this user");
		return;
	}
	call_reply(call, json_string(token));
	freezero_str(token);
}

void
auth_terminate(struct call *call)
{
	bool found = sessions_terminate(
	    json_string_value(call_param(call, 0)), call->session);

	call_reply(call, json_boolean(found));
}

void
auth_terminate_others(struct call *call)
{
	sessions_terminate_others(call->session);
	call_reply(call, json_true());
}
