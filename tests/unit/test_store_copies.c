/*
 * store copies, migration: a file that an older Holdfast wrote (golden/store)
 * is migrated whole or not at all, a copy of it stays, and can be put back.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "core/store.h"
#include "core/store_copies.h"
#include "golden.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static char folder[64];

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_copies.XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static void
remove_all(const char *path)
{
	char *command[] = { (char *)"rm", (char *)"-rf",
		(char *)(uintptr_t)path, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static int
remove_folder(void **state)
{
	(void)state;
	umount2(folder, MNT_DETACH);
	remove_all(folder);
	return 0;
}

static void
put_file(const char *name, const char *data, size_t len)
{
	char *file = xasprintf("%s/%s", folder, name);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(file_write_all(fd, data, len), 0);
	close(fd);
	free(file);
}

static char *
get_file(const char *name, size_t *lenp)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY);
	char *data;

	assert_int_equal(file_read_at(dir, name, 1 << 24, &data, lenp), 0);
	close(dir);
	return data;
}

/* The file of an older schema, as if an upgrade had just been installed. */
static void
put_golden(const char *name)
{
	char *data, *log = xasprintf("%s/config.db-wal", folder);
	size_t len;

	data = golden_read("store", name, &len);
	put_file("config.db", data, len);
	unlink(log);
	free(log);
	free(data);
}

static void
put_old(void)
{
	put_golden("schema1.db");
}

