/*
 * The core role: its start, its channels, its loop.
 */
#include "core/core.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "core/access.h"
#include "core/account.h"
#include "core/account_end.h"
#include "core/alert.h"
#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/change.h"
#include "core/clock.h"
#include "core/confirm.h"
#include "core/connection.h"
#include "core/disk.h"
#include "core/job.h"
#include "core/op_internal.h"
#include "core/page_certificate.h"
#include "core/reboot.h"
#include "core/request.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "core/sealed.h"
#include "core/second_factor.h"
#include "core/serial.h"
#include "core/sessions.h"
#include "core/setup_code.h"
#include "core/shell.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/sandbox.h"
#include "lib/xalloc.h"
#include "roles.h"

#define ROOM_MS 2000 /* between looks at a full disk */

static struct {
	uv_loop_t loop;
	struct startup startup;
	struct ipc *peers[ROLE_COUNT];
	struct store *store;
	char *refused;
	json_t *problems; /* key: text */
	bool ready;
	bool stopping;
} core;

uv_loop_t *
core_loop(void)
{
	return &core.loop;
}

const struct facts *
core_facts(void)
{
	return &core.startup.facts;
}

struct store *
core_store(void)
{
	return core.store;
}

const char *
core_store_refused(void)
{
	return core.refused;
}

bool
core_ready(void)
{
	return core.ready;
}

bool
core_stopping(void)
{
	return core.stopping;
}

struct ipc *
core_peer(enum role role)
{
	return core.peers[role];
}

void
core_problem(const char *key, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	json_object_set_new(core.problems, key, json_string(text));
	free(text);
}

void
core_problem_clear(const char *key)
{
	json_object_del(core.problems, key);
}

json_t *
core_problems(void)
{
	json_t *list = json_array(), *text;
	const char *key;

	json_object_foreach(core.problems, key, text)
		json_array_append(list, text);
	return list;
}

struct later {
	uv_timer_t timer;
	void (*run)(void *);
	void *arg;
};

static void
later_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void
later_fired(uv_timer_t *timer)
{
	struct later *l = timer->data;

	l->run(l->arg);
	uv_close((uv_handle_t *)timer, later_closed);
}

void
core_after(unsigned int milliseconds, void (*run)(void *), void *arg)
{
	struct later *l = xcalloc(1, sizeof(*l));

	l->run = run;
	l->arg = arg;
	l->timer.data = l;
	uv_timer_init(&core.loop, &l->timer);
	uv_timer_start(&l->timer, later_fired, milliseconds, 0);
}

static void
randomness(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		fatal("getrandom: %s", strerror(errno));
}

uint32_t
core_random(uint32_t bound)
{
	uint32_t r, least = -bound % bound;

	do {
		randomness(&r, sizeof(r));
	} while (r < least);
	return r % bound;
}

static void peer_attach(enum role, int fd);

static void
orderly_stop(void *arg)
{
	(void)arg;
	audit_failures_flush();
	/* What is on its way through the pipeline gets some time to end. */
	if (serial_busy() || audit_waiting() > 0) {
		core_after(20, orderly_stop, NULL);
		return;
	}
	jobs_close();
	store_close(core.store);
	/* The answers of this turn still go out. */
	ipc_free(core.peers[ROLE_WEB]);
	ipc_free(core.peers[ROLE_LOCAL]);
	_exit(0);
}

void
core_service_changed(enum service_id service)
{
	const struct resource *const *r;

	for (r = resources; *r != NULL; r++)
		if ((*r)->service_changed != NULL)
			(*r)->service_changed(service);
}

static void
service_changed(struct ipc_msg *msg)
{
	uint32_t service = wire_get_u32(&msg->body);

	if (wire_end(&msg->body) == -1 || service >= (uint32_t)service_count)
		fatal("SERVICE_CHANGED of the monitor is malformed");
	core_service_changed((enum service_id)service);
}

static void
interfaces_changed(void)
{
	const struct resource *const *r;

	for (r = resources; *r != NULL; r++)
		if ((*r)->interfaces_changed != NULL)
			(*r)->interfaces_changed();
}

void
core_restart(void)
{
	core.stopping = true;
	core_after(0, orderly_stop, NULL);
}

static void
monitor_message(struct ipc_msg *msg)
{
	uint8_t role;

	switch (msg->type) {
	case MSG_OP_DONE:
		op_answered(msg);
		break;
	case MSG_HELD_OVER:
		confirm_over(msg);
		break;
	case MSG_SERVICE_CHANGED:
		service_changed(msg);
		break;
	case MSG_INTERFACES_CHANGED:
		interfaces_changed();
		break;
	case MSG_TERMINAL_OVER:
		shell_over(msg);
		break;
	case MSG_PEER:
		role = wire_get_u8(&msg->body);
		if (wire_end(&msg->body) == -1 || role >= ROLE_COUNT ||
		    msg->nfds != 1)
			fatal("PEER of the monitor is malformed");
		peer_attach(role, msg->fds[0]);
		msg->fds[0] = -1;
		break;
	case MSG_STOP:
		if (core.stopping)
			break;
		core.stopping = true;
		orderly_stop(NULL);
		break;
	default:
		fatal("the monitor sent message %u", msg->type);
	}
}

static void
peer_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	(void)arg;
	switch (ipc_peer(ipc)) {
	case ROLE_MONITOR:
		monitor_message(msg);
		break;
	case ROLE_AUDIT:
		audit_message(msg);
		break;
	default:
		if (msg->type == MSG_CERTIFICATE_USED)
			page_certificate_message(msg);
		else if (!core.stopping)
			connection_message(ipc, msg);
	}
}

