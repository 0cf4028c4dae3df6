/*
 * Services that run for a time: see service_time.h.
 */
#include "system/service_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/core.h"
#include "core/deadline.h"
#include "core/op.h"
#include "core/scheduler.h"
#include "core/serial.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "system/system.h"

#define TASK "service.time"

static struct deadline *
deadline_of(int service)
{
	static struct deadline all[SERVICES_MAX];
	struct deadline *d = &all[service];

	if (d->name == NULL) {
		d->name = xasprintf(TASK ".%s", services[service].name);
		d->task = TASK;
	}
	return d;
}

static int
set(int service, int64_t seconds, bool stopped)
{
	json_t *args = json_pack("{s:s, s:b}", "service",
	    services[service].name, "stopped", stopped);
	int result = deadline_set(deadline_of(service), seconds, args);

	json_decref(args);
	return result;
}

int
service_time_start(int service, int64_t seconds)
{
	return seconds != 0 ? set(service, seconds, false) :
			      deadline_clear(deadline_of(service));
}

void
service_time_stopped(int service, bool comes_back)
{
	int64_t left = deadline_left(deadline_of(service));
	int r = 0;

	if (!comes_back)
		r = deadline_clear(deadline_of(service));
	else if (left != -1)
		r = set(service, left / 1000, true);
	if (r == -1)
		log_warn("service.time", "%s: %s", services[service].name,
		    strerror(errno));
}

bool
service_time_goes_on(int service)
{
	const struct deadline *d = deadline_of(service);

	if (deadline_left(d) > 0 &&
	    !json_bool(deadline_args(d), "stopped", false))
		return true;
	service_time_stopped(service, false);
	return false;
}

json_t *
service_time_end(int service)
{
	int64_t left = deadline_left(deadline_of(service));

	return left != -1 ? json_date(time(NULL) + (left + 500) / 1000) :
			    json_null();
}

void
service_time_resume(void)
{
	int i;

	for (i = 0; i < service_count; i++)
		deadline_resume(deadline_of(i));
}

/* --- When it is over ------------------------------------------------------ */

struct ending {
	struct task_run *run;
	int service;
};

static void
ended(const struct op_reply *reply, void *arg)
{
	struct ending *e = arg;

	if (reply->error == 0)
		log_info("service.time", "%s is stopped: its time is over",
		    services[e->service].name);
	core_service_changed((enum service_id)e->service);
	task_done(e->run, reply->error != 0 ? reply->text : NULL);
	free(e);
	serial_leave();
}

/* While it waited for its turn somebody may have given it another time. */
static void
end(void *arg)
{
	struct ending *e = arg;

	if (deadline_left(deadline_of(e->service)) == 0) {
		op_run_verb(e->service, DAEMON_ALL, VERB_STOP, ended, e);
		return;
	}
	task_done(e->run, NULL);
	free(e);
	serial_leave();
}

void
service_time_task(struct task_run *run, const json_t *args)
{
	const char *name =
	    json_str(json_object_get(args, "args"), "service", "");
	struct ending *e;
	int i;

	for (i = 0; i < service_count; i++)
		if (strcmp(services[i].name, name) == 0)
			break;
	if (i == service_count) {
		task_done(run, NULL); /* there was such a service */
		return;
	}
	e = xcalloc(1, sizeof(*e));
	e->run = run;
	e->service = i;
	serial_enter(end, e);
}
