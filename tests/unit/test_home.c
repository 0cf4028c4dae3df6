/*
 * Homes: where they may be, made whole or not at all, and what becomes of
 * their SSH keys.  In a folder that stands for "/", as root.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/xalloc.h"
#include "monitor/home.h"

#define UID 3000
#define GID 3000
#define STAGED "home/.bea.holdfast-new"

static char root_path[64];
static struct home bea = { .path = "/home/bea", .uid = UID, .gid = GID };
static char why[256];

static void
folder(const char *name, uid_t uid, mode_t mode)
{
	assert_int_equal(mkdirat(bea.root, name, 0700), 0);
	assert_int_equal(fchownat(bea.root, name, uid, uid, 0), 0);
	assert_int_equal(fchmodat(bea.root, name, mode, 0), 0);
}

static void
put(const char *name, const char *text, uid_t uid, mode_t mode)
{
	int fd = openat(bea.root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchown(fd, uid, uid), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
is_text(const char *name, const char *text)
{
	char *found;
	size_t len;

	assert_int_equal(file_read_at(bea.root, name, 65536, &found, &len), 0);
	assert_string_equal(found, text);
	free(found);
}

static void
is_owned(const char *name, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(bea.root, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_uid, UID);
	assert_int_equal(st.st_gid, GID);
	assert_int_equal(st.st_mode & 07777, mode);
}

static bool
is_there(const char *name)
{
	return faccessat(bea.root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	umask(022);
	snprintf(root_path, sizeof(root_path), "/tmp/holdfast-home-XXXXXX");
	if (mkdtemp(root_path) == NULL || chmod(root_path, 0755) == -1)
		return -1;
	bea.root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bea.path = "/home/bea";
	folder("home", 0, 0755);
	folder("mnt", 0, 0755);
	folder("etc", 0, 0755);
	folder("etc/skel", 0, 0755);
	folder("etc/skel/sub", 0, 0755);
	put("etc/skel/.profile", "profile\n", 0, 0644);
	put("etc/skel/sub/run", "run\n", 0, 04755);
	return symlinkat("/etc/shadow", bea.root, "etc/skel/link");
}

static int
teardown(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	close(bea.root);
	return nftw(root_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
stage(const char *from, const char *keys)
{
	return home_stage(&bea, 0750, from, keys, why, sizeof(why));
}

static int
settle(bool use)
{
	return home_settle(&bea, use, why, sizeof(why));
}

static int
check(const char *path, bool make)
{
	bea.path = path;
	return home_check(&bea, make, why, sizeof(why));
}

static void
test_made(void **state)
{
	(void)state;
	assert_int_equal(stage(NULL, ""), 0);
	assert_false(is_there("home/bea"));
	assert_int_equal(settle(true), 0);
	is_owned("home/bea", 0750);
	is_owned("home/bea/.profile", 0644);
	is_owned("home/bea/sub", 0755);
	/* The bit that would run it as its owner is not copied. */
	is_owned("home/bea/sub/run", 0755);
	is_text("home/bea/.profile", "profile\n");
	assert_false(is_there("home/bea/.ssh"));
	assert_false(is_there(STAGED));
	/* Once more does nothing. */
	assert_int_equal(settle(true), 0);
	assert_int_equal(settle(false), 0);
	assert_true(is_there("home/bea/.profile"));
}

static void
test_links_are_copied_as_links(void **state)
{
	char target[64] = "";

	(void)state;
	assert_int_equal(stage(NULL, ""), 0);
	assert_int_equal(settle(true), 0);
	assert_int_not_equal(
	    readlinkat(bea.root, "home/bea/link", target, sizeof(target)), -1);
	assert_string_equal(target, "/etc/shadow");
}

static void
test_taken_back(void **state)
{
	(void)state;
	assert_int_equal(stage(NULL, "key\n"), 0);
	assert_true(is_there(STAGED));
	assert_int_equal(settle(false), 0);
	assert_false(is_there(STAGED));
	assert_false(is_there("home/bea"));
	assert_int_equal(settle(false), 0);
}

