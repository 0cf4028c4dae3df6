/*
 * Sessions: who a connection speaks for.
 */
#include "core/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/xalloc.h"

struct session *
session_new(const char *username, uid_t uid, const char *origin,
    bool unix_socket, const char *const *roles)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->references = 1;
	core_uuid(s->id);
	core_uuid(s->login_id);
	s->login_at = time(NULL);
	s->username = xstrdup(username);
	s->uid = uid;
	s->login_uid = UINT32_MAX;
	s->origin = xstrdup(origin);
	s->unix_socket = unix_socket;
	role_set_of(roles, &s->roles);
	s->full_admin = role_set_has(&s->roles, "FULL_ADMIN");
	s->web_shell = s->full_admin;
	return s;
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
	free(s);
}

bool
session_has_any(const struct session *s, const char *const *roles)
{
	if (s->full_admin)
		return true;
	for (; roles != NULL && *roles != NULL; roles++)
		if (role_set_has(&s->roles, *roles))
			return true;
	return false;
}

const char *
session_class(const struct session *s)
{
	return s->unix_socket ? "UNIX_SOCKET" : "LOGIN_PASSWORD";
}

json_t *
session_credentials_data(const struct session *s)
{
	json_t *data = json_pack("{s:s, s:s, s:o}", "username", s->username,
	    "login_id", s->login_id, "login_at", json_date(s->login_at));

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

json_t *
session_privilege(const struct session *s)
{
	json_t *allow = json_array(), *roles = role_set_json(&s->roles);
	size_t i;
	json_t *role;

	if (s->full_admin) {
		json_array_append_new(allow,
		    json_pack("{s:s, s:s}", "method", "*", "resource", "*"));
	} else {
		json_array_foreach(roles, i, role)
			json_array_append_new(allow,
			    json_pack("{s:s, s:O}", "method", "CALL",
				"resource", role));
	}
	return json_pack("{s:o, s:o, s:b, s:b}", "roles", json_set(roles),
	    "allowlist", allow, "web_shell", s->web_shell, "webui_access",
	    true);
}
