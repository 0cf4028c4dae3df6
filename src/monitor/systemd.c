/*
 * Services where systemd is PID 1 (sd_booted(3)): asked over D-Bus to start,
 * stop, restart and reload their units, and heard when a unit's state changes
 * (org.freedesktop.systemd1(5)).
 *
 * A verb is a job of systemd's.  It has ended when JobRemoved says so; then
 * the unit's properties are read once more, and they decide what is answered.
 */
#include "monitor/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/bus.h"
#include "monitor/journal.h"
#include "monitor/unit.h"
#include "monitor/words.h"

#define NAME "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER NAME ".Manager"

/* Of a verb. */
enum stage {
	STAGE_NONE,
	STAGE_ASKED, /* systemd has not yet taken it up */
	STAGE_JOB, /* its job runs */
	STAGE_READ, /* the job has ended; what is the unit's state? */
	STAGE_WORDS /* it failed; what did the service say? */
};

struct watched {
	enum daemon_id id;
	const char *unit_name; /* "ssh.service" */
	char *path; /* of its object */
	struct unit unit;
	bool known;
	bool reading, read_again;
	bool listening; /* to its last words */
	enum stage stage;
	enum service_verb verb;
	char *job; /* its object's path */
	char result[24]; /* of the job */
	sd_bus_slot *call; /* its answer is awaited */
	uv_timer_t timer; /* of the verb */
	struct words words;
};

static struct watched watched[DAEMONS_MAX];
static const struct service_events *events;
static uv_loop_t *loop;
static unsigned int limit; /* of a verb, seconds */
static char away[256] = "not yet connected"; /* why nothing is known */

static void unit_read(struct watched *);

/* --- The end of a verb ----------------------------------------------------*/

static void verb_done(struct watched *w, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
verb_done(struct watched *w, int error, const char *fmt, ...)
{
	char text[REPORT_WHY_MAX];
	va_list ap;

	if (w->stage == STAGE_NONE)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->stage = STAGE_NONE;
	/* An answer that comes later is of no interest. */
	w->call = sd_bus_slot_unref(w->call);
	free(w->job);
	w->job = NULL;
	uv_timer_stop(&w->timer);
	if (error != 0)
		log_error("service.systemd", "%s", text);
	events->done(w->id, error, text);
}

/* "exited with code 255: error: Bind to port 22 failed" */
static void
reason(const struct watched *w, char *text, size_t size)
{
	char why[512];

	unit_why(&w->unit, w->unit_name, why, sizeof(why));
	if (why[0] != '\0' && w->words.text[0] != '\0')
		snprintf(text, size, "%s: %s", why, w->words.text);
	else
		snprintf(text, size, "%s", why);
}

static void
verb_failed(struct watched *w)
{
	const char *name = daemons[w->id].name, *text;
	char why[REPORT_WHY_MAX - 64];

	reason(w, why, sizeof(why));
	text = unit_job_result(w->result);
	if (text == NULL && why[0] != '\0')
		text = why;
	else if (text == NULL && !w->unit.condition)
		text = "was not started: a condition of its unit is not met";
	else if (text == NULL)
		text = "did not do it, and systemd does not say why";
	verb_done(w, EIO, "%s %s", name, text);
}

static void
words_known(const char *words, void *arg)
{
	struct watched *w = arg;

	w->listening = false;
	/* It may have been started again meanwhile. */
	if (unit_state(&w->unit) != STATE_FAILED)
		words = "";
	snprintf(w->words.text, sizeof(w->words.text), "%s", words);
	if (w->stage == STAGE_WORDS)
		verb_failed(w);
	else if (w->stage == STAGE_NONE && w->known &&
	    unit_state(&w->unit) == STATE_FAILED)
		events->changed(w->id);
}

static void
listen_to_words(struct watched *w)
{
	if (w->listening)
		return;
	w->listening = true;
	journal_words(loop, w->unit.invocation, words_known, w);
}

/* The job has ended, the properties are those of afterwards. */
static void
verb_judge(struct watched *w)
{
	enum service_state state = unit_state(&w->unit);
	bool start = w->verb == VERB_START || w->verb == VERB_RESTART;

	if (strcmp(w->result, "done") == 0 &&
	    (!start || state == STATE_RUNNING))
		verb_done(w, 0, "done");
	else if (start && state == STATE_FAILED &&
	    w->unit.invocation[0] != '\0') {
		w->stage = STAGE_WORDS;
		listen_to_words(w);
	} else
		verb_failed(w);
}

/* --- The state of a unit --------------------------------------------------*/

static void
state_changed(struct watched *w, bool knew, const struct unit *before)
{
	enum service_state now = unit_state(&w->unit);

	if (now == STATE_RUNNING)
		w->words.text[0] = '\0';
	if (w->stage != STAGE_NONE ||
	    (knew && now == unit_state(before) &&
		w->unit.main_pid == before->main_pid))
		return;
	if (now == STATE_FAILED && w->unit.invocation[0] != '\0')
		listen_to_words(w); /* and then it is told */
	else
		events->changed(w->id);
}

static void
error_text(const sd_bus_error *error, char *text, size_t size)
{
	const char *said = error->message;

	if (said == NULL)
		said = error->name;
	log_encode(text, size, said, strlen(said));
}

static int
on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct watched *w = arg;
	struct unit before = w->unit;
	bool knew = w->known;
	int r = 0;

	(void)error;
	w->reading = false;
	if (w->read_again) {
		unit_read(w);
		return 0;
	}
	if (sd_bus_message_is_method_error(m, NULL))
		error_text(sd_bus_message_get_error(m), away, sizeof(away));
	else if ((r = unit_parse(m, &w->unit)) < 0)
		snprintf(away, sizeof(away), "%s", strerror(-r));
	w->known = r >= 0 && !sd_bus_message_is_method_error(m, NULL);
	if (!w->known) {
		verb_done(w, EIO, "%s: systemd does not tell its state: %s",
		    daemons[w->id].name, away);
		return 0;
	}
	state_changed(w, knew, &before);
	if (w->stage == STAGE_READ)
		verb_judge(w);
	return 0;
}

