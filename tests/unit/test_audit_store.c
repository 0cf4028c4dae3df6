/*
 * The audit store: what was acknowledged is there after any crash, what was
 * refused is not, and queries see exactly that.
 */
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/query.h"
#include "audit/segment.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define SKIPPED 77

struct place {
	char path[64];
	int fd;
};

static void
remove_segments(int dirfd)
{
	char name[32];
	int i;

	for (i = 1; i < 20; i++) {
		snprintf(name, sizeof(name), "segment-%06d.jsonl", i);
		(void)unlinkat(dirfd, name, 0);
	}
}

static int
setup(void **state)
{
	struct place *place;

	place = xcalloc(1, sizeof(*place));
	/* In memory: what is synced is not what is tested here. */
	snprintf(place->path, sizeof(place->path), "%s/test_audit.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(place->path));
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(place->fd, -1);
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	remove_segments(place->fd);
	close(place->fd);
	assert_int_equal(rmdir(place->path), 0);
	free(place);
	return 0;
}

static char *
id_of(unsigned int number)
{
	return xasprintf("00000000-0000-4000-8000-%012x", number);
}

static json_t *
record_of(unsigned int number, const char *service)
{
	char *id = id_of(number);
	json_t *record;

	record = json_pack("{s:{s:i}, s:s, s:s, s:s, s:o, s:s, s:n, s:s, "
			   "s:{s:i}, s:b}",
	    "timestamp", "$date", 1700000000, "audit_id", id, "address",
	    "127.0.0.1", "username", "root", "session", json_null(), "service",
	    service, "service_data", "event", "METHOD_CALL", "event_data",
	    "number", (int)number, "success", (int)(number % 2));
	assert_non_null(record);
	free(id);
	return record;
}

static void
add(struct segments *store, unsigned int number)
{
	json_t *record = record_of(number, "MIDDLEWARE");
	char *line;

	assert_int_equal(record_line(record, 1700000001, &line, NULL), 0);
	segments_add(store, line);
	freezero_str(line);
	json_decref(record);
}

static int
hold(struct segments *store, unsigned int number)
{
	char *id = id_of(number);
	int result = segments_hold(store, id);

	free(id);
	return result;
}

static struct segments *
open_store(int dirfd)
{
	struct segments *store;
	size_t torn;

	store = segments_open(dirfd, &torn);
	assert_non_null(store);
	assert_int_equal(torn, 0);
	return store;
}

/* How many lines there are; each must be a record. */
static unsigned int
count_lines(const struct segments *store)
{
	struct segment_reader *reader;
	const char *line, *problem;
	unsigned int count = 0;
	json_t *record;
	size_t len;
	int got;

	reader = segment_reader_new(store);
	while ((got = segment_reader_next(reader, &line, &len)) == 1) {
		record = json_parse(line, len, &problem);
		assert_true(json_is_object(record));
		json_decref(record);
		count++;
	}
	assert_int_equal(got, 0);
	segment_reader_free(reader);
	return count;
}

static void
append_raw(int dirfd, const char *name, const char *text, size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_APPEND | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static off_t
file_size(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == -1 ? -1 : st.st_size;
}

static void
test_append_and_replay(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	unsigned int i;

	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(file_size(place->fd, "segment-000001.jsonl"), -1);
	for (i = 0; i < 100; i++)
		add(store, i);
	assert_int_equal(count_lines(store), 0); /* not yet committed */
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(segments_batched(store), 0);
	assert_int_equal(count_lines(store), 100);
	add(store, 100); /* never committed */
	segments_close(store);

	store = open_store(place->fd);
	assert_int_equal(count_lines(store), 100);
	add(store, 100);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(count_lines(store), 101);
	segments_close(store);
}

static void
test_line(void **state)
{
	static const char *const wrong[] = { "[]", "1", "{}",
		"{\"audit_id\": 1}", "{\"audit_id\": \"x\"}",
		"{\"audit_id\": \"00000000-0000-4000-8000-00000000000\"}",
		"{\"audit_id\": \"00000000-0000-4000-8000-00000000000g\"}",
		"{\"audit_id\": \"000000000-000-4000-8000-000000000000\"}",
		"{\"audit_id\": \"00000000-0000-4000-8000-0000000000000\"}" };
	json_t *record, *back;
	const char *problem;
	char *line, *big;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		record = json_loads(wrong[i], JSON_DECODE_ANY, NULL);
		assert_non_null(record);
		errno = 0;
		assert_int_equal(record_line(record, 1, &line, NULL), -1);
		assert_int_equal(errno, EINVAL);
		assert_null(line);
		json_decref(record);
	}
	record = record_of(7, "MIDDLEWARE");
	json_object_set_new(record, "message_timestamp", json_integer(5));
	json_object_set_new(record, "username", json_string("a\nb"));
	assert_int_equal(record_line(record, 1234, &line, NULL), 0);
	assert_null(strchr(line, '\n'));
	assert_int_equal(strncmp(line, "{\"audit_id\":\"", 13), 0);
	back = json_parse(line, strlen(line), &problem);
	assert_int_equal(json_int(back, "message_timestamp", 0), 1234);
	assert_string_equal(json_str(back, "username", ""), "a\nb");
	assert_int_equal(json_object_size(back), json_object_size(record));
	freezero_str(line);
	json_decref(back);

	big = xmalloc(RECORD_MAX + 1);
	memset(big, 'x', RECORD_MAX);
	big[RECORD_MAX] = '\0';
	json_object_set_new(record, "username", json_string(big));
	assert_int_equal(record_line(record, 1, &line, NULL), -1);
	assert_int_equal(errno, EINVAL);
	big[RECORD_MAX - 1024] = '\0';
	json_object_set_new(record, "username", json_string(big));
	assert_int_equal(record_line(record, 1, &line, NULL), 0);
	freezero_str(line);
	free(big);
	json_decref(record);
}

/* However a record was sent, its line says it on one line, and once. */
static void
test_sent(void **state)
{
#define ID "{\"audit_id\":\"00000000-0000-4000-8000-000000000001\""
#define TIMED ID ",\"message_timestamp\":9"
	static const struct {
		const char *text, *line; /* NULL: it is none */
	} cases[] = {
		{ ID ",\"a\":{\"b\":[1.50,\"\\u00e9\"]}}",
		    TIMED ",\"a\":{\"b\":[1.50,\"\\u00e9\"]}}" },
		{ ID ", \"a\" : 1 }", TIMED ", \"a\" : 1 }" },
		/* These are written anew. */
		{ ID "}", TIMED "}" },
		{ ID ",\n\"a\":1}", TIMED ",\"a\":1}" },
		{ ID ",\t\"a\":1}", TIMED ",\"a\":1}" },
		{ ID ",\"a\":1,\"a\":2}", TIMED ",\"a\":2}" },
		{ ID ",\"a\":{\"b\":1,\"b\":2}}", TIMED ",\"a\":{\"b\":2}}" },
		{ ID ",\"message_timestamp\":1,\"a\":2}", TIMED ",\"a\":2}" },
		{ ID ",\"audit_id\":\"x\"}", NULL },
		{ ID ",", NULL },
		{ ID ",\"a\":\"\xff\"}", NULL },
		{ ID ",\"a\":1}x", NULL },
		{ ID ",\"a\":1}" ID "}", NULL },
		{ "[" ID "}]", NULL },
		{ "", NULL },
		{ "{\"audit_id\":\"00000000-0000-4000-8000-00000000000x\","
		  "\"a\":1}",
		    NULL },
	};
	json_t *formed, *back;
	char *line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		errno = 0;
		if (record_take(cases[i].text, strlen(cases[i].text), 9, &line,
			&formed) == -1) {
			assert_int_equal(errno, EINVAL);
			assert_null(line);
			assert_null(formed);
			assert_null(cases[i].line);
			continue;
		}
		assert_non_null(cases[i].line);
		assert_string_equal(line, cases[i].line);
		back = record_parse(line, strlen(line));
		assert_true(json_equal(back, formed));
		json_decref(back);
		json_decref(formed);
		freezero_str(line);
	}
}

