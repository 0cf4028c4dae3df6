/*
 * The audit role: keeps the records that core sends, answers queries over
 * them, and reads the instance's /dev/log.
 *
 * Records that arrive in one turn of the loop are written and synced together
 * and acknowledged afterwards.  No message changes or removes a record.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "audit/audit_internal.h"
#include "audit/console.h"
#include "lib/boottime.h"
#include "lib/fact.h"
#include "lib/file.h"
#include "lib/ipc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/sandbox.h"
#include "lib/startup.h"
#include "lib/xalloc.h"
#include "roles.h"

#define PATH_MACHINE "/etc/machine-id"
#define PATH_ETC "/etc"
#define PATH_BOOT "/proc/sys/kernel/random/boot_id"
#define PLACE_MAX 256

/* Until core says otherwise. */
#define HEAD_RECORDS 1000
#define HEAD_SECONDS 10
#define HEAD_LEAST_MS 1000 /* no sooner than that after the last */
#define EPOCH_US ((int64_t)24 * 3600 * 1000000) /* then the key changes */

#define QUERY_STEP ((size_t)256 * 1024) /* bytes a turn */

static void
answer_append(struct audit *audit, uint32_t id, int error)
{
	struct wire_out body = { 0 };

	if (audit->core == NULL)
		return;
	wire_put_u32(&body, (uint32_t)error);
	wire_put_u32(&body, (uint32_t)audit_refused(audit, 0));
	(void)ipc_send(audit->core, MSG_AUDIT_APPENDED, id, &body, NULL, 0);
	wire_free(&body);
}

/* The key of an epoch signs for a day at most. */
static bool
epoch_over(const struct audit *audit)
{
	int64_t began = heads_epoch_began(tree_heads(audit->tree));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return began != 0 && (int64_t)now.tv_sec * 1000000 - began > EPOCH_US;
}

/* A record without a head is as durable, only not signed for yet. */
void
audit_sign(struct audit *audit)
{
	uv_timer_stop(&audit->head);
	audit->signed_at = boottime_ms();
	if (tree_sign(audit->tree, epoch_over(audit)) == 0) {
		if (audit->unsigned_told)
			log_info("audit.sign", "Tree heads are signed again");
		audit->unsigned_told = false;
		return;
	}
	if (!audit->unsigned_told)
		log_error("audit.sign", "No tree head could be signed: %s",
		    strerror(errno));
	audit->unsigned_told = true;
}

static void
head_due(uv_timer_t *timer)
{
	audit_sign(timer->data);
}

void
audit_sign_when_due(struct audit *audit)
{
	uint64_t count = tree_unsigned(audit->tree);
	int64_t since = boottime_ms() - audit->signed_at;

	if (count >= audit->head_records && since >= HEAD_LEAST_MS)
		audit_sign(audit);
	else if (count > 0 && !uv_is_active((uv_handle_t *)&audit->head))
		uv_timer_start(&audit->head, head_due,
		    (uint64_t)audit->head_seconds * 1000, 0);
}

static void
index_begins(uv_timer_t *timer)
{
	struct audit *audit = timer->data;

	audit->indexing = true;
	audit_work_start(audit);
}

/* Makes durable what was read in this turn and says so. */
void
audit_commit(struct audit *audit)
{
	size_t i;
	int rc = segments_commit(audit->store), error = 0;

	if (rc == -1) {
		error = errno;
		index_forget(audit->index);
		if (!audit->failing)
			log_error("audit.write",
			    "The audit log can not be written: %s",
			    strerror(error));
		audit->failing = true;
	} else if (audit->failing && audit->waiting_count > 0) {
		log_info("audit.write", "The audit log is written again");
		audit->failing = false;
	}
	if (tree_commit(audit->tree, rc == 0) == -1)
		log_warn("audit.hashes", "Hashes of records are not kept: %s",
		    strerror(errno));
	for (i = 0; i < audit->waiting_count; i++)
		answer_append(audit, audit->waiting[i], error);
	audit->waiting_count = 0;
	sources_committed(audit->sources, rc == 0);
	if (audit->quota != 0)
		audit->used = segments_size(audit->store);
	audit_sign_when_due(audit);
	if (!uv_is_active((uv_handle_t *)&audit->index_due))
		uv_timer_start(
		    &audit->index_due, index_begins, INDEX_LAG_MS, 0);
	journal_reader_committed(audit->journal);
}

