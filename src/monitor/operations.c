/*
 * The closed table of what core may ask of the monitor, and how a request
 * becomes a child and its answer.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/doors.h"
#include "monitor/held.h"
#include "monitor/operations.h"
#include "monitor/processes.h"
#include "monitor/terminal.h"

#define QUEUE_MAX 256
#define RESULT_FD 3 /* in the child */
#define RESULT_MIN 8 /* errno and the length of the text */

/* Where and how many at once. */
enum lane {
	LANE_HERE, /* in the monitor, answered at once */
	LANE_LATER, /* in the monitor, answers by itself */
	LANE_PLAIN, /* a child */
	LANE_HASH, /* a child that keeps a processor busy */
	LANE_COUNT
};

struct operation {
	enum message_type type;
	const char *name;
	enum lane lane;
	int (*run)(struct operation_call *);
	void (*later)(const struct operation_ticket *, struct wire_in *);
	/* Of a child: in the monitor, when it has ended, before the answer. */
	void (*then)(void);
	unsigned int seconds; /* then the child is killed */
	int capabilities[4]; /* kept; -1 ends */
};

/* clang-format off */
#define NONE	{ -1 }

static const struct operation operations[] = {
	{ .type = MSG_OP_PEER_IDENTITY, .name = "peer identity",
	  .lane = LANE_HERE, .run = op_peer_identity },
	{ .type = MSG_OP_INTERFACES, .name = "interfaces",
	  .lane = LANE_HERE, .run = op_interfaces },
	{ .type = MSG_OP_STATUS, .name = "status",
	  .lane = LANE_HERE, .run = op_status },
	{ .type = MSG_OP_ADMIN_READY, .name = "administrator ready",
	  .lane = LANE_HERE, .run = op_admin_ready },
	{ .type = MSG_OP_SERVICE_STATUS, .name = "service status",
	  .lane = LANE_HERE, .run = op_service_status },
	{ .type = MSG_OP_HELD, .name = "what is held",
	  .lane = LANE_HERE, .run = op_held },
	{ .type = MSG_OP_TAKE_BACK, .name = "take back",
	  .lane = LANE_HERE, .run = op_take_back },
	{ .type = MSG_OP_SERVICE_CONTROL, .name = "service control",
	  .lane = LANE_LATER, .later = op_service_control },
	{ .type = MSG_OP_WORKER, .name = "worker",
	  .lane = LANE_LATER, .later = op_start_worker },
	{ .type = MSG_OP_TERMINAL, .name = "terminal",
	  .lane = LANE_LATER, .later = op_terminal },
	{ .type = MSG_OP_LISTEN, .name = "where web listens",
	  .lane = LANE_HERE, .run = op_listen },
	{ .type = MSG_OP_TERMINAL_SIZE, .name = "size of a terminal",
	  .lane = LANE_HERE, .run = op_terminal_size },
	{ .type = MSG_OP_TERMINAL_END, .name = "end of a terminal",
	  .lane = LANE_HERE, .run = op_terminal_end },

	/* shadow(5) is root's: being uid 0 is enough to read it. */
	{ .type = MSG_OP_VERIFY_PASSWORD, .name = "verify password",
	  .lane = LANE_HASH, .run = op_verify_password, .seconds = 20,
	  .capabilities = NONE },
	/* Group shadow for the new file. */
	{ .type = MSG_OP_INSTALL_ACCOUNTS, .name = "install accounts",
	  .lane = LANE_PLAIN, .run = op_install_accounts, .seconds = 30,
	  .capabilities = { CAP_CHOWN, CAP_FOWNER, -1 } },
	{ .type = MSG_OP_READ_ACCOUNTS, .name = "read accounts",
	  .lane = LANE_PLAIN, .run = op_read_accounts, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_CHECK_OUTPUT, .name = "check output",
	  .lane = LANE_PLAIN, .run = op_check_output, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_INSTALL_OUTPUT, .name = "install output",
	  .lane = LANE_PLAIN, .run = op_install_output, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_RESTORE_OUTPUT, .name = "restore output",
	  .lane = LANE_PLAIN, .run = op_restore_output, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_READ_OUTPUT, .name = "read output",
	  .lane = LANE_PLAIN, .run = op_read_output, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_HOLD, .name = "hold",
	  .lane = LANE_PLAIN, .run = op_hold, .then = held_look,
	  .seconds = 15, .capabilities = NONE },
	{ .type = MSG_OP_HOLD_RUN, .name = "run a hold",
	  .lane = LANE_PLAIN, .run = op_hold_run, .then = held_look,
	  .seconds = 15, .capabilities = NONE },
	{ .type = MSG_OP_RELEASE, .name = "release",
	  .lane = LANE_PLAIN, .run = op_release, .then = held_look,
	  .seconds = 30, .capabilities = NONE },
	/* Others' /proc folders, and signals to others. */
	{ .type = MSG_OP_SSH_SESSIONS, .name = "SSH sessions",
	  .lane = LANE_PLAIN, .run = op_ssh_sessions, .seconds = 15,
	  .capabilities = { CAP_SYS_PTRACE, -1 } },
	{ .type = MSG_OP_END_SSH, .name = "end of SSH sessions",
	  .lane = LANE_PLAIN, .run = op_end_ssh, .seconds = 30,
	  .capabilities = { CAP_SYS_PTRACE, CAP_KILL, -1 } },
	{ .type = MSG_OP_EFFECTIVE, .name = "effective configuration",
	  .lane = LANE_PLAIN, .run = op_effective, .seconds = 15,
	  .capabilities = NONE },
	/* So many connections, each asked for on its own. */
	{ .type = MSG_OP_EFFECTIVE_OF, .name = "effective configurations",
	  .lane = LANE_PLAIN, .run = op_effective_of, .seconds = 60,
	  .capabilities = NONE },
	/* A home becomes its user's, and what is in it is done as that. */
	{ .type = MSG_OP_CHECK_HOME, .name = "check home",
	  .lane = LANE_PLAIN, .run = op_check_home, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_STAGE_HOME, .name = "stage home",
	  .lane = LANE_PLAIN, .run = op_stage_home, .seconds = 60,
	  .capabilities = { CAP_CHOWN, CAP_SETUID, CAP_SETGID, -1 } },
	{ .type = MSG_OP_SETTLE_HOME, .name = "settle home",
	  .lane = LANE_PLAIN, .run = op_settle_home, .seconds = 60,
	  .capabilities = { CAP_SETUID, CAP_SETGID, -1 } },
	{ .type = MSG_OP_UPDATE_HOME, .name = "update home",
	  .lane = LANE_PLAIN, .run = op_update_home, .seconds = 15,
	  .capabilities = { CAP_CHOWN, CAP_SETUID, CAP_SETGID, -1 } },
	/* The namespace of another user's process is seen as by a debugger. */
	{ .type = MSG_OP_END_PROCESSES, .name = "end processes",
	  .lane = LANE_PLAIN, .run = op_end_processes, .seconds = 40,
	  .capabilities = { CAP_KILL, CAP_SYS_PTRACE, -1 } },
	{ .type = MSG_OP_FILES_OF, .name = "files of a user",
	  .lane = LANE_PLAIN, .run = op_files_of, .seconds = 90,
	  .capabilities = { CAP_DAC_READ_SEARCH, -1 } },
	{ .type = MSG_OP_SSH_FILES, .name = "files of sshd_config",
	  .lane = LANE_PLAIN, .run = op_ssh_files, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_SSH_HOST_KEYS, .name = "host keys of sshd",
	  .lane = LANE_PLAIN, .run = op_ssh_host_keys, .seconds = 60,
	  .capabilities = NONE },
	/* An RSA key takes many tries. */
	{ .type = MSG_OP_SSH_HOST_KEY, .name = "host key of sshd",
	  .lane = LANE_PLAIN, .run = op_ssh_host_key, .seconds = 90,
	  .capabilities = NONE },
	{ .type = MSG_OP_SSH_PAM, .name = "PAM service of sshd",
	  .lane = LANE_PLAIN, .run = op_ssh_pam, .seconds = 15,
	  .capabilities = NONE },
	{ .type = MSG_OP_HOOKS, .name = "hooks of the audit",
	  .lane = LANE_PLAIN, .run = op_hooks, .seconds = 15,
	  .capabilities = NONE },
	/* Files of the audit role's, in a folder that is closed to others. */
	{ .type = MSG_OP_SEAL, .name = "seal of the audit log",
	  .lane = LANE_PLAIN, .run = op_seal, .seconds = 60,
	  .capabilities = { CAP_LINUX_IMMUTABLE, CAP_FOWNER,
		CAP_DAC_READ_SEARCH, -1 } },
	{ .type = MSG_OP_SSH_INSTALLED, .name = "installed OpenSSH",
	  .lane = LANE_PLAIN, .run = op_ssh_installed, .seconds = 60,
	  .capabilities = NONE },
	{ .type = MSG_OP_KERNEL_AUDIT, .name = "kernel audit",
	  .lane = LANE_PLAIN, .run = op_kernel_audit, .seconds = 30,
	  .capabilities = { CAP_AUDIT_CONTROL, -1 } },
	{ .type = MSG_OP_CHECK_COMMANDS, .name = "check commands",
	  .lane = LANE_PLAIN, .run = op_check_commands, .seconds = 15,
	  .capabilities = NONE },
};
/* clang-format on */