/* No longer than a line may be, with its time in it. */
static void
test_sent_length(void **state)
{
	char *text = xmalloc(RECORD_MAX + 1), *line;
	const char end[] = "\"}";
	json_t *formed;
	size_t len, most = RECORD_MAX - strlen(TIMED) + strlen(ID);

	(void)state;
	for (len = most; len <= RECORD_MAX + 1; len += RECORD_MAX + 1 - most) {
		memset(text, 'x', RECORD_MAX + 1);
		memcpy(text, ID ",\"a\":\"", strlen(ID ",\"a\":\""));
		memcpy(text + len - strlen(end), end, strlen(end));
		assert_int_equal(record_take(text, len, 9, &line, &formed),
		    len == most ? 0 : -1);
		if (line != NULL)
			assert_int_equal(strlen(line), RECORD_MAX);
		json_decref(formed);
		freezero_str(line);
	}
	memset(text, 'x', RECORD_MAX);
	memcpy(text, ID ",\"a\":\"", strlen(ID ",\"a\":\""));
	memcpy(text + most + 1 - strlen(end), end, strlen(end));
	assert_int_equal(record_take(text, most + 1, 9, &line, &formed), -1);
	free(text);
#undef TIMED
#undef ID
}

static void
test_torn_tail(void **state)
{
	static const char torn_line[] = "{\"audit_id\":\"00000000-0000";
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	size_t torn;
	off_t size;

	add(store, 1);
	add(store, 2);
	assert_int_equal(segments_commit(store), 0);
	segments_close(store);
	size = file_size(place->fd, "segment-000001.jsonl");
	append_raw(place->fd, "segment-000001.jsonl", torn_line,
	    sizeof(torn_line) - 1);

	store = segments_open(place->fd, &torn);
	assert_non_null(store);
	assert_int_equal(torn, sizeof(torn_line) - 1);
	assert_int_equal(file_size(place->fd, "segment-000001.jsonl"), size);
	assert_int_equal(count_lines(store), 2);
	add(store, 3);
	assert_int_equal(segments_commit(store), 0);
	segments_close(store);
	store = open_store(place->fd);
	assert_int_equal(count_lines(store), 3);
	segments_close(store);
}

