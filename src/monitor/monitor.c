/*
 * The monitor: root's part.  Sets an instance up, starts the roles, carries
 * out the operations of its table, and ends everything at the stop.
 */
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>
#include <uv.h>

#include "lib/fact.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/second_factor.h"
#include "lib/xalloc.h"
#include "monitor/bus.h"
#include "monitor/child.h"
#include "monitor/doors.h"
#include "monitor/firststart.h"
#include "monitor/folder.h"
#include "monitor/held.h"
#include "monitor/hooks.h"
#include "monitor/interfaces.h"
#include "monitor/kernel_audit.h"
#include "monitor/leftovers.h"
#include "monitor/listen.h"
#include "monitor/logfile.h"
#include "monitor/machine.h"
#include "monitor/manager.h"
#include "monitor/monitor.h"
#include "monitor/op_worker.h"
#include "monitor/operations.h"
#include "monitor/packaged.h"
#include "monitor/page.h"
#include "monitor/processes.h"
#include "monitor/supervisor.h"
#include "monitor/systemd.h"
#include "monitor/terminal.h"
#include "monitor/tls.h"
#include "roles.h"
#include "services/ssh/ssh_pam.h"

#define READY_MS 60000
#define SYSTEMD_MS 5000 /* at the start: to be found */
#define VERB_SECONDS 100 /* systemd itself gives up after 90 */
#define PID_FILE "monitor.pid"
#define CODE_FILE "setup-code"
#define SOCKET_FILE "middlewared.sock"

/* clang-format off */
static struct {
	const struct monitor_options *options;
	struct folder folder;
	int state_fd;
	struct namespace_id own, host;
	struct listen_address listen;
	struct facts facts;
	struct processes_setup roles;
	uv_loop_t loop;
	uv_timer_t ready_timer;
	uv_signal_t signals[3];
	bool ready, stopping;
	uint32_t kernel_lost; /* told of */
	bool kernel_lost_known;
	int exit_code;
	char code[128]; /* printed at READY */
	char why[1024];
} monitor = {
	.folder = { .fd = -1, .lock_fd = -1 }, .state_fd = -1,
	.roles = { .exe_fd = -1, .listen_fd = -1, .socket_fd = -1,
	  .syslog_fd = -1, .kernel_fd = -1, .codes_fd = -1, .facts_fd = -1,
	  .page_fd = -1 }
};
/* clang-format on */

int
monitor_dir_fd(void)
{
	return monitor.folder.fd;
}

const struct namespace_id *
monitor_namespace(void)
{
	return &monitor.own;
}

const struct namespace_id *
monitor_host_namespace(void)
{
	return &monitor.host;
}

uint32_t
monitor_problems(struct wire_out *out)
{
	const char *const *warning = firststart_warnings();
	uint32_t n = 0;

	for (; *warning != NULL; warning++, n++)
		wire_put_str(out, *warning);
	return n + interfaces_problems(out);
}

static int __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(monitor.why, sizeof(monitor.why), fmt, ap);
	va_end(ap);
	return -1;
}

static int
own_namespace(struct namespace_id *id)
{
	int fd, rc;

	fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail("/proc/self: %s", strerror(errno));
	rc = instance_namespace(fd, id);
	close(fd);
	return rc == 0 ? 0 : fail("/proc/self/ns/mnt: %s", strerror(errno));
}

/* Before anything is made: what can be found out by looking. */
static int
check(const struct monitor_options *options)
{
	if (machine_check(monitor.why, sizeof(monitor.why)) == -1 ||
	    (options->instance == NULL &&
		packaged_check(monitor.why, sizeof(monitor.why)) == -1))
		return -1;
	if (listen_parse(options->listen, &monitor.listen) == -1)
		return fail("--listen %s: not ADDRESS:PORT", options->listen);
	monitor.roles.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (monitor.roles.exe_fd == -1)
		return fail("/proc/self/exe: %s", strerror(errno));
	monitor.roles.page_fd = page_open();
	if (monitor.roles.page_fd == -1)
		log_warn("start.page",
		    "the web interface: %s; the API is "
		    "served alone",
		    strerror(errno));
	return own_namespace(&monitor.host);
}

