/*
 * The roles as processes: started from our own executable, joined to their
 * peers, watched, restarted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/fact.h"
#include "lib/second_factor.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/doors.h"
#include "monitor/operations.h"
#include "monitor/processes.h"
#include "monitor/tls.h"

#define DELAY_FIRST_MS 100
#define DELAY_LAST_MS 5000
#define STEADY_SECONDS 10 /* alive so long: the delay starts anew */
#define EARLY_DEATHS 5 /* before all were ready: give up */
#define STOP_MS 5000
#define NOTICE_MAX 64
#define BUILD_MAX 128

struct process {
	enum role role;
	pid_t pid; /* 0: not running */
	struct ipc *ipc;
	bool greeted; /* said HELLO, was set up */
	bool ready;
	int peers[ROLE_COUNT]; /* for its set-up; -1 */
	unsigned int restarts, early_deaths;
	unsigned int delay_ms;
	time_t since;
	uv_timer_t timer; /* restart */
	char last[LAST_LINE_MAX];
};

/* Who talks to whom. */
static const enum role relations[][2] = {
	{ ROLE_WEB, ROLE_CORE },
	{ ROLE_LOCAL, ROLE_CORE },
	{ ROLE_CORE, ROLE_AUDIT },
	{ ROLE_AUDIT, ROLE_JOURNAL },
};

/* In the order of their start; the last one only where it is wanted. */
/* clang-format off */
static const enum role all_roles[] = {
	ROLE_AUDIT, ROLE_CORE, ROLE_LOCAL, ROLE_WEB, ROLE_JOURNAL
};
/* clang-format on */

static const struct processes_setup *setup;
static size_t nroles;
static struct process processes[ROLE_COUNT];
static bool stopping, all_were_ready;
static uv_timer_t stop_timer;

static void role_start(struct process *);

/* A machine whose journal cannot be read serves all the same. */
static bool
needed(enum role role)
{
	return role != ROLE_JOURNAL;
}

/* Its end is noticed by SIGCHLD, and only there it is cleaned up. */
static void
role_kill(struct process *process)
{
	if (process->pid != 0)
		kill(process->pid, SIGKILL);
}

static void
role_breach(struct process *process, const char *what)
{
	log_error("role.breach", "%s[%d] is ended: %s",
	    role_info(process->role)->name, (int)process->pid, what);
	role_kill(process);
}

static void
send_listener(struct process *process, const char *address, int fd)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, address);
	ipc_send(process->ipc, MSG_LISTEN, 0, &body, &fd, 1);
	wire_free(&body);
}

static void
send_tls(struct process *process)
{
	struct wire_out body = { 0 };
	char *certificate, *key;

	if (tls_read(setup->dir_fd, &certificate, &key) == -1) {
		log_error("tls.read", "the TLS key: %s", strerror(errno));
		return;
	}
	wire_put_str(&body, certificate);
	wire_put_str(&body, key);
	freezero_str(certificate);
	freezero_str(key);
	ipc_send(process->ipc, MSG_TLS, 0, &body, NULL, 0);
	wire_free(&body);
}

static void
send_boot(struct process *process)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, setup->facts->boot_id);
	ipc_send(process->ipc, MSG_BOOT, 0, &body, NULL, 0);
	wire_free(&body);
}

static void
send_peer(struct process *process, enum role peer, int fd)
{
	struct wire_out body = { 0 };

	wire_put_u8(&body, (uint8_t)peer);
	ipc_send(process->ipc, MSG_PEER, 0, &body, &fd, 1);
	wire_free(&body);
}

static void
send_door(const char *address, int fd, void *process)
{
	send_listener(process, address, fd);
}

static void
set_up_audit(struct process *process)
{
	send_listener(process, FACT_SOCKET, setup->facts_fd);
	if (setup->syslog_fd != -1)
		send_listener(process, "/dev/log", setup->syslog_fd);
	if (setup->kernel_fd != -1)
		send_listener(process,
		    setup->facts->instance ? KERNEL_OF_INSTANCE :
					     KERNEL_OF_MACHINE,
		    setup->kernel_fd);
}