#define SEGMENT "segment-000001.jsonl"
#define GROUP 6 /* records that power failed in */

/* What is there when the power fails: the file as it may look then. */
static void
leave_behind(int dirfd, const char *data, size_t len)
{
	assert_int_equal(unlinkat(dirfd, SEGMENT, 0), 0);
	append_raw(dirfd, SEGMENT, data, len);
}

/* All that was acknowledged is there, and it goes on. */
static void
check_goes_on(int dirfd, unsigned int acknowledged)
{
	struct segments *store;
	unsigned int i;
	size_t torn;

	store = segments_open(dirfd, &torn);
	assert_non_null(store);
	for (i = 0; i < acknowledged; i++)
		assert_int_equal(hold(store, i), 1);
	add(store, 1000);
	assert_int_equal(segments_commit(store), 0);
	segments_close(store);
	store = open_store(dirfd);
	for (i = 0; i < acknowledged; i++)
		assert_int_equal(hold(store, i), 1);
	assert_int_equal(hold(store, 1000), 1);
	segments_close(store);
}

/*
 * The power fails while a batch is written: of its bytes those before some
 * place are on disk, or those behind it, or the file ends there; the rest is
 * the room that was there before.
 */
static void
test_power_failure(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	size_t before, after, len, cut;
	char *whole, *left;
	unsigned int i;

	for (i = 0; i < 10; i++)
		add(store, i);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(
	    file_read_at(place->fd, SEGMENT, 1 << 20, &whole, &len), 0);
	before = strnlen(whole, len);
	free(whole);
	for (i = 10; i < 10 + GROUP; i++)
		add(store, i);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(
	    file_read_at(place->fd, SEGMENT, 1 << 20, &whole, &len), 0);
	after = strnlen(whole, len);
	assert_true(after > before);
	segments_close(store);
	for (cut = before; cut <= after; cut += 5) {
		leave_behind(place->fd, whole, cut);
		check_goes_on(place->fd, 10);
		left = xmemdup(whole, len);
		memset(left + cut, 0, after - cut);
		leave_behind(place->fd, left, len);
		check_goes_on(place->fd, 10);
		memcpy(left, whole, len);
		memset(left + before, 0, cut - before);
		leave_behind(place->fd, left, len);
		check_goes_on(place->fd, 10);
		free(left);
	}
	free(whole);
}

