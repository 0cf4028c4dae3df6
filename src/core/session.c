/*
 * Sessions: who a connection speaks for.
 */
#include "core/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/security.h"
#include "core/api_key.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

/* protocol.json, assurance_levels. */
struct session_limits session_limits = { .age = 2592000 };

struct session *
session_new(const char *username, uid_t uid, const char *origin,
    enum credential credential, const char *const *roles)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->references = 1;
	uuid_new(s->id);
	uuid_new(s->login_id);
	s->login_at = time(NULL);
	s->authenticated = s->used = boottime_ms();
	s->username = xstrdup(username);
	s->uid = uid;
	s->login_uid = UINT32_MAX;
	s->origin = xstrdup(origin);
	s->credential = credential;
	role_set_of(roles, &s->roles);
	s->full_admin = role_set_has(&s->roles, "FULL_ADMIN");
	s->web_shell = s->full_admin;
	return s;
}

void
session_grant(struct session *s, const struct role_set *roles, bool web_shell)
{
	s->stig = security_stig();
	s->roles = *roles;
	if (s->readonly) {
		memset(&s->roles, 0, sizeof(s->roles));
		role_set_add(&s->roles, "READONLY_ADMIN");
	}
	if (s->stig)
		role_set_keep_stig(&s->roles);
	s->full_admin = role_set_has(&s->roles, "FULL_ADMIN");
	s->web_shell = web_shell && !s->readonly && !s->stig;
}

void
session_become_readonly(struct session *s)
{
	s->readonly = true;
	session_grant(s, &s->roles, false);
}

struct session *
session_keep(struct session *s)
{
	if (s != NULL)
		s->references++;
	return s;
}

void
session_release(struct session *s)
{
	if (s == NULL || --s->references > 0)
		return;
	free(s->username);
	free(s->origin);
	free(s->address);
	free(s->api_key_name);
	json_decref(s->last_login);
	session_release(s->parent);
	free(s);
}

/* One parent is enough: a chain of them would be a client's to lengthen. */
void
session_of_token(struct session *s, struct session *maker,
    const unsigned char token[static TOKEN_HASH])
{
	if (maker->parent != NULL)
		maker = maker->parent;
	s->credential = CREDENTIAL_TOKEN;
	s->parent = session_keep(maker);
	s->authenticated = maker->authenticated;
	s->login_uid = maker->login_uid;
	memcpy(s->token, token, TOKEN_HASH);
}

/* When the key that it was logged in with expires, by boottime_ms(). */
static int64_t
key_end(const struct session *s)
{
	const struct session *login = session_login(s);
	int64_t left = INT64_MAX;

	if (login->credential == CREDENTIAL_API_KEY)
		left = api_key_left(login->api_key);
	return left != INT64_MAX ? boottime_ms() + left : left;
}

int64_t
session_end(const struct session *s)
{
	int64_t end = INT64_MAX, idle, key = key_end(s);

	/* Root would only connect again, without a password. */
	if (session_internal(s))
		return end;
	if (session_limits.age != 0)
		end = s->authenticated + session_limits.age * 1000;
	if (session_limits.idle != 0) {
		idle = s->used + session_limits.idle * 1000;
		if (idle < end)
			end = idle;
	}
	return key < end ? key : end;
}

bool
session_expired(const struct session *s)
{
	return boottime_ms() >= session_end(s);
}

bool
session_internal(const struct session *s)
{
	return s->credential == CREDENTIAL_UNIX_SOCKET && s->uid == 0;
}

bool
session_may_have_tokens(const struct session *s)
{
	return s == NULL || s->credential != CREDENTIAL_ONETIME_PASSWORD;
}

bool
session_has_any(const struct session *s, const char *const *roles)
{
	if (s->full_admin && (!s->stig || roles == NULL))
		return true;
	for (; roles != NULL && *roles != NULL; roles++)
		if (role_set_has(&s->roles, *roles))
			return true;
	return false;
}

const struct session *
session_login(const struct session *s)
{
	return s->parent != NULL ? s->parent : s;
}

const char *
credential_name(enum credential credential)
{
	static const char *const names[] = {
		[CREDENTIAL_PASSWORD] = "LOGIN_PASSWORD",
		[CREDENTIAL_UNIX_SOCKET] = "UNIX_SOCKET",
		[CREDENTIAL_TOKEN] = "TOKEN",
		[CREDENTIAL_TWOFACTOR] = "LOGIN_TWOFACTOR",
		[CREDENTIAL_ONETIME_PASSWORD] = "LOGIN_ONETIME_PASSWORD",
		[CREDENTIAL_API_KEY] = "API_KEY",
	};

	return names[credential];
}

const char *
session_class(const struct session *s)
{
	return credential_name(s->credential);
}

json_t *
session_credentials_data(const struct session *s)
{
	json_t *data = json_pack("{s:s, s:s, s:o}", "username", s->username,
	    "login_id", s->login_id, "login_at", json_date(s->login_at));

	if (s->parent != NULL)
		json_object_set_new(
		    data, "parent", session_credentials(s->parent));

	if (s->credential == CREDENTIAL_API_KEY)
		json_object_set_new(data, "api_key",
		    json_pack("{s:I, s:s}", "id", (json_int_t)s->api_key,
			"name", s->api_key_name));
	/* Ours: the person who became root by sudo. */
	if (s->login_uid != UINT32_MAX && s->login_uid != s->uid)
		json_object_set_new(
		    data, "login_uid", json_integer(s->login_uid));
	return data;
}

json_t *
session_credentials(const struct session *s)
{
	return json_pack("{s:s, s:o}", "credentials", session_class(s),
	    "credentials_data", session_credentials_data(s));
}
