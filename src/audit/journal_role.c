/*
 * The journal role: reads systemd's journal where that has /dev/log, and gives
 * the audit role the lines that it asks for.  It keeps nothing: each question
 * says where to go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "audit/journal_file.h"
#include "lib/ipc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/startup.h"
#include "roles.h"

#define PATH_MACHINE "/etc/machine-id"
#define LINES_MAX 256 /* of an answer */
#define LINES_BYTES ((size_t)256 * 1024)
#define TICK_MS 60000
#define TICKS_TOLD 60 /* then it says that there was nothing */
#define PATHS_MAX 8

struct journal_role {
	uv_loop_t loop;
	struct ipc *monitor, *audit; /* audit may be NULL */
	struct journal_file *file;
	uv_poll_t poll;
	uv_timer_t tick;
	unsigned int ticks;
	bool asked; /* and not answered yet */
	uint32_t id;
	struct journal_place place; /* to go on from */
	bool placed; /* the file is there */
	bool gap;
	int exit_code;
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
give_up(struct journal_role *role, const char *what)
{
	log_error("journal.read", "%s: %s", what, strerror(errno));
	role->exit_code = 1;
	uv_stop(&role->loop);
}

static void
put_line(struct wire_out *out, const struct journal_line *line)
{
	wire_put_str(out, line->cursor);
	wire_put_u64(out, (uint64_t)line->time_us);
	wire_put_u32(out, (uint32_t)line->pid);
	wire_put_u32(out, (uint32_t)line->uid);
	wire_put_str(out, line->program);
	wire_put_str(out, line->identifier);
	wire_put_bytes(out, line->text, line->len);
}

/* How many there were, all or as many as an answer has; -1 with errno. */
static int
collect(struct journal_role *role, struct wire_out *out, bool *end)
{
	struct journal_line line;
	int r = 1, n = 0;

	if (!role->placed &&
	    journal_file_seek(role->file, &role->place, &role->gap) == -1)
		return -1;
	role->placed = true;
	while (n < LINES_MAX && out->len < LINES_BYTES &&
	    (r = journal_file_next(role->file, &line)) == 1) {
		put_line(out, &line);
		memcpy(role->place.cursor, line.cursor,
		    sizeof(role->place.cursor));
		n++;
	}
	*end = r == 0;
	return r == -1 ? -1 : n;
}

/* told: also that there is nothing. */
static void
answer(struct journal_role *role, bool told)
{
	struct wire_out lines = { 0 }, body = { 0 };
	int64_t now = now_us();
	bool end;
	int n;

	if (!role->asked || !journal_file_is_kept(role->file))
		return;
	if ((n = collect(role, &lines, &end)) == -1)
		give_up(role, "the journal");
	else if (n > 0 || told || role->gap) {
		wire_put_u8(&body,
		    (uint8_t)((end ? JOURNAL_END : 0) |
			(role->gap ? JOURNAL_GAP : 0)));
		wire_put_u64(
		    &body, (uint64_t)(end ? now : role->place.seen_us));
		wire_put_u32(&body, (uint32_t)n);
		wire_put_raw(&body, lines.data, lines.len);
		(void)ipc_send(
		    role->audit, MSG_JOURNAL_LINES, role->id, &body, NULL, 0);
		role->asked = role->gap = false;
		role->ticks = 0;
	}
	wire_free(&lines);
	wire_free(&body);
}

static void
look(struct journal_role *role, bool told)
{
	if (journal_file_changed(role->file))
		role->placed = false;
	answer(role, told);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	look(poll->data, false);
}

/*
 * What inotify(7) did not tell of.  Where there is no journal at all, another
 * folder may have one by now, which the next start can read.
 */
static void
on_tick(uv_timer_t *timer)
{
	struct journal_role *role = timer->data;
	bool told = ++role->ticks >= TICKS_TOLD;

	look(role, told);
	if (told && !journal_file_is_kept(role->file)) {
		log_warn("journal.none", "there is no journal to be read");
		uv_stop(&role->loop);
	}
}

/* --- The others -------------------------------------------------------------- */

static void
read_message(struct journal_role *role, struct ipc_msg *message)
{
	char *cursor = wire_get_str(&message->body, JOURNAL_CURSOR - 1);

	role->place.since_us = (int64_t)wire_get_u64(&message->body);
	role->place.seen_us = (int64_t)wire_get_u64(&message->body);
	if (wire_end(&message->body) == -1)
		fatal("READ of the audit role is malformed");
	if (strcmp(cursor, role->place.cursor) != 0) {
		memcpy(role->place.cursor, cursor, strlen(cursor) + 1);
		role->placed = false;
	}
	free(cursor);
	role->id = message->id;
	role->asked = true;
	answer(role, false);
}

static void
audit_message(struct ipc *ipc, struct ipc_msg *message, void *arg)
{
	(void)ipc;
	if (message->type == MSG_JOURNAL_READ)
		read_message(arg, message);
}

static void
audit_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct journal_role *role = arg;

