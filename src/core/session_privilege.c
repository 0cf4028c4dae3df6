/*
 * What a session may do, as auth.me says it: its roles, and the methods and
 * collections of events that they open.
 */
#include "core/event.h"
#include "core/method.h"
#include "core/session.h"
#include "lib/json.h"

static void
allow(json_t *list, const char *method, const char *resource)
{
	json_array_append_new(list,
	    json_pack("{s:s, s:s}", "method", method, "resource", resource));
}

/* What anybody with a session may is not said. */
static json_t *
allowlist(const struct session *s)
{
	json_t *list = json_array();
	const struct resource *const *r;
	const struct method *m;
	const struct event *e;
	size_t i;

	if (s->full_admin && !s->stig) {
		allow(list, "*", "*");
		return list;
	}
	for (r = resources; *r != NULL; r++)
		for (m = (*r)->methods; m->name != NULL; m++)
			if (m->auth == AUTH_ROLE &&
			    session_has_any(s, m->roles))
				allow(list, "CALL", m->name);
	for (i = 0; (e = event_at(i)) != NULL; i++)
		if (e->auth == AUTH_ROLE && session_has_any(s, e->roles))
			allow(list, "SUBSCRIBE", e->name);
	return list;
}

json_t *
session_privilege(const struct session *s)
{
	return json_pack("{s:o, s:o, s:b, s:b}", "roles",
	    json_set(role_set_json(&s->roles)), "allowlist", allowlist(s),
	    "web_shell", s->web_shell, "webui_access",
	    role_set_webui(&s->roles));
}
