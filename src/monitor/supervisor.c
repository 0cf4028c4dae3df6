/*
 * Services where there is no systemd: started, stopped, reloaded on request,
 * restarted when they end unasked, given up after repeated ends.
 */
#include "monitor/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "monitor/child.h"
#include "monitor/listeners.h"
#include "monitor/logfile.h"
#include "monitor/words.h"

#define LOOK_MS 20 /* while starting: does it listen? */
#define STARTED_MS 5000 /* alive so long without: started as well */
#define DELAY_FIRST_MS 200
#define DELAY_LAST_MS 10000
#define STEADY_MS 30000
#define EXITS_MAX 5 /* within STEADY_MS: given up */
#define WORDS_MS 2000 /* for its last words to come by */
#define DEV_LOG "/dev/log"

struct supervised {
	const struct daemon *daemon;
	enum daemon_id id;
	enum service_state state;
	pid_t pid; /* the main process; 0: none */
	pid_t last_pid; /* whose words count */
	uint64_t since; /* of its start, ms */
	uint64_t exits[EXITS_MAX]; /* unasked ones, ms */
	unsigned int nexits;
	unsigned int delay_ms;
	bool start_again; /* RESTART, once it is gone */
	bool at_work;
	enum service_verb verb; /* at work */
	bool listening_to_words; /* before a failed start is answered */
	uv_timer_t timer; /* of the present state */
	char why[128]; /* of the last exit */
	struct words words;
};

static struct supervised supervised[DAEMONS_MAX];
static const struct service_events *events;
static uv_loop_t *loop;
static void (*all_stopped)(void);

static void service_spawn(struct supervised *);

static void
set_state(struct supervised *s, enum service_state state)
{
	s->state = state;
	uv_timer_stop(&s->timer);
}

static void
work_done(struct supervised *s, int error, const char *text)
{
	if (!s->at_work)
		return;
	s->at_work = false;
	events->done(s->id, error, text);
}

/* "exited with code 255: Cannot bind any address" */
static void
reason(const struct supervised *s, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s", s->why,
	    s->words.text[0] != '\0' ? ": " : "", s->words.text);
}

static void
service_reload(struct supervised *s)
{
	int rc = kill(s->pid, s->daemon->reload_signal);

	log_info("service.reloaded", "%s[%d]", s->daemon->name, (int)s->pid);
	work_done(s, rc == -1 ? errno : 0, "it is not running");
}

static void
service_started(struct supervised *s)
{
	set_state(s, STATE_RUNNING);
	log_info("service.started", "%s[%d]", s->daemon->name, (int)s->pid);
	if (s->at_work && s->verb == VERB_RELOAD)
		service_reload(s);
	else if (s->at_work)
		work_done(s, 0, NULL);
	else
		events->changed(s->id);
}

static void
on_look(uv_timer_t *timer)
{
	struct supervised *s = timer->data;
	struct listening one;

	if ((child_executed(s->pid) && listeners_of(s->pid, &one, 1) > 0) ||
	    uv_now(loop) - s->since >= STARTED_MS)
		service_started(s);
}

static void
on_restart(uv_timer_t *timer)
{
	service_spawn(timer->data);
}

static void
on_stop_overdue(uv_timer_t *timer)
{
	struct supervised *s = timer->data;

	log_warn("service.killed", "%s[%d] did not stop in %u s",
	    s->daemon->name, (int)s->pid, s->daemon->stop_seconds);
	kill(s->pid, SIGKILL);
}

/* Whether it ended so often lately that trying again is of no use. */
static bool
too_many_exits(struct supervised *s)
{
	uint64_t now = uv_now(loop);

	s->exits[s->nexits++ % EXITS_MAX] = now;
	/* The slot that comes next holds the oldest. */
	return s->nexits >= EXITS_MAX &&
	    now - s->exits[s->nexits % EXITS_MAX] < STEADY_MS;
}

/* --- What it said ---------------------------------------------------------*/

/* Who asked for the start hears why; no second try. */
static void
start_failed(struct supervised *s)
{
	char text[REPORT_WHY_MAX], said[REPORT_WHY_MAX - 64];

	s->listening_to_words = false;
	set_state(s, STATE_STOPPED);
	reason(s, said, sizeof(said));
	log_error("service.start", "%s %s", s->daemon->name, said);
	snprintf(text, sizeof(text), "%s %s", s->daemon->name, said);
	work_done(s, EIO, text);
}

