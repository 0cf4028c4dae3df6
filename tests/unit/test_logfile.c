/*
 * The monitor's log file: it is rotated at 16 MiB, three older ones are kept,
 * and no line is lost or split by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/log.h"
#include "monitor/folder.h"
#include "monitor/logfile.h"

#define SIZE_MAX_BYTES (16 * 1024 * 1024)

static char base[] = "/tmp/test_logfile.XXXXXX";
static int base_fd, log_fd;

static off_t
size_of(const char *name)
{
	struct stat st;

	return fstatat(log_fd, name, &st, 0) == -1 ? -1 : st.st_size;
}

/* As after a long time: so many bytes are in it. */
static void
fill(off_t size)
{
	int fd = openat(log_fd, "holdfastd.log", O_WRONLY | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	assert_int_equal(logfile_open(base_fd), 0);
}

/* The length of the line that log_info() writes here. */
static off_t
line_length(void)
{
	off_t before;

	fill(0);
	before = size_of("holdfastd.log");
	log_info("test.line", "%s", "text");
	return size_of("holdfastd.log") - before;
}

static void
test_rotation(void **state)
{
	off_t line = line_length();
	char *text = NULL;
	size_t len;
	int i;

	(void)state;
	assert_in_range(line, 40, 200);
	/* What just fits does not rotate. */
	fill(SIZE_MAX_BYTES - line);
	log_info("test.line", "%s", "text");
	assert_int_equal(size_of("holdfastd.log"), SIZE_MAX_BYTES);
	assert_int_equal(size_of("holdfastd.log.1"), -1);
	/* Each of the older ones is told from the others by its size. */
	for (i = 1; i <= 5; i++) {
		fill(SIZE_MAX_BYTES - i);
		log_info("test.line", "%s", "text");
		assert_int_equal(size_of("holdfastd.log"), line);
		assert_int_equal(
		    size_of("holdfastd.log.1"), SIZE_MAX_BYTES - i);
	}
	assert_int_equal(size_of("holdfastd.log.2"), SIZE_MAX_BYTES - 4);
	assert_int_equal(size_of("holdfastd.log.3"), SIZE_MAX_BYTES - 3);
	assert_int_equal(size_of("holdfastd.log.4"), -1);
	assert_int_equal(
	    file_read_at(log_fd, "holdfastd.log", 4096, &text, &len), 0);
	assert_non_null(strstr(text, " info test.line \"text\"\n"));
	free(text);
}

/* A folder that cannot be written costs lines, nothing else. */
static void
test_goes_on(void **state)
{
	(void)state;
	fill(SIZE_MAX_BYTES);
	assert_int_equal(unlinkat(log_fd, "holdfastd.log", 0), 0);
	log_info("test.line", "%s", "text");
	log_info("test.line", "%s", "text");
	assert_true(size_of("holdfastd.log") > 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(base) == NULL)
		return -1;
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base_fd == -1 || mkdirat(base_fd, "log", 0700) == -1)
		return -1;
	log_fd = openat(base_fd, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return log_fd == -1 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL);
	close(log_fd);
	folder_remove(base_fd, "log");
	close(base_fd);
	return rmdir(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_goes_on),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
