/* MSG_OP_WORKER: a worker for one task, its channel handed to core. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/operations.h"
#include "monitor/op_worker.h"
#include "monitor/processes.h"
#include "services/catalog.h"

#define WORKERS_MAX 8
#define WAITING_MAX 64

struct worker {
	struct worker *next; /* while it waits */
	const struct task *task;
	struct operation_ticket ticket;
	pid_t pid;
	uv_timer_t timer;
};

static uv_loop_t *loop;
static struct worker *waiting;
static size_t nwaiting, nrunning;

static void start_waiting(void);

void
op_worker_loop(uv_loop_t *on)
{
	loop = on;
}

static void
worker_freed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
worker_ended(pid_t pid, int status, void *arg)
{
	struct worker *worker = arg;
	char reason[64];

	/* A task that cannot be done answers so; the process still exits 0. */
	if (status != 0)
		log_warn("worker.ended", "%s[%d] %s", worker->task->name,
		    (int)pid, child_reason(status, reason, sizeof(reason)));
	nrunning--;
	uv_close((uv_handle_t *)&worker->timer, worker_freed);
	start_waiting();
}

static void
worker_overdue(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	log_warn("worker.killed", "%s[%d] took longer than %u s",
	    worker->task->name, (int)worker->pid, worker->task->seconds);
	kill(worker->pid, SIGKILL);
}

static void
worker_start(struct worker *worker)
{
	int fds[2] = { -1, -1 };

	if (ipc_pair(fds) == -1 ||
	    (worker->pid =
		    processes_start_worker(worker->task->name, fds[1])) == -1) {
		operations_reply(
		    &worker->ticket, errno, "starting a worker", NULL, -1);
		free(worker);
	} else {
		operations_reply(&worker->ticket, 0, NULL, NULL, fds[0]);
		nrunning++;
		uv_timer_init(loop, &worker->timer);
		worker->timer.data = worker;
		uv_timer_start(&worker->timer, worker_overdue,
		    (uint64_t)worker->task->seconds * 1000, 0);
		child_watch(worker->pid, worker_ended, worker);
	}
	if (fds[0] != -1) {
		close(fds[0]);
		close(fds[1]);
	}
}

static void
start_waiting(void)
{
	struct worker *worker;

	while (nrunning < WORKERS_MAX && (worker = waiting) != NULL) {
		waiting = worker->next;
		nwaiting--;
		worker_start(worker);
	}
}

void
op_start_worker(const struct operation_ticket *ticket, struct wire_in *body)
{
	uint32_t index = wire_get_u32(body);
	struct worker *worker, **at;

	if (wire_end(body) == -1 || index >= TASK_COUNT) {
		operations_reply(ticket, EINVAL, "malformed request", NULL, -1);
		return;
	}
	if (nwaiting >= WAITING_MAX) {
		operations_reply(ticket, EBUSY, "too many workers", NULL, -1);
		return;
	}
	worker = xcalloc(1, sizeof(*worker));
	worker->task = &tasks[index];
	worker->ticket = *ticket;
	for (at = &waiting; *at != NULL; at = &(*at)->next)
		;
	*at = worker;
	nwaiting++;
	start_waiting();
}