static void
turn_ended(uv_check_t *check)
{
	struct audit *audit = check->data;

	if (audit->waiting_count > 0 || segments_batched(audit->store) > 0)
		audit_commit(audit);
}

static void
acknowledge_later(struct audit *audit, uint32_t id)
{
	if (audit->waiting_count == audit->waiting_size) {
		audit->waiting_size = 2 * audit->waiting_size + 16;
		audit->waiting = xreallocarray(audit->waiting,
		    audit->waiting_size, sizeof(*audit->waiting));
	}
	audit->waiting[audit->waiting_count++] = id;
}

bool
audit_over_quota(const struct audit *audit, size_t more)
{
	return audit->quota != 0 &&
	    audit->used + segments_batched(audit->store) + more >= audit->quota;
}

/* 0, or the errno to answer at once. */
int
audit_append(struct audit *audit, bool again, const char *text, size_t len)
{
	json_t *record = NULL;
	char *line = NULL;
	int held = 0, error = 0;

	if (record_take(text, len, (int64_t)time(NULL), &line, &record) == -1 ||
	    (again &&
		(held = segments_hold(
		     audit->store, json_str(record, "audit_id", ""))) == -1))
		error = errno;
	else if (held == 0) {
		index_expect(
		    audit->index, tree_next(audit->tree), record, strlen(line));
		segments_add(audit->store, line);
		tree_add(audit->tree, line);
	}
	freezero_str(line);
	json_decref(record);
	return error;
}

int
audit_append_now(struct audit *audit, json_t *record)
{
	char *text = json_text(record);
	int error = audit_append(audit, false, text, strlen(text));

	freezero_str(text);
	json_decref(record);
	audit_commit(audit);
	return error == 0 && audit->failing ? EIO : error;
}

static void
handle_append(struct audit *audit, struct ipc_msg *message)
{
	const char *text;
	uint8_t flags;
	size_t len;
	int error = 0;

	flags = wire_get_u8(&message->body);
	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == -1)
		error = EINVAL;
	else if (flags & AUDIT_URGENT)
		audit_spare_draw(audit, true);
	else
		error = audit_refusal(audit, len);
	if (error == 0)
		error =
		    audit_append(audit, (flags & AUDIT_AGAIN) != 0, text, len);
	if (error != 0) {
		if (error != ENOSPC) /* that was said, once */
			log_warn("audit.refused", "A record was refused: %s",
			    strerror(error));
		answer_append(audit, message->id, error);
		return;
	}
	acknowledge_later(audit, message->id);
	if (segments_batched(audit->store) >= BATCH_SIZE)
		audit_commit(audit);
}

void
audit_answer(struct audit *audit, uint32_t id, int error, const char *text)
{
	struct wire_out body = { 0 };

	if (audit->core == NULL)
		return;
	wire_put_u32(&body, (uint32_t)error);
	wire_put_str(&body, text);
	(void)ipc_send(audit->core, MSG_AUDIT_RESULT, id, &body, NULL, 0);
	wire_free(&body);
}

static void
query_works(struct audit *audit, struct running_query *running)
{
	const char *text;
	size_t damaged;
	int error;

	if (!record_query_step(running->query, QUERY_STEP))
		return;
	if ((damaged = record_query_damaged(running->query)) > 0)
		log_warn("audit.damaged", "%zu lines are no records", damaged);
	error = record_query_outcome(running->query, &text);
	audit_answer(audit, running->id, error, text);
	record_query_free(running->query);
	running->query = NULL;
}

/*
 * A step of one query and one of the index, between turns: who appends waits
 * for no more.
 */
