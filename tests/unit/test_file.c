/*
 * Files: old or new after any failure, nothing left beside them, and paths
 * that lead elsewhere refused.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/xalloc.h"

static char folder[] = "/tmp/hf-test-file-XXXXXX";
static int dir;

static int
setup(void **state)
{
	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir == -1 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	close(dir);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int
install(const char *name, const char *text, const char *keep)
{
	return file_install(
	    dir, name, text, strlen(text), 0640, getuid(), getgid(), keep);
}

static void
holds(const char *name, const char *text)
{
	char *data;
	size_t len;

	if (text == NULL) {
		assert_int_equal(file_read_at(dir, name, 100, &data, &len), -1);
		assert_int_equal(errno, ENOENT);
		return;
	}
	assert_int_equal(file_read_at(dir, name, 1 << 20, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(data, text);
	free(data);
}

/* Number of names in the folder. */
static int
names(const char *path)
{
	DIR *d = opendir(path);
	int n = -2;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
test_install(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(install("a", "one", NULL), 0);
	holds("a", "one");
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(install("a", "second", NULL), 0);
	holds("a", "second");
	assert_int_equal(install("a", "", NULL), 0);
	holds("a", "");
	assert_int_equal(names(folder), 1);
}

static void
test_keep(void **state)
{
	(void)state;
	assert_int_equal(install("a", "1", "a.old"), 0);
	holds("a.old", NULL);
	assert_int_equal(install("a", "2", "a.old"), 0);
	holds("a.old", "1");
	assert_int_equal(install("a", "3", "a.old"), 0);
	holds("a.old", "2");
	holds("a", "3");
	/* Both names the same file, as after a crash before the rename. */
	assert_int_equal(unlinkat(dir, "a.old", 0), 0);
	assert_int_equal(linkat(dir, "a", dir, "a.old", 0), 0);
	assert_int_equal(install("a", "4", "a.old"), 0);
	holds("a.old", "3");
	holds("a", "4");
	/* Nothing before: an older copy must not look like what was there. */
	assert_int_equal(unlinkat(dir, "a", 0), 0);
	assert_int_equal(install("a", "5", "a.old"), 0);
	holds("a.old", NULL);
	assert_int_equal(names(folder), 1);
}

/* Is it the text that arg is? */
static bool
is_text(int folder_fd, const char *name, void *arg)
{
	char *data = NULL;
	size_t len;
	bool same;

	same = file_read_at(folder_fd, name, 100, &data, &len) == 0 &&
	    strcmp(data, arg) == 0;
	free(data);
	return same;
}

/* As if somebody had renamed it there between our two. */
static bool
is_replaced(int folder_fd, const char *name, void *arg)
{
	(void)name;
	(void)arg;
	assert_int_equal(renameat(folder_fd, "newer", folder_fd, "a"), 0);
	return false;
}

static int
install_over(const char *text, struct file_guard *guard)
{
	return file_install_over(dir, "a", text, strlen(text), 0640, getuid(),
	    getgid(), "a.old", guard);
}

static void
test_guard(void **state)
{
	static char one[] = "one", two[] = "two";
	struct file_guard ours = { .ours = is_text, .arg = one };
	struct file_guard late = { .ours = is_replaced };

	(void)state;
	/* Nothing is there, then what may go, then what may not. */
	assert_int_equal(install_over("one", &ours), 0);
	assert_int_equal(install_over("two", &ours), 0);
	holds("a", "two");
	holds("a.old", "one");
	assert_int_equal(install_over("three", &ours), -1);
	assert_int_equal(errno, ESTALE);
	holds("a", "two");
	/* The newest of others stays. */
	assert_int_equal(install("newer", "four", NULL), 0);
	assert_int_equal(install_over("three", &late), -1);
	holds("a", "four");
	assert_int_equal(names(folder), 2);

	/* Going back goes on: what others wrote makes room. */
	assert_int_equal(install("a.old", "one", NULL), 0);
	ours.arg = two;
	ours.aside = "a.aside";
	assert_int_equal(file_restore(dir, "a", "a.old", &ours), 0);
	assert_true(ours.met);
	holds("a", "one");
	holds("a.aside", "four");
	/* Once more: ours, whatever it is. */
	ours.met = false;
	assert_int_equal(file_restore(dir, "a", "a.old", &ours), 0);
	assert_false(ours.met);
	assert_int_equal(install_over("two", &ours), 0);
	assert_true(ours.met);
	holds("a", "two");
	holds("a.aside", "one");
}

static void
test_restore(void **state)
{
	(void)state;
	assert_int_equal(install("a", "1", NULL), 0);
	assert_int_equal(install("a", "2", "a.old"), 0);
	assert_int_equal(file_restore(dir, "a", "a.old", NULL), 0);
	holds("a", "1");
	/* Once more, when both are the same file. */
	assert_int_equal(file_restore(dir, "a", "a.old", NULL), 0);
	holds("a", "1");
	holds("a.old", "1");
	assert_int_equal(names(folder), 2);
	/* What is installed over it leaves what is kept alone. */
	assert_int_equal(install("a", "3", NULL), 0);
	holds("a.old", "1");
	/* Nothing before, nothing after. */
	assert_int_equal(unlinkat(dir, "a.old", 0), 0);
	assert_int_equal(file_restore(dir, "a", "a.old", NULL), 0);
	holds("a", NULL);
	assert_int_equal(file_restore(dir, "a", "a", NULL), -1);
	assert_int_equal(file_restore(dir, "../a", "a.old", NULL), -1);
	assert_int_equal(names(folder), 0);
}

static void
test_leftover(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(install("a", "old", NULL), 0);
	/* What a crash leaves: half a file under the temporary name. */
	fd = openat(dir, ".a.holdfast-new", O_WRONLY | O_CREAT, 0400);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "hal", 3), 3);
	close(fd);
	assert_int_equal(install("a", "new", NULL), 0);
	holds("a", "new");
	/* A link planted there is replaced, not followed. */
	assert_int_equal(symlinkat("a", dir, ".a.holdfast-new"), 0);
	assert_int_equal(install("a", "newer", NULL), 0);
	holds("a", "newer");
	assert_int_equal(names(folder), 1);
}