/* Room is made ahead of records where there is some, and given back. */
static void
test_room(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd), *other;
	off_t size, lines;

	add(store, 1);
	assert_int_equal(segments_commit(store), 0);
	size = file_size(place->fd, SEGMENT);
	other = segments_look(place->fd); /* by who verifies */
	assert_non_null(other);
	assert_int_equal(count_lines(other), 1);
	segments_close(other);
	lines = (off_t)segments_size(store);
	add(store, 3);
	assert_int_equal(segments_commit(store), 0);
	if (size > lines)
		assert_int_equal(file_size(place->fd, SEGMENT), size);
	segments_turn(store);
	add(store, 5);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(file_size(place->fd, SEGMENT), 2 * lines);
	segments_close(store);
	assert_int_equal(file_size(place->fd, "segment-000002.jsonl"), lines);
	store = open_store(place->fd);
	assert_int_equal(count_lines(store), 3);
	segments_close(store);
}

/* A first line that is torn, longer than one read of the search. */
static void
test_torn_only(void **state)
{
	struct place *place = *state;
	struct segments *store;
	size_t torn, len = 300 * 1024;
	char *junk = xmalloc(len);

	memset(junk, 'j', len);
	append_raw(place->fd, "segment-000001.jsonl", junk, len);
	store = segments_open(place->fd, &torn);
	assert_non_null(store);
	assert_int_equal(torn, len);
	assert_int_equal(count_lines(store), 0);
	segments_close(store);
	free(junk);
}

static void
test_foreign_names(void **state)
{
	static const char *const names[] = { "segment-1.jsonl",
		"segment-000000.jsonl", "segment-000002.jsonl.old",
		"segment-+00002.jsonl" };
	struct place *place = *state;
	struct segments *store;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		append_raw(place->fd, names[i], "junk", 4);
	store = open_store(place->fd);
	assert_int_equal(count_lines(store), 0);
	add(store, 1);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(count_lines(store), 1);
	segments_close(store);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(unlinkat(place->fd, names[i], 0), 0);
}

static void
test_duplicate(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);

	add(store, 1);
	assert_int_equal(hold(store, 1), 1); /* in the batch */
	assert_int_equal(hold(store, 2), 0);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(hold(store, 1), 1);
	add(store, 2);
	assert_int_equal(hold(store, 2), 1); /* learnt while adding */
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(segments_hold(store, "nonsense"), -1);
	segments_close(store);

	store = open_store(place->fd);
	assert_int_equal(hold(store, 1), 1);
	assert_int_equal(hold(store, 2), 1);
	assert_int_equal(hold(store, 3), 0);
	segments_close(store);
}

/* The id that a client wrote into some parameter is not the record's. */
static void
test_duplicate_elsewhere(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	json_t *record = record_of(1, "MIDDLEWARE");
	char *line, *id = id_of(2);

	json_object_set_new(
	    record, "event_data", json_pack("{s:s}", "audit_id", id));
	assert_int_equal(record_line(record, 1, &line, NULL), 0);
	segments_add(store, line);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(hold(store, 1), 1);
	assert_int_equal(hold(store, 2), 0);
	segments_close(store);
	free(id);
	freezero_str(line);
	json_decref(record);
}

/* Segments end at their size; all stay readable, ids are found across them. */
static void
test_next_segment(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	json_t *record = record_of(1, "MIDDLEWARE");
	char *line, *id, *big = xmalloc(1000 * 1000 + 1);
	unsigned int i, count = 40;

	memset(big, 'x', 1000 * 1000);
	big[1000 * 1000] = '\0';
	json_object_set_new(record, "username", json_string(big));
	for (i = 0; i < count; i++) {
		id = id_of(i);
		json_object_set_new(record, "audit_id", json_string(id));
		free(id);
		assert_int_equal(record_line(record, 1, &line, NULL), 0);
		segments_add(store, line);
		freezero_str(line);
		if (segments_batched(store) >= BATCH_SIZE)
			assert_int_equal(segments_commit(store), 0);
	}
	assert_int_equal(segments_commit(store), 0);
	assert_true(
	    file_size(place->fd, "segment-000001.jsonl") <= SEGMENT_SIZE);
	assert_true(
	    file_size(place->fd, "segment-000002.jsonl") <= SEGMENT_SIZE);
	assert_true(file_size(place->fd, "segment-000003.jsonl") > 0);
	assert_int_equal(count_lines(store), count);
	segments_close(store);

	store = open_store(place->fd);
	assert_int_equal(hold(store, count - 1), 1);
	assert_int_equal(hold(store, count / 2), 1);
	assert_int_equal(hold(store, count), 0);
	segments_close(store);
	free(big);
	json_decref(record);
}