/*
 * As they are now: a journal that is kept, or no longer, has another folder.
 * An instance sees its machine's; it reads none but what is its own.
 */
static void
set_up_journal(struct process *process)
{
	static const char *const folders[] = { "/run/log/journal",
		"/var/log/journal" };
	size_t i, count = setup->facts->instance ? 1 : 2;
	int fd;

	for (i = 0; i < count; i++) {
		fd = open(folders[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			continue;
		send_listener(process, folders[i], fd);
		close(fd);
	}
}

/* Everything its role needs, then START. */
static void
role_set_up(struct process *process)
{
	struct wire_out body = { 0 };
	int peer;

	for (peer = 0; peer < ROLE_COUNT; peer++) {
		if (process->peers[peer] == -1)
			continue;
		send_peer(process, (enum role)peer, process->peers[peer]);
		close(process->peers[peer]);
		process->peers[peer] = -1;
	}
	if (process->role == ROLE_WEB) {
		doors_each(send_door, process);
		send_tls(process);
		send_boot(process);
		if (setup->page_fd != -1)
			ipc_send(process->ipc, MSG_PAGE, 0, NULL,
			    &setup->page_fd, 1);
	} else if (process->role == ROLE_LOCAL) {
		send_listener(process, "middlewared.sock", setup->socket_fd);
		send_boot(process);
	} else if (process->role == ROLE_AUDIT) {
		set_up_audit(process);
	} else if (process->role == ROLE_JOURNAL) {
		set_up_journal(process);
	} else if (process->role == ROLE_CORE) {
		send_listener(process, SECOND_FACTOR_SOCKET, setup->codes_fd);
		facts_put(&body, setup->facts);
		ipc_send(process->ipc, MSG_FACTS, 0, &body, NULL, 0);
		wire_free(&body);
	}
	ipc_send(process->ipc, MSG_START, 0, NULL, NULL, 0);
}

static void
on_hello(struct process *process, struct ipc_msg *msg)
{
	uint32_t protocol = wire_get_u32(&msg->body);
	char *build = wire_get_str(&msg->body, BUILD_MAX);

	if (process->greeted || wire_end(&msg->body) == -1) {
		role_breach(process, "a wrong HELLO");
	} else if (protocol != MESSAGE_PROTOCOL ||
	    strcmp(build, startup_build()) != 0) {
		role_breach(process, "another version of holdfastd");
	} else {
		process->greeted = true;
		role_set_up(process);
	}
	free(build);
}

static void
on_ready(struct process *process, struct ipc_msg *msg)
{
	char *notice = wire_get_str(&msg->body, NOTICE_MAX);
	size_t i;

	if (!process->greeted || process->ready || wire_end(&msg->body) == -1) {
		role_breach(process, "a wrong READY");
		free(notice);
		return;
	}
	process->ready = true;
	log_info("role.ready", "%s", role_info(process->role)->name);
	if (process->role == ROLE_CORE)
		setup->notice(notice);
	free(notice);
	for (i = 0; i < nroles; i++)
		if (!processes[all_roles[i]].ready && needed(all_roles[i]))
			return;
	if (!all_were_ready && !stopping) {
		all_were_ready = true;
		setup->ready();
	}
}

static void
on_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	struct process *process = arg;

	(void)ipc;
	if (msg->type == MSG_HELLO)
		on_hello(process, msg);
	else if (msg->type == MSG_READY)
		on_ready(process, msg);
	else if (process->role == ROLE_CORE && process->greeted)
		operations_message(msg);
	else
		role_breach(process, "a message out of turn");
}

static void
on_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct process *process = arg;

	(void)ipc;
	if (reason != NULL)
		log_error("role.breach", "%s[%d]: %s",
		    role_info(process->role)->name, (int)process->pid, reason);
	/* Stopping, it has things to put away yet, and a time for that. */
	if (!stopping)
		role_kill(process);
}

