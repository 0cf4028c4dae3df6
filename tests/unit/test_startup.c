/*
 * The set-up of a role, with us as its monitor.
 */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/ipc.h"
#include "lib/startup.h"
#include "lib/xalloc.h"

static char word[][16] = { "host", "cpu", "boot", "id", "Europe/Berlin",
	"maker", "product", "1.0", "serial", "127.0.0.1", "a\nb", "machine",
	"own" };

static const struct facts sample = { .hostname = word[0],
	.cpu_model = word[1],
	.memory = 1ULL << 40,
	.cores = 8,
	.physical_cores = 4,
	.boot_time = -1,
	.boot_clock = 77,
	.boot_id = word[2],
	.host_id = word[3],
	.timezone = word[4],
	.manufacturer = word[5],
	.product = word[6],
	.product_version = word[7],
	.serial = word[8],
	.machine_boot = word[11],
	.fips_module = true,
	.import = true,
	.instance = true,
	.listen_address = word[9],
	.ssh_port = 2222,
	.certificate = word[12],
	.missing = word[10] };

static bool
same(const struct facts *a, const struct facts *b)
{
	return strcmp(a->hostname, b->hostname) == 0 &&
	    strcmp(a->cpu_model, b->cpu_model) == 0 && a->memory == b->memory &&
	    a->cores == b->cores && a->physical_cores == b->physical_cores &&
	    a->boot_time == b->boot_time && a->boot_clock == b->boot_clock &&
	    strcmp(a->boot_id, b->boot_id) == 0 &&
	    strcmp(a->host_id, b->host_id) == 0 &&
	    strcmp(a->timezone, b->timezone) == 0 &&
	    strcmp(a->manufacturer, b->manufacturer) == 0 &&
	    strcmp(a->product, b->product) == 0 &&
	    strcmp(a->product_version, b->product_version) == 0 &&
	    strcmp(a->serial, b->serial) == 0 && a->instance == b->instance &&
	    strcmp(a->machine_boot, b->machine_boot) == 0 &&
	    a->fips_module == b->fips_module && a->import == b->import &&
	    a->expose == b->expose &&
	    strcmp(a->listen_address, b->listen_address) == 0 &&
	    a->ssh_port == b->ssh_port && strcmp(a->missing, b->missing) == 0 &&
	    strcmp(a->certificate, b->certificate) == 0;
}

static void
test_facts(void **state)
{
	struct wire_out out = { 0 };
	struct wire_in in;
	struct facts facts;
	size_t cut;

	(void)state;
	facts_put(&out, &sample);
	wire_in_init(&in, out.data, out.len);
	assert_int_equal(facts_get(&in, &facts), 0);
	assert_true(same(&facts, &sample));
	facts_free(&facts);
	for (cut = 0; cut < out.len; cut++) {
		wire_in_init(&in, out.data, cut);
		assert_int_equal(facts_get(&in, &facts), -1);
		facts_free(&facts);
	}
	wire_free(&out);
}

static void
test_build(void **state)
{
	const char *build = startup_build(), *id;

	(void)state;
	assert_ptr_equal(build, startup_build());
	assert_int_equal(
	    strncmp(build, HF_VERSION "+", strlen(HF_VERSION) + 1), 0);
	id = build + strlen(HF_VERSION) + 1;
	assert_true(strlen(id) >= 16);
	assert_int_equal(strspn(id, "0123456789abcdef-"), strlen(id));
}

/* The role: what it got must be what the monitor below sends. */
static int
role_main(void)
{
	struct startup s;
	char byte;

	startup_receive(ROLE_WEB, &s);
	if (s.peer_fds[ROLE_CORE] == -1 || s.peer_fds[ROLE_AUDIT] != -1 ||
	    fcntl(s.peer_fds[ROLE_CORE], F_GETFD) != FD_CLOEXEC)
		return 10;
	if (read(s.peer_fds[ROLE_CORE], &byte, 1) != 1 || byte != '2')
		return 11;
	if (s.nlisteners != 2 || strcmp(s.listeners[1].address, "b:2") != 0 ||
	    fcntl(s.listeners[0].fd, F_GETFD) == -1)
		return 12;
	if (strcmp(s.certificate, "cert") != 0 || strcmp(s.key, "key") != 0)
		return 13;
	if (strcmp(s.boot_id, "boot") != 0)
		return 15;
	if (fcntl(s.page_fd, F_GETFD) != FD_CLOEXEC)
		return 16;
	startup_free(&s);
	if (s.key != NULL || s.listeners != NULL)
		return 14;
	return 0;
}