struct job {
	struct job *next;
	const struct operation *operation;
	struct operation_ticket ticket;
	uint8_t *body;
	size_t body_len;
	pid_t pid;
	int status;
	bool gone, whole, overdue;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	int handles; /* still open */
	struct wire_out result;
};

static uv_loop_t *loop;
static struct job *queue, *running;
static size_t queued, busy[LANE_COUNT], limit[LANE_COUNT];
static unsigned int generation;
static bool stopped;

static void start_next(void);

void
operations_start(uv_loop_t *on)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	loop = on;
	limit[LANE_PLAIN] = 16;
	limit[LANE_HASH] = processors < 1 ? 1 : (size_t)processors;
}

void
operations_reply(const struct operation_ticket *ticket, int error,
    const char *text, const struct wire_out *members, int fd)
{
	struct wire_out body = { 0 };

	if (ticket->generation != generation)
		return;
	wire_put_u32(&body, (uint32_t)error);
	wire_put_str(&body, error == 0 ? "" : text);
	if (error == 0 && members != NULL)
		wire_put_raw(&body, members->data, members->len);
	processes_send(
	    ROLE_CORE, MSG_OP_DONE, ticket->id, &body, &fd, fd == -1 ? 0 : 1);
	wire_free(&body);
}

void
operations_service_changed(uint32_t service)
{
	struct wire_out body = { 0 };

	wire_put_u32(&body, service);
	processes_send(ROLE_CORE, MSG_SERVICE_CHANGED, 0, &body, NULL, 0);
	wire_free(&body);
}

