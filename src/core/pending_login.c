/*
 * Logins that wait for a second factor: see pending_login.h.
 */
#include "core/pending_login.h"

#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/connection.h"
#include "core/logins.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

void
pending_login_begin(
    struct connection *c, int64_t user_id, const struct session *s)
{
	struct pending_login *p = xcalloc(1, sizeof(*p));

	pending_login_abandon(c);
	p->user_id = user_id;
	p->username = xstrdup(s->username);
	p->credential = s->credential;
	memcpy(p->stamp, s->stamp, TOKEN_HASH);
	c->pending = p;
}

struct pending_login *
pending_login_take(struct connection *c)
{
	struct pending_login *p = c->pending;

	c->pending = NULL;
	return p;
}

void
pending_login_free(struct pending_login *p)
{
	if (p == NULL)
		return;
	free(p->username);
	freezero(p, sizeof(*p));
}

void
pending_login_abandon(struct connection *c)
{
	struct pending_login *p = pending_login_take(c);

	if (p == NULL)
		return;
	log_info("login.abandoned", "%s", p->username);
	audit_failure(audit_authentication(c, NULL, CREDENTIAL_TWOFACTOR,
			  json_pack("{s:s}", "username", p->username),
			  "The second factor was not shown"),
	    NULL, NULL);
	logins_failed(p->username, c, false);
	pending_login_free(p);
}
