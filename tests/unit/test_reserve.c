/*
 * Room that is kept on a disk: on a small one of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/reserve.h"

#define KIB ((uint64_t)1024)
#define DISK (4096 * KIB)

static char folder[] = "/tmp/test_reserve.XXXXXX";
static int dirfd = -1;

/* In a mount namespace of this process's own: nothing is left. */
static int
make_disk(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mkdtemp(folder) == NULL ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=4m") == -1)
		return -1;
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd == -1 ? -1 : 0;
}

static int
drop_disk(void **state)
{
	(void)state;
	close(dirfd);
	return umount(folder) == 0 ? rmdir(folder) : -1;
}

static uint64_t
on_disk(void)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, RESERVE_FILE, &st, 0), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Takes all that is free. */
static void
fill(const struct reserve *r)
{
	int fd = openat(dirfd, "filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(
	    fallocate(fd, 0, st.st_size, (off_t)reserve_free(r)), 0);
	close(fd);
	assert_int_equal(reserve_free(r), 0);
}

static void
test_kept(void **state)
{
	struct reserve r, again;

	(void)state;
	reserve_open(&r, dirfd);
	assert_int_equal(r.size, 0);
	assert_int_equal(reserve_disk(&r), DISK);
	assert_int_equal(reserve_share(&r, 1024 * KIB), 64 * KIB);
	assert_true(reserve_keep(&r, 512 * KIB));
	assert_int_equal(on_disk(), 512 * KIB);
	assert_int_equal(reserve_free(&r), DISK - 512 * KIB);
	/* Others are left half of what is free. */
	assert_true(reserve_keep(&r, DISK));
	assert_int_equal(r.size, (DISK - 512 * KIB) / 2 + 512 * KIB);
	assert_true(reserve_keep(&r, 256 * KIB));
	assert_int_equal(on_disk(), 256 * KIB);
	reserve_close(&r);
	reserve_open(&again, dirfd);
	assert_int_equal(again.size, 256 * KIB);
	assert_true(reserve_keep(&again, 0));
	reserve_close(&again);
}

static void
test_drawn(void **state)
{
	struct reserve r;

	(void)state;
	reserve_open(&r, dirfd);
	assert_true(reserve_keep(&r, 256 * KIB));
	assert_false(reserve_draw(&r, 64 * KIB, 0)); /* there is room */
	fill(&r);
	assert_true(reserve_draw(&r, 64 * KIB, 0));
	assert_int_equal(reserve_free(&r), 64 * KIB);
	assert_false(reserve_draw(&r, 64 * KIB, 0));
	fill(&r);
	assert_true(reserve_draw(&r, 128 * KIB, 160 * KIB));
	assert_int_equal(r.size, 160 * KIB);
	fill(&r);
	assert_false(reserve_draw(&r, 64 * KIB, 160 * KIB));
	/* On a full disk it does not grow, and is none the worse. */
	assert_true(reserve_keep(&r, 256 * KIB));
	assert_int_equal(r.size, 160 * KIB);
	assert_int_equal(unlinkat(dirfd, "filler", 0), 0);
	assert_true(reserve_keep(&r, 256 * KIB));
	assert_int_equal(on_disk(), 256 * KIB);
	reserve_close(&r);
}

/* As a copy of it is that leaves out zeros. */
static void
test_without_space(void **state)
{
	struct reserve r;
	int fd;

	(void)state;
	assert_int_equal(unlinkat(dirfd, RESERVE_FILE, 0), 0);
	fd = openat(dirfd, RESERVE_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 128 * KIB), 0);
	assert_int_equal(on_disk(), 0);
	reserve_open(&r, dirfd);
	assert_int_equal(r.size, 128 * KIB);
	assert_int_equal(on_disk(), 128 * KIB);
	reserve_close(&r);
	/* There is no room for what it says. */
	assert_int_equal(ftruncate(fd, DISK * 2), 0);
	close(fd);
	reserve_open(&r, dirfd);
	assert_int_equal(r.size, 0);
	assert_int_equal(on_disk(), 0);
	reserve_close(&r);
	/* What is no file is left alone. */
	assert_int_equal(unlinkat(dirfd, RESERVE_FILE, 0), 0);
	assert_int_equal(symlinkat("elsewhere", dirfd, RESERVE_FILE), 0);
	reserve_open(&r, dirfd);
	assert_int_equal(r.fd, -1);
	assert_false(reserve_keep(&r, 64 * KIB));
	assert_false(reserve_draw(&r, 64 * KIB, 0));
	reserve_close(&r);
	assert_int_equal(unlinkat(dirfd, RESERVE_FILE, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_without_space),
	};

	return cmocka_run_group_tests(tests, make_disk, drop_disk);
}