static void
on_words_overdue(uv_timer_t *timer)
{
	start_failed(timer->data);
}

static void
farewell(const struct supervised *s, char *text, size_t size)
{
	snprintf(
	    text, size, "%s[%d] has ended", s->daemon->name, (int)s->last_pid);
}

/*
 * What it wrote to the system log reaches us by the audit role.  A line of our
 * own behind it says when all of that has come by.
 */
static void
listen_to_words(struct supervised *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = DEV_LOG };
	char text[128], line[160];
	int fd;

	s->listening_to_words = true;
	uv_timer_start(&s->timer, on_words_overdue, WORDS_MS, 0);
	farewell(s, text, sizeof(text));
	snprintf(line, sizeof(line), "<30>holdfastd: %s", text);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 ||
	    sendto(fd, line, strlen(line), MSG_NOSIGNAL,
		(struct sockaddr *)&address, sizeof(address)) == -1)
		start_failed(s);
	if (fd != -1)
		close(fd);
}

static void
syslog_line(pid_t pid, bool error, const char *text)
{
	struct supervised *s;
	char expected[128];
	int i;

	for (i = 0; i < daemon_count; i++) {
		s = &supervised[i];
		if (pid == s->last_pid && error)
			words_add(&s->words, text);
		farewell(s, expected, sizeof(expected));
		if (pid == getpid() && s->listening_to_words &&
		    strstr(text, expected) != NULL)
			start_failed(s);
	}
}

/* Every line of the log that comes from another process. */
static void
on_log_line(const char *source, const char *event, const char *message)
{
	const char *text;
	bool error;
	pid_t pid;
	int i;

	if (strcmp(source, "audit") == 0 && strcmp(event, "syslog") == 0) {
		if (words_syslog(message, &pid, &error, &text))
			syslog_line(pid, error, text);
		return;
	}
	for (i = 0; i < daemon_count; i++)
		if (strcmp(source, daemons[i].name) == 0)
			words_add(&supervised[i].words, message);
}

/* --- Its life -------------------------------------------------------------*/

static void
ended_unasked(struct supervised *s)
{
	if (s->at_work && s->verb != VERB_RELOAD) {
		set_state(s, STATE_STARTING);
		listen_to_words(s);
		return;
	}
	if (too_many_exits(s)) {
		set_state(s, STATE_FAILED);
		log_error("service.failed", "%s ended %d times within %d s",
		    s->daemon->name, EXITS_MAX, STEADY_MS / 1000);
	} else {
		set_state(s, STATE_STARTING);
		if (s->delay_ms == 0 || uv_now(loop) - s->since >= STEADY_MS)
			s->delay_ms = DELAY_FIRST_MS;
		uv_timer_start(&s->timer, on_restart, s->delay_ms, 0);
		if ((s->delay_ms *= 2) > DELAY_LAST_MS)
			s->delay_ms = DELAY_LAST_MS;
	}
	if (s->at_work)
		work_done(s, ESRCH, "it ended before it could be reloaded");
	else
		events->changed(s->id);
}

static void
check_all_stopped(void)
{
	void (*stopped)(void) = all_stopped;
	int i;

	for (i = 0; i < daemon_count; i++)
		if (supervised[i].pid != 0)
			return;
	all_stopped = NULL;
	if (stopped != NULL)
		stopped();
}

static void
service_ended(pid_t pid, int status, void *arg)
{
	struct supervised *s = arg;
	bool asked = s->state == STATE_STOPPING;

	logfile_drain();
	child_reason(status, s->why, sizeof(s->why));
	s->pid = 0;
	if (asked)
		log_info("service.stopped", "%s[%d] %s", s->daemon->name,
		    (int)pid, s->why);
	else
		log_error("service.ended", "%s[%d] %s", s->daemon->name,
		    (int)pid, s->why);
	if (all_stopped != NULL) {
		set_state(s, STATE_STOPPED);
		check_all_stopped();
	} else if (!asked) {
		ended_unasked(s);
	} else if (s->start_again) {
		s->start_again = false;
		service_spawn(s);
	} else {
		set_state(s, STATE_STOPPED);
		work_done(s, 0, NULL);
	}
}

static void
spawn_failed(struct supervised *s, const char *why)
{
	set_state(s, STATE_FAILED);
	snprintf(s->why, sizeof(s->why), "%s", why);
	work_done(s, EIO, s->why);
}

