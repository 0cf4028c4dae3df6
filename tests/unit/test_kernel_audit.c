/*
 * Records of the kernel's audit: taken apart, joined to events, made records
 * of the log, and whose they are.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/hide.h"
#include "audit/kernel.h"
#include "audit/kernel_event.h"
#include "audit/kernel_record.h"
#include "audit/kernel_session.h"
#include "audit/kernel_text.h"
#include "audit/names.h"
#include "audit/source.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define SECOND 1000

/* --- What the reader makes, instead of the log ------------------------------- */

static json_t *made; /* array of records */
static uint64_t lost;

void __wrap_source_append(struct sources *, const struct source_record *);
void __wrap_source_lost(struct sources *, uint64_t, const char *);

void
__wrap_source_append(struct sources *sources, const struct source_record *r)
{
	(void)sources;
	json_array_append_new(made,
	    json_pack("{s:s, s:s, s:s, s:s, s:o, s:b}", "service", r->service,
		"event", r->event, "username", r->username, "session",
		r->session != NULL ? r->session : "", "event_data",
		r->event_data, "success", r->success));
}

void
__wrap_source_lost(struct sources *sources, uint64_t count, const char *why)
{
	(void)sources;
	(void)why;
	lost += count;
}

static struct kernel_reader *
reader_of(bool machine)
{
	struct kernel_place place = { .fd = -1,
		.machine = machine,
		.dirfd = -1,
		.etc_fd = -1,
		.boot = "one" };

	json_decref(made);
	made = json_array();
	lost = 0;
	return kernel_reader_new(NULL, NULL, &place);
}

static void
feed(struct kernel_reader *reader, uint16_t type, int serial, const char *text,
    int64_t now)
{
	char data[16384];
	struct nlmsghdr header = { .nlmsg_type = type };
	int len;

	memcpy(data, &header, sizeof(header));
	len = snprintf(data + sizeof(header), sizeof(data) - sizeof(header),
	    "audit(1795289858.298:%d): %s", serial, text);
	kernel_reader_take(reader, data, sizeof(header) + (size_t)len, now);
}

/*
 * A socket like the kernel's that gets more than it holds; -1: there is none.
 * What it gets is somebody's, and no record.
 */
static int
overrun_socket(void)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd, from, i, size = 1;
	char data[1024] = "";

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    NETLINK_USERSOCK);
	from = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	assert_true(fd != -1 && from != -1);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&group, sizeof(group)), 0);
	for (i = 0; i < 100; i++)
		(void)sendto(from, data, sizeof(data), 0,
		    (struct sockaddr *)&group, sizeof(group));
	close(from);
	return fd;
}

static const json_t *
last(void)
{
	size_t n = json_array_size(made);

	assert_true(n > 0);
	return json_array_get(made, n - 1);
}

/* clang-format off */
static const char execution[] =
    "arch=c000003e syscall=59 success=yes exit=0 a0=55dc a1=55dc a2=55dc a3=8 "
    "items=2 ppid=2 pid=3 auid=3000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 "
    "sgid=0 fsgid=0 tty=(none) ses=7 comm=\"echo\" exe=\"/usr/bin/echo\" "
    "key=\"holdfast-execution\"";
/* clang-format on */

static void
feed_execution(struct kernel_reader *reader, int serial, int64_t now)
{
	feed(reader, AUDIT_SYSCALL, serial, execution, now);
	feed(reader, AUDIT_EXECVE, serial,
	    "argc=3 a0=\"echo\" a1=68656C6C6F20776F726C64 a2=\"secret\"", now);
	feed(reader, AUDIT_CWD, serial, "cwd=\"/root\"", now);
	feed(reader, AUDIT_PATH, serial,
	    "item=0 name=\"/bin/echo\" inode=9 nametype=NORMAL", now);
	feed(reader, AUDIT_PROCTITLE, serial,
	    "proctitle=6563686F0068656C6C6F20776F726C6400736563726574", now);
	feed(reader, AUDIT_EOE, serial, "", now);
}

static void
feed_login(
    struct kernel_reader *reader, int serial, int pid, int session, int64_t now)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "pid=%d uid=0 old-auid=4294967295 auid=3000 tty=(none) "
	    "old-ses=4294967295 ses=%d res=1",
	    pid, session);
	feed(reader, AUDIT_LOGIN, serial, text, now);
}

