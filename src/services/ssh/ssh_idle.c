/*
 * SSH stops when it is not needed: see ssh_idle.h.
 */
#include "services/ssh/ssh_idle.h"

#include <errno.h>
#include <string.h>

#include "core/core.h"
#include "core/deadline.h"
#include "core/op.h"
#include "core/scheduler.h"
#include "core/serial.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/log.h"
#include "services/catalog.h"
#include "services/ssh/ssh.h"

#define TASK "ssh.idle"

static struct deadline deadline = { TASK, TASK, false };
static struct task_run *ending; /* there is one at a time */

/* The field, 0: never. */
static int64_t
seconds(void)
{
	if (core_store() == NULL)
		return 0;
	return json_int(store_get(core_store(), "ssh", ssh_resource.entry),
	    "stop_when_idle", 0);
}

static void
clear(void)
{
	if (deadline_clear(&deadline) == -1)
		log_warn("ssh.idle", "%s", strerror(errno));
}

/* The time begins now. */
static void
begin(void)
{
	json_t *args = json_pack("{s:I}", "seconds", (json_int_t)seconds());

	if (deadline_set(&deadline, seconds(), args) == -1)
		log_warn("ssh.idle", "%s", strerror(errno));
	json_decref(args);
}

static bool
is_begun(void)
{
	return json_int(deadline_args(&deadline), "seconds", 0) == seconds();
}

static void
state_known(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	bool runs = reply->error == 0 && wire_get_u8(&body) == STATE_RUNNING;

	(void)arg;
	if (reply->error != 0)
		return; /* whatever comes next asks again */
	if (!runs || seconds() == 0 || ssh_list_size() > 0)
		clear();
	else if (!is_begun())
		begin();
}

void
ssh_idle_review(void)
{
	if (seconds() == 0)
		clear();
	else
		op_ask_state(SERVICE_SSH, DAEMON_ALL, state_known, NULL);
}

void
ssh_idle_resume(void)
{
	deadline_resume(&deadline);
	ssh_idle_review();
}

/* --- When it is over ------------------------------------------------------ */

static void
end(const char *failed)
{
	struct task_run *run = ending;

	ending = NULL;
	task_done(run, failed);
	serial_leave();
}

static void
stopped(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error == 0)
		log_info("ssh.idle",
		    "SSH is stopped: nobody was here for %lld s",
		    (long long)seconds());
	core_service_changed(SERVICE_SSH);
	end(reply->error != 0 ? reply->text : NULL);
}

/* What is known may be behind what is: the kernel has the last word. */
static void
listed(json_t *sessions, int error, const char *text, void *arg)
{
	(void)error;
	(void)arg;
	if (sessions == NULL) {
		end(text);
		return;
	}
	if (json_array_size(sessions) > 0)
		begin();
	if (json_array_size(sessions) > 0 || seconds() == 0 ||
	    deadline_left(&deadline) != 0)
		end(NULL);
	else
		op_run_verb(SERVICE_SSH, DAEMON_ALL, VERB_STOP, stopped, NULL);
	json_decref(sessions);
}

static void
look(void *arg)
{
	(void)arg;
	ssh_list_ask(listed, NULL);
}

void
ssh_idle_task(struct task_run *run, const json_t *args)
{
	(void)args;
	ending = run;
	serial_enter(look, NULL);
}
