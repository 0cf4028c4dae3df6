/*
 * The attribute of the audit log's sealed segments, as the monitor's operation
 * sets it: on files of somebody else's, with its capabilities alone.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/child.h"
#include "monitor/seal.h"

#define NOBODY 65534
#define OLD (time(NULL) + SEAL_AGE + 60) /* when they will be */

static const char *const names[] = { "segment-000001.jsonl",
	"segment-000002.jsonl", "segment-000003.jsonl", "segment-000002.hashes",
	"segment-00001.jsonl" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static char path[64];
static int folder = -1;

/* What the file system says to the attribute: 0 or an errno. */
static int
attribute(const char *name, bool on)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC), flags, rc = 0;

	if (fd == -1)
		return errno;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1)
		rc = errno;
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	if (rc == 0 && ioctl(fd, FS_IOC_SETFLAGS, &flags) == -1)
		rc = errno;
	close(fd);
	return rc;
}

static int
setup(void **state)
{
	size_t i;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_seal.XXXXXX");
	if (mkdtemp(path) == NULL ||
	    (folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	for (i = 0; i < NAMES; i++) {
		fd = openat(
		    folder, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1 || fchown(fd, NOBODY, NOBODY) == -1)
			return -1;
		close(fd);
	}
	return fchown(folder, NOBODY, NOBODY) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		(void)attribute(names[i], false);
		(void)unlinkat(folder, names[i], 0);
	}
	close(folder);
	return rmdir(path);
}

/* As the operation's child does it; its errno. */
static int
seal(uint32_t first, time_t now)
{
	static const int kept[] = { CAP_LINUX_IMMUTABLE, CAP_FOWNER,
		CAP_DAC_READ_SEARCH, -1 };
	char why[256];
	int status, fd;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (child_drop_capabilities(kept) == -1 ||
		    (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
			_exit(200);
		_exit(seal_segments(fd, first, now, why, sizeof(why)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
is_sealed(const char *name)
{
	int fd;

	errno = 0;
	fd = openat(folder, name, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd != -1)
		close(fd);
	return fd == -1 && errno == EPERM &&
	    renameat(folder, name, folder, "another") == -1 && errno == EPERM &&
	    unlinkat(folder, name, 0) == -1 && errno == EPERM;
}

static void
test_seal(void **state)
{
	int lacks = attribute(names[0], true);

	(void)state;
	if (lacks != 0) {
		/* A file system, or a container, that has none says so. */
		assert_int_equal(seal(0, OLD), lacks);
		return;
	}
	assert_int_equal(attribute(names[0], false), 0);
	assert_int_equal(seal(0, time(NULL)), 0);
	assert_true(is_sealed(names[0]) && is_sealed(names[1]));
	/* The newest one goes on, and nothing else is touched. */
	assert_false(
	    is_sealed(names[2]) || is_sealed(names[3]) || is_sealed(names[4]));
}

static void
test_dropped(void **state)
{
	(void)state;
	if (seal(0, OLD) != 0)
		return; /* as above */
	/* No retention is shorter than a day. */
	assert_int_equal(seal(2, time(NULL)), EPERM);
	assert_true(is_sealed(names[0]));
	assert_int_equal(seal(2, OLD), 0);
	assert_int_equal(unlinkat(folder, names[0], 0), 0);
	assert_true(is_sealed(names[1]));
	/* What was let go and stayed gets it again; the newest never loses. */
	assert_int_equal(seal(99, OLD), 0);
	assert_false(is_sealed(names[2]));
	assert_int_equal(seal(0, OLD), 0);
}

/* What stands there under a segment's name is not followed. */
static void
test_link(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(folder, names[1], 0), 0);
	assert_int_equal(symlinkat(names[3], folder, names[1]), 0);
	assert_int_equal(seal(0, OLD), ELOOP);
	assert_int_equal(unlinkat(folder, names[1], 0), 0);
	assert_int_equal(mkdirat(folder, names[1], 0700), 0);
	assert_int_not_equal(seal(0, OLD), 0);
	assert_int_equal(unlinkat(folder, names[1], AT_REMOVEDIR), 0);
	assert_false(is_sealed(names[3]));
}

int
main(void)
{
#define SEAL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		SEAL_TEST(test_seal),
		SEAL_TEST(test_dropped),
		SEAL_TEST(test_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