/* --- Text -------------------------------------------------------------------- */

static struct span
span(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static void
test_head(void **state)
{
	/* clang-format off */
	static const char *const wrong[] = { "", "audit(", "audit(1.2:3",
		"audit(1:3): x", "audit(1.1000:3): x", "audit(1.2:x): x",
		"audit(-1.2:3): x", "audit(99999999999999999999.0:1): x",
		"Audit(1.2:3): x", NULL };
	/* clang-format on */
	struct span text = span("audit(1795289858.298:65): a=b");
	struct kernel_head head;
	size_t i;

	(void)state;
	assert_true(kernel_head(&text, &head));
	assert_int_equal(head.time_us, 1795289858298000);
	assert_int_equal(head.serial, 65);
	assert_int_equal(text.len, 3);
	assert_memory_equal(text.at, "a=b", 3);
	for (i = 0; wrong[i] != NULL; i++) {
		text = span(wrong[i]);
		assert_false(kernel_head(&text, &head));
	}
}

static void
test_pairs(void **state)
{
	struct span text = span("  op add a=1 b=\"x y\" c= d=\"open");
	struct kernel_pair pair;
	int64_t value;

	(void)state;
	assert_true(kernel_find(text, "b", &pair));
	assert_true(pair.quoted);
	assert_int_equal(pair.value.len, 3);
	assert_true(kernel_find(text, "c", &pair));
	assert_int_equal(pair.value.len, 0);
	assert_true(kernel_find(text, "d", &pair));
	assert_int_equal(pair.value.len, 4);
	assert_false(kernel_find(text, "op", &pair));
	assert_false(kernel_find(text, "add", &pair));
	assert_true(kernel_number(text, "a", 10, &value));
	assert_int_equal(value, 1);
	assert_false(kernel_number(text, "c", 10, &value));
	assert_false(kernel_number(text, "b", 10, &value));
	assert_true(kernel_number(span("exit=-13"), "exit", 10, &value));
	assert_int_equal(value, -13);
}

static void
decodes_to(const char *line, const char *expected, size_t expected_len)
{
	struct kernel_pair pair;
	struct span text = span(line);
	size_t len;
	char *bytes;

	assert_true(kernel_next(&text, &pair));
	bytes = kernel_decode(&pair, &len);
	if (expected == NULL) {
		assert_null(bytes);
		return;
	}
	assert_int_equal(len, expected_len);
	assert_memory_equal(bytes, expected, len);
	free(bytes);
}

static void
test_decode(void **state)
{
	(void)state;
	decodes_to("a=\"41\"", "41", 2);
	decodes_to("a=41", "A", 1);
	decodes_to("a=0041FF", "\0A\xff", 3);
	decodes_to("a=414", "414", 3);
	decodes_to("a=4x", "4x", 2);
	decodes_to("a=(null)", NULL, 0);
	decodes_to("a=", "", 0);
}

/* --- Records ----------------------------------------------------------------- */

static void
test_execution(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	const json_t *record, *data, *call;

	(void)state;
	feed_execution(reader, 10, 0);
	assert_int_equal(json_array_size(made), 1);
	record = last();
	data = json_object_get(record, "event_data");
	call = json_object_get(data, "syscall");
	assert_string_equal(json_str(record, "event", ""), "EXECUTION");
	assert_string_equal(json_str(record, "username", ""), "unknown(3000)");
	assert_string_equal(json_str(record, "session", ""), "7");
	assert_true(json_bool(record, "success", false));
	assert_string_equal(
	    json_str(data, "proctitle", ""), "echo hello world secret");
	assert_string_equal(json_str(data, "cwd", ""), "/root");
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(data, "arguments"), 1)),
	    "hello world");
	assert_int_equal(json_int(call, "auid", 0), 3000);
	assert_string_equal(json_str(call, "SYSCALL", ""), "execve");
	assert_true(json_is_null(json_object_get(call, "tty")));
	assert_string_equal(
	    json_str(data, "audit_msg_id_str", ""), "1795289858.298:10");
	kernel_reader_free(reader);
}

