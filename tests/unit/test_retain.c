/*
 * What retention drops: the clock that it believes, and the segments.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/retain.h"
#include "lib/file.h"

#define HOUR 3600
#define DAY (24 * HOUR)
#define NOW ((int64_t)1800000000)

static void
test_clock_goes_on(void **state)
{
	struct retain_clock c = { .trusted = NOW, .boot = 100 };

	(void)state;
	assert_false(retain_clock_look(&c, NOW + DAY, 100 + DAY));
	assert_int_equal(retain_clock_time(&c, NOW + DAY), NOW + DAY);
	/* A time server's correction. */
	assert_false(retain_clock_look(&c, NOW + DAY + 300, 100 + DAY));
	assert_int_equal(c.trusted, NOW + DAY + 300);
}

static void
test_clock_forward(void **state)
{
	struct retain_clock c = { .trusted = NOW, .boot = 100 };

	(void)state;
	assert_true(retain_clock_look(&c, NOW + 31 * DAY, 100 + DAY));
	assert_int_equal(c.trusted, NOW + DAY);
	/* And it does not help to wait. */
	assert_true(retain_clock_look(&c, NOW + 32 * DAY, 100 + 2 * DAY));
	assert_true(retain_clock_look(&c, NOW + 33 * DAY, 50));
	/* Right again. */
	assert_false(retain_clock_look(&c, NOW + 3 * DAY, 50 + DAY));
}

static void
test_clock_back(void **state)
{
	struct retain_clock c = { .trusted = NOW, .boot = 100 };

	(void)state;
	assert_false(retain_clock_look(&c, NOW - 90 * DAY, 100 + HOUR));
	assert_int_equal(retain_clock_time(&c, NOW - 90 * DAY), NOW - 90 * DAY);
	/* Put right, it was not put forward. */
	assert_false(retain_clock_look(&c, NOW + 2 * HOUR, 100 + 2 * HOUR));
	assert_int_equal(retain_clock_time(&c, NOW + 2 * HOUR), NOW + 2 * HOUR);
}

static void
test_clock_off(void **state)
{
	struct retain_clock c = { .trusted = NOW, .boot = 10 * DAY };

	(void)state;
	assert_false(retain_clock_look(&c, NOW + 20 * HOUR, 60));
	c = (struct retain_clock){ .trusted = NOW, .boot = 10 * DAY };
	assert_true(retain_clock_look(&c, NOW + 2 * DAY, 60));
}

static void
write_segment(int dirfd, unsigned int number, int64_t first, int64_t last)
{
	static const char form[] =
	    "{\"audit_id\":\"00000000-0000-4000-8000-%012u\","
	    "\"message_timestamp\":%lld}\n";
	char name[32], text[256];
	int fd, len;

	snprintf(name, sizeof(name), "segment-%06u.jsonl", number);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_not_equal(fd, -1);
	len = snprintf(text, sizeof(text), form, 2 * number, (long long)first);
	assert_int_equal(file_write_all(fd, text, (size_t)len), 0);
	len =
	    snprintf(text, sizeof(text), form, 2 * number + 1, (long long)last);
	assert_int_equal(file_write_all(fd, text, (size_t)len), 0);
	close(fd);
}

static void
test_segments(void **state)
{
	char path[] = "/tmp/test_retain.XXXXXX", name[64];
	struct segments *store;
	unsigned int i;
	size_t torn;
	int dirfd;

	(void)state;
	assert_non_null(mkdtemp(path));
	dirfd = open(path, O_RDONLY | O_DIRECTORY);
	store = segments_open(dirfd, &torn);
	assert_int_equal(retain_first(store, NOW), 0);
	assert_int_equal(retain_began(store), 0);
	segments_close(store);
	write_segment(dirfd, 1, 1000, 2000);
	write_segment(dirfd, 2, 2000, 5000);
	write_segment(dirfd, 3, 10, 20); /* the clock had been put back */
	write_segment(dirfd, 4, 6000, 7000);
	write_segment(dirfd, 5, 7000, 8000);
	store = segments_open(dirfd, &torn);
	assert_int_equal(retain_began(store), 7000);
	assert_int_equal(retain_first(store, 1), 1);
	assert_int_equal(retain_first(store, 2000), 1);
	assert_int_equal(retain_first(store, 2001), 2);
	assert_int_equal(retain_first(store, 5000), 2);
	assert_int_equal(retain_first(store, 5001), 4);
	assert_int_equal(retain_first(store, 7001), 5);
	assert_int_equal(retain_first(store, NOW), 5); /* the newest stays */
	segments_close(store);
	for (i = 1; i <= 5; i++) {
		snprintf(name, sizeof(name), "segment-%06u.jsonl", i);
		assert_int_equal(unlinkat(dirfd, name, 0), 0);
	}
	close(dirfd);
	assert_int_equal(rmdir(path), 0);
}

static void
test_kept_clock(void **state)
{
	char path[] = "/tmp/test_retain.XXXXXX";
	int64_t now = 0;
	int dirfd, fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	dirfd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(retain_now(dirfd, false, &now), 0);
	assert_true(now > NOW - 10 * 365 * DAY);
	assert_int_equal(retain_now(dirfd, false, &now), 0);
	/* As it is after the clock was put forward by years. */
	fd = openat(dirfd, RETAIN_CLOCK, O_WRONLY | O_TRUNC);
	assert_int_equal(file_write_all(fd, "1000000 0\n", 10), 0);
	close(fd);
	assert_int_equal(retain_now(dirfd, false, &now), 1);
	assert_int_equal(retain_now(dirfd, false, &now), 1);
	assert_int_equal(retain_now(dirfd, true, &now), 0);
	assert_int_equal(retain_now(dirfd, false, &now), 0);
	assert_int_equal(unlinkat(dirfd, RETAIN_CLOCK, 0), 0);
	close(dirfd);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_goes_on),
		cmocka_unit_test(test_clock_forward),
		cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_clock_off),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_kept_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