/* What an earlier one left, cut short at any point, is replaced. */
static void
test_leftover_is_replaced(void **state)
{
	(void)state;
	folder(STAGED, 0, 0700);
	assert_int_equal(stage(NULL, ""), 0);
	assert_int_equal(settle(false), 0);
	folder(STAGED, UID, 0700);
	folder(STAGED "/sub", UID, 0700);
	put(STAGED "/sub/x", "half", UID, 0600);
	assert_int_equal(stage(NULL, ""), 0);
	assert_false(is_there(STAGED "/sub/x"));
	assert_int_equal(settle(true), 0);
	is_text("home/bea/.profile", "profile\n");
}

static void
test_former_home_is_copied(void **state)
{
	(void)state;
	folder("mnt/bea", UID, 0700);
	put("mnt/bea/notes", "mine\n", UID, 0640);
	assert_int_equal(mkfifoat(bea.root, "mnt/bea/pipe", 0600), 0);
	assert_int_equal(stage("/mnt/bea", ""), 0);
	assert_int_equal(settle(true), 0);
	is_text("home/bea/notes", "mine\n");
	is_owned("home/bea/notes", 0640);
	assert_false(is_there("home/bea/pipe"));
	assert_false(is_there("home/bea/.profile"));
	is_text("mnt/bea/notes", "mine\n");
}

/* Read as the user: what is root's in it cannot be taken along. */
static void
test_what_the_user_cannot_read_stops_it(void **state)
{
	(void)state;
	folder("mnt/bea", UID, 0700);
	put("mnt/bea/secret", "root's\n", 0, 0600);
	assert_int_equal(stage("/mnt/bea", ""), EACCES);
	assert_non_null(strstr(why, "secret"));
	assert_false(is_there(STAGED));
}

static void
test_where_it_may_be(void **state)
{
	static const char *const never[] = { "/home", "/home/", "/mnt/", "/etc",
		"/etc/x", "/home/../etc/x", "/home/./x", "/home//x", "/home/x/",
		"/home/..", "/homes/x", "home/x", "/root", NULL };
	size_t i;

	(void)state;
	for (i = 0; never[i] != NULL; i++)
		if (check(never[i], true) != EINVAL)
			fail_msg("%s: %s", never[i], why);
	assert_int_equal(check("/home/bea", true), 0);
	assert_int_equal(check("/home/no/bea", true), ENOENT);
	assert_int_equal(check("/home/bea", false), ENOENT);
}

static void
test_what_stands_above(void **state)
{
	(void)state;
	folder("mnt/others", 3001, 0755);
	folder("mnt/open", 0, 0777);
	folder("mnt/group", 0, 0775);
	folder("mnt/own", UID, 0755);
	put("mnt/file", "", 0, 0644);
	assert_int_equal(symlinkat("others", bea.root, "mnt/link"), 0);
	assert_int_equal(check("/mnt/others/bea", true), EPERM);
	assert_int_equal(check("/mnt/open/bea", true), EPERM);
	assert_int_equal(check("/mnt/group/bea", true), EPERM);
	assert_int_equal(check("/mnt/own/bea", true), EPERM);
	assert_int_equal(check("/mnt/link/bea", true), ELOOP);
	assert_int_equal(check("/mnt/file/bea", true), ENOTDIR);
	assert_int_equal(check("/mnt/link", false), ELOOP);
	assert_int_equal(check("/mnt/others", false), EPERM);
	assert_int_equal(check("/mnt/own", false), 0);
}

/* One that is there: the user's, or empty and root's, which is given. */
static void
test_one_that_is_there(void **state)
{
	(void)state;
	folder("home/bea", 0, 0755);
	assert_int_equal(check("/home/bea", true), EEXIST);
	assert_int_equal(check("/home/bea", false), 0);
	assert_int_equal(home_update(&bea, 0700, NULL, why, sizeof(why)), 0);
	is_owned("home/bea", 0700);
	assert_int_equal(check("/home/bea", true), 0);
	assert_int_equal(stage(NULL, ""), 0);
	assert_false(is_there(STAGED));
	folder("home/full", 0, 0755);
	put("home/full/x", "", 0, 0600);
	assert_int_equal(check("/home/full", false), EPERM);
	assert_int_equal(
	    home_update(&bea, 0700, NULL, why, sizeof(why)), EPERM);
}

