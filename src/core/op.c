/*
 * Core's side of the monitor's operations and of workers.
 */
#include "core/op.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/core.h"
#include "core/op_internal.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define HASHING_QUEUE 64

struct request {
	struct request *next;
	uint32_t id;
	op_done *done;
	void *arg;
};

/* A worker's task: waiting for its turn, for its process, for its answer. */
struct work {
	struct work *next;
	enum task_id task;
	struct wire_out body;
	struct ipc *ipc;
	op_done *done;
	void *arg;
};

static struct request *requests;
static uint32_t next_id;
static struct work *hashing_queue; /* oldest first */
static unsigned int hashing, hashing_waiting;

void
op_request(enum message_type type, const struct wire_out *body, int fd,
    op_done *done, void *arg)
{
	struct request *r = xcalloc(1, sizeof(*r));
	struct ipc *monitor = core_peer(ROLE_MONITOR);

	r->id = ++next_id;
	r->done = done;
	r->arg = arg;
	r->next = requests;
	requests = r;
	/* Without the monitor we do not live: nothing to answer. */
	if (monitor != NULL)
		ipc_send(monitor, type, r->id, body, fd != -1 ? &fd : NULL,
		    fd != -1 ? 1 : 0);
}

void
op_answered(struct ipc_msg *msg)
{
	struct request **at = &requests, *r;
	struct op_reply reply = { .fd = -1 };
	char *text;

	while (*at != NULL && (*at)->id != msg->id)
		at = &(*at)->next;
	if ((r = *at) == NULL)
		fatal("the monitor answers what was not asked");
	*at = r->next;
	reply.error = (int)wire_get_u32(&msg->body);
	text = wire_get_str(&msg->body, MESSAGE_INLINE_MAX);
	reply.text = text != NULL ? text : "";
	reply.body = msg->body;
	if (msg->nfds > 0) {
		reply.fd = msg->fds[0];
		msg->fds[0] = -1;
	}
	r->done(&reply, r->arg);
	if (reply.fd != -1)
		close(reply.fd);
	free(text);
	free(r);
}

static void work_start(struct work *);

static void
work_end(struct work *w, struct op_reply *reply)
{
	struct work *next;

	if (tasks[w->task].hashing) {
		hashing--;
		if ((next = hashing_queue) != NULL) {
			hashing_queue = next->next;
			hashing_waiting--;
			work_start(next);
		}
	}
	w->done(reply, w->arg);
	ipc_free(w->ipc);
	wire_free(&w->body);
	free(w);
}

static void
work_failed(struct work *w, int error, const char *text)
{
	struct op_reply reply = { .error = error, .text = text, .fd = -1 };

	work_end(w, &reply);
}

static void
worker_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	struct work *w = arg;
	struct op_reply reply = { .fd = -1 };
	char *text;

	(void)ipc;
	if (msg->type != MSG_TASK_DONE) {
		work_failed(w, EPROTO, "the worker did not keep to its task");
		return;
	}
	reply.error = (int)wire_get_u32(&msg->body);
	text = wire_get_str(&msg->body, MESSAGE_INLINE_MAX);
	reply.text = text != NULL ? text : "";
	reply.body = msg->body;
	if (msg->body.bad) {
		reply.error = EPROTO;
		reply.text = "the worker's answer is malformed";
	}
	work_end(w, &reply);
	free(text);
}

static void
worker_closed(struct ipc *ipc, const char *reason, void *arg)
{
	(void)ipc;
	work_failed(arg, EPIPE,
	    reason != NULL ? reason : "the worker ended without an answer");
}

/* clang-format off */
static const struct ipc_callbacks worker_callbacks = {
	.message = worker_message, .closed = worker_closed
};
/* clang-format on */

static void
worker_given(const struct op_reply *reply, void *arg)
{
	struct work *w = arg;
	struct wire_out out = { 0 };

	if (reply->error != 0 || reply->fd == -1) {
		work_failed(
		    w, reply->error != 0 ? reply->error : EPROTO, reply->text);
		return;
	}
	w->ipc = ipc_new(core_loop(), fcntl(reply->fd, F_DUPFD_CLOEXEC, 0),
	    ROLE_CORE, ROLE_WORKER, &worker_callbacks, w);
	wire_put_u32(&out, w->task);
	wire_put_raw(&out, w->body.data, w->body.len);
	ipc_send(w->ipc, MSG_TASK, 1, &out, NULL, 0);
	wire_free(&out);
	wire_free(&w->body);
}

static void
work_start(struct work *w)
{
	struct wire_out out = { 0 };

	if (tasks[w->task].hashing)
		hashing++;
	wire_put_u32(&out, w->task);
	op_request(MSG_OP_WORKER, &out, -1, worker_given, w);
	wire_free(&out);
}

static void
busy(void *arg)
{
	struct work *w = arg;
	struct op_reply reply = { .error = EBUSY, .fd = -1 };

	reply.text = "too many passwords and keys are being hashed";
	w->done(&reply, w->arg);
	wire_free(&w->body);
	free(w);
}

void
op_worker(
    enum task_id task, const struct wire_out *body, op_done *done, void *arg)
{
	struct work *w = xcalloc(1, sizeof(*w)), **end;

	w->task = task;
	w->done = done;
	w->arg = arg;
	if (body != NULL)
		wire_put_raw(&w->body, body->data, body->len);
	if (!tasks[task].hashing || hashing < core_facts()->cores) {
		work_start(w);
		return;
	}
	if (hashing_waiting >= HASHING_QUEUE) {
		core_after(0, busy, w);
		return;
	}
	for (end = &hashing_queue; *end != NULL;)
		end = &(*end)->next;
	*end = w;
	hashing_waiting++;
}

void
op_run_verb(int service, uint32_t daemon, enum service_verb verb, op_done *done,
    void *arg)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, (uint32_t)service);
	wire_put_u32(&out, daemon);
	wire_put_u8(&out, (uint8_t)verb);
	op_request(MSG_OP_SERVICE_CONTROL, &out, -1, done, arg);
	wire_free(&out);
}

void
op_ask_state(int service, uint32_t daemon, op_done *done, void *arg)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, (uint32_t)service);
	wire_put_u32(&out, daemon);
	op_request(MSG_OP_SERVICE_STATUS, &out, -1, done, arg);
	wire_free(&out);
}
