/*
 * How long a session of SSH may be: see ssh_limit.h.
 */
#include "services/ssh/ssh_limit.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/call.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/session.h"
#include "core/ssh_list.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_sessions.h"

/* At the latest: a timer's patience, and for what could not be ended. */
#define LOOK_MS 60000

static uint64_t timer; /* the last one that was set */

/* Milliseconds, 0: there is none. */
static int64_t
limit(void)
{
	if (core_store() == NULL)
		return 0;
	return 1000 *
	    json_int(store_get(core_store(), "ssh", ssh_resource.entry),
		"session_limit", 0);
}

/* By the machine's clock, which nobody sets. */
static int64_t
age(const json_t *session)
{
	uint32_t pid;
	uint64_t start;

	if (ssh_session_parse(json_str(session, "id", ""), &pid, &start) == -1)
		return 0;
	return boottime_ms() -
	    (int64_t)(start * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void
ended(json_t *answer, bool success, void *arg)
{
	(void)arg;
	if (!success)
		log_error("ssh.limit", "%s",
		    json_str(json_object_get(answer, "data"), "reason",
			json_str(answer, "message", "")));
	json_decref(answer);
}

/* A call that nobody made; its answer goes nowhere, its record to the log. */
static void
end(const json_t *session)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	const char *id = json_str(session, "id", "");
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method_find("ssh.terminate_session");
	call->session =
	    session_new("root", 0, "the time", CREDENTIAL_UNIX_SOCKET, full);
	call->params = json_pack("[s]", id);
	call->given = json_incref(call->params);
	call->description =
	    xasprintf("Terminate SSH session %s of %s: its time is over", id,
		json_str(session, "username", "an account that is gone"));
	call->taker = ended;
	log_info("ssh.limit", "%s", call->description);
	call->method->run(call);
}

static void
timer_due(void *arg)
{
	if ((uintptr_t)arg == timer)
		ssh_limit_review();
}

static void
listed(json_t *sessions, int error, const char *text, void *arg)
{
	int64_t left, next = LOOK_MS;
	json_t *session;
	size_t i;

	(void)error;
	(void)arg;
	if (sessions == NULL)
		log_warn("ssh.limit", "%s", text);
	json_array_foreach(sessions, i, session) {
		left = limit() - age(session);
		if (left <= 0 && limit() != 0)
			end(session);
		else if (left < next)
			next = left;
	}
	timer++;
	if (limit() != 0 && (sessions == NULL || json_array_size(sessions) > 0))
		core_after((unsigned int)next + 1, timer_due,
		    (void *)(uintptr_t)timer);
	json_decref(sessions);
}

void
ssh_limit_review(void)
{
	if (limit() != 0)
		ssh_list_ask(listed, NULL);
}