static void
work(uv_idle_t *idle)
{
	struct audit *audit = idle->data;
	struct running_query *running = NULL;
	bool more;
	size_t i;

	for (i = 0; i < QUERIES_MAX && running == NULL; i++) {
		audit->turn = (audit->turn + 1) % QUERIES_MAX;
		if (audit->queries[audit->turn].query != NULL)
			running = &audit->queries[audit->turn];
	}
	if (running != NULL)
		query_works(audit, running);
	if (audit->indexing)
		audit->indexing = !index_step(audit->index, INDEX_STEP_US);
	more = audit_export_work(audit);
	more = audit_verify_work(audit) || more;
	if (!more && running == NULL && !audit->indexing)
		uv_idle_stop(idle);
}

void
audit_work_start(struct audit *audit)
{
	uv_idle_start(&audit->work, work);
}

static void
queries_drop(struct audit *audit)
{
	size_t i;

	for (i = 0; i < QUERIES_MAX; i++) {
		record_query_free(audit->queries[i].query);
		audit->queries[i].query = NULL;
	}
}

/* What was summed so far. */
static void
sources_flush(struct audit *audit)
{
	words_reader_flush(audit->words);
	login_failures_flush(audit->failures);
}

static void
handle_query(struct audit *audit, struct ipc_msg *message)
{
	struct running_query *free_place = NULL;
	const char *text;
	size_t i, len;

	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == -1) {
		audit_answer(audit, message->id, EINVAL, "Malformed query");
		return;
	}
	for (i = 0; i < QUERIES_MAX; i++)
		if (audit->queries[i].query == NULL)
			free_place = &audit->queries[i];
	if (free_place == NULL) {
		audit_answer(audit, message->id, EBUSY,
		    "Too many audit queries at a time");
		return;
	}
	/* Who looks often finds sums soon. */
	sources_flush(audit);
	/* A record whose call was answered is found: it is committed. */
	free_place->id = message->id;
	free_place->query = record_query_new(audit->store, text, len);
	record_query_use(free_place->query, audit->index);
	audit_work_start(audit);
}

static int
expect_probe(struct audit *audit, const json_t *data, json_t **answerp)
{
	const char *token = json_str(data, "token", "");

	if (!uuid_shaped(token, strlen(token)))
		return EINVAL;
	words_expect(audit->words, token);
	*answerp = json_object();
	return 0;
}

static void
core_message(struct ipc *ipc, struct ipc_msg *message, void *arg)
{
	struct audit *audit = arg;

	(void)ipc;
	switch (message->type) {
	case MSG_AUDIT_APPEND:
		handle_append(audit, message);
		break;
	case MSG_AUDIT_QUERY:
		handle_query(audit, message);
		break;
	case MSG_AUDIT_EXPORT:
		audit_export_message(audit, message);
		break;
	case MSG_AUDIT_ABORT:
		audit_abort_message(audit, message);
		break;
	case MSG_AUDIT_REPORT:
		audit_report_message(audit, message);
		break;
	case MSG_AUDIT_LIMITS:
		audit_limits_message(audit, message);
		break;
	case MSG_AUDIT_STATE:
		audit_state_message(audit, message);
		break;
	case MSG_AUDIT_PRUNE:
		audit_prune_message(audit, message);
		break;
	case MSG_AUDIT_HEAD:
		audit_head_message(audit, message);
		break;
	case MSG_AUDIT_PROBE:
		audit_answer_asked(audit, message, expect_probe);
		break;
	case MSG_AUDIT_CONSOLE:
		audit_console_message(audit, message);
		break;
	case MSG_AUDIT_REIDENTIFY:
		audit_reidentify_message(audit, message);
		break;
	case MSG_AUDIT_VERIFY:
		audit_verify_message(audit, message);
		break;
	default:
		log_warn("audit.message", "core sent %s",
		    message_info(message->type)->name);
	}
}

