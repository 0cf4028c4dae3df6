/*
 * store: revisions and entries, the outbox, what is refused at open, a full
 * disk, and kill -9 at any moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "core/store.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static char folder[64];

static struct store *
open_store(void)
{
	char *why;
	struct store *s = store_open(folder, NULL, &why);

	if (s == NULL)
		fail_msg("%s", why);
	assert_null(why);
	return s;
}

static char *
file_name(void)
{
	return xasprintf("%s/config.db", folder);
}

static json_t *
document(int n)
{
	return json_pack("{s:i}", "n", n);
}

/* Changes thing/id to document(n) at once. */
static int64_t
change(struct store *s, const char *resource, int64_t id, int n)
{
	struct revision r = { .time = 1000,
		.who = (char *)"root",
		.origin = (char *)"pid:1",
		.entry = id };
	int64_t number;

	r.resource = (char *)(uintptr_t)resource;
	r.after = document(n);
	number = store_change(s, &r, 1, NULL, NULL);
	json_decref(r.after);
	return number;
}

static int64_t
begin(struct store *s, int64_t id, int n, int64_t if_revision,
    const char *audit_id)
{
	json_t *record = json_pack("{s:s}", "state", "begun");
	struct revision r = { .time = 1000,
		.who = (char *)"root",
		.origin = (char *)"pid:1",
		.resource = (char *)"thing",
		.entry = id };
	int64_t number;

	r.before = json_incref((json_t *)(uintptr_t)store_get(s, "thing", id));
	r.after = document(n);
	number = store_begin(s, &r, 1, if_revision, audit_id, record);
	json_decref(r.before);
	json_decref(r.after);
	json_decref(record);
	return number;
}

static int
end(struct store *s, int64_t number, enum revision_state state)
{
	json_t *record = json_pack("{s:s}", "state", "ended");
	int result = store_end(s, number, state, record);

	json_decref(record);
	return result;
}

static void
assert_entry(const struct store *s, int64_t id, int n)
{
	const json_t *entry = store_get(s, "thing", id);

	if (n == -1)
		assert_null(entry);
	else
		assert_int_equal(json_int(entry, "n", -2), n);
}