static void
test_long_argument(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	const json_t *list;

	(void)state;
	feed(reader, AUDIT_SYSCALL, 1, execution, 0);
	feed(reader, AUDIT_EXECVE, 1, "argc=3 a0=\"x\" a1_len=4 a1[0]=4142", 0);
	feed(reader, AUDIT_EXECVE, 1, "a1[1]=\"CD\" a2=\"y\"", 0);
	feed(reader, AUDIT_EOE, 1, "", 0);
	list =
	    json_object_get(json_object_get(last(), "event_data"), "arguments");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_string_value(json_array_get(list, 1)), "ABCD");
	kernel_reader_free(reader);
}

static void
has_event(uint16_t type, const char *text, const char *event, bool success)
{
	struct kernel_reader *reader = reader_of(true);

	feed(reader, type, 1, text, 0);
	feed(reader, AUDIT_EOE, 1, "", 0);
	if (event == NULL)
		assert_int_equal(json_array_size(made), 0);
	else {
		assert_string_equal(json_str(last(), "event", ""), event);
		assert_int_equal(
		    json_bool(last(), "success", !success), success);
	}
	kernel_reader_free(reader);
}

static void
test_events(void **state)
{
	(void)state;
	has_event(AUDIT_SYSCALL, "success=no key=\"holdfast-module-load\"",
	    "MODULE-LOAD", false);
	/* Two keys, ours the second; digits, as it has a control character. */
	has_event(AUDIT_SYSCALL,
	    "success=yes key=7468656972730166686F6C64666173742D64656E696564",
	    "THEIRS", true);
	has_event(AUDIT_SYSCALL,
	    "success=yes key=74686569727301686F6C64666173742D64656E696564",
	    "DENIED", true);
	has_event(AUDIT_SYSCALL, "success=yes key=(null)", "GENERIC", true);
	has_event(AUDIT_SYSCALL, "key=\"a/../b\"", "A____B", true);
	has_event(AUDIT_CONFIG_CHANGE,
	    "op=remove_rule key=\"holdfast-identity\" list=4 res=1",
	    "AUDIT-CONFIG", true);
	has_event(1130 /* SERVICE_START */,
	    "pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=ssh "
	    "comm=\"systemd\" exe=\"/x\" addr=? res=failed'",
	    "SERVICE", false);
	/* PAM's own words, whose facts others record. */
	has_event(
	    1100 /* USER_AUTH */, "pid=1 msg='op=x res=success'", NULL, true);
	has_event(AUDIT_PROCTITLE, "proctitle=41", NULL, true);
}

static void
test_address(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	const json_t *fields;

	(void)state;
	feed(reader, 1131 /* SERVICE_STOP */, 1,
	    "pid=9 uid=0 auid=3000 ses=2 msg='op=PAM:setcred acct=\"anna\" "
	    "hostname=h addr=192.0.2.1 terminal=ssh res=success'",
	    0);
	feed(reader, AUDIT_EOE, 1, "", 0);
	fields =
	    json_object_get(json_object_get(last(), "event_data"), "fields");
	assert_string_equal(json_str(fields, "addr", ""), "192.0.2.1");
	assert_string_equal(json_str(fields, "acct", ""), "anna");
	assert_string_equal(json_str(last(), "event", ""), "SERVICE");
	kernel_reader_free(reader);
}

/* --- Bounds ------------------------------------------------------------------ */

static void
test_mixed_and_unended(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	int i;

	(void)state;
	/* Two at a time, mixed. */
	feed(reader, AUDIT_SYSCALL, 1, execution, 0);
	feed(reader, AUDIT_SYSCALL, 2, "success=no key=\"holdfast-denied\"", 0);
	feed(reader, AUDIT_CWD, 1, "cwd=\"/one\"", 0);
	feed(reader, AUDIT_EOE, 1, "", 0);
	assert_string_equal(
	    json_str(json_object_get(last(), "event_data"), "cwd", ""), "/one");
	assert_int_equal(json_array_size(made), 1);
	/* More than may be open: the oldest is made of what there is. */
	for (i = 0; i < KERNEL_OPEN_MAX; i++)
		feed(reader, AUDIT_SYSCALL, 100 + i, execution, 0);
	assert_int_equal(json_array_size(made), 2);
	assert_string_equal(json_str(last(), "event", ""), "DENIED");
	kernel_reader_stop(reader);
	assert_int_equal(json_array_size(made), 2 + KERNEL_OPEN_MAX);
	kernel_reader_free(reader);
}

