/*
 * Certificates in time: the machine's own is there from the first start on and
 * says from each start on what it is by then; of those that end somebody is
 * told, daily and after each change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/scheduler.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/certificate.h"
#include "system/certificate_internal.h"

#define NAME "truenas_default" /* as TrueNAS calls it */
#define TASK "certificate.watch"
#define DAY (24 * 60 * 60)

/* clang-format off */
/* The first that fits counts. */
static const struct {
	const char *class;
	int64_t days; /* it ends within so many */
	bool says_days;
} classes[] = {
	{ "CertificateExpired", 0, false },
	{ "CertificateIsExpiringSoon", 7, true },
	{ "CertificateIsExpiring", 30, true },
};
/* clang-format on */
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static json_t *told;

const json_t *
certificate_own_told(void)
{
	return told;
}

/* --- Alerts ---------------------------------------------------------------- */

/* Those there were, by name: what is gone is cleared. */
static json_t *raised;

static void
tell(const char *name, int64_t seconds)
{
	int64_t days = seconds <= 0 ? 0 : (seconds + DAY - 1) / DAY;
	json_t *args;
	size_t i;
	bool found = false, fits;

	for (i = 0; i < CLASSES; i++) {
		fits = !found && days <= classes[i].days;
		found |= fits;
		if (!fits) {
			alert_clear(classes[i].class, name);
			continue;
		}
		args = json_pack("{s:s}", "name", name);
		if (classes[i].says_days)
			json_object_set_new(
			    args, "days", json_integer((json_int_t)days));
		alert_raise(classes[i].class, name, args);
	}
}

static void
forget_others(const json_t *now)
{
	const char *name;
	json_t *value;
	size_t i;

	json_object_foreach(raised, name, value)
		for (i = 0; i < CLASSES && json_object_get(now, name) == NULL;
		     i++)
			alert_clear(classes[i].class, name);
}

/* The machine's own is renewed by itself, and matters while it is used. */
static bool
matters(const json_t *entry)
{
	return json_is_object(json_object_get(entry, "ends")) &&
	    (!certificate_is_own(entry) ||
		json_array_size(json_object_get(entry, "used_by")) > 0);
}

void
certificate_watch(void)
{
	json_t *all = entry_shown_all(&certificate_resource, false), *entry;
	json_t *now = json_object();
	const char *name;
	size_t i;

	json_array_foreach(all, i, entry) {
		if (!matters(entry))
			continue;
		name = json_str(entry, "name", "");
		json_object_set_new(now, name, json_true());
		tell(name,
		    json_int(json_object_get(entry, "ends"), "$date", 0) /
			    1000 -
			time(NULL));
	}
	forget_others(now);
	json_decref(raised);
	raised = now;
	json_decref(all);
}

void
certificate_watch_task(struct task_run *run, const json_t *args)
{
	(void)args;
	if (core_store() == NULL) {
		task_done(run, "the certificates are not known");
		return;
	}
	certificate_watch();
	task_done(run, NULL);
}

/* --- The machine's own ------------------------------------------------------ */

static void
make_own(void)
{
	int64_t id = store_next_id(core_store(), certificate_resource.name);
	struct revision made = { .time = time(NULL), .entry = id };
	json_t *defaults = schema_defaults(certificate_fields);

	made.who = (char *)(uintptr_t) "root";
	made.origin = (char *)(uintptr_t) "";
	made.resource = (char *)(uintptr_t)certificate_resource.name;
	made.after = json_pack("{s:I, s:s, s:b}", "id", (json_int_t)id, "name",
	    NAME, "builtin", true);
	json_object_update_missing(made.after, defaults);
	if (store_change(core_store(), &made, 1, NULL, NULL) == -1)
		core_problem("certificate",
		    "The machine's own certificate could not be stored: %s",
		    strerror(errno));
	json_decref(defaults);
	json_decref(made.after);
}

static void
known(const struct op_reply *reply, void *arg)
{
	void (**done)(void) = arg;

	if (reply->error != 0)
		log_error("certificate.own", "%s", reply->text);
	else if ((told = certificate_answer(reply)) == NULL)
		log_error("certificate.own", "the answer is malformed");
	certificate_watch();
	(*done)();
}

void
certificate_gather(void (*done)(void))
{
	static void (*then)(void);
	json_t *daily = json_pack("{s:s, s:s}", "minute", "15", "hour", "0");
	struct wire_out body = { 0 };

	if (certificate_own() == -1)
		make_own();
	if (scheduler_cron(TASK, daily, TASK, NULL) == -1)
		log_warn("certificate.schedule", "%s", strerror(errno));
	json_decref(daily);
	then = done;
	wire_put_u8(&body, false);
	wire_put_u8(&body, true);
	wire_put_str(&body, core_facts()->certificate);
	wire_put_str(&body, "");
	wire_put_str(&body, "");
	op_worker(TASK_CERTIFICATE_READ, &body, known, &then);
	wire_free(&body);
}
