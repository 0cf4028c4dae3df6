/*
 * Services where there is no systemd: started, stopped, reloaded on request,
 * restarted when they end unasked, given up after repeated ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/listeners.h"
#include "monitor/logfile.h"
#include "monitor/operations.h"
#include "monitor/supervisor.h"
#include "services/catalog.h"

#define LOOK_MS 20 /* while starting: does it listen? */
#define STARTED_MS 5000 /* alive so long without: started as well */
#define DELAY_FIRST_MS 200
#define DELAY_LAST_MS 10000
#define STEADY_MS 30000
#define EXITS_MAX 5 /* within STEADY_MS: given up */
#define REQUESTS_MAX 16
#define PREPARE_SECONDS 60
#define PREPARE_LATE 10 /* the loop waits: short */
#define LISTENING_MAX 64

struct request {
	struct request *next;
	struct operation_ticket ticket;
	enum service_verb verb;
};

struct supervised {
	const struct service *service;
	enum service_state state;
	pid_t pid; /* the main process; 0: none */
	uint64_t since; /* of its start, ms */
	uint64_t exits[EXITS_MAX]; /* unasked ones, ms */
	unsigned int nexits;
	unsigned int delay_ms;
	bool prepared;
	bool start_again; /* RESTART, once it is gone */
	struct request *requests; /* the first is at work */
	size_t nrequests;
	bool at_work;
	uv_timer_t timer; /* of the present state */
	char why[LAST_LINE_MAX]; /* of the last exit */
	char last[LAST_LINE_MAX];
};

static struct supervised supervised[SERVICE_COUNT];
static uv_loop_t *loop;
static void (*all_stopped)(void);

static void service_spawn(struct supervised *);
static void next_request(struct supervised *);

static int
prepare(void *arg, char *why, size_t size)
{
	const struct service *service = arg;
	char *text = NULL;

	if (service->prepare == NULL || service->prepare(&text) == 0)
		return 0;
	snprintf(why, size, "%s", text == NULL ? "cannot be prepared" : text);
	free(text);
	return -1;
}

static void
service_prepare(struct supervised *s, unsigned int seconds)
{
	char why[LAST_LINE_MAX];

	if (child_run(prepare, (void *)(uintptr_t)s->service, NULL, 0, seconds,
		why, sizeof(why)) == 0) {
		s->prepared = true;
		return;
	}
	snprintf(s->why, sizeof(s->why), "%s", why);
	log_error("service.prepare", "%s: %s", s->service->name, why);
}

void
supervisor_prepare(void)
{
	int i;

	for (i = 0; i < SERVICE_COUNT; i++) {
		supervised[i].service = &services[i];
		service_prepare(&supervised[i], PREPARE_SECONDS);
	}
}

void
supervisor_start(uv_loop_t *on)
{
	int i;

	loop = on;
	for (i = 0; i < SERVICE_COUNT; i++) {
		supervised[i].service = &services[i];
		uv_timer_init(loop, &supervised[i].timer);
		supervised[i].timer.data = &supervised[i];
	}
}

static void
set_state(struct supervised *s, enum service_state state)
{
	s->state = state;
	uv_timer_stop(&s->timer);
}

/* Answers the request at work and takes up the next. */
static void
request_done(struct supervised *s, int error, const char *text)
{
	struct request *request = s->requests;

	if (!s->at_work)
		return;
	s->requests = request->next;
	s->nrequests--;
	s->at_work = false;
	operations_reply(&request->ticket, error, text, NULL, -1);
	free(request);
	next_request(s);
}

static void
service_reload(struct supervised *s)
{
	int rc = kill(s->pid, s->service->reload_signal);

	log_info("service.reloaded", "%s[%d]", s->service->name, (int)s->pid);
	request_done(s, rc == -1 ? errno : 0, "it is not running");
}

static void
service_started(struct supervised *s)
{
	set_state(s, STATE_RUNNING);
	log_info("service.started", "%s[%d]", s->service->name, (int)s->pid);
	if (s->at_work && s->requests->verb == VERB_RELOAD)
		service_reload(s);
	else
		request_done(s, 0, NULL);
}

static size_t
listening_of(const struct supervised *s, struct listening *list, size_t max)
{
	return child_executed(s->pid) ? listeners_of(s->pid, list, max) : 0;
}