/* What core was still waiting for, it asks for again when it is back. */
static void
core_stop(struct audit *audit)
{
	ipc_free(audit->core);
	audit->core = NULL;
	audit->waiting_count = 0;
	console_forget(audit->console);
	queries_drop(audit);
	audit_export_drop(audit);
	audit_verify_drop(audit);
}

static void
core_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct audit *audit = arg;

	(void)ipc;
	if (reason != NULL)
		log_warn("audit.peer", "core: %s", reason);
	core_stop(audit);
}

static void
core_start(struct audit *audit, int fd)
{
	static const struct ipc_callbacks callbacks = { core_message,
		core_closed };

	core_stop(audit);
	audit->core =
	    ipc_new(&audit->loop, fd, ROLE_AUDIT, ROLE_CORE, &callbacks, audit);
}

/* Its role is started only where there is one to be read. */
static void
journal_start(struct audit *audit, int fd)
{
	if (audit->journal == NULL)
		audit->journal = journal_reader_new(audit, &audit->loop);
	journal_reader_peer(audit->journal, fd);
}

static void
monitor_message(struct ipc *ipc, struct ipc_msg *message, void *arg)
{
	struct audit *audit = arg;
	uint8_t role;

	(void)ipc;
	switch (message->type) {
	case MSG_PEER:
		role = wire_get_u8(&message->body);
		if (wire_end(&message->body) == -1 || message->nfds != 1)
			fatal("malformed PEER from the monitor");
		if (role == ROLE_CORE) {
			core_start(audit, message->fds[0]);
			message->fds[0] = -1; /* transferred */
		} else if (role == ROLE_JOURNAL) {
			journal_start(audit, message->fds[0]);
			message->fds[0] = -1; /* transferred */
		}
		break;
	case MSG_KERNEL_LOST:
		kernel_reader_lost(audit->kernel, wire_get_u32(&message->body));
		break;
	case MSG_STOP:
		uv_stop(&audit->loop);
		break;
	default:
		log_warn("audit.message", "the monitor sent %s",
		    message_info(message->type)->name);
	}
}

static void
monitor_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct audit *audit = arg;

	(void)ipc;
	if (reason != NULL)
		log_error("audit.peer", "monitor: %s", reason);
	audit->exit_code = 1;
	uv_stop(&audit->loop);
}

static void
monitor_start(struct audit *audit)
{
	static const struct ipc_callbacks callbacks = { monitor_message,
		monitor_closed };
	struct wire_out body = { 0 };

	audit->monitor = ipc_new(&audit->loop, STARTUP_FD, ROLE_AUDIT,
	    ROLE_MONITOR, &callbacks, audit);
	wire_put_str(&body, "");
	(void)ipc_send(audit->monitor, MSG_READY, 0, &body, NULL, 0);
	wire_free(&body);
}

static int
loop_start(struct audit *audit)
{
	int error;

	if ((error = uv_loop_init(&audit->loop)) != 0) {
		log_error("audit.start", "event loop: %s", uv_strerror(error));
		return -1;
	}
	uv_check_init(&audit->loop, &audit->commit);
	uv_idle_init(&audit->loop, &audit->work);
	uv_timer_init(&audit->loop, &audit->head);
	uv_timer_init(&audit->loop, &audit->index_due);
	audit->commit.data = audit->work.data = audit;
	audit->head.data = audit->index_due.data = audit;
	uv_check_start(&audit->commit, turn_ended);
	return 0;
}

/* Which machine, and which folder of it: a copy of it is another one. */
static void
know_place(int dirfd, char place[PLACE_MAX])
{
	char *machine = NULL;
	struct stat st = { 0 };
	size_t len;

	if (file_read_at(
		AT_FDCWD, PATH_MACHINE, PLACE_MAX / 2, &machine, &len) == 0)
		machine[strcspn(machine, "\n")] = '\0';
	(void)fstat(dirfd, &st);
	(void)snprintf(place, PLACE_MAX, "%s %llu\n",
	    machine != NULL ? machine : "", (unsigned long long)st.st_ino);
	free(machine);
}