static void
unit_read(struct watched *w)
{
	sd_bus *bus = bus_get();

	w->read_again = w->reading;
	if (w->reading || bus == NULL)
		return;
	if (sd_bus_call_method_async(bus, NULL, NAME, w->path,
		"org.freedesktop.DBus.Properties", "GetAll", on_properties, w,
		"s", "") >= 0)
		w->reading = true;
}

/* --- Signals --------------------------------------------------------------*/

static int
on_changed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)m;
	(void)error;
	unit_read(arg);
	return 0;
}

static int
on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *job, *unit, *result;
	struct watched *w;
	uint32_t number;
	int i;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(m, "uoss", &number, &job, &unit, &result) < 0)
		return 0;
	for (i = 0; i < daemon_count; i++) {
		w = &watched[i];
		if (w->stage != STAGE_JOB || strcmp(w->job, job) != 0)
			continue;
		w->stage = STAGE_READ;
		snprintf(w->result, sizeof(w->result), "%s", result);
		unit_read(w);
	}
	return 0;
}

static void
read_all(void)
{
	int i;

	for (i = 0; i < daemon_count; i++)
		unit_read(&watched[i]);
}

/* After daemon-reload a unit may be another one. */
static int
on_reloading(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)m;
	(void)arg;
	(void)error;
	read_all();
	return 0;
}

/* --- The connection -------------------------------------------------------*/

static void
all_unknown(const char *why)
{
	struct watched *w;
	int i;

	snprintf(away, sizeof(away), "%s", why);
	for (i = 0; i < daemon_count; i++) {
		w = &watched[i];
		w->known = w->reading = w->read_again = false;
		verb_done(w, EIO,
		    "%s: the connection to systemd was lost (%s); whether it "
		    "was done is not known",
		    daemons[i].name, why);
	}
}

static void
subscribe(sd_bus *bus)
{
	sd_bus_call_method_async(
	    bus, NULL, NAME, OBJECT, MANAGER, "Subscribe", NULL, NULL, NULL);
	read_all();
}

/* systemd itself comes and goes on the bus when the bus is restarted. */
static int
on_owner(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *name, *old, *new;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
		return 0;
	if (old[0] != '\0')
		all_unknown("systemd left the bus");
	if (new[0] != '\0')
		subscribe(sd_bus_message_get_bus(m));
	return 0;
}