static void
test_too_large(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	char text[8000];
	int i;

	(void)state;
	memset(text, '4', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "a0=", 3);
	feed(reader, AUDIT_SYSCALL, 1, execution, 0);
	for (i = 0; i < 20; i++)
		feed(reader, AUDIT_EXECVE, 1, text, 0);
	feed(reader, AUDIT_EOE, 1, "", 0);
	assert_int_equal(
	    json_int(json_object_get(last(), "event_data"), "cut", 0), 12);
	kernel_reader_free(reader);
}

static void
test_summed(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	int i;

	(void)state;
	for (i = 0; i < KERNEL_RECORDS_A_SECOND + 30; i++)
		feed_execution(reader, i, SECOND);
	assert_int_equal(json_array_size(made), KERNEL_RECORDS_A_SECOND);
	/* Whoever has another login uid is not hidden by it. */
	feed(reader, AUDIT_SYSCALL, 9000, "auid=4000 success=no key=\"x\"",
	    SECOND);
	feed(reader, AUDIT_EOE, 9000, "", SECOND);
	assert_string_equal(json_str(last(), "username", ""), "unknown(4000)");
	kernel_reader_stop(reader);
	assert_int_equal(
	    json_int(json_object_get(last(), "event_data"), "count", 0), 30);
	assert_string_equal(json_str(last(), "username", ""), "unknown(3000)");
	kernel_reader_free(reader);
}

/* --- Whose ------------------------------------------------------------------- */

static void
test_of_the_instance(void **state)
{
	struct kernel_reader *reader = reader_of(false);

	(void)state;
	/* Nobody of the instance began it. */
	feed_execution(reader, 1, 0);
	assert_int_equal(json_array_size(made), 0);
	/* Its process spoke on /dev/log before. */
	kernel_reader_process(reader, 50);
	feed_login(reader, 2, 50, 7, boottime_ms());
	feed_execution(reader, 3, boottime_ms());
	assert_int_equal(json_array_size(made), 1);
	/* What is read on is of the kernel's words, not of LOGIN's own. */
	assert_string_equal(json_str(last(), "event", ""), "EXECUTION");
	kernel_reader_free(reader);
}

static void
test_sessions(void **state)
{
	struct kernel_sessions *s = kernel_sessions_new(false, -1, "one");

	(void)state;
	assert_int_equal(kernel_sessions_whose(s, 7, 0), WHOSE_OTHERS);
	/* It spoke before. */
	assert_false(kernel_sessions_process(s, 50, 0));
	kernel_sessions_login(s, 50, 7, SECOND);
	assert_int_equal(kernel_sessions_whose(s, 7, SECOND), WHOSE_OURS);
	/* It speaks afterwards. */
	kernel_sessions_login(s, 60, 8, SECOND);
	assert_int_equal(kernel_sessions_whose(s, 8, SECOND), WHOSE_UNKNOWN);
	assert_false(kernel_sessions_process(s, 61, SECOND));
	assert_int_equal(kernel_sessions_whose(s, 8, SECOND), WHOSE_UNKNOWN);
	assert_true(kernel_sessions_process(s, 60, SECOND));
	assert_int_equal(kernel_sessions_whose(s, 8, SECOND), WHOSE_OURS);
	/* Too long before, too long after. */
	kernel_sessions_process(s, 70, 0);
	kernel_sessions_login(s, 70, 9, SESSION_BEFORE_MS + 1);
	assert_int_equal(kernel_sessions_whose(
			     s, 9, SESSION_BEFORE_MS + SESSION_AFTER_MS + 2),
	    WHOSE_OTHERS);
	assert_false(kernel_sessions_process(
	    s, 70, SESSION_BEFORE_MS + SESSION_AFTER_MS + 2));
	/* None is nobody's. */
	kernel_sessions_process(s, 80, 0);
	kernel_sessions_login(s, 80, SESSION_NONE, 0);
	assert_int_equal(
	    kernel_sessions_whose(s, SESSION_NONE, 0), WHOSE_OTHERS);
	kernel_sessions_free(s);
}

static void
test_held(void **state)
{
	struct kernel_reader *reader = reader_of(false);

	(void)state;
	feed_login(reader, 1, 50, 7, 0);
	feed_execution(reader, 2, 0);
	assert_int_equal(json_array_size(made), 0);
	kernel_reader_stop(reader);
	assert_int_equal(json_array_size(made), 0);
	kernel_reader_free(reader);
}