static const struct ipc_callbacks callbacks = { on_message, on_closed };

static void
check_all_stopped(void)
{
	struct wire_out none = { 0 };
	size_t i, alive = 0;

	for (i = 0; i < nroles; i++)
		if (processes[all_roles[i]].pid != 0)
			alive++;
	if (alive == 0) {
		uv_timer_stop(&stop_timer);
		setup->stopped();
	} else if (alive == 1 && processes[ROLE_AUDIT].pid != 0 &&
	    processes[ROLE_AUDIT].ipc != NULL) {
		/* The others may have had a last record for it. */
		ipc_send(
		    processes[ROLE_AUDIT].ipc, MSG_STOP, 0, &none, NULL, 0);
	}
}

static void
on_restart(uv_timer_t *timer)
{
	role_start(timer->data);
}

/* At once the first time, then later and later until one has lived a while. */
static void
role_schedule(struct process *process)
{
	if (time(NULL) - process->since >= STEADY_SECONDS)
		process->delay_ms = 0;
	uv_timer_start(&process->timer, on_restart, process->delay_ms, 0);
	if (process->delay_ms == 0)
		process->delay_ms = DELAY_FIRST_MS;
	else if ((process->delay_ms *= 2) > DELAY_LAST_MS)
		process->delay_ms = DELAY_LAST_MS;
}

static void
role_ended(pid_t pid, int status, void *arg)
{
	struct process *process = arg;
	const char *name = role_info(process->role)->name;
	char reason[64], why[LAST_LINE_MAX + 128];
	int peer;

	logfile_drain();
	child_reason(status, reason, sizeof(reason));
	ipc_free(process->ipc);
	process->ipc = NULL;
	process->pid = 0;
	process->greeted = process->ready = false;
	for (peer = 0; peer < ROLE_COUNT; peer++) {
		if (process->peers[peer] != -1)
			close(process->peers[peer]);
		process->peers[peer] = -1;
	}
	if (process->role == ROLE_CORE)
		operations_core_gone();
	if (stopping) {
		log_info("role.ended", "%s[%d] %s", name, (int)pid, reason);
		check_all_stopped();
		return;
	}
	log_error("role.ended", "%s[%d] %s", name, (int)pid, reason);
	if (!all_were_ready && needed(process->role) &&
	    ++process->early_deaths == EARLY_DEATHS) {
		snprintf(why, sizeof(why),
		    "%s ended %d times at the start (%s): %s", name,
		    EARLY_DEATHS, reason, process->last);
		setup->failed(why);
		return;
	}
	process->restarts++;
	role_schedule(process);
}

static pid_t
role_exec(enum role role, const char *task, int channel_fd, char *last)
{
	const char *argv[] = { "holdfastd", "--role", role_info(role)->name,
		task, NULL };
	struct child_program program = { .argv = argv,
		.exe_fd = setup->exe_fd,
		.channel_fd = channel_fd,
		.umask = 077 };
	struct log_source *source;
	pid_t pid;

	source = logfile_source(
	    setup->loop, role_info(role)->name, last, &program.log_fd);
	if (source == NULL)
		return -1;
	pid = child_start(&program);
	close(program.log_fd);
	logfile_source_pid(source, pid);
	return pid;
}

pid_t
processes_start_worker(const char *task, int channel_fd)
{
	return role_exec(ROLE_WORKER, task, channel_fd, NULL);
}

/*
 * A fresh channel to each peer that runs.  A peer that is not yet set up gets
 * its end with its set-up; one that does not run makes the pair when it is
 * started.
 */