static struct store *
open_store(void)
{
	char *why;
	struct store *s = store_open(folder, NULL, &why);

	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

static void
tamper(const char *name, const char *sql)
{
	char *file = xasprintf("%s/%s", folder, name);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(file);
}

/* What golden/store/schema1.db holds. */
static void
assert_content(struct store *s)
{
	const json_t *ssh = store_get(s, "ssh", 1);
	struct revision *pending;
	json_t *outbox;
	size_t count;
	char *value;

	assert_int_equal(json_int(ssh, "tcpport", 0), 2222);
	assert_int_equal(store_revision(s, "ssh", 1), 2);
	assert_string_equal(
	    json_str(store_get(s, "user", 2), "username", ""), "truenas_admin");
	assert_int_equal(store_pending(s, &pending, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(pending[0].number, 4);
	assert_int_equal(pending[0].change, 4);
	assert_int_equal(json_int(pending[0].after, "tcpport", 0), 2022);
	revisions_free(pending, count);
	outbox = store_outbox(s);
	assert_int_equal(json_array_size(outbox), 1);
	json_decref(outbox);
	value = store_value(s, "administrator");
	assert_string_equal(value, "truenas_admin");
	free(value);
}

static size_t
count_copies(void)
{
	json_t *list = store_copies(folder);
	size_t count = json_array_size(list);

	json_decref(list);
	return count;
}

/* The name of the newest copy; caller frees. */
static char *
newest(void)
{
	json_t *list = store_copies(folder);
	char *name = xstrdup(json_str(json_array_get(list, 0), "name", ""));

	json_decref(list);
	return name;
}

static void
test_migration(void **state)
{
	struct store *s;
	json_t *list, *copy;
	struct stat st;
	char *file;

	(void)state;
	put_old();
	s = open_store();
	assert_content(s);
	assert_int_equal(store_end(s, 4, REVISION_COMMITTED, NULL), 0);
	assert_int_equal(json_int(store_get(s, "ssh", 1), "tcpport", 0), 2022);
	store_close(s);
	list = store_copies(folder);
	assert_int_equal(json_array_size(list), 1);
	copy = json_array_get(list, 0);
	assert_int_equal(json_int(copy, "schema", 0), 1);
	assert_true(json_bool(copy, "usable", false));
	assert_non_null(strstr(json_str(copy, "name", ""), "-schema1.db"));
	file = xasprintf("%s/copies/%s", folder, json_str(copy, "name", ""));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	free(file);
	json_decref(list);
	/* Of this schema: none more. */
	store_close(open_store());
	assert_int_equal(count_copies(), 1);
}

/* Who was set up by schema 2 is a managed account, and has his password. */
static void
test_migration_of_the_administrator(void **state)
{
	const json_t *admin;
	struct store *s;

	(void)state;
	put_golden("schema2.db");
	s = open_store();
	admin = store_get(s, "user", 2);
	assert_string_equal(json_str(admin, "username", ""), "truenas_admin");
	assert_true(json_is_false(json_object_get(admin, "builtin")));
	assert_int_equal(json_int(admin, "uid", 0), 950);
	assert_string_equal(json_str(admin, "home", ""), "/home/truenas_admin");
	assert_true(json_is_object(json_object_get(admin, "unixhash")) ||
	    json_is_string(json_object_get(admin, "unixhash")));
	store_close(s);
}

/* Whenever it is killed, the next start finds all of it. */
static void
test_killed_migration(void **state)
{
	struct store *s;
	char *why;
	pid_t pid;
	int round;

	(void)state;
	srandom((unsigned int)getpid());
	for (round = 0; round < 25; round++) {
		put_old();
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			s = store_open(folder, NULL, &why);
			_exit(s == NULL);
		}
		usleep((useconds_t)(random() % 20000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		s = open_store();
		assert_content(s);
		store_close(s);
	}
	assert_in_range(count_copies(), 1, STORE_COPIES);
}

static void
test_no_room(void **state)
{
	char *data, *before, *why;
	size_t len, before_len;
	struct store *s;

	(void)state;
	if (mount("none", folder, "tmpfs", 0, "size=512k,mode=0700") == -1)
		skip();
	put_old();
	before = get_file("config.db", &before_len);
	data = xcalloc(1, 456 << 10);
	put_file("filler", data, 456 << 10);
	free(data);
	assert_null(store_open(folder, NULL, &why));
	if (strstr(why, "make room") == NULL)
		fail_msg("%s", why);
	assert_null(strchr(why, '\n'));
	free(why);
	assert_int_equal(count_copies(), 0);
	data = get_file("config.db", &len);
	assert_int_equal(len, before_len);
	/* All but the header's counters, of the change to a log and back. */
	assert_memory_equal(data + 100, before + 100, len - 100);
	free(data);
	free(before);
	put_file("filler", "", 0);
	s = open_store();
	assert_content(s);
	store_close(s);
}

static void
test_bounded(void **state)
{
	struct store *s = open_store();
	char *why, *name, *oldest = NULL, *file;
	json_t *list;
	int i;

	(void)state;
	put_file("copies", "", 0);
	assert_int_equal(store_copy(s, folder, &why), -1);
	free(why);
	file = xasprintf("%s/copies", folder);
	unlink(file);
	free(file);
	assert_int_equal(store_copy(s, folder, &why), 0);
	oldest = newest();
	/* Later ones, as their names say. */
	for (i = 0; i < STORE_COPIES - 1; i++) {
		name = xasprintf("copies/2999010%dT000000Z-schema2.db", i + 1);
		put_file(name, "x", 1);
		free(name);
	}
	assert_int_equal(count_copies(), STORE_COPIES);
	put_file("copies/29990201T000000Z-schema2.db", "x", 1);
	put_file("copies/new", "x", 1);
	put_file("copies/.db", "x", 1);
	assert_int_equal(store_copy(s, folder, &why), 0);
	list = store_copies(folder);
	assert_int_equal(json_array_size(list), STORE_COPIES);
	for (i = 0; i < STORE_COPIES; i++) {
		assert_string_not_equal(
		    json_str(json_array_get(list, (size_t)i), "name", ""),
		    oldest);
		assert_false(
		    json_bool(json_array_get(list, (size_t)i), "usable", true));
	}
	json_decref(list);
	free(oldest);
	store_close(s);
}

static void
assert_not_restored(const char *name, const char *expected)
{
	size_t before_len, len;
	char *before = get_file("config.db", &before_len), *after, *why;

	assert_int_equal(store_copy_restore(folder, name, &why), -1);
	if (strstr(why, expected) == NULL)
		fail_msg("\"%s\" without \"%s\"", why, expected);
	free(why);
	after = get_file("config.db", &len);
	assert_int_equal(len, before_len);
	assert_memory_equal(before, after, len);
	free(before);
	free(after);
}

static void
test_restore(void **state)
{
	char *name, *why, *path, *data;
	struct store *s;
	size_t len;

	(void)state;
	put_old();
	store_close(open_store());
	name = newest();
	path = xasprintf("copies/%s", name);
	/* A newer Holdfast was here, and has gone. */
	tamper("config.db", "PRAGMA user_version = 9");
	assert_null(store_open(folder, NULL, &why));
	assert_non_null(strstr(why, "schema 9"));
	free(why);
	assert_not_restored("../config.db", "no copy of this name");
	assert_not_restored("", "no copy of this name");
	data = get_file(path, &len);
	put_file("copies/3-newer.db", data, len);
	tamper("copies/3-newer.db", "PRAGMA user_version = 4");
	assert_not_restored("3-newer.db", "schema 4, this one knows 3");
	put_file("copies/4-cut.db", data, len / 2);
	assert_not_restored("4-cut.db", "damaged");
	memset(data + 4096, 'x', 4096);
	put_file("copies/5-overwritten.db", data, len);
	assert_not_restored("5-overwritten.db", "damaged");
	free(data);
	assert_int_equal(store_copy_restore(folder, name, &why), 0);
	s = open_store();
	assert_content(s);
	store_close(s);
	data = get_file("config.db.refused", &len);
	assert_int_equal(data[63], 9);
	free(data);
	free(path);
	free(name);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(test_migration),
		TEST(test_migration_of_the_administrator),
		TEST(test_killed_migration),
		TEST(test_no_room),
		TEST(test_bounded),
		TEST(test_restore),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