/* A file size limit stands for a full disk where nothing can be mounted. */
static int
size_limit_child(int dirfd)
{
	struct segments *store;
	struct rlimit limit;
	unsigned int i, kept = 0, refused = 0;
	size_t torn;

	signal(SIGXFSZ, SIG_IGN);
	if ((store = segments_open(dirfd, &torn)) == NULL)
		return 1;
	if (getrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 2;
	limit.rlim_cur = 10000;
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 3;
	for (i = 0; i < 100; i++) {
		add(store, i);
		if (segments_commit(store) == 0)
			kept++;
		else if (errno == EFBIG)
			refused++;
		if (file_size(dirfd, "segment-000001.jsonl") > 10000)
			return 4;
	}
	if (kept == 0 || refused == 0 || count_lines(store) != kept)
		return 5;
	if (hold(store, kept - 1) != 1 || hold(store, kept) != 0)
		return 6;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 7;
	add(store, kept);
	if (segments_commit(store) != 0 || count_lines(store) != kept + 1)
		return 8;
	segments_close(store);
	return 0;
}

/* Who is not root may mount in a user namespace of his own.  0 or -1. */
static int
own_namespaces(void)
{
	unsigned int user = geteuid(), group = getegid();
	char map[32];
	int fd, len, result;

	len = snprintf(map, sizeof(map), "0 %u 1\n", user);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1 ||
	    (fd = open("/proc/self/uid_map", O_WRONLY)) == -1)
		return -1;
	result = write(fd, map, (size_t)len) == len ? 0 : -1;
	close(fd);
	if (result == -1 || (fd = open("/proc/self/setgroups", O_WRONLY)) == -1)
		return -1;
	result = write(fd, "deny", 4) == 4 ? 0 : -1;
	close(fd);
	len = snprintf(map, sizeof(map), "0 %u 1\n", group);
	if (result == -1 || (fd = open("/proc/self/gid_map", O_WRONLY)) == -1)
		return -1;
	result = write(fd, map, (size_t)len) == len ? 0 : -1;
	close(fd);
	return result;
}

/* A whole file system that is full, and has room again later. */
static int
full_disk_child(const char *path)
{
	struct segments *store;
	unsigned int i, kept = 0;
	size_t torn;
	int dirfd, filler, error = 0;
	char page[4096] = { 0 };

	if (unshare(CLONE_NEWNS) == -1 && own_namespaces() == -1)
		return SKIPPED;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", path, "tmpfs", 0, "size=128k,mode=0777") == -1)
		return SKIPPED;
	dirfd = open(path, O_RDONLY | O_DIRECTORY);
	filler = openat(dirfd, "filler", O_WRONLY | O_CREAT, 0600);
	if (dirfd == -1 || filler == -1)
		return 1;
	for (i = 0; i < 16; i++)
		if (write(filler, page, sizeof(page)) != sizeof(page))
			return 2;
	if ((store = segments_open(dirfd, &torn)) == NULL)
		return 3;
	for (i = 0; i < 1000; i++) {
		add(store, i);
		if (segments_commit(store) == -1) {
			error = errno;
			break;
		}
		kept++;
	}
	if (error != ENOSPC || kept == 0 || count_lines(store) != kept)
		return 4;
	if (ftruncate(filler, 0) == -1)
		return 5;
	add(store, kept);
	if (segments_commit(store) == -1 || count_lines(store) != kept + 1)
		return 6;
	segments_close(store);
	if ((store = segments_open(dirfd, &torn)) == NULL || torn != 0)
		return 7;
	if (count_lines(store) != kept + 1)
		return 8;
	segments_close(store);
	return 0;
}

/* Runs one of the above in a process of its own; its exit code. */
static int
in_child(struct place *place, bool mounts)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		alarm(60);
		_exit(mounts ? full_disk_child(place->path) :
			       size_limit_child(place->fd));
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_size_limit(void **state)
{
	assert_int_equal(in_child(*state, false), 0);
}

static void
test_full_disk(void **state)
{
	int result = in_child(*state, true);

	if (result == SKIPPED)
		skip();
	assert_int_equal(result, 0);
}

/* Appends until it is killed; each number on the pipe is on disk. */
static void
appending_child(int dirfd, int out, unsigned int first)
{
	struct segments *store;
	unsigned int i, number = first;
	size_t torn;

	if ((store = segments_open(dirfd, &torn)) == NULL)
		_exit(1);
	for (;;) {
		for (i = 0; i < 5; i++)
			add(store, number++);
		if (segments_commit(store) == -1)
			_exit(2);
		if (write(out, &number, sizeof(number)) != sizeof(number))
			_exit(3);
	}
}

