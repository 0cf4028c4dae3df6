/*
 * The service manager: takes core's requests for a service one after the
 * other and has them carried out in one of two ways, by our own supervisor
 * or by systemd.
 */
#include "monitor/manager.h"

#include <errno.h>
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
	enum service_verb verb;
};

struct managed {
	struct request *requests; /* the first is at work */
	size_t nrequests;
	bool at_work;
	bool prepared;
	char why[256]; /* not */
};

static struct managed managed[SERVICE_COUNT];
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

	for (i = 0; i < SERVICE_COUNT; i++)
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

static void
next_request(enum service_id id)
{
	struct managed *m = &managed[id];

	if (m->at_work || m->requests == NULL)
		return;
	m->at_work = true;
	way->run(id, m->requests->verb);
}

/* Answers the request at work and takes up the next. */
static void
service_done(enum service_id id, int error, const char *text)
{
	struct managed *m = &managed[id];
	struct request *request = m->requests;

	if (!m->at_work)
		return;
	m->requests = request->next;
	m->nrequests--;
	m->at_work = false;
	operations_reply(&request->ticket, error, text, NULL, -1);
	free(request);
	next_request(id);
}

static void
service_changed(enum service_id id)
{
	static const char *const names[] = { [STATE_STOPPED] = "stopped",
		[STATE_STARTING] = "starting",
		[STATE_RUNNING] = "running",
		[STATE_STOPPING] = "stopping",
		[STATE_FAILED] = "failed" };
	struct service_report report = { 0 };

	if (way->report(id, &report) == 0)
		log_info("service.state", "%s is %s%s%s", services[id].name,
		    names[report.state], report.why[0] != '\0' ? ": " : "",
		    report.why);
	operations_service_changed(id);
}

const struct service_events manager_events = { .done = service_done,
	.changed = service_changed,
	.prepared = service_prepared };

void
op_service_control(const struct operation_ticket *ticket, struct wire_in *body)
{
	uint32_t index = wire_get_u32(body);
	uint8_t verb = wire_get_u8(body);
	struct request *request, **at;
	struct managed *m;

	if (wire_end(body) == -1 || index >= SERVICE_COUNT ||
	    verb > VERB_RELOAD) {
		operations_reply(ticket, EINVAL, "malformed request", NULL, -1);
		return;
	}
	m = &managed[index];
	if (m->nrequests >= REQUESTS_MAX) {
		operations_reply(
		    ticket, EBUSY, "too many requests for it", NULL, -1);
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->ticket = *ticket;
	request->verb = (enum service_verb)verb;
	for (at = &m->requests; *at != NULL; at = &(*at)->next)
		;
	*at = request;
	m->nrequests++;
	next_request((enum service_id)index);
}

int
op_service_status(struct operation_call *call)
{
	struct listening list[LISTENING_MAX];
	struct service_report report = { 0 };
	uint32_t index = wire_get_u32(&call->body);
	size_t n = 0, i;
	int error;

	if (wire_end(&call->body) == -1 || index >= SERVICE_COUNT)
		return operation_fail(call, EINVAL, "malformed request");
	if ((error = way->report((enum service_id)index, &report)) != 0)
		return operation_fail(call, error, "%s", report.why);
	wire_put_u8(&call->reply, (uint8_t)report.state);
	wire_put_u32(&call->reply, report.pid != 0 ? 1 : 0);
	if (report.pid != 0) {
		wire_put_u32(&call->reply, (uint32_t)report.pid);
		/* A copy of us holds all the sockets that we listen on. */
		if (child_executed(report.pid))
			n = listeners_of(report.pid, list, LISTENING_MAX);
	}
	wire_put_u32(&call->reply, (uint32_t)n);
	for (i = 0; i < n; i++) {
		wire_put_str(&call->reply, list[i].address);
		wire_put_u16(&call->reply, list[i].port);
	}
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

	for (i = 0; i < SERVICE_COUNT; i++) {
		memset(&report, 0, sizeof(report));
		error = way->report((enum service_id)i, &report);
		if (error == 0)
			continue;
		snprintf(text, sizeof(text),
		    "the state of service %s is not known: %s",
		    services[i].name, report.why);
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

	for (i = 0; i < SERVICE_COUNT; i++) {
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