int
operation_fail(struct operation_call *call, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->why, sizeof(call->why), fmt, ap);
	va_end(ap);
	return error;
}

/* The child: our image, of our descriptors only the result's pipe. */
static void __attribute__((noreturn)) child_main(const struct job *job)
{
	struct operation_call call = { .fd = -1 };
	struct wire_out head = { 0 };
	int error;

	if (child_drop_capabilities(job->operation->capabilities) == -1)
		_exit(1);
	wire_in_init(&call.body, job->body, job->body_len);
	error = job->operation->run(&call);
	wire_put_u32(&head, (uint32_t)error);
	wire_put_str(&head, error == 0 ? "" : call.why);
	if (file_write_all(RESULT_FD, head.data, head.len) == -1 ||
	    (error == 0 &&
		file_write_all(RESULT_FD, call.reply.data, call.reply.len) ==
		    -1))
		_exit(1);
	wire_free(&head);
	wire_free(&call.reply);
	_exit(0);
}

static void
job_free(struct job *job)
{
	freezero(job->body, job->body_len);
	wire_free(&job->result);
	free(job);
}

static void
job_handle_closed(uv_handle_t *handle)
{
	struct job *job = handle->data;

	if (--job->handles == 0) {
		close(job->fd);
		job_free(job);
	}
}

static void
job_answer(struct job *job)
{
	char reason[64], text[256];
	int error = 0;

	if (job->overdue) {
		error = ETIMEDOUT;
		snprintf(text, sizeof(text), "%s took longer than %u s",
		    job->operation->name, job->operation->seconds);
	} else if (job->status != 0 || job->result.len < RESULT_MIN) {
		error = EIO;
		snprintf(text, sizeof(text), "%s: its process %s",
		    job->operation->name,
		    child_reason(job->status, reason, sizeof(reason)));
	}
	if (job->operation->then != NULL)
		job->operation->then();
	if (error != 0) {
		log_error("operation.failed", "%s", text);
		operations_reply(&job->ticket, error, text, NULL, -1);
	} else if (job->ticket.generation == generation) {
		processes_send(ROLE_CORE, MSG_OP_DONE, job->ticket.id,
		    &job->result, NULL, 0);
	}
}

/* Done when the process is gone and its pipe read to the end. */
static void
job_check(struct job *job)
{
	struct job **at;

	if (!job->gone || !job->whole)
		return;
	for (at = &running; *at != job; at = &(*at)->next)
		;
	*at = job->next;
	busy[job->operation->lane]--;
	job_answer(job);
	uv_close((uv_handle_t *)&job->poll, job_handle_closed);
	uv_close((uv_handle_t *)&job->timer, job_handle_closed);
	start_next();
}