static void
test_killed(void **state)
{
	struct place *place = *state;
	struct segments *store;
	unsigned int round, i, number, acknowledged = 0;
	size_t torn;
	int pipe_fds[2], status;
	pid_t pid;

	for (round = 0; round < 20; round++) {
		assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
		if ((pid = fork()) == 0) {
			alarm(60);
			appending_child(place->fd, pipe_fds[1], acknowledged);
		}
		assert_int_not_equal(pid, -1);
		close(pipe_fds[1]);
		for (i = 0; i < 3 + round; i++) {
			assert_int_equal(
			    read(pipe_fds[0], &number, sizeof(number)),
			    sizeof(number));
			acknowledged = number;
		}
		usleep(round * 97);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(pipe_fds[0], &number, sizeof(number)) ==
		    sizeof(number))
			acknowledged = number;
		close(pipe_fds[0]);

		store = segments_open(place->fd, &torn);
		assert_non_null(store);
		for (i = 0; i < acknowledged; i++)
			assert_int_equal(hold(store, i), 1);
		/* What was not acknowledged core sends again. */
		while (hold(store, acknowledged) == 1)
			acknowledged++;
		assert_int_equal(count_lines(store), acknowledged);
		segments_close(store);
	}
}

static void
test_reader_overlong(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	size_t len = 3 * RECORD_MAX;
	char *junk = xmalloc(len);

	add(store, 1);
	assert_int_equal(segments_commit(store), 0);
	segments_close(store);
	memset(junk, 'j', len);
	junk[len - 1] = '\n';
	append_raw(place->fd, "segment-000001.jsonl", junk, len);
	junk[RECORD_MAX + 1] = '\n';
	append_raw(place->fd, "segment-000001.jsonl", junk, RECORD_MAX + 2);
	store = open_store(place->fd);
	add(store, 2);
	assert_int_equal(segments_commit(store), 0);
	assert_int_equal(count_lines(store), 2);
	assert_int_equal(hold(store, 1), 1);
	assert_int_equal(hold(store, 2), 1);
	segments_close(store);
	free(junk);
}

/* The outcome of a query as JSON, or NULL with its errno. */
static json_t *
ask(struct segments *store, const char *data, int *error)
{
	struct record_query *query;
	const char *text;
	unsigned int steps = 0;
	json_t *result = NULL;

	query = record_query_new(store, data, strlen(data));
	while (!record_query_step(query, 1000))
		assert_true(++steps < 100000);
	*error = record_query_outcome(query, &text);
	if (*error == 0)
		result = json_loads(text, JSON_DECODE_ANY, NULL);
	record_query_free(query);
	return result;
}

static unsigned int
number_at(const json_t *result, size_t i)
{
	const json_t *record = json_array_get(result, i);

	return (unsigned int)json_int(
	    json_object_get(record, "event_data"), "number", 9999);
}

static void
fill(struct segments *store)
{
	json_t *record;
	unsigned int i;
	char *line;

	for (i = 0; i < 3000; i++) {
		record = record_of(i, i % 3 == 0 ? "SMB" : "MIDDLEWARE");
		assert_int_equal(record_line(record, 1 + i, &line, NULL), 0);
		segments_add(store, line);
		freezero_str(line);
		json_decref(record);
	}
	assert_int_equal(segments_commit(store), 0);
}

static void
test_query(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	json_t *result;
	int error;

	result = ask(store,
	    "{\"services\":[\"SMB\"],\"query-filters\":[],"
	    "\"query-options\":{\"count\":true}}",
	    &error);
	assert_int_equal(error, 0);
	assert_int_equal(json_integer_value(result), 0);
	json_decref(result);
	fill(store);
	result = ask(store,
	    "{\"services\":[\"SMB\"],\"query-filters\":[],"
	    "\"query-options\":{\"count\":true}}",
	    &error);
	assert_int_equal(json_integer_value(result), 1000);
	json_decref(result);
	result = ask(store,
	    "{\"services\":[\"MIDDLEWARE\",\"SMB\"],"
	    "\"query-filters\":[[\"success\",\"=\",true]],"
	    "\"query-options\":{\"limit\":3,\"offset\":10}}",
	    &error);
	assert_int_equal(error, 0);
	assert_int_equal(json_array_size(result), 3);
	assert_int_equal(number_at(result, 0), 21);
	assert_int_equal(number_at(result, 2), 25);
	json_decref(result);
	result = ask(store,
	    "{\"services\":[\"MIDDLEWARE\",\"SMB\"],"
	    "\"query-filters\":[[\"event_data.number\",\"=\",2999]],"
	    "\"query-options\":{\"get\":true,\"select\":[[\"audit_id\",\"i\"],"
	    "\"success\"]}}",
	    &error);
	assert_int_equal(error, 0);
	assert_int_equal(json_object_size(result), 2);
	assert_string_equal(
	    json_str(result, "i", ""), "00000000-0000-4000-8000-000000000bb7");
	json_decref(result);
	segments_close(store);
}