static void
on_up(sd_bus *bus)
{
	int i;

	sd_bus_add_match_async(bus, NULL,
	    "type='signal',sender='org.freedesktop.DBus',"
	    "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
	    "arg0='" NAME "'",
	    on_owner, NULL, NULL);
	sd_bus_match_signal_async(bus, NULL, NAME, OBJECT, MANAGER,
	    "JobRemoved", on_job_removed, NULL, NULL);
	sd_bus_match_signal_async(bus, NULL, NAME, OBJECT, MANAGER, "Reloading",
	    on_reloading, NULL, NULL);
	for (i = 0; i < daemon_count; i++)
		sd_bus_match_signal_async(bus, NULL, NAME, watched[i].path,
		    "org.freedesktop.DBus.Properties", "PropertiesChanged",
		    on_changed, NULL, &watched[i]);
	subscribe(bus);
}

static void
on_down(const char *why)
{
	char text[128];

	snprintf(text, sizeof(text), "D-Bus: %s", why);
	if (strcmp(text, away) != 0)
		log_warn("service.bus", "%s", text);
	all_unknown(text);
}

static const struct bus_callbacks bus_callbacks = { .up = on_up,
	.down = on_down };

/* --- Verbs ----------------------------------------------------------------*/

static void
on_overdue(uv_timer_t *timer)
{
	struct watched *w = timer->data;

	bool cancel = w->stage == STAGE_JOB && bus_get() != NULL;

	/* A job that is left would do it behind everybody's back. */
	if (cancel)
		sd_bus_call_method_async(bus_get(), NULL, NAME, w->job,
		    NAME ".Job", "Cancel", NULL, NULL, NULL);
	verb_done(w, ETIMEDOUT, "%s: systemd has not done it within %u s%s",
	    daemons[w->id].name, limit, cancel ? "; it was cancelled" : "");
}

/* What systemd says of a request that it does not take up. */
static void
verb_refused(struct watched *w, const sd_bus_error *error)
{
	const char *name = daemons[w->id].name;
	const char *text =
	    error->message == NULL ? error->name : error->message;
	char shown[256];

	log_encode(shown, sizeof(shown), text, strlen(text));
	if (sd_bus_error_has_name(error, NAME ".NoSuchUnit"))
		verb_done(w, ENOENT,
		    "%s has no unit %s on this machine: its package is not "
		    "installed",
		    name, w->unit_name);
	else if (sd_bus_error_has_name(error, NAME ".UnitMasked"))
		verb_done(w, EACCES,
		    "%s is masked: `systemctl unmask %s` allows it to start",
		    name, w->unit_name);
	else
		verb_done(
		    w, EIO, "%s: systemd does not do it: %s", name, shown);
}

static int
on_job(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct watched *w = arg;
	const char *job;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		verb_refused(w, sd_bus_message_get_error(m));
	} else if (sd_bus_message_read(m, "o", &job) < 0) {
		verb_done(w, EPROTO, "%s: systemd's answer is malformed",
		    daemons[w->id].name);
	} else {
		w->job = xstrdup(job);
		w->stage = STAGE_JOB;
	}
	return 0;
}

/* --- Whether a unit starts with the machine ------------------------------- */

static int
on_files_read(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_is_method_error(m, NULL))
		verb_refused(arg, sd_bus_message_get_error(m));
	else
		verb_done(arg, 0, "done");
	return 0;
}

/* On disk it is done: systemd has to read it (systemctl(1), enable). */
static int
on_unit_files(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	struct watched *w = arg;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		verb_refused(w, sd_bus_message_get_error(m));
		return 0;
	}
	w->call = sd_bus_slot_unref(w->call);
	if (sd_bus_call_method_async(bus, &w->call, NAME, OBJECT, MANAGER,
		"Reload", on_files_read, w, "") < 0)
		verb_done(
		    w, EIO, "%s: systemd cannot be asked", daemons[w->id].name);
	return 0;
}

static int
unit_files(sd_bus *bus, sd_bus_slot **slot, const char *unit, bool enable,
    sd_bus_message_handler_t done, void *arg)
{
	if (enable)
		return sd_bus_call_method_async(bus, slot, NAME, OBJECT,
		    MANAGER, "EnableUnitFiles", done, arg, "asbb", 1, unit,
		    false, true);
	return sd_bus_call_method_async(bus, slot, NAME, OBJECT, MANAGER,
	    "DisableUnitFiles", done, arg, "asb", 1, unit, false);
}