static void
role_join_peers(struct process *process)
{
	struct process *peer;
	int fds[2];
	size_t i;

	for (i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		if (relations[i][0] == process->role)
			peer = &processes[relations[i][1]];
		else if (relations[i][1] == process->role)
			peer = &processes[relations[i][0]];
		else
			continue;
		if (peer->pid == 0 || ipc_pair(fds) == -1)
			continue;
		process->peers[peer->role] = fds[0];
		if (peer->greeted) {
			send_peer(peer, process->role, fds[1]);
			close(fds[1]);
		} else {
			if (peer->peers[process->role] != -1)
				close(peer->peers[process->role]);
			peer->peers[process->role] = fds[1];
		}
	}
}

static void
role_start(struct process *process)
{
	int fds[2];

	process->last[0] = '\0';
	process->since = time(NULL);
	if (ipc_pair(fds) == -1) {
		log_error("role.start", "%s: %s",
		    role_info(process->role)->name, strerror(errno));
		role_schedule(process);
		return;
	}
	process->pid = role_exec(process->role, NULL, fds[1], process->last);
	close(fds[1]);
	if (process->pid == -1) {
		log_error("role.start", "%s: %s",
		    role_info(process->role)->name, strerror(errno));
		process->pid = 0;
		close(fds[0]);
		role_schedule(process);
		return;
	}
	child_watch(process->pid, role_ended, process);
	process->ipc = ipc_new(setup->loop, fds[0], ROLE_MONITOR, process->role,
	    &callbacks, process);
	role_join_peers(process);
}

void
processes_start(const struct processes_setup *roles)
{
	struct process *process;
	size_t i;
	int peer;

	setup = roles;
	nroles = sizeof(all_roles) / sizeof(all_roles[0]) - !setup->journal;
	uv_timer_init(setup->loop, &stop_timer);
	for (i = 0; i < nroles; i++) {
		process = &processes[all_roles[i]];
		process->role = all_roles[i];
		for (peer = 0; peer < ROLE_COUNT; peer++)
			process->peers[peer] = -1;
		uv_timer_init(setup->loop, &process->timer);
		process->timer.data = process;
	}
	for (i = 0; i < nroles; i++)
		role_start(&processes[all_roles[i]]);
}

static void
on_stop_overdue(uv_timer_t *timer)
{
	struct process *process;
	size_t i;

	(void)timer;
	for (i = 0; i < nroles; i++) {
		process = &processes[all_roles[i]];
		if (process->pid != 0) {
			log_warn("role.killed", "%s did not stop in time",
			    role_info(process->role)->name);
			role_kill(process);
		}
	}
}

void
processes_stop(void)
{
	struct process *process;
	size_t i;

	stopping = true;
	for (i = 0; i < nroles; i++) {
		process = &processes[all_roles[i]];
		uv_timer_stop(&process->timer);
		if (process->role == ROLE_AUDIT || process->pid == 0)
			continue;
		/* One that is still starting has nothing to finish. */
		if (!process->greeted ||
		    ipc_send(process->ipc, MSG_STOP, 0, NULL, NULL, 0) == -1)
			role_kill(process);
	}
	uv_timer_start(&stop_timer, on_stop_overdue, STOP_MS, STOP_MS);
	check_all_stopped();
}

int
processes_send(enum role role, enum message_type type, uint32_t id,
    const struct wire_out *body, const int *fds, unsigned int nfds)
{
	struct process *process = &processes[role];

	if (process->ipc == NULL || !process->greeted)
		return -1;
	return ipc_send(process->ipc, type, id, body, fds, nfds);
}

void
processes_status(struct wire_out *out)
{
	const struct process *process;
	size_t i;

	wire_put_u32(out, (uint32_t)nroles);
	for (i = 0; i < nroles; i++) {
		process = &processes[all_roles[i]];
		wire_put_str(out, role_info(process->role)->name);
		wire_put_u32(out, (uint32_t)process->pid);
		wire_put_u32(out, process->restarts);
		wire_put_u64(out, (uint64_t)process->since);
	}
}