	if (reason != NULL)
		log_warn("journal.peer", "audit: %s", reason);
	ipc_free(ipc);
	role->audit = NULL;
	role->asked = false;
}

static void
audit_start(struct journal_role *role, int fd)
{
	static const struct ipc_callbacks callbacks = { audit_message,
		audit_closed };

	ipc_free(role->audit);
	role->asked = role->placed = false;
	role->audit = ipc_new(
	    &role->loop, fd, ROLE_JOURNAL, ROLE_AUDIT, &callbacks, role);
}

static void
monitor_message(struct ipc *ipc, struct ipc_msg *message, void *arg)
{
	struct journal_role *role = arg;

	(void)ipc;
	if (message->type == MSG_STOP)
		uv_stop(&role->loop);
	else if (message->type == MSG_PEER &&
	    wire_get_u8(&message->body) == ROLE_AUDIT && message->nfds == 1) {
		audit_start(role, message->fds[0]);
		message->fds[0] = -1; /* transferred */
	}
}

static void
monitor_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct journal_role *role = arg;

	(void)ipc;
	if (reason != NULL)
		log_error("journal.peer", "monitor: %s", reason);
	role->exit_code = 1;
	uv_stop(&role->loop);
}

static void
monitor_start(struct journal_role *role)
{
	static const struct ipc_callbacks callbacks = { monitor_message,
		monitor_closed };
	struct wire_out body = { 0 };

	role->monitor = ipc_new(&role->loop, STARTUP_FD, ROLE_JOURNAL,
	    ROLE_MONITOR, &callbacks, role);
	wire_put_str(&body, "");
	(void)ipc_send(role->monitor, MSG_READY, 0, &body, NULL, 0);
	wire_free(&body);
}

/* --- Life -------------------------------------------------------------------- */

/* What the monitor gave, and the name of the folder within. */
static void
enter(const struct startup *startup)
{
	struct sandbox_path paths[PATHS_MAX];
	size_t i, n = 0;

	for (i = 0; i < startup->nlisteners && n + 2 < PATHS_MAX; i++)
		paths[n++] =
		    (struct sandbox_path){ .fd = startup->listeners[i].fd };
	paths[n].writable = 0;
	paths[n].fd = open(PATH_MACHINE, O_PATH | O_CLOEXEC);
	if (paths[n].fd != -1)
		n++;
	paths[n].fd = -1;
	sandbox_enter(ROLE_JOURNAL, paths, SANDBOX_NO_NETWORK);
	for (i = 0; i < n; i++)
		close(paths[i].fd);
}

static bool
start(struct journal_role *role)
{
	int error;

	if ((error = uv_loop_init(&role->loop)) != 0) {
		log_error(
		    "journal.start", "event loop: %s", uv_strerror(error));
		return false;
	}
	role->file = journal_file_open(NULL);
	if (role->file == NULL ||
	    (error = uv_poll_init(
		 &role->loop, &role->poll, journal_file_fd(role->file))) != 0) {
		log_error("journal.start", "the journal: %s",
		    error != 0 ? uv_strerror(error) : strerror(errno));
		return false;
	}
	uv_timer_init(&role->loop, &role->tick);
	role->poll.data = role->tick.data = role;
	uv_poll_start(&role->poll, UV_READABLE, on_poll);
	uv_timer_start(&role->tick, on_tick, TICK_MS, TICK_MS);
	return true;
}

static void
stop(struct journal_role *role)
{
	ipc_free(role->audit);
	ipc_free(role->monitor);
	uv_close((uv_handle_t *)&role->poll, NULL);
	uv_close((uv_handle_t *)&role->tick, NULL);
	uv_run(&role->loop, UV_RUN_NOWAIT); /* the handles' last callbacks */
	(void)uv_loop_close(&role->loop);
	journal_file_close(role->file);
}

int
journal_main(void)
{
	static struct journal_role role;
	struct startup startup;

	startup_receive(ROLE_JOURNAL, &startup);
	journal_file_prepare();
	enter(&startup);
	if (!start(&role))
		return 1;
	if (startup.peer_fds[ROLE_AUDIT] != -1)
		audit_start(&role, startup.peer_fds[ROLE_AUDIT]);
	startup_free(&startup);
	monitor_start(&role);
	uv_run(&role.loop, UV_RUN_DEFAULT);
	stop(&role);
	return role.exit_code;
}