static void
test_bad_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/etc/x" };
	char long_name[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(install(bad[i], "x", NULL), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(install("a", "x", bad[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(install("a", "x", "a"), -1);
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(install(long_name, "x", NULL), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(names(folder), 0);
}

/* The rename fails: what was there stays, nothing is left beside it. */
static void
test_rename_fails(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir, "a", 0700), 0);
	assert_int_equal(install("a", "x", NULL), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(names(folder), 1);
}

static void
check(bool fine, const char *what)
{
	if (!fine) {
		dprintf(2, "%s: %s\n", what, strerror(errno));
		_exit(2);
	}
}

/* On a file system of 64 KiB: one file fits, two do not. */
static void
full_disk(void)
{
	char data[40000], *text;
	size_t len;

	check(unshare(CLONE_NEWNS) == 0, "unshare");
	check(
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
	check(mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0, "tmpfs");
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(data, 'a', sizeof(data));
	check(file_install(dir, "a", data, sizeof(data), 0600, 0, 0, NULL) == 0,
	    "first");
	memset(data, 'b', sizeof(data));
	check(file_install(dir, "a", data, sizeof(data), 0600, 0, 0, "a.old") ==
		    -1 &&
		errno == ENOSPC,
	    "ENOSPC");
	check(file_read_at(dir, "a", sizeof(data), &text, &len) == 0 &&
		len == sizeof(data) && text[0] == 'a' && text[len - 1] == 'a',
	    "old content");
	check(names(folder) == 1, "nothing left");
	free(text);
	_exit(0);
}

static void
test_full_disk(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("not root: no file system to fill\n");
		skip();
	}
	if ((pid = fork()) == 0)
		full_disk();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Killed at any moment: always one of the two contents, whole. */
static void
test_killed(void **state)
{
	static char data[200000];
	char *text;
	size_t len, i;
	int round, status;
	pid_t pid;

	(void)state;
	assert_int_equal(install("a", "x", NULL), 0);
	for (round = 0; round < 30; round++) {
		if ((pid = fork()) == 0) {
			for (i = 0;; i++) {
				memset(data, 'a' + (int)(i % 26), sizeof(data));
				file_install(dir, "a", data, sizeof(data), 0600,
				    getuid(), getgid(), "a.old");
			}
		}
		usleep((useconds_t)(500 + round * 700));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_int_equal(
		    file_read_at(dir, "a", sizeof(data), &text, &len), 0);
		assert_true(len == 1 || len == sizeof(data));
		for (i = 0; i < len; i++)
			assert_int_equal(text[i], text[0]);
		free(text);
	}
	assert_int_equal(install("a", "y", "a.old"), 0);
	assert_int_equal(names(folder), 2);
}

static void
test_read(void **state)
{
	static char big[10000];
	char *data = NULL;
	size_t len;
	int fds[2];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(install("a", big, NULL), 0);
	assert_int_equal(file_read_at(dir, "a", 9998, &data, &len), -1);
	assert_int_equal(errno, EFBIG);
	assert_null(data);
	assert_int_equal(file_read_at(dir, "a", 9999, &data, &len), 0);
	assert_int_equal(len, 9999);
	assert_int_equal(data[len], '\0');
	free(data);
	assert_int_equal(install("empty", "", NULL), 0);
	assert_int_equal(file_read_at(dir, "empty", 0, &data, &len), 0);
	assert_int_equal(len, 0);
	free(data);
	/* A file that says it has no size, and a pipe. */
	assert_int_equal(
	    file_read_at(AT_FDCWD, "/proc/self/status", 1 << 16, &data, &len),
	    0);
	assert_true(len > 100);
	free(data);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], big, 9999), 9999);
	close(fds[1]);
	assert_int_equal(file_read_fd(fds[0], 20000, &data, &len), 0);
	assert_int_equal(len, 9999);
	close(fds[0]);
	free(data);
	assert_int_equal(file_read_at(dir, ".", 100, &data, &len), -1);
	assert_int_equal(errno, EISDIR);
}

static void
test_beneath(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(symlinkat("/etc", dir, "sub/etc"), 0);
	assert_int_equal(symlinkat("sub", dir, "near"), 0);
	fd = file_open_beneath(dir, "sub/file", O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	fd = file_open_beneath(dir, "sub/file", O_RDONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(file_open_beneath(dir, "..", O_RDONLY, 0), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(file_open_beneath(dir, "sub/../..", O_RDONLY, 0), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(
	    file_open_beneath(dir, "/etc/passwd", O_RDONLY, 0), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(
	    file_open_beneath(dir, "sub/etc/passwd", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(file_open_beneath(dir, "near/file", O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(file_open_beneath(dir, "none", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void
refused(const char *path, int error)
{
	assert_int_equal(file_root_only(path), -1);
	assert_int_equal(errno, error);
}

static void
test_root_only(void **state)
{
	(void)state;
	assert_int_equal(file_root_only("/"), 0);
	assert_int_equal(file_root_only("/etc/passwd"), 0);
	assert_int_equal(file_root_only("//etc/./"), 0);
	refused("etc/passwd", EINVAL);
	refused("", EINVAL);
	refused("/etc/../etc/passwd", EINVAL);
	refused("/etc/no-such-file", ENOENT);
	refused("/etc/passwd/x", ENOTDIR);
	refused("/tmp", EPERM); /* sticky, but everybody's */
	refused(folder, EPERM);
	refused("/proc/self", ELOOP);
}

/* The same by our own rules, where only root can lay the traps. */
static void
test_root_only_traps(void **state)
{
	char path[64];
	int fd;

	(void)state;
	if (geteuid() != 0) {
		print_message("not root: no folder of root's to test with\n");
		skip();
	}
	snprintf(path, sizeof(path), "/run/hf-test-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(file_root_only(path), 0);
	assert_int_equal(fchmod(fd, 0620), 0);
	refused(path, EPERM);
	assert_int_equal(fchmod(fd, 0602), 0);
	refused(path, EPERM);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(fchown(fd, 65534, 0), 0);
	refused(path, EPERM);
	close(fd);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	refused(path, ELOOP);
	unlink(path);
}

static void
test_memfd(void **state)
{
	void *data = NULL;
	char byte;
	size_t len;
	int fd, plain;

	(void)state;
	fd = memfd_sealed("test", "content", 7);
	assert_int_not_equal(fd, -1);
	assert_int_equal(memfd_map(fd, 7, &data, &len), 0);
	assert_int_equal(len, 7);
	assert_memory_equal(data, "content", 7);
	munmap(data, len);
	assert_int_equal(memfd_map(fd, 6, &data, &len), -1);
	assert_int_equal(errno, EFBIG);
	assert_null(data);
	/* Nobody changes it any more; reading starts at the beginning. */
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'c');
	close(fd);

	fd = memfd_sealed("test", "", 0);
	assert_int_equal(memfd_map(fd, 7, &data, &len), 0);
	assert_null(data);
	assert_int_equal(len, 0);
	close(fd);

	plain = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(memfd_map(plain, 7, &data, &len), -1);
	assert_int_equal(errno, EPERM);
	close(plain);
	assert_int_equal(memfd_map(dir, 7, &data, &len), -1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_install),
		WITH(test_keep),
		WITH(test_guard),
		WITH(test_restore),
		WITH(test_leftover),
		WITH(test_bad_names),
		WITH(test_rename_fails),
		WITH(test_full_disk),
		WITH(test_killed),
		WITH(test_read),
		WITH(test_beneath),
		WITH(test_root_only),
		WITH(test_root_only_traps),
		WITH(test_memfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