/* Sorting in pieces gives what sorting at once would. */
static void
test_query_ordered(void **state)
{
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	json_t *result;
	unsigned int i;
	int error;

	fill(store);
	result = ask(store,
	    "{\"services\":[\"MIDDLEWARE\",\"SMB\"],"
	    "\"query-filters\":[],\"query-options\":{\"limit\":5,"
	    "\"offset\":2,\"order_by\":[\"-message_timestamp\"]}}",
	    &error);
	assert_int_equal(error, 0);
	assert_int_equal(json_array_size(result), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(number_at(result, i), 2997 - i);
	json_decref(result);
	/* The last key is the primary one; equal ones keep their order. */
	result = ask(store,
	    "{\"services\":[\"MIDDLEWARE\",\"SMB\"],"
	    "\"query-filters\":[],\"query-options\":{\"limit\":2,"
	    "\"order_by\":[\"-message_timestamp\",\"service\"]}}",
	    &error);
	assert_int_equal(number_at(result, 0), 2999);
	assert_int_equal(number_at(result, 1), 2998);
	json_decref(result);
	result = ask(store,
	    "{\"services\":[\"MIDDLEWARE\",\"SMB\"],"
	    "\"query-filters\":[],\"query-options\":{\"get\":true,"
	    "\"order_by\":[\"-service\"]}}",
	    &error);
	assert_int_equal(error, 0);
	assert_int_equal(
	    json_int(json_object_get(result, "event_data"), "number", 1), 0);
	json_decref(result);
	segments_close(store);
}

static void
test_query_refused(void **state)
{
	static const char *const wrong[] = {
		"", "[", "[]", "{\"query-filters\":[]}",
		"{\"query-filters\":[[\"a\",\"bad\",1]],\"query-options\":{}}"
	};
	struct place *place = *state;
	struct segments *store = open_store(place->fd);
	char *big = xmalloc(900 * 1000 + 1), *line;
	unsigned int i;
	json_t *record;
	int error;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_null(ask(store, wrong[i], &error));
		assert_int_equal(error, EINVAL);
	}
	assert_null(ask(store,
	    "{\"services\":[\"SMB\"],\"query-filters\":[],"
	    "\"query-options\":{\"get\":true}}",
	    &error));
	assert_int_equal(error, ENOENT);
	memset(big, 'x', 900 * 1000);
	big[900 * 1000] = '\0';
	record = record_of(1, "SMB");
	json_object_set_new(record, "username", json_string(big));
	assert_int_equal(record_line(record, 1, &line, NULL), 0);
	for (i = 0; i < 20; i++)
		segments_add(store, line);
	assert_int_equal(segments_commit(store), 0);
	assert_null(ask(store,
	    "{\"services\":[\"SMB\"],\"query-filters\":[],"
	    "\"query-options\":{}}",
	    &error));
	assert_int_equal(error, E2BIG);
	freezero_str(line);
	json_decref(record);
	free(big);
	segments_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_sent_length),
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		STORE_TEST(test_append_and_replay),
		STORE_TEST(test_torn_tail),
		STORE_TEST(test_torn_only),
		STORE_TEST(test_power_failure),
		STORE_TEST(test_room),
		STORE_TEST(test_foreign_names),
		STORE_TEST(test_duplicate),
		STORE_TEST(test_duplicate_elsewhere),
		STORE_TEST(test_next_segment),
		STORE_TEST(test_size_limit),
		STORE_TEST(test_full_disk),
		STORE_TEST(test_killed),
		STORE_TEST(test_reader_overlong),
		STORE_TEST(test_query),
		STORE_TEST(test_query_ordered),
		STORE_TEST(test_query_refused),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