static int
tree_start(struct audit *audit, int dirfd, const char *place)
{
	audit->tree = tree_open(dirfd, audit->store, place);
	if (audit->tree == NULL) {
		log_error("audit.start",
		    "The proof of the audit log can not be opened: %s",
		    strerror(errno));
		return -1;
	}
	if (tree_why(audit->tree)[0] != '\0')
		log_warn("audit.log",
		    "The audit log goes on as another one, since: %s",
		    tree_why(audit->tree));
	if (tree_unsigned(audit->tree) > 0)
		audit_sign(audit);
	return 0;
}

/* Which start of the machine this is; where that is not said, a new one. */
static void
know_boot(char boot[PLACE_MAX])
{
	char *text = NULL;
	size_t len;

	if (file_read_at(AT_FDCWD, PATH_BOOT, PLACE_MAX - 1, &text, &len) == 0)
		text[strcspn(text, "\n")] = '\0';
	if (text != NULL && text[0] != '\0')
		(void)snprintf(boot, PLACE_MAX, "%s", text);
	else
		(void)snprintf(
		    boot, PLACE_MAX, "at %lld", (long long)time(NULL));
	free(text);
}

static void
index_start(struct audit *audit, int dirfd, const char *boot)
{
	const struct tree_head *last = heads_last(tree_heads(audit->tree));

	audit->index = index_open(PATH_AUDIT, dirfd, audit->store,
	    last != NULL ? last->log : "", boot);
	audit->indexing = true;
	audit_work_start(audit);
}

static int
store_start(struct audit *audit, int dirfd)
{
	size_t torn;

	if ((audit->store = segments_open(dirfd, &torn)) == NULL) {
		log_error("audit.start", "The audit log can not be opened: %s",
		    strerror(errno));
		return -1;
	}
	if (torn > 0)
		log_warn("audit.torn",
		    "A last line of %zu bytes, never acknowledged, was cut off",
		    torn);
	return 0;
}

static void
root_spoke(pid_t pid, void *arg)
{
	struct audit *audit = arg;

	kernel_reader_process(audit->kernel, pid);
}

static bool
syslog_start(struct audit *audit, int fd)
{
	audit->syslog = syslog_reader_new(&audit->loop, fd, audit->words);
	if (audit->syslog == NULL)
		return false;
	syslog_reader_watch(audit->syslog, root_spoke, audit);
	syslog_reader_show(audit->syslog, audit->console);
	return true;
}

static bool
kernel_start(struct audit *audit, int fd, bool machine, const char *boot)
{
	struct kernel_place place = { .fd = fd,
		.machine = machine,
		.dirfd = audit->dirfd,
		.etc_fd = audit->etc_fd,
		.boot = boot };

	audit->kernel = kernel_reader_new(&audit->loop, audit->sources, &place);
	return audit->kernel != NULL;
}

/* What programs tell; without /dev/log (systemd has it), less. */
static void
listen_start(
    struct audit *audit, const struct listener *listener, const char *boot)
{
	const char *address = listener->address;
	bool machine = strcmp(address, KERNEL_OF_MACHINE) == 0, started = true;

	if (strcmp(address, "/dev/log") == 0)
		started = syslog_start(audit, listener->fd);
	else if (strcmp(address, FACT_SOCKET) == 0) {
		audit->facts = fact_reader_new(&audit->loop, listener->fd,
		    audit->sources, audit->failures, audit->words);
		started = audit->facts != NULL;
	} else if (machine || strcmp(address, KERNEL_OF_INSTANCE) == 0)
		started = kernel_start(audit, listener->fd, machine, boot);
	else
		close(listener->fd);
	if (!started)
		log_error("audit.source", "%s: %s", address, strerror(errno));
}

static void
sources_start(
    struct audit *audit, const struct startup *startup, const char *boot)
{
	size_t i;

