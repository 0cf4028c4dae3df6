/*
 * Log lines: one event is one line, whatever text it carries, and a full pipe
 * costs lines, never the role.
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

#include "lib/log.h"

static void
encodes(const char *text, size_t len, const char *expected)
{
	char out[256];

	assert_int_equal(
	    log_encode(out, sizeof(out), text, len), strlen(expected));
	assert_string_equal(out, expected);
}

#define ENCODES(text, expected) encodes(text, sizeof(text) - 1, expected)

static void
test_encode(void **state)
{
	(void)state;
	ENCODES("", "");
	ENCODES("plain text, 42", "plain text, 42");
	ENCODES("gr\303\274n \342\202\254 \360\237\230\200",
	    "gr\303\274n \342\202\254 \360\237\230\200");
	ENCODES("a\nb\r\tc", "a\\nb\\r\\tc");
	ENCODES("\"q\" \\n", "\\\"q\\\" \\\\n");
	ENCODES("\0\33[31m\177", "\\x00\\x1b[31m\\x7f");
}

static void
test_encode_bad_utf8(void **state)
{
	(void)state;
	ENCODES("\377\376", "\\xff\\xfe");
	ENCODES("\303(", "\\xc3(");
	ENCODES("\300\200", "\\xc0\\x80"); /* overlong */
	ENCODES("\340\200\200", "\\xe0\\x80\\x80"); /* overlong */
	ENCODES("\355\240\200", "\\xed\\xa0\\x80"); /* surrogate */
	ENCODES("\364\220\200\200", "\\xf4\\x90\\x80\\x80");
	ENCODES("\342\202", "\\xe2\\x82"); /* cut */
	/* Line ends and turned directions that are valid UTF-8. */
	ENCODES("\302\205", "\\xc2\\x85");
	ENCODES("\342\200\250", "\\xe2\\x80\\xa8");
	ENCODES("\342\200\256", "\\xe2\\x80\\xae");
}

static void
test_encode_cut(void **state)
{
	char out[8], text[64];
	size_t size, n;

	(void)state;
	memset(text, '\n', sizeof(text));
	for (size = 1; size <= sizeof(out); size++) {
		n = log_encode(out, size, text, sizeof(text));
		/* Whole escapes only. */
		assert_int_equal(n, (size - 1) / 2 * 2);
		assert_int_equal(strlen(out), n);
	}
	assert_int_equal(log_encode(out, 0, text, 1), 0);
}

/* Runs fn with fd 2 in a pipe; what was written. */
static size_t
capture(void (*fn)(void), char *out, size_t size, int *status)
{
	size_t len = 0;
	ssize_t n;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return len;
}

static void
write_lines(void)
{
	log_info("test.plain", "%d of %s", 1, "many");
	log_warn("test.trick", "%s", "x\nerror fatal forged\n");
	log_error("test.bytes", "%s", "\377");
}

static void
test_lines(void **state)
{
	char out[1024];
	int status;

	(void)state;
	capture(write_lines, out, sizeof(out), &status);
	assert_string_equal(out,
	    "info test.plain 1 of many\n"
	    "warn test.trick x\\nerror fatal forged\\n\n"
	    "error test.bytes \\xff\n");
}

static void
write_long(void)
{
	static char text[20000];

	memset(text, '\n', sizeof(text) - 1);
	log_info("test.long", "%s", text);
	memset(text, 'a', sizeof(text) - 1);
	log_info("test.long", "%s", text);
}

static void
test_long(void **state)
{
	static char out[40000];
	char *end;
	int status;

	(void)state;
	capture(write_long, out, sizeof(out), &status);
	end = strchr(out, '\n');
	assert_non_null(end);
	assert_in_range(end + 1 - out, 8000, 8192);
	assert_int_equal(strlen(end + 1), strchr(end + 1, '\n') - end);
	assert_in_range(strlen(end + 1), 8000, 8192);
}

static void
die(void)
{
	atexit(write_lines);
	fatal("no way: %s", "on\nward");
}

static void
test_fatal(void **state)
{
	char out[1024];
	int status;

	(void)state;
	capture(die, out, sizeof(out), &status);
	assert_string_equal(out, "error fatal no way: on\\nward\n");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static unsigned long
count_lines(char *text, unsigned long *lost)
{
	unsigned long n = 0, more;
	char *line;

	*lost = 0;
	for (line = strtok(text, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		if (sscanf(line, "warn log.dropped %lu", &more) == 1)
			*lost += more;
		else if (strncmp(line, "info test.flood x", 17) == 0 &&
		    strlen(line) > 3000)
			n++;
		else
			assert_string_equal(line, "info test.after done");
	}
	return n;
}

/* Every line is there or counted; the writer was never held up. */
static void
test_full_pipe(void **state)
{
	static char text[3000], out[1 << 20];
	unsigned long lost, n;
	int fds[2], saved, i;
	size_t len = 0;
	ssize_t got;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved = dup(2);
	dup2(fds[1], 2);
	for (i = 0; i < 500; i++)
		log_info("test.flood", "%s", text);
	while ((got = read(fds[0], out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)got;
	log_info("test.after", "done");
	got = read(fds[0], out + len, sizeof(out) - 1 - len);
	dup2(saved, 2);
	close(saved);
	assert_true(got > 0);
	out[len + (size_t)got] = '\0';
	n = count_lines(out, &lost);
	assert_true(n >= 10 && n < 500);
	assert_int_equal(n + lost, 500);
	close(fds[0]);
	close(fds[1]);
}

/* Lines that the pipe takes only in part: the next begins a line anyway. */
static void
test_torn(void **state)
{
	static char text[7000], out[1 << 20];
	unsigned long whole = 0, joined = 0;
	size_t len = 0;
	ssize_t got;
	char *line;
	int fds[2], saved, i;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	saved = dup(2);
	dup2(fds[1], 2);
	for (i = 0; i < 200; i++) {
		log_info("test.flood", "%s", text);
		if (i % 3 == 0 && (got = read(fds[0], out + len, 5000)) > 0)
			len += (size_t)got;
	}
	dup2(saved, 2);
	close(saved);
	while ((got = read(fds[0], out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	for (line = strtok(out, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		if (strstr(line + 1, "info test.flood") != NULL ||
		    strstr(line + 1, "warn log.dropped") != NULL)
			joined++;
		if (strlen(line) > 7000)
			whole++;
	}
	assert_int_equal(joined, 0);
	assert_true(whole > 10);
	close(fds[0]);
	close(fds[1]);
}

static char seen[100];

static void
take(enum log_level level, const char *event, const char *message)
{
	snprintf(seen, sizeof(seen), "%s|%s|%s", log_level_name(level), event,
	    message);
}

static void
test_sink(void **state)
{
	(void)state;
	log_set_sink(take);
	errno = ENOENT;
	log_warn("test.sink", "a\nb");
	assert_int_equal(errno, ENOENT);
	log_set_sink(NULL);
	assert_string_equal(seen, "warn|test.sink|a\\nb");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_bad_utf8),
		cmocka_unit_test(test_encode_cut),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_fatal),
		cmocka_unit_test(test_full_pipe),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