#define BEGIN                                                                  \
	"# holdfast: the keys of the account, changes here are overwritten\n"
#define END "# holdfast: end\n"

static void
merge(const char *old, const char *keys, const char *wanted)
{
	char *text = home_merge_keys(old, keys);

	assert_string_equal(text, wanted);
	free(text);
}

static void
test_merge(void **state)
{
	(void)state;
	merge("", "", "");
	merge("", "one", BEGIN "one\n" END);
	merge("own\n", "one\n", "own\n" BEGIN "one\n" END);
	merge("own", "one", "own\n" BEGIN "one\n" END);
	merge("a\n" BEGIN "one\n" END "b\n", "two",
	    "a\n" BEGIN "two\n" END "b\n");
	merge("a\n" BEGIN "one\n" END "b\n", "", "a\nb\n");
	merge(BEGIN "one\n" END, "", "");
	/* Somebody took the end away: what follows may be theirs. */
	merge(BEGIN "one\n", "two", BEGIN "two\n" END "one\n");
}

static void
test_keys(void **state)
{
	(void)state;
	folder("home/bea", UID, 0755);
	assert_int_equal(home_update(&bea, -1, "one", why, sizeof(why)), 0);
	is_owned("home/bea", 0755);
	is_owned("home/bea/.ssh", 0700);
	is_owned("home/bea/.ssh/authorized_keys", 0600);
	is_text("home/bea/.ssh/authorized_keys", BEGIN "one\n" END);
	assert_int_equal(home_update(&bea, -1, "", why, sizeof(why)), 0);
	assert_false(is_there("home/bea/.ssh/authorized_keys"));
	put("home/bea/.ssh/authorized_keys", "own\n", UID, 0644);
	assert_int_equal(home_update(&bea, -1, "two", why, sizeof(why)), 0);
	is_text("home/bea/.ssh/authorized_keys", "own\n" BEGIN "two\n" END);
	assert_int_equal(home_update(&bea, -1, NULL, why, sizeof(why)), 0);
	assert_int_equal(home_update(&bea, -1, "", why, sizeof(why)), 0);
	is_text("home/bea/.ssh/authorized_keys", "own\n");
}

/* Links that the user made lead nowhere. */
static void
test_keys_follow_no_link(void **state)
{
	(void)state;
	folder("home/bea", UID, 0755);
	folder("mnt/else", UID, 0755);
	assert_int_equal(
	    symlinkat("../../mnt/else", bea.root, "home/bea/.ssh"), 0);
	assert_int_not_equal(home_update(&bea, -1, "one", why, sizeof(why)), 0);
	assert_false(is_there("mnt/else/authorized_keys"));
	assert_int_equal(unlinkat(bea.root, "home/bea/.ssh", 0), 0);
	folder("home/bea/.ssh", UID, 0700);
	put("mnt/else/target", "kept\n", UID, 0600);
	assert_int_equal(symlinkat("../../../mnt/else/target", bea.root,
			     "home/bea/.ssh/authorized_keys"),
	    0);
	assert_int_not_equal(home_update(&bea, -1, "one", why, sizeof(why)), 0);
	is_text("mnt/else/target", "kept\n");
}

static void
test_no_home_has_no_keys_to_take(void **state)
{
	(void)state;
	assert_int_equal(home_update(&bea, -1, "", why, sizeof(why)), 0);
	assert_int_equal(
	    home_update(&bea, -1, "one", why, sizeof(why)), ENOENT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made),
		TEST(test_links_are_copied_as_links),
		TEST(test_taken_back),
		TEST(test_leftover_is_replaced),
		TEST(test_former_home_is_copied),
		TEST(test_what_the_user_cannot_read_stops_it),
		TEST(test_where_it_may_be),
		TEST(test_what_stands_above),
		TEST(test_one_that_is_there),
		cmocka_unit_test(test_merge),
		TEST(test_keys),
		TEST(test_keys_follow_no_link),
		TEST(test_no_home_has_no_keys_to_take),
	};

	/* Folders of others are made in it. */
	return geteuid() != 0 ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