static void
peer_detach(enum role role)
{
	ipc_free(core.peers[role]);
	core.peers[role] = NULL;
	if (role == ROLE_AUDIT)
		audit_disconnected();
	else
		connection_front_gone(role);
	if (role == ROLE_WEB)
		page_certificate_gone();
}

static void
peer_closed(struct ipc *ipc, const char *reason, void *arg)
{
	enum role role = ipc_peer(ipc);

	(void)arg;
	if (role == ROLE_MONITOR)
		_exit(1);
	log_warn("peer.closed", "%s: %s", role_info(role)->name,
	    reason != NULL ? reason : "gone");
	peer_detach(role);
}

/* clang-format off */
static const struct ipc_callbacks peer_callbacks = {
	.message = peer_message, .closed = peer_closed
};
/* clang-format on */

static void
peer_attach(enum role role, int fd)
{
	if (core.peers[role] != NULL)
		peer_detach(role);
	core.peers[role] =
	    ipc_new(&core.loop, fd, ROLE_CORE, role, &peer_callbacks, NULL);
	if (role == ROLE_WEB || role == ROLE_LOCAL)
		ipc_gather(core.peers[role]);
	if (role == ROLE_WEB) {
		page_certificate_connected(core.peers[role]);
		access_connected(core.peers[role]);
	}
	if (role == ROLE_AUDIT)
		audit_connected(core.peers[role]);
}

static void
serve(void)
{
	struct wire_out out = { 0 };
	char *code = setup_code();
	enum role role;

	core.ready = true;
	ssh_list_begin();
	second_factor_serve(core.startup.listeners[0].fd);
	clock_start(&core.loop);
	sessions_watch();
	disk_watch();
	account_end_resume();
	for (role = 0; role < ROLE_COUNT; role++)
		if ((role == ROLE_WEB || role == ROLE_LOCAL) &&
		    core.startup.peer_fds[role] != -1)
			peer_attach(role, core.startup.peer_fds[role]);
	wire_put_str(&out, code);
	ipc_send(core.peers[ROLE_MONITOR], MSG_READY, 0, &out, NULL, 0);
	wire_free(&out);
	freezero_str(code);
}

/* Refused for want of room: with room it is opened as at any start. */
static void
wait_for_room(void *arg)
{
	(void)arg;
	if (disk_full())
		core_after(ROOM_MS, wait_for_room, NULL);
	else
		core_restart();
}

static void
requests(void)
{
	request_carry_out(serve);
}

/*
 * Without its store an instance goes on with what was rendered last; a new
 * one has nothing to go on with, and its start fails.
 */
static void
open_store(void)
{
	bool existed = store_exists(PATH_STATE);

	core.store = store_open(PATH_STATE, &sealed_form, &core.refused);
	while (core.store == NULL && existed && disk_full() && disk_draw()) {
		free(core.refused);
		core.store =
		    store_open(PATH_STATE, &sealed_form, &core.refused);
	}
	if (core.store != NULL && resource_initialise() == 0) {
		scheduler_start(core.store, core.startup.facts.boot_id);
		alert_start(core.store);
		reboot_start(core.store, core.startup.facts.boot_id);
		return;
	}
	if (core.store != NULL) {
		core.refused =
		    xasprintf("The configuration store cannot be written: %s",
			strerror(errno));
		store_close(core.store);
		core.store = NULL;
	}
	if (!existed) {
		store_remove(PATH_STATE);
		fatal("%s", core.refused);
	}
	log_error("store.refused", "%s", core.refused);
	scheduler_start(NULL, core.startup.facts.boot_id);
	alert_start(NULL);
	reboot_start(NULL, core.startup.facts.boot_id);
	alert_raise("ConfigurationStoreRefused", NULL,
	    json_pack("{s:s}", "reason", core.refused));
	if (disk_full())
		core_after(ROOM_MS, wait_for_room, NULL);
}

static void
check_tables(void)
{
	json_t *faults = resource_lint(), *text;
	size_t i;

	json_array_foreach(faults, i, text)
		log_error("tables.fault", "%s", json_string_value(text));
	if (json_array_size(faults) > 0)
		fatal("the tables have faults");
	json_decref(faults);
}

int
core_main(void)
{
	struct sandbox_path paths[2] = { { .writable = 1 }, { .fd = -1 } };

	json_secure();
	signal(SIGPIPE, SIG_IGN);
	core.problems = json_object();
	check_tables();
	startup_receive(ROLE_CORE, &core.startup);
	if (core.startup.nlisteners != 1)
		fatal("LISTEN of the monitor is missing");
	if (uv_loop_init(&core.loop) != 0)
		fatal("uv_loop_init failed");
	paths[0].fd = open(PATH_STATE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (paths[0].fd == -1)
		fatal("%s: %s", PATH_STATE, strerror(errno));
	tzset(); /* local time, for what is scheduled */
	sandbox_enter(ROLE_CORE, paths, SANDBOX_NO_NETWORK);
	close(paths[0].fd);
	open_store();
	jobs_open(PATH_STATE);
	peer_attach(ROLE_MONITOR, STARTUP_FD);
	if (core.startup.peer_fds[ROLE_AUDIT] != -1)
		peer_attach(ROLE_AUDIT, core.startup.peer_fds[ROLE_AUDIT]);
	change_recover(requests);
	uv_run(&core.loop, UV_RUN_DEFAULT);
	return 1;
}