static void
assert_json(json_t *value, const char *expected)
{
	char *text = json_text(value);

	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static size_t
count_pending(struct store *s)
{
	struct revision *list;
	size_t count;

	assert_int_equal(store_pending(s, &list, &count), 0);
	revisions_free(list, count);
	return count;
}

static void
assert_outbox(struct store *s, size_t count)
{
	json_t *outbox = store_outbox(s);

	assert_int_equal(json_array_size(outbox), count);
	json_decref(outbox);
}

static void
test_change(void **state)
{
	struct store *s = open_store();
	int64_t first, second;

	(void)state;
	assert_null(store_get(s, "thing", 1));
	assert_int_equal(store_revision(s, "thing", 1), 0);
	first = change(s, "thing", 1, 10);
	assert_int_equal(first, 1);
	assert_entry(s, 1, 10);
	second = change(s, "thing", 1, 11);
	assert_int_equal(second, 2);
	assert_entry(s, 1, 11);
	store_close(s);
	s = open_store();
	assert_entry(s, 1, 11);
	assert_int_equal(store_revision(s, "thing", 1), second);
	assert_int_equal(count_pending(s), 0);
	store_close(s);
	store_close(NULL);
}

static void
test_list(void **state)
{
	struct store *s = open_store();

	(void)state;
	change(s, "thing", 10, 1);
	change(s, "thing", 9, 2);
	change(s, "thing", 100, 3);
	change(s, "things", 1, 4);
	change(s, "thin", 1, 5);
	assert_json(store_list(s, "thing"), "[{\"n\":2},{\"n\":1},{\"n\":3}]");
	assert_json(store_list(s, "nosuch"), "[]");
	store_close(s);
	s = open_store();
	assert_json(store_list(s, "thing"), "[{\"n\":2},{\"n\":1},{\"n\":3}]");
	store_close(s);
}

static void
test_begin_end(void **state)
{
	struct store *s = open_store();
	struct revision *list;
	int64_t one, two, three;
	size_t count;

	(void)state;
	one = begin(s, 1, 5, -1, "a-1");
	assert_int_equal(one, 1);
	assert_entry(s, 1, -1);
	assert_json(store_outbox(s), "[]");
	/* Changes of one entry are one after the other. */
	assert_int_equal(begin(s, 1, 6, -1, "a-2"), -1);
	assert_int_equal(errno, EBUSY);
	two = begin(s, 2, 7, -1, "a-3");
	assert_int_equal(two, 2);
	assert_int_equal(store_pending(s, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(list[0].number, one);
	assert_int_equal(list[0].state, REVISION_PENDING);
	assert_int_equal(list[0].time, 1000);
	assert_string_equal(list[0].who, "root");
	assert_string_equal(list[0].origin, "pid:1");
	assert_string_equal(list[0].resource, "thing");
	assert_int_equal(list[0].entry, 1);
	assert_null(list[0].before);
	assert_int_equal(json_int(list[0].after, "n", 0), 5);
	assert_int_equal(list[1].number, two);
	revisions_free(list, count);

	assert_int_equal(end(s, two, REVISION_UNDONE), 0);
	assert_entry(s, 2, -1);
	assert_int_equal(store_revision(s, "thing", 2), 0);
	assert_int_equal(end(s, one, REVISION_COMMITTED), 0);
	assert_entry(s, 1, 5);
	assert_int_equal(store_revision(s, "thing", 1), one);
	/* In the order in which they began. */
	assert_json(store_outbox(s),
	    "[[\"a-1\",{\"state\":\"ended\"}],[\"a-3\",{\"state\":"
	    "\"ended\"}]]");
	assert_int_equal(end(s, one, REVISION_COMMITTED), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(end(s, 77, REVISION_UNDONE), -1);
	assert_int_equal(errno, ENOENT);
	three = begin(s, 1, 8, one, "a-4");
	assert_int_equal(three, 3);
	assert_int_equal(end(s, three, REVISION_PENDING), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(store_pending(s, &list, &count), 0);
	assert_int_equal(json_int(list[0].before, "n", 0), 5);
	revisions_free(list, count);
	store_close(s);

	/* It is there after a restart, and can be ended then. */
	s = open_store();
	assert_entry(s, 1, 5);
	assert_int_equal(count_pending(s), 1);
	assert_int_equal(store_end(s, three, REVISION_COMMITTED, NULL), 0);
	assert_entry(s, 1, 8);
	/* The record of the beginning, with how it ended. */
	assert_json(store_outbox(s),
	    "[[\"a-1\",{\"state\":\"ended\"}],[\"a-3\",{\"state\":\"ended\"}],"
	    "[\"a-4\",{\"state\":\"begun\",\"success\":true}]]");
	store_close(s);
}

static void
test_if_revision(void **state)
{
	struct store *s = open_store();
	int64_t number;

	(void)state;
	assert_int_equal(begin(s, 1, 5, 1, "a"), -1);
	assert_int_equal(errno, ESTALE);
	number = begin(s, 1, 5, 0, "a");
	assert_int_not_equal(number, -1);
	assert_int_equal(end(s, number, REVISION_COMMITTED), 0);
	assert_int_equal(begin(s, 1, 6, 0, "b"), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_not_equal(begin(s, 1, 6, number, "b"), -1);
	store_close(s);
}

static void
test_removal(void **state)
{
	struct store *s = open_store();
	struct revision r = { .who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)"thing",
		.entry = 1 };
	int64_t number;

	(void)state;
	change(s, "thing", 1, 5);
	r.before = document(5);
	number = store_change(s, &r, 1, NULL, NULL);
	json_decref(r.before);
	assert_int_not_equal(number, -1);
	assert_entry(s, 1, -1);
	/* One who has read the removed one is told. */
	assert_int_equal(store_revision(s, "thing", 1), number);
	store_close(s);
	s = open_store();
	assert_entry(s, 1, -1);
	assert_json(store_list(s, "thing"), "[]");
	assert_int_equal(store_revision(s, "thing", 1), number);
	change(s, "thing", 1, 6);
	assert_entry(s, 1, 6);
	store_close(s);
}

/* The caller's document is the caller's: changing it changes nothing. */
static void
test_own_copy(void **state)
{
	struct store *s = open_store();
	struct revision r = { .who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)"thing",
		.entry = 1 };

	(void)state;
	r.after = document(5);
	assert_int_not_equal(store_change(s, &r, 1, NULL, NULL), -1);
	json_object_set_new(r.after, "n", json_integer(6));
	json_decref(r.after);
	assert_entry(s, 1, 5);
	store_close(s);
}

static void
test_outbox(void **state)
{
	struct store *s = open_store();
	json_t *record = json_pack("{s:i}", "x", 1);
	struct revision r = { .who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)"thing",
		.entry = 1,
		.after = record };
	int64_t number;

	(void)state;
	assert_int_equal(store_outbox_add(s, "b", record), 0);
	assert_int_equal(store_outbox_add(s, "a", record), 0);
	assert_int_equal(store_outbox_add(s, "a", json_null()), 0);
	assert_int_not_equal(store_change(s, &r, 1, "c", record), -1);
	assert_json(store_outbox(s),
	    "[[\"b\",{\"x\":1}],[\"a\",{\"x\":1}],[\"c\",{\"x\":1}]]");
	assert_int_equal(store_outbox_done(s, "b"), 0);
	assert_int_equal(store_outbox_done(s, "b"), 0);
	store_close(s);
	s = open_store();
	assert_json(store_outbox(s), "[[\"a\",{\"x\":1}],[\"c\",{\"x\":1}]]");
	/* One that can not be written takes its change with it. */
	number = store_revision(s, "thing", 1);
	r.after = NULL;
	assert_int_equal(store_change(s, &r, 1, "c", record), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(store_begin(s, &r, 1, -1, "c", record), -1);
	assert_int_equal(count_pending(s), 0);
	assert_int_equal(store_revision(s, "thing", 1), number);
	assert_non_null(store_get(s, "thing", 1));
	r.after = record;
	/* A record given at the end only is delivered, too. */
	number = store_begin(s, &r, 1, -1, "d", NULL);
	assert_int_not_equal(number, -1);
	assert_int_equal(store_end(s, number, REVISION_UNDONE, record), 0);
	assert_outbox(s, 3);
	json_decref(record);
	store_close(s);
}

static void
test_values(void **state)
{
	struct store *s = open_store();
	char *value;

	(void)state;
	assert_null(store_value(s, "setup_closed"));
	assert_int_equal(store_set_value(s, "setup_closed", "1"), 0);
	assert_int_equal(store_set_value(s, "setup_closed", "2"), 0);
	store_close(s);
	s = open_store();
	value = store_value(s, "setup_closed");
	assert_string_equal(value, "2");
	free(value);
	assert_int_equal(store_set_value(s, "setup_closed", NULL), 0);
	assert_null(store_value(s, "setup_closed"));
	store_close(s);
}

static struct revision
revision(const char *resource, int64_t entry, const char *after)
{
	return (struct revision){ .time = 1,
		.who = (char *)(uintptr_t) "root",
		.origin = (char *)(uintptr_t) "",
		.resource = (char *)(uintptr_t)resource,
		.entry = entry,
		.after = after == NULL ?
		    NULL :
		    json_parse(after, strlen(after), NULL) };
}

/* Several entries, all or none; each keeps a revision of its own. */
static void
test_several(void **state)
{
	struct revision both[] = { revision("thing", 1, "{\"n\":1}"),
		revision("other", 7, "{\"m\":7}") };
	struct revision gone[] = { revision("other", 7, NULL),
		revision("thing", 2, "{\"n\":2}") };
	struct store *s = open_store();
	struct revision *list;
	int64_t first, second;
	size_t count;

	(void)state;
	first = store_change(s, both, 2, NULL, NULL);
	assert_true(first > 0);
	assert_int_equal(store_revision(s, "thing", 1), first);
	assert_int_equal(store_revision(s, "other", 7), first + 1);
	second = store_begin(s, gone, 2, -1, "a", NULL);
	assert_true(second > 0);
	/* One of them is taken: then none of the others begins. */
	assert_int_equal(store_begin(s, both, 2, -1, NULL, NULL), -1);
	assert_int_equal(errno, EBUSY);
	store_close(s);
	s = open_store();
	assert_int_equal(store_pending(s, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(list[0].change, second);
	assert_int_equal(list[1].change, second);
	revisions_free(list, count);
	assert_int_equal(store_end(s, second, REVISION_COMMITTED, NULL), 0);
	assert_null(store_get(s, "other", 7));
	assert_int_equal(store_count(s, "other"), 0);
	assert_int_equal(store_count(s, "thing"), 2);
	/* An id is not used again. */
	assert_int_equal(store_next_id(s, "other"), 8);
	store_close(s);
	s = open_store();
	assert_int_equal(store_next_id(s, "other"), 8);
	assert_int_equal(store_next_id(s, "thing"), 3);
	assert_int_equal(store_next_id(s, "nosuch"), 1);
	store_close(s);
	json_decref(both[0].after);
	json_decref(both[1].after);
	json_decref(gone[1].after);
}

/* One that could not be made, or not whole, goes with all its files. */
static void
test_remove(void **state)
{
	struct store *s;

	(void)state;
	assert_false(store_exists(folder));
	s = open_store();
	assert_true(store_exists(folder));
	assert_true(change(s, "thing", 1, 1) > 0);
	store_remove(folder);
	store_close(s);
	assert_false(store_exists(folder));
	s = open_store();
	assert_null(store_get(s, "thing", 1));
	store_close(s);
}

static void
test_mode(void **state)
{
	char *file = file_name();
	mode_t old = umask(0);
	struct stat st;

	(void)state;
	store_close(open_store());
	umask(old);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	free(file);
}

static void
assert_refused(const char *expected)
{
	char *why;
	struct store *s = store_open(folder, NULL, &why);

	assert_null(s);
	if (strstr(why, expected) == NULL || strchr(why, '\n') != NULL)
		fail_msg("\"%s\" without \"%s\"", why, expected);
	free(why);
}

/* Does that to the file with SQLite itself. */
static void
tamper(const char *sql)
{
	char *file = file_name();
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(file);
}

static void
test_newer_schema(void **state)
{
	(void)state;
	store_close(open_store());
	tamper("PRAGMA user_version = 7");
	assert_refused("schema 7, this one knows 3): install that version");
	tamper("PRAGMA user_version = 0");
	assert_refused("damaged");
	tamper("PRAGMA user_version = 3");
	store_close(open_store());
}

static bool
count_one(const struct revision *r, void *arg)
{
	(void)r;
	++*(int *)arg;
	return true;
}

static int
count_history(struct store *s)
{
	int count = 0;

	assert_int_equal(store_history(s, 0, count_one, &count), 0);
	return count;
}

/* By number, by age; what is pending stays. */
static void
test_retention(void **state)
{
	struct store *s = open_store();

	(void)state;
	change(s, "thing", 1, 1);
	begin(s, 2, 2, -1, NULL);
	change(s, "thing", 3, 3);
	assert_int_equal(count_history(s), 3);
	store_close(s);
	tamper("UPDATE sqlite_sequence SET seq = 4999 WHERE name = 'revision'");
	s = open_store();
	assert_int_equal(change(s, "thing", 3, 4), STORE_REVISIONS);
	assert_int_equal(count_history(s), 4);
	change(s, "thing", 3, 5);
	assert_int_equal(count_history(s), 4);
	assert_int_equal(count_pending(s), 1);
	store_close(s);
	tamper("UPDATE revision SET time = time - 731 * 86400"
	       " WHERE number IN (2, 3)");
	s = open_store();
	change(s, "thing", 1, 6);
	assert_int_equal(count_history(s), 4);
	assert_int_equal(count_pending(s), 1);
	store_close(s);
}

static void
test_foreign(void **state)
{
	(void)state;
	tamper("CREATE TABLE their (own TEXT)");
	assert_refused("another program's database");
	tamper("SELECT own FROM their"); /* left alone */
	tamper("PRAGMA application_id = 5; DROP TABLE their");
	assert_refused("another program's database");
}

static void
write_file(const void *data, size_t len, off_t at, int flags)
{
	char *file = file_name();
	int fd = open(file, O_WRONLY | O_CREAT | flags, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
	free(file);
}

static void
test_damaged(void **state)
{
	char garbage[4096];
	struct store *s;
	int i;

	(void)state;
	memset(garbage, 'g', sizeof garbage);
	write_file(garbage, sizeof garbage, 0, O_TRUNC);
	assert_refused("is damaged (file is not a database): restore");
	write_file("", 0, 0, O_TRUNC);
	s = open_store();
	for (i = 0; i < 200; i++)
		change(s, "thing", i, i);
	store_close(s);
	/* The middle of the file; the header stays. */
	write_file(garbage, sizeof garbage, 8192, 0);
	write_file(garbage, sizeof garbage, 16384, 0);
	assert_refused("is damaged");
}

static void
test_damaged_documents(void **state)
{
	struct store *s = open_store();

	(void)state;
	change(s, "thing", 1, 1);
	begin(s, 2, 2, -1, "a");
	store_close(s);
	tamper("UPDATE entry SET document = '{' WHERE id = 1");
	assert_refused("an entry is no JSON");
	tamper("UPDATE entry SET document = '{}' WHERE id = 1;"
	       "UPDATE revision SET after = '{' WHERE state = 0");
	assert_refused("a record is no JSON");
	tamper("UPDATE revision SET after = NULL WHERE state = 0;"
	       "UPDATE outbox SET record = 'x'");
	assert_refused("a record is no JSON");
	tamper("DELETE FROM outbox; DROP TABLE value");
	assert_refused("is damaged (no such table: value)");
}

static void
test_not_a_file(void **state)
{
	char *file = file_name(), *other = xasprintf("%s/other", folder);
	char *why;

	(void)state;
	assert_int_equal(mkdir(file, 0700), 0);
	assert_refused("can not be opened");
	assert_int_equal(rmdir(file), 0);
	write_file("", 0, 0, 0);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(symlink("other", file), 0);
	assert_refused("can not be opened");
	free(file);
	free(other);
	assert_null(store_open("/nonexistent/folder", NULL, &why));
	assert_non_null(strstr(why, "/nonexistent/folder/config.db"));
	free(why);
}

static void
test_second_process(void **state)
{
	struct store *s = open_store();
	int status;
	pid_t pid;
	char *why;

	(void)state;
	/* POSIX locks are per process: it has to be another one. */
	pid = fork();
	if (pid == 0)
		_exit(store_open(folder, NULL, &why) == NULL &&
			    strstr(why, "in use by another process") != NULL ?
			0 :
			1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
}

/* Commits until it is killed, acknowledging each one after it is done. */
static void
commit_for_ever(int out)
{
	char *why;
	struct store *s = store_open(folder, NULL, &why);
	int64_t number;
	int n = 0, id, ack;

	if (s == NULL)
		_exit(1);
	if (store_get(s, "thing", 0) != NULL)
		n = (int)json_int(store_get(s, "thing", 0), "n", 0);
	for (;;) {
		n++;
		id = n % 5;
		if (n % 3 == 0)
			number = change(s, "thing", id, n);
		else
			number = begin(s, id, n, -1, NULL);
		if (number == -1)
			_exit(2);
		ack = -n; /* begun */
		if (n % 3 != 0 && write(out, &ack, sizeof ack) != sizeof ack)
			_exit(3);
		if (n % 3 != 0 && end(s, number, REVISION_COMMITTED) == -1)
			_exit(4);
		ack = n;
		if (write(out, &ack, sizeof ack) != sizeof ack)
			_exit(5);
	}
}

/* What is pending is finished, as a start does. */
static void
finish_pending(struct store *s, int last_begun, int last_done)
{
	struct revision *list;
	size_t count, i;

	assert_int_equal(store_pending(s, &list, &count), 0);
	assert_in_range(count, 0, 1);
	/* Begun and not ended: it has to be listed, unless it was ended. */
	if (last_begun > last_done && count == 0)
		assert_entry(s, last_begun % 5, last_begun);
	for (i = 0; i < count; i++)
		assert_int_equal(
		    store_end(s, list[i].number, REVISION_COMMITTED, NULL), 0);
	revisions_free(list, count);
}

/* However slow the machine: of four messages two are acknowledgements. */
static void
wait_for_acknowledgements(int in)
{
	int tries, bytes = 0;

	for (tries = 0; tries < 30000; tries++) {
		assert_int_equal(ioctl(in, FIONREAD, &bytes), 0);
		if (bytes >= 4 * (int)sizeof(int))
			return;
		usleep(1000);
	}
	fail_msg("nothing was acknowledged within 30 s");
}

static void
test_kill(void **state)
{
	int acknowledged[5] = { 0 }, pipes[2], status, ack, round, id, total;
	int last_begun = 0, last_done = 0;
	struct store *s;
	pid_t pid;

	(void)state;
	total = 0;
	srandom((unsigned int)getpid());
	for (round = 0; round < 40; round++) {
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			commit_for_ever(pipes[1]);
		close(pipes[1]);
		if (round % 2 == 0)
			wait_for_acknowledgements(pipes[0]);
		usleep((useconds_t)(1000 + random() % 40000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(pipes[0], &ack, sizeof ack) == sizeof ack) {
			if (ack < 0) {
				last_begun = -ack;
				continue;
			}
			acknowledged[ack % 5] = last_done = ack;
			total++;
		}
		close(pipes[0]);
		s = open_store();
		finish_pending(s, last_begun, last_done);
		for (id = 0; id < 5; id++)
			if (acknowledged[id] != 0)
				assert_true(json_int(store_get(s, "thing", id),
						"n", 0) >= acknowledged[id]);
		/* The child goes on where this one is. */
		for (ack = 0, id = 0; id < 5; id++)
			if (json_int(store_get(s, "thing", id), "n", 0) > ack)
				ack = (int)json_int(
				    store_get(s, "thing", id), "n", 0);
		while (ack % 5 != 0)
			ack++;
		assert_int_not_equal(change(s, "thing", 0, ack), -1);
		acknowledged[0] = last_done = last_begun = ack;
		store_close(s);
	}
	assert_true(total > 20);
}

/* On a disk that is full nothing changes, and all goes on when there is room. */
static void
test_full_disk(void **state)
{
	json_t *large = json_object(), *before;
	struct revision r = { .who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)"thing",
		.entry = 1,
		.after = large };
	char *text = xmalloc(100001);
	struct store *s;
	int64_t number, entry;

	(void)state;
	if (mount("none", folder, "tmpfs", 0, "size=512k,mode=0700") == -1) {
		free(text);
		json_decref(large);
		skip();
	}
	memset(text, 'x', 100000);
	text[100000] = '\0';
	json_object_set_new(large, "text", json_string(text));
	s = open_store();
	assert_int_not_equal(change(s, "thing", 50, 1), -1);
	for (entry = 1; entry < 20; entry++) {
		r.entry = entry;
		number = store_begin(s, &r, 1, -1, NULL, NULL);
		if (number == -1)
			break;
	}
	assert_int_equal(number, -1);
	assert_int_equal(errno, ENOSPC);
	before = store_list(s, "thing");
	assert_int_equal(store_change(s, &r, 1, "a", large), -1);
	assert_int_equal(errno, ENOSPC);
	assert_json(before, "[{\"n\":1}]");
	assert_int_equal(json_int(store_get(s, "thing", 50), "n", 0), 1);
	assert_int_equal(count_pending(s), (size_t)entry - 1);
	assert_int_equal(
	    mount("none", folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
	assert_int_not_equal(store_change(s, &r, 1, "a", large), -1);
	store_close(s);
	s = open_store();
	assert_int_equal(count_pending(s), (size_t)entry - 1);
	assert_non_null(store_get(s, "thing", entry));
	store_close(s);
	json_decref(large);
	free(text);
	assert_int_equal(umount(folder), 0);
}

static int
make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s", "/tmp/test_store.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "config.db", "config.db-wal",
		"config.db-shm", "config.db-journal", "other" };
	char *file;
	size_t i;

	(void)state;
	/* What a failed test has left. */
	umount2(folder, MNT_DETACH);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		file = xasprintf("%s/%s", folder, names[i]);
		unlink(file);
		free(file);
	}
	return rmdir(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_change),
		TEST(test_list),
		TEST(test_begin_end),
		TEST(test_if_revision),
		TEST(test_removal),
		TEST(test_own_copy),
		TEST(test_outbox),
		TEST(test_values),
		TEST(test_several),
		TEST(test_remove),
		TEST(test_mode),
		TEST(test_newer_schema),
		TEST(test_retention),
		TEST(test_foreign),
		TEST(test_damaged),
		TEST(test_damaged_documents),
		TEST(test_not_a_file),
		TEST(test_second_process),
		TEST(test_kill),
		TEST(test_full_disk),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