static void
test_kept(void **state)
{
	char folder[] = "/tmp/test_kernel_audit.XXXXXX";
	struct kernel_sessions *s;
	int dirfd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dirfd = open(folder, O_RDONLY | O_DIRECTORY);
	s = kernel_sessions_new(false, dirfd, "one");
	kernel_sessions_process(s, 50, 0);
	kernel_sessions_login(s, 50, 7, 0);
	kernel_sessions_free(s);
	s = kernel_sessions_new(false, dirfd, "one");
	assert_int_equal(kernel_sessions_whose(s, 7, 0), WHOSE_OURS);
	kernel_sessions_free(s);
	/* The machine counts anew. */
	s = kernel_sessions_new(false, dirfd, "two");
	assert_int_equal(kernel_sessions_whose(s, 7, 0), WHOSE_OTHERS);
	kernel_sessions_free(s);
	unlinkat(dirfd, "kernel-sessions", 0);
	close(dirfd);
	rmdir(folder);
}

/* --- Names, and what is hidden ----------------------------------------------- */

static void
write_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
test_names(void **state)
{
	char folder[] = "/tmp/test_kernel_audit.XXXXXX";
	struct names *names;
	int dirfd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dirfd = open(folder, O_RDONLY | O_DIRECTORY);
	names = names_new(dup(dirfd));
	assert_string_equal(names_user(names, 3000), "unknown(3000)");
	write_file(dirfd, "passwd",
	    "root:x:0:0::/root:/bin/sh\n"
	    "anna:x:3000:3000::/home/anna:/bin/sh\n");
	write_file(dirfd, "group", "root:x:0:\nstaff:x:50:anna\n");
	assert_string_equal(names_user(names, 3000), "anna");
	assert_string_equal(names_group(names, 50), "staff");
	assert_string_equal(names_user(names, UINT32_MAX), "unset");
	write_file(dirfd, "new", "berta:x:3000:3000::/:/bin/sh\n");
	renameat(dirfd, "new", dirfd, "passwd");
	assert_string_equal(names_user(names, 3000), "berta");
	names_free(names);
	unlinkat(dirfd, "passwd", 0);
	unlinkat(dirfd, "group", 0);
	close(dirfd);
	rmdir(folder);
}

static void
test_hidden(void **state)
{
	struct kernel_reader *reader = reader_of(true);
	json_t *record;
	char *text;

	(void)state;
	feed_execution(reader, 1, 0);
	record = json_deep_copy(last());
	record_hide_arguments(record);
	text = json_text(record);
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "hello"));
	assert_non_null(strstr(text, "/usr/bin/echo"));
	freezero_str(text);
	json_object_set_new(record, "service", json_string("MIDDLEWARE"));
	json_object_set_new(
	    record, "event_data", json_pack("{s:s}", "arguments", "kept"));
	record_hide_arguments(record);
	assert_string_equal(
	    json_str(json_object_get(record, "event_data"), "arguments", ""),
	    "kept");
	json_decref(record);
	kernel_reader_free(reader);
}

/* The socket was full, and what follows is read all the same. */
static void
test_overrun(void **state)
{
	struct kernel_place place = { .fd = overrun_socket(),
		.machine = true,
		.dirfd = -1,
		.etc_fd = -1,
		.boot = "one" };
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct kernel_reader *reader;
	char data[64] = "";
	uv_loop_t loop;
	int fd, i;

	(void)state;
	json_decref(made);
	made = json_array();
	lost = 0;
	uv_loop_init(&loop);
	reader = kernel_reader_new(&loop, NULL, &place);
	assert_non_null(reader);
	feed_execution(reader, 100, SECOND);
	assert_int_equal(lost, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	feed_execution(reader, 111, SECOND);
	assert_int_equal(lost, 10);
	feed_execution(reader, 112, SECOND);
	assert_int_equal(lost, 10);
	assert_int_equal(json_array_size(made), 3);
	/* It is still polled: what comes is taken out of it. */
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	(void)sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&group,
	    sizeof(group));
	close(fd);
	for (i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(recv(place.fd, data, sizeof(data), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	kernel_reader_stop(reader);
	kernel_reader_free(reader);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_execution),
		cmocka_unit_test(test_long_argument),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_mixed_and_unended),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_summed),
		cmocka_unit_test(test_of_the_instance),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_hidden),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	json_decref(made);
	return failed;
}