static void
job_ended(pid_t pid, int status, void *arg)
{
	struct job *job = arg;

	(void)pid;
	job->gone = true;
	job->status = status;
	job_check(job);
}

static void
job_readable(uv_poll_t *poll, int status, int events)
{
	struct job *job = poll->data;
	uint8_t data[16384];
	ssize_t n;

	(void)status;
	(void)events;
	n = read(job->fd, data, sizeof(data));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && job->result.len + (size_t)n <= MESSAGE_BODY_MAX) {
		wire_put_raw(&job->result, data, (size_t)n);
		explicit_bzero(data, sizeof(data));
		return;
	}
	if (n > 0)
		kill(job->pid, SIGKILL);
	uv_poll_stop(poll);
	job->whole = true;
	job_check(job);
}

static void
job_overdue(uv_timer_t *timer)
{
	struct job *job = timer->data;

	job->overdue = true;
	if (!job->gone)
		kill(job->pid, SIGKILL);
}

static int
job_start(struct job *job)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		job->pid = -1;
	else if ((job->pid = child_fork(&fds[1], 1)) == 0)
		child_main(job);
	close(fds[1]);
	if (job->pid == -1) {
		close(fds[0]);
		return -1;
	}
	/* The child has its own copy. */
	freezero(job->body, job->body_len);
	job->body = NULL;
	job->body_len = 0;
	job->fd = fds[0];
	job->handles = 2;
	uv_poll_init(loop, &job->poll, job->fd);
	uv_timer_init(loop, &job->timer);
	job->poll.data = job->timer.data = job;
	uv_poll_start(&job->poll, UV_READABLE, job_readable);
	uv_timer_start(&job->timer, job_overdue,
	    (uint64_t)job->operation->seconds * 1000, 0);
	child_watch(job->pid, job_ended, job);
	return 0;
}

/*
 * What an earlier core asked for ends before the present one's requests
 * begin: it must find the system at rest when it compares.
 */
static bool
old_ones_run(void)
{
	const struct job *job;

	for (job = running; job != NULL; job = job->next)
		if (job->ticket.generation != generation)
			return true;
	return false;
}

static void
start_next(void)
{
	struct job **at = &queue, *job;
	enum lane lane;

	if (old_ones_run())
		return;
	while ((job = *at) != NULL) {
		lane = job->operation->lane;
		if (busy[lane] >= limit[lane]) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		queued--;
		if (job_start(job) == -1) {
			operations_reply(&job->ticket, errno,
			    "starting a process", NULL, -1);
			job_free(job);
			continue;
		}
		busy[lane]++;
		job->next = running;
		running = job;
	}
}

static void
enqueue(const struct operation *operation,
    const struct operation_ticket *ticket, const struct wire_in *body)
{
	struct job *job, **at;

	if (queued >= QUEUE_MAX) {
		operations_reply(
		    ticket, EBUSY, "too many operations at once", NULL, -1);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->operation = operation;
	job->ticket = *ticket;
	job->body_len = body->len;
	job->body = xmemdup(body->data, body->len);
	for (at = &queue; *at != NULL; at = &(*at)->next)
		;
	*at = job;
	queued++;
	start_next();
}

static void
run_here(const struct operation *operation,
    const struct operation_ticket *ticket, struct ipc_msg *msg)
{
	struct operation_call call = { .body = msg->body,
		.fd = msg->nfds > 0 ? msg->fds[0] : -1 };
	int error;

	error = operation->run(&call);
	operations_reply(ticket, error, call.why, &call.reply, -1);
	wire_free(&call.reply);
}

void
operations_message(struct ipc_msg *msg)
{
	struct operation_ticket ticket = { msg->id, generation };
	const struct operation *operation = NULL;
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if ((uint16_t)operations[i].type == msg->type)
			operation = &operations[i];
	if (operation == NULL || stopped)
		operations_reply(&ticket,
		    operation == NULL ? ENOSYS : ESHUTDOWN,
		    "no such operation now", NULL, -1);
	else if (operation->lane == LANE_HERE)
		run_here(operation, &ticket, msg);
	else if (operation->lane == LANE_LATER)
		operation->later(&ticket, &msg->body);
	else
		enqueue(operation, &ticket, &msg->body);
}

void
operations_core_gone(void)
{
	struct job *job;

	generation++;
	terminals_end();
	while ((job = queue) != NULL) {
		queue = job->next;
		job_free(job);
	}
	queued = 0;
}

void
operations_stop(void)
{
	stopped = true;
	terminals_end();
}
