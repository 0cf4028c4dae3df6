/*
 * Bind Interfaces followed: see ssh_bind.h.
 */
#include "services/ssh/ssh_bind.h"

#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/serial.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_interfaces.h"
#include "services/ssh/ssh_listening.h"

#define ALERT "SshNoInterface"
#define PROBLEM "ssh.bind"
#define RETRY_MS 1000
#define LOOKS 10 /* at where sshd listens, before it is told of */
#define RELOAD_AT 2 /* of these; by then it has done what it was told to */

static struct {
	bool busy, again; /* it is under way; and is to begin anew */
	unsigned int looks;
} follow;

static const json_t *
settings(void)
{
	if (core_store() == NULL || !core_facts()->expose)
		return NULL;
	return store_get(core_store(), "ssh", ssh_resource.entry);
}

/* ListenAddress for the interfaces chosen; NULL: none is. */
static char **
addresses(void)
{
	const json_t *chosen = json_object_get(settings(), "bindiface");
	char **names, **list;
	size_t i, n = json_array_size(chosen);

	if (n == 0)
		return NULL;
	names = xcalloc(n + 1, sizeof(*names));
	for (i = 0; i < n; i++)
		names[i] = (char *)(uintptr_t)json_string_value(
		    json_array_get(chosen, i));
	list = ssh_interfaces_addresses(names);
	free(names);
	return list;
}

void
ssh_bind_review(void)
{
	char **list = addresses();

	/* The loopback alone. */
	if (list != NULL && list[1] == NULL)
		alert_raise(ALERT, NULL, NULL);
	else
		alert_clear(ALERT, NULL);
	if (list == NULL)
		core_problem_clear(PROBLEM);
	ssh_interfaces_free_addresses(list);
}

/* --- Does sshd listen there? ---------------------------------------------- */

static void look(void *);

static void
finish(void)
{
	follow.busy = false;
	if (follow.again)
		ssh_bind_follow();
}

/* The first that it does not listen on, malloc'd, or NULL. */
static char *
missing_of(const struct ssh_listening *s)
{
	char **list = addresses(), *missing = NULL;
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL && missing == NULL; i++) {
		list[i][strcspn(list[i], "%")] = '\0';
		if (!ssh_listening_has(s, list[i], 0))
			missing = xstrdup(list[i]);
	}
	ssh_interfaces_free_addresses(list);
	return missing;
}

static void
reloaded(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("ssh.bind", "%s", reply->text);
	serial_leave();
	core_after(RETRY_MS, look, NULL);
}

static void
reload(void *arg)
{
	(void)arg;
	op_run_verb(SERVICE_SSH, DAEMON_SSH, VERB_RELOAD, reloaded, NULL);
}

static void
looked(const struct op_reply *reply, void *arg)
{
	struct ssh_listening s;
	char *missing = NULL;
	bool known = ssh_listening_parse(reply, &s) == 0;

	(void)arg;
	if (known && s.state == STATE_RUNNING)
		missing = missing_of(&s);
	ssh_listening_free(&s);
	follow.looks++;
	if (missing == NULL || follow.again) {
		core_problem_clear(PROBLEM);
		finish();
	} else if (follow.looks == RELOAD_AT) {
		log_info("ssh.bind", "sshd does not listen on %s, it reloads",
		    missing);
		serial_enter(reload, NULL);
	} else if (follow.looks < LOOKS)
		core_after(RETRY_MS, look, NULL);
	else {
		core_problem(PROBLEM,
		    "sshd does not listen on %s, which Bind Interfaces names; "
		    "does another program?",
		    missing);
		finish();
	}
	free(missing);
}

static void
look(void *arg)
{
	(void)arg;
	op_ask_state(SERVICE_SSH, DAEMON_SSH, looked, NULL);
}

/* --- What there is now ---------------------------------------------------- */

static void
rendered(void)
{
	const char *options = json_str(settings(), "options", "");

	/* Then ours stand back. */
	if (directives_has_global(options, "ListenAddress", NULL))
		finish();
	else
		look(NULL);
}

static void
again(void *arg)
{
	(void)arg;
	follow.busy = false;
	ssh_bind_follow();
}

static void
known(int error, const char *text, void *arg)
{
	(void)arg;
	if (error != 0) {
		core_problem("interfaces",
		    "The interfaces could not be asked for: %s", text);
		core_after(RETRY_MS, again, NULL);
		return;
	}
	core_problem_clear("interfaces");
	ssh_bind_review();
	if (json_array_size(json_object_get(settings(), "bindiface")) == 0)
		finish();
	else
		change_refresh(OUTPUT_SSHD_CONFIG, rendered);
}

void
ssh_bind_follow(void)
{
	follow.again = follow.busy;
	if (follow.busy || settings() == NULL)
		return;
	follow.busy = true;
	follow.looks = 0;
	ssh_interfaces_ask(known, NULL);
}
