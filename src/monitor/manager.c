/*
 * The service manager: takes core's requests for a service one after the
 * other and has them carried out, daemon after daemon, in one of two ways: by
 * our own supervisor or by systemd.
 */
#include "monitor/manager.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/listeners.h"
#include "monitor/operations.h"

#define REQUESTS_MAX 16
#define PREPARE_SECONDS 60
#define PREPARE_LATE 10 /* the loop waits: short */
#define LISTENING_MAX 64

struct request {
	struct request *next;
	struct operation_ticket ticket;
	uint32_t daemon; /* or DAEMON_ALL */
	enum service_verb verb;
	unsigned int step; /* so many daemons are done */
	int error; /* the first one, and its text */
	char text[REPORT_WHY_MAX];
};

struct managed {
	struct request *requests; /* the first is at work */
	size_t nrequests;
	bool at_work;
	bool prepared;
	char why[256]; /* not */
};

static struct managed managed[SERVICES_MAX];
static const struct service_way *way;

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
service_prepare(enum service_id id, unsigned int seconds)
{
	struct managed *m = &managed[id];

	if (child_run(prepare, (void *)(uintptr_t)&services[id], NULL, 0,
		seconds, m->why, sizeof(m->why)) == 0) {
		m->prepared = true;
		return;
	}
	log_error("service.prepare", "%s: %s", services[id].name, m->why);
}

void
manager_prepare(void)
{
	int i;

	for (i = 0; i < service_count; i++)
		service_prepare((enum service_id)i, PREPARE_SECONDS);
}

void
manager_start(const struct service_way *chosen)
{
	way = chosen;
}

static bool
service_prepared(enum service_id id, const char **whyp)
{
	if (!managed[id].prepared)
		service_prepare(id, PREPARE_LATE);
	*whyp = managed[id].why;
	return managed[id].prepared;
}

/* The n-th daemon that a request is about, -1: there are no more. */
static int
daemon_of(enum service_id id, uint32_t asked, unsigned int n)
{
	int i;

	for (i = 0; i < daemon_count; i++)
		if (daemons[i].service == id &&
		    (asked == DAEMON_ALL || asked == (uint32_t)i) && n-- == 0)
			return i;
	return -1;
}

/* They are started in the order of the table, and stopped the other way. */
static int
next_daemon(enum service_id id, const struct request *request)
{
	unsigned int count = 0;

	if (request->verb != VERB_STOP)
		return daemon_of(id, request->daemon, request->step);
	while (daemon_of(id, request->daemon, count) != -1)
		count++;
	if (request->step >= count)
		return -1;
	return daemon_of(id, request->daemon, count - 1 - request->step);
}

static void next_request(enum service_id);

/* Answers the request at work and takes up the next. */
static void
request_done(enum service_id id, struct request *request)
{
	struct managed *m = &managed[id];

	m->requests = request->next;
	m->nrequests--;
	m->at_work = false;
	operations_reply(
	    &request->ticket, request->error, request->text, NULL, -1);
	free(request);
	next_request(id);
}

/*
 * One daemon after the other; what fails to start keeps the next from it,
 * while a stop goes on to the end.
 */
static void
request_step(enum service_id id, struct request *request)
{
	int daemon = next_daemon(id, request);
	enum service_verb verb = request->verb;

	if (daemon == -1 || (request->error != 0 && verb != VERB_STOP)) {
		request_done(id, request);
		return;
	}
	if (verb == VERB_RELOAD && daemons[daemon].reload_signal == 0)
		verb = VERB_RESTART;
	way->run((enum daemon_id)daemon, verb);
}

static void
next_request(enum service_id id)
{
	struct managed *m = &managed[id];

	if (m->at_work || m->requests == NULL)
		return;
	m->at_work = true;
	request_step(id, m->requests);
}

static void
daemon_done(enum daemon_id daemon, int error, const char *text)
{
	enum service_id id = daemons[daemon].service;
	struct managed *m = &managed[id];
	struct request *request = m->requests;

	if (!m->at_work)
		return;
	if (error != 0 && request->error == 0) {
		request->error = error;
		snprintf(request->text, sizeof(request->text), "%s",
		    text != NULL ? text : "");
	}
	request->step++;
	request_step(id, request);
}

static void
daemon_changed(enum daemon_id daemon)
{
	static const char *const names[] = { [STATE_STOPPED] = "stopped",
		[STATE_STARTING] = "starting",
		[STATE_RUNNING] = "running",
		[STATE_STOPPING] = "stopping",
		[STATE_FAILED] = "failed" };
	struct service_report report = { 0 };

	if (way->report(daemon, &report) == 0)
		log_info("service.state", "%s is %s%s%s", daemons[daemon].name,
		    names[report.state], report.why[0] != '\0' ? ": " : "",
		    report.why);
	operations_service_changed(daemons[daemon].service);
}

static bool
daemon_prepared(enum daemon_id daemon, const char **whyp)
{
	return service_prepared(daemons[daemon].service, whyp);
}

const struct service_events manager_events = { .done = daemon_done,
	.changed = daemon_changed,
	.prepared = daemon_prepared };

/* Which service, and which of its daemons; false: there is none. */
static bool
get_daemons(struct wire_in *body, enum service_id *idp, uint32_t *daemonp)
{
	uint32_t service = wire_get_u32(body);

	*daemonp = wire_get_u32(body);
	*idp = (enum service_id)service;
	return !body->bad && service < (uint32_t)service_count &&
	    daemon_of(*idp, *daemonp, 0) != -1;
}