	audit->sources = sources_new(audit, &audit->loop);
	audit->failures = login_failures_new(&audit->loop, audit->sources);
	audit->words =
	    words_reader_new(&audit->loop, audit->sources, audit->failures);
	for (i = 0; i < startup->nlisteners; i++)
		listen_start(audit, &startup->listeners[i], boot);
}

/* What they know is in the batch. */
static void
sources_end(struct audit *audit)
{
	kernel_reader_stop(audit->kernel);
	if (audit->facts != NULL)
		fact_reader_stop(audit->facts);
	sources_flush(audit);
	sources_stop(audit->sources);
}

static void
audit_stop(struct audit *audit)
{
	sources_end(audit);
	audit_commit(audit);
	journal_reader_stop(audit->journal);
	if (tree_unsigned(audit->tree) > 0)
		audit_sign(audit);
	core_stop(audit);
	reserve_close(&audit->spare);
	index_close(audit->index);
	tree_close(audit->tree);
	segments_close(audit->store);
	/* From here on the monitor kills. */
	ipc_free(audit->monitor);
	journal_reader_free(audit->journal);
	syslog_reader_free(audit->syslog);
	console_free(audit->console);
	fact_reader_free(audit->facts);
	words_reader_free(audit->words);
	login_failures_free(audit->failures);
	kernel_reader_free(audit->kernel);
	sources_free(audit->sources);
	free(audit->waiting);
	uv_close((uv_handle_t *)&audit->commit, NULL);
	uv_close((uv_handle_t *)&audit->work, NULL);
	uv_close((uv_handle_t *)&audit->head, NULL);
	uv_close((uv_handle_t *)&audit->index_due, NULL);
	uv_run(&audit->loop, UV_RUN_NOWAIT); /* the handles' last callbacks */
	(void)uv_loop_close(&audit->loop);
}

/* The kernel's records need the names of users and groups; nothing else. */
static int
open_etc(const struct startup *startup)
{
	static const char kernel[] = "kernel";
	size_t i;

	for (i = 0; i < startup->nlisteners; i++)
		if (strncmp(startup->listeners[i].address, kernel,
			strlen(kernel)) == 0)
			return open(
			    PATH_ETC, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return -1;
}

int
audit_main(void)
{
	struct sandbox_path paths[3];
	struct startup startup;
	struct audit audit;
	char place[PLACE_MAX], boot[PLACE_MAX];
	int dirfd;

	json_secure();
	memset(&audit, 0, sizeof(audit));
	audit.head_records = HEAD_RECORDS;
	audit.head_seconds = HEAD_SECONDS;
	startup_receive(ROLE_AUDIT, &startup);
	dirfd = open(PATH_AUDIT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd == -1) {
		log_error("audit.start", "%s: %s", PATH_AUDIT, strerror(errno));
		return 1;
	}
	audit.dirfd = dirfd;
	audit.etc_fd = open_etc(&startup);
	if (loop_start(&audit) == -1)
		return 1;
	know_place(dirfd, place);
	know_boot(boot);
	paths[0] = (struct sandbox_path){ .fd = dirfd, .writable = 1 };
	paths[1] = (struct sandbox_path){ .fd = audit.etc_fd };
	paths[2] = (struct sandbox_path){ .fd = -1 };
	sandbox_enter(ROLE_AUDIT, paths, SANDBOX_NO_NETWORK);

	if (store_start(&audit, dirfd) == -1)
		return 1;
	audit_spare_open(&audit);
	if (tree_start(&audit, dirfd, place) == -1)
		return 1;
	index_start(&audit, dirfd, boot);
	audit_console_start(&audit);
	sources_start(&audit, &startup, boot);
	if (startup.peer_fds[ROLE_CORE] != -1)
		core_start(&audit, startup.peer_fds[ROLE_CORE]);
	if (startup.peer_fds[ROLE_JOURNAL] != -1)
		journal_start(&audit, startup.peer_fds[ROLE_JOURNAL]);
	startup_free(&startup);
	monitor_start(&audit);
	uv_run(&audit.loop, UV_RUN_DEFAULT);
	audit_stop(&audit);
	return audit.exit_code;
}
