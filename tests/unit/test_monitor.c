/*
 * The monitor's small parsers: listen addresses, os-release, /proc/net/tcp,
 * log lines of the roles; whether a child runs its program; and removing a
 * tree without following links.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "monitor/child.h"
#include "monitor/folder.h"
#include "monitor/listen.h"
#include "monitor/listeners.h"
#include "monitor/logfile.h"
#include "monitor/machine.h"

static void
test_listen(void **state)
{
	static const char *const bad[] = { "", "8443", ":8443", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+80",
		"127.0.0.1: 80", "127.0.0.1:80x", "127.1:80", "localhost:80",
		"::1:80", "[::1]80", "[::1:80", "[]:80", "[127.0.0.1]:80",
		"127.0.0.1:000080", NULL };
	struct listen_address address;
	size_t i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++)
		assert_int_equal(listen_parse(bad[i], &address), -1);
	assert_int_equal(listen_parse("192.0.2.1:8443", &address), 0);
	assert_int_equal(address.sockaddr.ss_family, AF_INET);
	assert_int_equal(address.port, 8443);
	assert_string_equal(address.host, "192.0.2.1");
	assert_int_equal(listen_parse("[2001:db8::1]:1", &address), 0);
	assert_int_equal(address.sockaddr.ss_family, AF_INET6);
	assert_string_equal(address.host, "2001:db8::1");
	assert_int_equal(listen_parse("[::]:65535", &address), 0);
}

static void
test_release(void **state)
{
	(void)state;
	assert_true(machine_known("NAME=\"Debian\"\nVERSION_ID=\"12\"\n"
				  "ID=debian\n"));
	assert_true(machine_known("ID='debian'\nVERSION_ID=13"));
	assert_true(machine_known("ID=x\nID_LIKE=\"ubuntu debian\"\n"));
	assert_false(machine_known("ID=debian\nVERSION_ID=\"11\"\n"));
	assert_false(machine_known("ID=fedora\nVERSION_ID=12\n"));
	assert_false(machine_known("ID=x\nID_LIKE=\"debianish\"\n"));
	assert_false(machine_known("VARIANT_ID=debian\n"));
	assert_false(machine_known(""));
}

static void
test_listeners(void **state)
{
	struct listening entry;
	unsigned long inode;

	(void)state;
	assert_int_equal(listeners_parse("   0: 0100007F:20FB 00000000:0000 "
					 "0A 00000000:00000000 00:00000000 "
					 "00000000     0        0 12345 1 "
					 "0000000000000000 100 0 0 10 0\n",
			     AF_INET, &entry, &inode),
	    0);
	assert_string_equal(entry.address, "127.0.0.1");
	assert_int_equal(entry.port, 8443);
	assert_int_equal(inode, 12345);
	assert_int_equal(
	    listeners_parse("   1: 00000000000000000000000001000000"
			    ":0016 00000000000000000000000000000000:0000 0A "
			    "00000000:00000000 "
			    "00:00000000 00000000     0        0 77 1\n",
		AF_INET6, &entry, &inode),
	    0);
	assert_string_equal(entry.address, "::1");
	assert_int_equal(entry.port, 22);
	/* Established, and the headline. */
	assert_int_equal(listeners_parse("   0: 0100007F:20FB 0100007F:0001 "
					 "01 00000000:00000000 00:00000000 "
					 "00000000     0        0 12345 1",
			     AF_INET, &entry, &inode),
	    -1);
	assert_int_equal(listeners_parse("  sl  local_address rem_address   st",
			     AF_INET, &entry, &inode),
	    -1);
}

static bool
parses(const char *text)
{
	const char *level, *event, *message;
	char line[512];

	snprintf(line, sizeof(line), "%s", text);
	return logfile_parse(line, &level, &event, &message);
}

static void
test_log_lines(void **state)
{
	const char *level, *event, *message;
	char line[] = "warn client.open from \\\"me\\\" \xc3\xa4";

	(void)state;
	assert_true(logfile_parse(line, &level, &event, &message));
	assert_string_equal(level, "warn");
	assert_string_equal(event, "client.open");
	assert_string_equal(message, "from \\\"me\\\" \xc3\xa4");
	assert_true(parses("info a.b "));
	assert_true(parses("error a_b \\x1b \\\\ \\n"));
	assert_false(parses("info"));
	assert_false(parses("info a.b"));
	assert_false(parses("fatal a.b text"));
	assert_false(parses("info A.b text"));
	assert_false(parses("info  text"));
	assert_false(parses("info a\"b text"));
	assert_false(parses("info a.b a \"quote"));
	assert_false(parses("info a.b esc \x1b[31m"));
	assert_false(parses("info a.b end\\"));
	assert_false(parses("info a.b \xff"));
}

static void
test_reason(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(
	    child_reason(3 << 8, text, sizeof(text)), "exited with code 3");
	assert_string_equal(child_reason(9, text, sizeof(text)),
	    "was killed by signal 9 (Killed)");
}

/* A child counts as its program only once that was executed. */
static void
test_executed(void **state)
{
	int go[2], done[2];
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		if (read(go[0], &byte, 1) == 1)
			execl("/bin/sleep", "sleep", "30", NULL);
		_exit(127);
	}
	assert_int_not_equal(pid, -1);
	assert_false(child_executed(pid));
	assert_int_equal(write(go[1], &byte, 1), 1);
	close(done[1]);
	assert_int_equal(read(done[0], &byte, 1), 0); /* closed on exec */
	assert_true(child_executed(pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(child_executed(pid));
	close(done[0]);
	close(go[0]);
	close(go[1]);
}

/* What a link points to must survive the removal of the link. */
static void
test_remove(void **state)
{
	char base[] = "/tmp/test_monitor.XXXXXX";
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(base));
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(mkdirat(fd, "kept", 0700), 0);
	close(openat(fd, "kept/file", O_CREAT | O_WRONLY, 0600));
	assert_int_equal(mkdirat(fd, "gone", 0700), 0);
	assert_int_equal(mkdirat(fd, "gone/deep", 0700), 0);
	assert_int_equal(symlinkat("../kept", fd, "gone/link"), 0);
	assert_int_equal(symlinkat("../../kept/file", fd, "gone/deep/f"), 0);
	assert_int_equal(folder_remove(fd, "gone"), 0);
	assert_int_equal(fstatat(fd, "gone", &st, 0), -1);
	assert_int_equal(fstatat(fd, "kept/file", &st, 0), 0);
	assert_int_equal(folder_remove(fd, "absent"), 0);
	assert_int_equal(folder_remove(fd, "kept"), 0);
	close(fd);
	assert_int_equal(rmdir(base), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_executed),
		cmocka_unit_test(test_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