/* In a session of its own: what it starts outlives it, as ssh sessions do. */
static void
service_spawn(struct supervised *s)
{
	struct child_program program = { .argv = s->daemon->argv,
		.exe_fd = -1,
		.channel_fd = -1,
		.log_stdout = true,
		.session = true,
		.outlive = true,
		.umask = 022 };
	struct log_source *source;
	char text[128];
	const char *why;

	s->words.text[0] = '\0';
	if (!events->prepared(s->id, &why)) {
		spawn_failed(s, why);
		return;
	}
	set_state(s, STATE_STARTING);
	uv_update_time(loop);
	s->since = uv_now(loop);
	source = logfile_source(loop, s->daemon->name, NULL, &program.log_fd);
	if (source == NULL || (s->pid = child_start(&program)) == -1) {
		s->pid = 0;
		snprintf(text, sizeof(text), "could not be started: %s",
		    strerror(errno));
		spawn_failed(s, text);
	} else {
		s->last_pid = s->pid;
		logfile_source_pid(source, s->pid);
		child_watch(s->pid, service_ended, s);
		uv_timer_start(&s->timer, on_look, LOOK_MS, LOOK_MS);
	}
	if (source != NULL)
		close(program.log_fd);
}

static void
service_stop(struct supervised *s)
{
	set_state(s, STATE_STOPPING);
	kill(s->pid, SIGTERM);
	uv_timer_start(&s->timer, on_stop_overdue,
	    (uint64_t)s->daemon->stop_seconds * 1000, 1000);
}

static void
verb_start(struct supervised *s)
{
	s->nexits = 0;
	s->delay_ms = 0;
	if (s->state == STATE_RUNNING)
		work_done(s, 0, NULL);
	else if (s->pid == 0)
		service_spawn(s);
	/* else it is starting already; service_started() answers */
}

static void
verb_stop(struct supervised *s)
{
	if (s->pid != 0) {
		service_stop(s);
		return;
	}
	set_state(s, STATE_STOPPED);
	work_done(s, 0, NULL);
}

static void
verb_restart(struct supervised *s)
{
	s->nexits = 0;
	s->delay_ms = 0;
	if (s->pid == 0) {
		service_spawn(s);
		return;
	}
	s->start_again = true;
	service_stop(s);
}

static void
verb_reload(struct supervised *s)
{
	if (s->state == STATE_RUNNING)
		service_reload(s);
	else if (s->pid == 0)
		work_done(s, ESRCH, "it is not running");
	/* else it may not yet catch the signal; service_started() sends it */
}

static void
supervisor_run(enum daemon_id id, enum service_verb verb)
{
	struct supervised *s = &supervised[id];

	s->at_work = true;
	s->verb = verb;
	switch (verb) {
	case VERB_START:
		verb_start(s);
		break;
	case VERB_STOP:
		verb_stop(s);
		break;
	case VERB_RESTART:
		verb_restart(s);
		break;
	case VERB_RELOAD:
		verb_reload(s);
		break;
	/* Core starts at an instance's start what is to start with it. */
	case VERB_ENABLE:
	case VERB_DISABLE:
	case VERB_COUNT:
		work_done(s, 0, "");
		break;
	}
}

static int
supervisor_report(enum daemon_id id, struct service_report *report)
{
	const struct supervised *s = &supervised[id];

	report->state = s->state;
	report->pid = s->pid;
	reason(s, report->why, sizeof(report->why));
	return 0;
}

static void
supervisor_stop(void (*stopped)(void))
{
	struct supervised *s;
	int i;

	all_stopped = stopped;
	for (i = 0; i < daemon_count; i++) {
		s = &supervised[i];
		s->at_work = s->start_again = s->listening_to_words = false;
		uv_timer_stop(&s->timer);
		if (s->pid != 0)
			service_stop(s);
	}
	check_all_stopped();
}

void
supervisor_start(uv_loop_t *on, const struct service_events *told)
{
	int i;

	loop = on;
	events = told;
	for (i = 0; i < daemon_count; i++) {
		supervised[i].daemon = &daemons[i];
		supervised[i].id = (enum daemon_id)i;
		uv_timer_init(loop, &supervised[i].timer);
		supervised[i].timer.data = &supervised[i];
	}
	logfile_observe(on_log_line);
}

const struct service_way supervisor_way = { .run = supervisor_run,
	.report = supervisor_report,
	.stop = supervisor_stop };