static void
on_look(uv_timer_t *timer)
{
	struct supervised *s = timer->data;
	struct listening one;

	if (listening_of(s, &one, 1) > 0 ||
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
	    s->service->name, (int)s->pid, s->service->stop_seconds);
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

static void
ended_unasked(struct supervised *s)
{
	char text[LAST_LINE_MAX * 2 + 32];

	if (s->at_work && s->requests->verb != VERB_RELOAD) {
		/* Who asked for the start hears why; no second try. */
		set_state(s, STATE_STOPPED);
		snprintf(text, sizeof(text), "%s %s%s%s", s->service->name,
		    s->why, s->last[0] != '\0' ? ": " : "", s->last);
		request_done(s, EIO, text);
		return;
	}
	if (too_many_exits(s)) {
		set_state(s, STATE_FAILED);
		log_error("service.failed", "%s ended %d times within %d s",
		    s->service->name, EXITS_MAX, STEADY_MS / 1000);
	} else {
		set_state(s, STATE_STARTING);
		if (s->delay_ms == 0 || uv_now(loop) - s->since >= STEADY_MS)
			s->delay_ms = DELAY_FIRST_MS;
		uv_timer_start(&s->timer, on_restart, s->delay_ms, 0);
		if ((s->delay_ms *= 2) > DELAY_LAST_MS)
			s->delay_ms = DELAY_LAST_MS;
	}
	request_done(s, ESRCH, "it ended before it could be reloaded");
}

static void
check_all_stopped(void)
{
	void (*stopped)(void) = all_stopped;
	int i;

	for (i = 0; i < SERVICE_COUNT; i++)
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
		log_info("service.stopped", "%s[%d] %s", s->service->name,
		    (int)pid, s->why);
	else
		log_error("service.ended", "%s[%d] %s", s->service->name,
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
		request_done(s, 0, NULL);
	}
}

/* In a session of its own: what it starts outlives it, as ssh sessions do. */
static void
service_spawn(struct supervised *s)
{
	struct child_program program = { .argv = s->service->argv,
		.exe_fd = -1,
		.channel_fd = -1,
		.log_stdout = true,
		.session = true,
		.outlive = true,
		.umask = 022 };
	struct log_source *source;

	if (!s->prepared)
		service_prepare(s, PREPARE_LATE);
	if (!s->prepared) {
		set_state(s, STATE_FAILED);
		request_done(s, EIO, s->why);
		return;
	}
	set_state(s, STATE_STARTING);
	s->last[0] = '\0';
	uv_update_time(loop);
	s->since = uv_now(loop);
	source =
	    logfile_source(loop, s->service->name, s->last, &program.log_fd);
	if (source == NULL || (s->pid = child_start(&program)) == -1) {
		s->pid = 0;
		set_state(s, STATE_FAILED);
		snprintf(s->why, sizeof(s->why), "could not be started: %s",
		    strerror(errno));
		request_done(s, EIO, s->why);
	} else {
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
	    (uint64_t)s->service->stop_seconds * 1000, 1000);
}

static void
verb_start(struct supervised *s)
{
	s->nexits = 0;
	s->delay_ms = 0;
	if (s->state == STATE_RUNNING)
		request_done(s, 0, NULL);
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
	request_done(s, 0, NULL);
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
		request_done(s, ESRCH, "it is not running");
	/* else it may not yet catch the signal; service_started() sends it */
}

static void
next_request(struct supervised *s)
{
	if (s->at_work || s->requests == NULL)
		return;
	s->at_work = true;
	switch (s->requests->verb) {
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
	}
}

void
op_service_control(const struct operation_ticket *ticket, struct wire_in *body)
{
	uint32_t index = wire_get_u32(body);
	uint8_t verb = wire_get_u8(body);
	struct request *request, **at;
	struct supervised *s;

	if (wire_end(body) == -1 || index >= SERVICE_COUNT ||
	    verb > VERB_RELOAD) {
		operations_reply(ticket, EINVAL, "malformed request", NULL, -1);
		return;
	}
	s = &supervised[index];
	if (s->nrequests >= REQUESTS_MAX) {
		operations_reply(
		    ticket, EBUSY, "too many requests for it", NULL, -1);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->ticket = *ticket;
	request->verb = (enum service_verb)verb;
	for (at = &s->requests; *at != NULL; at = &(*at)->next)
		;
	*at = request;
	s->nrequests++;
	next_request(s);
}

int
op_service_status(struct operation_call *call)
{
	struct listening list[LISTENING_MAX];
	uint32_t index = wire_get_u32(&call->body);
	const struct supervised *s;
	size_t n = 0, i;

	if (wire_end(&call->body) == -1 || index >= SERVICE_COUNT)
		return operation_fail(call, EINVAL, "malformed request");
	s = &supervised[index];
	wire_put_u8(&call->reply, (uint8_t)s->state);
	wire_put_u32(&call->reply, s->pid != 0 ? 1 : 0);
	if (s->pid != 0) {
		wire_put_u32(&call->reply, (uint32_t)s->pid);
		n = listening_of(s, list, LISTENING_MAX);
	}
	wire_put_u32(&call->reply, (uint32_t)n);
	for (i = 0; i < n; i++) {
		wire_put_str(&call->reply, list[i].address);
		wire_put_u16(&call->reply, list[i].port);
	}
	wire_put_str(&call->reply, s->why);
	return 0;
}

uint32_t
supervisor_problems(struct wire_out *out)
{
	char text[LAST_LINE_MAX * 2 + 64];
	const struct supervised *s;
	uint32_t n = 0;
	int i;

	for (i = 0; i < SERVICE_COUNT; i++) {
		s = &supervised[i];
		if (s->state != STATE_FAILED)
			continue;
		snprintf(text, sizeof(text), "service %s gave up: it %s%s%s",
		    s->service->name, s->why, s->last[0] != '\0' ? ": " : "",
		    s->last);
		wire_put_str(out, text);
		n++;
	}
	return n;
}

void
supervisor_stop(void (*stopped)(void))
{
	struct supervised *s;
	struct request *request;
	int i;

	all_stopped = stopped;
	for (i = 0; i < SERVICE_COUNT; i++) {
		s = &supervised[i];
		while ((request = s->requests) != NULL) {
			s->requests = request->next;
			operations_reply(
			    &request->ticket, ESHUTDOWN, "stopping", NULL, -1);
			free(request);
		}
		s->nrequests = 0;
		s->at_work = s->start_again = false;
		uv_timer_stop(&s->timer);
		if (s->pid != 0)
			service_stop(s);
	}
	check_all_stopped();
}