static void
add_request(enum service_id id, struct request *request)
{
	struct managed *m = &managed[id];
	struct request **at;

	for (at = &m->requests; *at != NULL; at = &(*at)->next)
		;
	*at = request;
	m->nrequests++;
	next_request(id);
}

void
manager_run(enum daemon_id daemon, enum service_verb verb)
{
	struct request *request = xcalloc(1, sizeof(*request));

	request->ticket.generation = UINT_MAX;
	request->daemon = (uint32_t)daemon;
	request->verb = verb;
	add_request(daemons[daemon].service, request);
}

enum service_state
manager_state(enum daemon_id daemon)
{
	struct service_report report = { 0 };

	return way->report(daemon, &report) == 0 ? report.state : STATE_FAILED;
}

void
op_service_control(const struct operation_ticket *ticket, struct wire_in *body)
{
	enum service_id id;
	uint32_t daemon;
	bool known = get_daemons(body, &id, &daemon);
	uint8_t verb = wire_get_u8(body);
	struct request *request;

	if (wire_end(body) == -1 || !known || verb >= VERB_COUNT) {
		operations_reply(ticket, EINVAL, "malformed request", NULL, -1);
		return;
	}
	if (managed[id].nrequests >= REQUESTS_MAX) {
		operations_reply(
		    ticket, EBUSY, "too many requests for it", NULL, -1);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->ticket = *ticket;
	request->daemon = daemon;
	request->verb = (enum service_verb)verb;
	add_request(id, request);
}

/* What several daemons make of a service: the first state here that one has. */
static const enum service_state worst[] = { STATE_FAILED, STATE_STOPPED,
	STATE_STOPPING, STATE_STARTING, STATE_RUNNING };

/* The service as its daemons are; 0 or an errno with why. */
static int
report_all(enum service_id id, uint32_t asked, struct service_report *whole,
    pid_t *pids, uint32_t *npids)
{
	struct service_report one;
	size_t rank, lowest = sizeof(worst) / sizeof(worst[0]);
	unsigned int n;
	int daemon, error;

	*npids = 0;
	for (n = 0; (daemon = daemon_of(id, asked, n)) != -1; n++) {
		memset(&one, 0, sizeof(one));
		error = way->report((enum daemon_id)daemon, &one);
		if (error != 0) {
			*whole = one;
			return error;
		}
		for (rank = 0; worst[rank] != one.state;)
			rank++;
		if (rank < lowest || whole->why[0] == '\0')
			memcpy(whole->why, one.why, sizeof(one.why));
		if (rank < lowest)
			whole->state = one.state;
		lowest = rank < lowest ? rank : lowest;
		if (one.pid != 0)
			pids[(*npids)++] = one.pid;
	}
	return 0;
}

static void
put_listening(struct wire_out *out, const pid_t *pids, uint32_t npids)
{
	struct listening list[LISTENING_MAX];
	size_t n = 0, i;

	/* A copy of us holds all the sockets that we listen on. */
	for (i = 0; i < npids; i++)
		if (child_executed(pids[i]))
			n += listeners_of(pids[i], list + n, LISTENING_MAX - n);
	wire_put_u32(out, (uint32_t)n);
	for (i = 0; i < n; i++) {
		wire_put_str(out, list[i].address);
		wire_put_u16(out, list[i].port);
	}
}

int
op_service_status(struct operation_call *call)
{
	struct service_report report = { 0 };
	pid_t pids[DAEMONS_MAX];
	enum service_id id;
	uint32_t daemon, npids, i;
	bool known = get_daemons(&call->body, &id, &daemon);
	int error;

	if (wire_end(&call->body) == -1 || !known)
		return operation_fail(call, EINVAL, "malformed request");
	if ((error = report_all(id, daemon, &report, pids, &npids)) != 0)
		return operation_fail(call, error, "%s", report.why);
	wire_put_u8(&call->reply, (uint8_t)report.state);
	wire_put_u32(&call->reply, npids);
	for (i = 0; i < npids; i++)
		wire_put_u32(&call->reply, (uint32_t)pids[i]);
	put_listening(&call->reply, pids, npids);
	wire_put_str(&call->reply, report.why);
	return 0;
}

uint32_t
manager_problems(struct wire_out *out)
{
	char text[REPORT_WHY_MAX + 128];
	struct service_report report;
	uint32_t n = 0;
	int i, error;

	for (i = 0; i < daemon_count; i++) {
		memset(&report, 0, sizeof(report));
		error = way->report((enum daemon_id)i, &report);
		if (error == 0)
			continue;
		snprintf(text, sizeof(text),
		    "the state of service %s is not known: %s", daemons[i].name,
		    report.why);
		wire_put_str(out, text);
		n++;
	}
	return n;
}

void
manager_stop(void (*stopped)(void))
{
	struct request *request;
	struct managed *m;
	int i;

	for (i = 0; i < service_count; i++) {
		m = &managed[i];
		while ((request = m->requests) != NULL) {
			m->requests = request->next;
			operations_reply(
			    &request->ticket, ESHUTDOWN, "stopping", NULL, -1);
			free(request);
		}
		m->nrequests = 0;
		m->at_work = false;
	}
	way->stop(stopped);
}