/*
 * What would start it otherwise (sockets, which know nothing of its
 * configuration) does so no more either way; it need not be there.
 */
static void
run_unit_files(struct watched *w, sd_bus *bus, bool enable)
{
	const char *activator = daemons[w->id].activator;

	if (activator != NULL)
		unit_files(bus, NULL, activator, false, NULL, NULL);
	if (unit_files(bus, &w->call, w->unit_name, enable, on_unit_files, w) <
	    0)
		verb_done(
		    w, EIO, "%s: systemd cannot be asked", daemons[w->id].name);
}

static void
systemd_run(enum daemon_id id, enum service_verb verb)
{
	static const char *const methods[] = { [VERB_START] = "StartUnit",
		[VERB_STOP] = "StopUnit",
		[VERB_RESTART] = "RestartUnit",
		[VERB_RELOAD] = "ReloadUnit" };
	struct watched *w = &watched[id];
	bool start = verb == VERB_START || verb == VERB_RESTART;
	sd_bus *bus = bus_get();
	const char *why;

	w->stage = STAGE_ASKED;
	w->verb = verb;
	if (bus == NULL || !w->known) {
		verb_done(w, EIO, "%s: systemd cannot be asked: %s",
		    daemons[id].name, away);
		return;
	}
	if (start && !events->prepared(id, &why)) {
		verb_done(w, EIO, "%s: %s", daemons[id].name, why);
		return;
	}
	/* Who asks for a start has it tried, however often it failed. */
	if (start && unit_state(&w->unit) == STATE_FAILED)
		sd_bus_call_method_async(bus, NULL, NAME, OBJECT, MANAGER,
		    "ResetFailedUnit", NULL, NULL, "s", w->unit_name);
	uv_timer_start(&w->timer, on_overdue, (uint64_t)limit * 1000, 0);
	if (verb == VERB_ENABLE || verb == VERB_DISABLE) {
		run_unit_files(w, bus, verb == VERB_ENABLE);
		return;
	}
	if (sd_bus_call_method_async(bus, &w->call, NAME, OBJECT, MANAGER,
		methods[verb], on_job, w, "ss", w->unit_name, "replace") < 0)
		verb_done(
		    w, EIO, "%s: systemd cannot be asked", daemons[id].name);
}

static int
systemd_report(enum daemon_id id, struct service_report *report)
{
	struct watched *w = &watched[id];

	if (!w->known) {
		unit_read(w); /* for who asks next */
		snprintf(report->why, sizeof(report->why), "%s", away);
		return EIO;
	}
	report->state = unit_state(&w->unit);
	report->pid = (pid_t)w->unit.main_pid;
	if (report->state != STATE_RUNNING)
		reason(w, report->why, sizeof(report->why));
	return 0;
}

/* The services are systemd's and outlive us. */
static void
systemd_stop(void (*stopped)(void))
{
	int i;

	for (i = 0; i < daemon_count; i++) {
		watched[i].stage = STAGE_NONE;
		free(watched[i].job);
		free(watched[i].path);
		watched[i].job = watched[i].path = NULL;
		uv_close((uv_handle_t *)&watched[i].timer, NULL);
	}
	bus_close();
	stopped();
}

bool
systemd_known(void)
{
	int i;

	for (i = 0; i < daemon_count; i++)
		if (!watched[i].known)
			return false;
	return true;
}

void
systemd_start(uv_loop_t *on, const char *address, unsigned int seconds,
    const struct service_events *told)
{
	struct watched *w;
	int i;

	loop = on;
	limit = seconds;
	events = told;
	for (i = 0; i < daemon_count; i++) {
		w = &watched[i];
		memset(w, 0, sizeof(*w));
		w->id = (enum daemon_id)i;
		w->unit_name = daemons[i].unit;
		if (sd_bus_path_encode(OBJECT "/unit", w->unit_name, &w->path) <
		    0)
			fatal("the unit name %s", w->unit_name);
		uv_timer_init(loop, &w->timer);
		w->timer.data = w;
	}
	bus_open(loop, address, &bus_callbacks);
}

const struct service_way systemd_way = {
	.run = systemd_run, .report = systemd_report, .stop = systemd_stop
};