/* What an earlier run of an instance left; a machine is never searched. */
static int
end_leftovers(const char *path)
{
	int ended = leftovers_end(monitor.state_fd);

	if (ended == -1)
		return fail("processes of an earlier run of %s cannot be "
			    "ended: see `ps`, then try again",
		    path);
	if (ended > 0)
		log_warn("start.leftovers",
		    "%d processes of an earlier run were ended", ended);
	return 0;
}

/*
 * The kernel's audit: that of a machine, or of an instance that was told to.
 * What an instance left that was killed goes at any start.
 */
static void
kernel_audit(const struct monitor_options *options)
{
	bool instance = options->instance != NULL;

	kernel_audit_recover();
	if (instance && !options->kernel_audit)
		return;
	kernel_audit_permit(!instance);
	monitor.roles.kernel_fd = kernel_audit_socket();
}

/* The folder, still in the host's namespace. */
static int
open_folder(const struct monitor_options *options)
{
	bool instance = options->instance != NULL;
	const char *path = instance ? options->instance : PATH_PACKAGED;
	char *why = monitor.why;
	size_t size = sizeof(monitor.why);

	if (folder_open(path, &monitor.folder, why, size) == -1)
		return -1;
	if (folder_populate(&monitor.folder, instance, why, size) == -1)
		return -1;
	monitor.state_fd = openat(monitor.folder.fd, "state",
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (monitor.state_fd == -1 || logfile_open(monitor.folder.fd) == -1)
		return fail("%s: %s", path, strerror(errno));
	if (instance && end_leftovers(path) == -1)
		return -1;
	monitor.roles.listen_fd = listen_open(&monitor.listen, why, size);
	return monitor.roles.listen_fd == -1 ? -1 : 0;
}

/* Into the new namespace of an instance. */
static int
enter_instance(void)
{
	char *why = monitor.why;
	size_t size = sizeof(monitor.why);

	if (instance_unshare(why, size) == -1 ||
	    folder_reopen(&monitor.folder, why, size) == -1)
		return -1;
	return instance_mount(monitor.folder.fd, why, size);
}

/*
 * Whatever sshd runs already asks for second factors from now on.  Here and
 * nowhere else: what prepares a service also runs in tests.
 */
static int
ssh_pam(void)
{
	char *why = NULL;
	int rc = ssh_pam_install(&why);

	if (rc == -1)
		rc = fail("%s", why);
	free(why);
	return rc;
}

/* All that lies where the roles live. */
static int
furnish(bool instance)
{
	const char *const *warning;
	char *why = monitor.why;
	size_t size = sizeof(monitor.why);

	if (own_namespace(&monitor.own) == -1 ||
	    firststart(monitor.folder.fd, instance, monitor.options->import,
		why, size) == -1 ||
	    machine_facts(monitor.folder.fd, &monitor.facts, why, size) == -1)
		return -1;
	for (warning = firststart_warnings(); *warning != NULL; warning++)
		log_warn("start.accounts", "%s", *warning);
	if (tls_ensure(monitor.folder.fd, monitor.facts.hostname,
		monitor.listen.host, why, size) == -1)
		return -1;
	monitor.roles.codes_fd =
	    listen_for_root(SOCK_SEQPACKET, SECOND_FACTOR_SOCKET, why, size);
	monitor.roles.facts_fd =
	    listen_for_root(SOCK_DGRAM, FACT_SOCKET, why, size);
	if (monitor.roles.codes_fd == -1 || monitor.roles.facts_fd == -1 ||
	    ssh_pam() == -1 || hooks_install(why, size) == -1)
		return -1;
	monitor.roles.socket_fd = instance ?
	    instance_socket(monitor.folder.fd, why, size) :
	    packaged_socket(why, size);
	if (monitor.roles.socket_fd == -1 || !instance)
		return monitor.roles.socket_fd == -1 ? -1 : 0;
	monitor.roles.syslog_fd = instance_syslog(why, size);
	return monitor.roles.syslog_fd == -1 ? -1 : 0;
}

/* Ends what the roles and services may have left, and their sockets. */
static void
end_everything(void)
{
	bool instance = monitor.options->instance != NULL;

	logfile_drain();
	kernel_audit_release();
	if (instance && monitor.state_fd != -1 &&
	    leftovers_end(monitor.state_fd) == -1)
		log_error("stop.leftovers", "some processes did not end");
	if (monitor.folder.fd != -1) {
		unlinkat(monitor.folder.fd, PID_FILE, 0);
		unlinkat(monitor.folder.fd, SOCKET_FILE, 0);
	}
	if (!instance)
		unlink(PATH_SOCKET);
}

/* Of what the kernel lost, the audit role is told what is new. */
static void
on_kernel_lost(uint32_t lost)
{
	struct wire_out body = { 0 };
	uint32_t more = kernel_audit_more_lost(monitor.kernel_lost, lost);

	if (monitor.kernel_lost_known && more > 0) {
		wire_put_u32(&body, more);
		if (processes_send(
			ROLE_AUDIT, MSG_KERNEL_LOST, 0, &body, NULL, 0) == 0)
			monitor.kernel_lost = lost;
		wire_free(&body);
	} else {
		monitor.kernel_lost_known = true;
		monitor.kernel_lost = lost;
	}
}

static void
on_services_stopped(void)
{
	processes_stop();
}

static void
on_roles_stopped(void)
{
	uv_stop(&monitor.loop);
}

static void
stop(int exit_code)
{
	if (monitor.stopping)
		return;
	monitor.stopping = true;
	monitor.exit_code = exit_code;
	uv_timer_stop(&monitor.ready_timer);
	operations_stop();
	manager_stop(on_services_stopped);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	(void)handle;
	log_info("stop", "%s", strsignal(number));
	sd_notify(0, "STOPPING=1");
	stop(monitor.ready ? 0 : 1);
	if (!monitor.ready)
		fail("stopped by a signal before it served");
}

static void
on_failed(const char *why)
{
	fail("%s", why);
	stop(1);
}

static void
on_ready_overdue(uv_timer_t *timer)
{
	(void)timer;
	fail("not ready after %d s: see %s/log/holdfastd.log", READY_MS / 1000,
	    monitor.folder.path);
	stop(1);
}

/* Core's notice is the set-up code, as long as nobody is set up. */
static void
on_notice(const char *code)
{
	char text[128];

	snprintf(monitor.code, sizeof(monitor.code), "%s", code);
	if (code[0] == '\0') {
		unlinkat(monitor.folder.fd, CODE_FILE, 0);
		return;
	}
	if (strspn(code,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != strlen(code)) {
		log_error("setup.code", "core sent a malformed set-up code");
		return;
	}
	snprintf(text, sizeof(text), "%s\n", code);
	if (file_install(monitor.folder.fd, CODE_FILE, text, strlen(text), 0600,
		0, 0, NULL) == -1)
		log_error("setup.code", "%s: %s", CODE_FILE, strerror(errno));
}

/* Our pid and start time: `holdfast enter` finds the namespace by them. */
static int
write_pid_file(void)
{
	char text[64], *stat = NULL, *at;
	unsigned long long start;
	size_t len;
	int i, rc;

	if (file_read_at(AT_FDCWD, "/proc/self/stat", 4096, &stat, &len) == -1)
		return -1;
	/* Field 22; the name, field 2, may hold blanks: count behind it. */
	at = strrchr(stat, ')');
	for (i = 2; at != NULL && i < 22; i++)
		if ((at = strchr(at + 1, ' ')) == NULL)
			break;
	start = at == NULL ? 0 : strtoull(at, NULL, 10);
	free(stat);
	snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(), start);
	rc = file_install(
	    monitor.folder.fd, PID_FILE, text, strlen(text), 0600, 0, 0, NULL);
	return rc;
}

static void
on_ready(void)
{
	static const char word[] = "READY\n";
	int fd = monitor.options->ready_fd;

	uv_timer_stop(&monitor.ready_timer);
	if (write_pid_file() == -1) {
		fail("%s: %s", PID_FILE, strerror(errno));
		stop(1);
		return;
	}
	monitor.ready = true;
	log_info("ready", "serving on %s", monitor.options->listen);
	if (monitor.code[0] != '\0') {
		printf("setup code: %s\n", monitor.code);
		fflush(stdout);
	}
	explicit_bzero(monitor.code, sizeof(monitor.code));
	sd_notify(0, "READY=1");
	if (fd != -1) {
		if (file_write_all(fd, word, sizeof(word) - 1) == -1)
			log_warn("ready", "--ready-fd: %s", strerror(errno));
		close(fd);
	}
}

static void
watch_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction before;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uv_signal_init(&monitor.loop, &monitor.signals[i]);
		/* nohup(1) says what SIGHUP should do. */
		if (sigaction(numbers[i], NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		uv_signal_start(&monitor.signals[i], on_signal, numbers[i]);
	}
}

static void
on_waited(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/* Core asks for the state of services at once: it should be known by then. */
static void
find_systemd(void)
{
	bool waited = false;
	uv_timer_t timer;

	uv_timer_init(&monitor.loop, &timer);
	timer.data = &waited;
	uv_timer_start(&timer, on_waited, SYSTEMD_MS, 0);
	systemd_start(&monitor.loop, BUS_SYSTEM, VERB_SECONDS, &manager_events);
	while (!waited && !systemd_known())
		uv_run(&monitor.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&monitor.loop, UV_RUN_NOWAIT);
}

/* What core shows of it; the key is none of its business. */
static char *
own_certificate(void)
{
	char *certificate, *key;

	if (tls_read(monitor.folder.fd, &certificate, &key) == -1)
		return xstrdup("");
	freezero_str(key);
	return certificate;
}

static void
serve(void)
{
	const struct monitor_options *options = monitor.options;
	struct facts *facts = &monitor.facts;

	facts->instance = options->instance != NULL;
	facts->kernel_audit = kernel_audit_permitted();
	facts->import = options->import || !facts->instance;
	facts->expose = options->expose || !facts->instance;
	facts->ssh_port = options->ssh_port;
	facts->listen_address = xstrdup(monitor.listen.host);
	facts->web_listening = xstrdup(options->listen);
	facts->certificate = own_certificate();
	monitor.roles.loop = &monitor.loop;
	monitor.roles.dir_fd = monitor.folder.fd;
	doors_start(&monitor.listen, options->listen, monitor.roles.listen_fd);
	monitor.roles.facts = facts;
	monitor.roles.journal = options->journal || !facts->instance;
	monitor.roles.notice = on_notice;
	monitor.roles.ready = on_ready;
	monitor.roles.failed = on_failed;
	monitor.roles.stopped = on_roles_stopped;

	uv_loop_init(&monitor.loop);
	manager_start(facts->instance ? &supervisor_way : &systemd_way);
	if (facts->instance)
		supervisor_start(&monitor.loop, &manager_events);
	else
		find_systemd();
	watch_signals();
	children_watch(&monitor.loop);
	uv_timer_init(&monitor.loop, &monitor.ready_timer);
	uv_timer_start(&monitor.ready_timer, on_ready_overdue, READY_MS, 0);
	held_start(&monitor.loop);
	interfaces_watch(&monitor.loop);
	operations_start(&monitor.loop);
	op_worker_loop(&monitor.loop);
	terminals_start(&monitor.loop);
	processes_start(&monitor.roles);
	kernel_audit_watch(&monitor.loop, on_kernel_lost);
	uv_run(&monitor.loop, UV_RUN_DEFAULT);
	end_everything();
}

int
monitor_main(const struct monitor_options *options)
{
	monitor.options = options;
	monitor.exit_code = 1;
	umask(077);
	if (check(options) == -1 || open_folder(options) == -1)
		goto out;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1) {
		fail("prctl: %s", strerror(errno));
		goto out;
	}
	if ((options->instance != NULL ?
		    enter_instance() :
		    packaged_places(monitor.folder.fd, monitor.why,
			sizeof(monitor.why))) == -1 ||
	    furnish(options->instance != NULL) == -1) {
		end_everything();
		goto out;
	}
	manager_prepare();
	held_boot(options->instance != NULL, monitor.facts.machine_boot);
	kernel_audit(options);
	log_info("start", "holdfastd %s, pid %d", HF_VERSION, (int)getpid());
	serve();
	log_info("stopped", "exit code %d", monitor.exit_code);
out:
	if (monitor.exit_code != 0) {
		fprintf(stderr, "holdfastd: %s\n", monitor.why);
		if (!monitor.ready && monitor.folder.fd != -1)
			folder_undo(&monitor.folder);
	}
	facts_free(&monitor.facts);
	return monitor.exit_code;
}