static pid_t
start_role(int *channel)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(ipc_pair(fds), 0);
	if ((pid = fork()) == 0) {
		alarm(30);
		close(fds[0]);
		close(2);
		dup2(fds[1], STARTUP_FD);
		_exit(role_main());
	}
	close(fds[1]);
	*channel = fds[0];
	return pid;
}

static void
expect_hello(int channel)
{
	struct ipc_msg msg;
	void *body;
	char *build;

	assert_int_equal(
	    ipc_recv_blocking(channel, ROLE_MONITOR, ROLE_WEB, &msg, &body), 0);
	assert_int_equal(msg.type, MSG_HELLO);
	assert_int_equal(wire_get_u32(&msg.body), MESSAGE_PROTOCOL);
	build = wire_get_str(&msg.body, 200);
	assert_int_equal(wire_end(&msg.body), 0);
	assert_string_equal(build, startup_build());
	free(build);
	free(body);
}

static void
say(int channel, enum message_type type, struct wire_out *out, const int *fd)
{
	assert_int_equal(ipc_send_blocking(channel, ROLE_MONITOR, ROLE_WEB,
			     type, 0, out, fd, fd != NULL),
	    0);
	if (out != NULL)
		wire_free(out);
}

static int
ends_with(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
say_peer(int channel, const char *text)
{
	struct wire_out out = { 0 };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, 1), 1);
	wire_put_u8(&out, ROLE_CORE);
	say(channel, MSG_PEER, &out, fds);
	close(fds[0]);
	close(fds[1]);
}

static void
test_receive(void **state)
{
	struct wire_out out = { 0 };
	int channel, fd = open("/dev/null", O_RDONLY);
	pid_t pid = start_role(&channel);

	(void)state;
	expect_hello(channel);
	say_peer(channel, "1");
	/* That peer was restarted meanwhile: the second counts. */
	say_peer(channel, "2");
	wire_put_str(&out, "a:1");
	say(channel, MSG_LISTEN, &out, &fd);
	wire_put_str(&out, "b:2");
	say(channel, MSG_LISTEN, &out, &fd);
	wire_put_str(&out, "cert");
	wire_put_str(&out, "key");
	say(channel, MSG_TLS, &out, NULL);
	wire_put_str(&out, "boot");
	say(channel, MSG_BOOT, &out, NULL);
	say(channel, MSG_PAGE, NULL, &fd);
	say(channel, MSG_START, NULL, NULL);
	assert_int_equal(ends_with(pid), 0);
	close(channel);
	close(fd);
}

static void
test_stop(void **state)
{
	int channel;
	pid_t pid = start_role(&channel);

	(void)state;
	expect_hello(channel);
	say(channel, MSG_STOP, NULL, NULL);
	assert_int_equal(ends_with(pid), 0);
	close(channel);
}

static void
test_monitor_gone(void **state)
{
	int channel;
	pid_t pid = start_role(&channel);

	(void)state;
	expect_hello(channel);
	close(channel);
	assert_int_equal(ends_with(pid), 1);
}

/* A role that is none, a body with too much: our bug, the role ends. */
static void
test_malformed(void **state)
{
	struct wire_out out = { 0 };
	int channel, fd = open("/dev/null", O_RDONLY);
	pid_t pid = start_role(&channel);

	(void)state;
	expect_hello(channel);
	wire_put_u8(&out, ROLE_COUNT);
	say(channel, MSG_PEER, &out, &fd);
	assert_int_equal(ends_with(pid), 1);
	close(channel);

	pid = start_role(&channel);
	expect_hello(channel);
	wire_put_str(&out, "cert");
	wire_put_str(&out, "key");
	wire_put_u8(&out, 0);
	say(channel, MSG_TLS, &out, NULL);
	assert_int_equal(ends_with(pid), 1);
	close(channel);
	close(fd);
}

static void
test_no_channel(void **state)
{
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		close(2);
		close(STARTUP_FD);
		_exit(role_main());
	}
	assert_int_equal(ends_with(pid), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_monitor_gone),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_no_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
