/*
 * The signed tree over the audit log: everything that can be done to its
 * files is found, and what no one did is verified, also after crashes,
 * retention, new keys and copies.
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

#include "audit/heads.h"
#include "audit/segment.h"
#include "audit/tree.h"
#include "audit/verify.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define SEGMENT "segment-000001.jsonl"
#define HASHES "segment-000001.hashes"
#define HEADS "heads-000001.jsonl"
#define PLACE "here"

struct log {
	char path[64];
	int fd;
	struct segments *segments;
	struct tree *tree;
	unsigned int added;
};

static void
open_at(struct log *log, const char *place)
{
	size_t torn;

	log->segments = segments_open(log->fd, &torn);
	assert_non_null(log->segments);
	log->tree = tree_open(log->fd, log->segments, place);
	assert_non_null(log->tree);
	if (tree_unsigned(log->tree) > 0)
		assert_int_equal(tree_sign(log->tree, false), 0);
}

static void
close_log(struct log *log)
{
	tree_close(log->tree);
	segments_close(log->segments);
	log->tree = NULL;
	log->segments = NULL;
}

static int
setup(void **state)
{
	struct log *log = xcalloc(1, sizeof(*log));

	/* In memory: what is synced is not what is tested here. */
	snprintf(log->path, sizeof(log->path), "%s/test_tree.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(log->path));
	log->fd = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(log->fd, -1);
	open_at(log, PLACE);
	*state = log;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct log *log = *state;

	close_log(log);
	close(log->fd);
	assert_int_equal(
	    nftw(log->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(log);
	return 0;
}

/* So many records, in batches of a few, each of at least so many bytes. */
static void
add(struct log *log, unsigned int count, size_t bytes)
{
	char *filler = xcalloc(1, bytes + 1), *line;
	unsigned int i;

	memset(filler, 'x', bytes);
	for (i = 0; i < count; i++, log->added++) {
		line = xasprintf("{\"audit_id\":\"00000000-0000-4000-8000-%012x"
				 "\",\"filler\":\"%s\"}",
		    log->added, filler);
		segments_add(log->segments, line);
		tree_add(log->tree, line);
		free(line);
		if (i % 3 != 2 && i + 1 < count)
			continue;
		assert_int_equal(segments_commit(log->segments), 0);
		assert_int_equal(tree_commit(log->tree, true), 0);
	}
	free(filler);
}

static void
sign(struct log *log)
{
	assert_int_equal(tree_sign(log->tree, false), 0);
}

static void
seal(struct log *log)
{
	assert_int_equal(tree_sign(log->tree, true), 0);
}

/* 40 records, signed after each ten, a new key in the middle. */
static void
fill(struct log *log)
{
	add(log, 10, 8);
	sign(log);
	add(log, 10, 8);
	seal(log);
	add(log, 10, 8);
	sign(log);
	add(log, 10, 8);
	sign(log);
}

static json_t *
verify(const struct log *log, const char *against)
{
	struct verify *v = verify_new(log->fd, against);
	json_t *report;
	unsigned int before = 0, now;

	while (!verify_step(v, 64)) {
		now = verify_progress(v);
		assert_true(now >= before && now < 1000);
		before = now;
	}
	assert_int_equal(verify_progress(v), 1000);
	report = verify_report(v);
	assert_non_null(report);
	verify_free(v);
	return report;
}

static void
assert_verified(const struct log *log, int records)
{
	json_t *report = verify(log, NULL), *problem;

	problem = json_object_get(report, "problem");
	if (!json_is_null(problem))
		print_message("%s\n", json_str(problem, "text", ""));
	assert_true(json_bool(report, "verified", false));
	assert_int_equal(json_int(report, "records", -1), records);
	json_decref(report);
}

/* Not verified; the text and the record (-1: any). */
static void
assert_problem_with(
    const struct log *log, const char *against, const char *text, int record)
{
	json_t *report = verify(log, against), *problem;

	assert_false(json_bool(report, "verified", true));
	problem = json_object_get(report, "problem");
	if (strstr(json_str(problem, "text", ""), text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text,
		    json_str(problem, "text", ""));
	if (record != -1)
		assert_int_equal(json_int(problem, "record", -1), record);
	json_decref(report);
}

static void
assert_problem(const struct log *log, const char *text, int record)
{
	assert_problem_with(log, NULL, text, record);
}

static char *
content(const struct log *log, const char *name, size_t *lenp)
{
	char *data;

	assert_int_equal(file_read_at(log->fd, name, 64 << 20, &data, lenp), 0);
	return data;
}

static void
write_content(
    const struct log *log, const char *name, const char *data, size_t len)
{
	int fd = openat(log->fd, name, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(file_write_all(fd, data, len), 0);
	close(fd);
}

/* Where line n (from 0) begins; behind the last: the end. */
static size_t
line_at(const char *data, size_t len, unsigned int n)
{
	const char *at = data;

	while (n-- > 0)
		at = (char *)memchr(at, '\n', len - (size_t)(at - data)) + 1;
	return (size_t)(at - data);
}

static void
test_verified(void **state)
{
	struct log *log = *state;

	assert_verified(log, 0);
	fill(log);
	assert_verified(log, 40);
	add(log, 2, 8); /* not signed yet */
	assert_verified(log, 42);
}

static void
test_again(void **state)
{
	struct log *log = *state;

	fill(log);
	add(log, 2, 8);
	close_log(log);
	assert_verified(log, 42);
	open_at(log, PLACE);
	assert_string_equal(tree_why(log->tree), "");
	assert_int_equal(tree_size(log->tree), 42);
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 45);
}

static void
test_any_bit_of_records(void **state)
{
	struct log *log = *state;
	size_t len, i;
	char *data;

	fill(log);
	data = content(log, SEGMENT, &len);
	len = strnlen(data, len); /* not the room behind them */
	for (i = 0; i < 8 * len; i += 61) {
		data[i / 8] = (char)(data[i / 8] ^ 1 << i % 8);
		write_content(log, SEGMENT, data, len);
		assert_problem(log, "", -1);
		data[i / 8] = (char)(data[i / 8] ^ 1 << i % 8);
	}
	write_content(log, SEGMENT, data, len);
	assert_verified(log, 40);
	free(data);
}

static void
test_names_the_record(void **state)
{
	struct log *log = *state;
	size_t len, at;
	char *data;

	fill(log);
	data = content(log, SEGMENT, &len);
	at = line_at(data, len, 17);
	data[at + 60] ^= 1;
	write_content(log, SEGMENT, data, len);
	assert_problem(log, "Record 17 is not the one", 17);
	free(data);
	/* With the hashes made to fit, only between which heads. */
	data = content(log, HASHES, &len);
	data[17 * 32 + 5] ^= 1;
	write_content(log, HASHES, data, len);
	assert_problem(log, "One of the records 10 to 19", 10);
	free(data);
}

/* The file with lines taken as order says (-1 ends). */
static void
reorder(const struct log *log, const int *order)
{
	char *data, *made;
	size_t len, n = 0, start, end;

	data = content(log, SEGMENT, &len);
	made = xcalloc(2, len);
	for (; *order != -1; order++) {
		start = line_at(data, len, (unsigned int)*order);
		end = line_at(data, len, (unsigned int)*order + 1);
		memcpy(made + n, data + start, end - start);
		n += end - start;
	}
	write_content(log, SEGMENT, made, n);
	free(data);
	free(made);
}

static void
test_order(void **state)
{
	static const int swapped[] = { 0, 1, 3, 2, 4, 5, -1 };
	static const int removed[] = { 0, 1, 3, 4, 5, -1 };
	static const int doubled[] = { 0, 1, 1, 2, 3, 4, 5, -1 };
	static const int cut[] = { 0, 1, 2, 3, 4, -1 };
	struct log *log = *state;
	size_t len;
	char *data;

	add(log, 6, 8);
	sign(log);
	data = content(log, SEGMENT, &len);
	reorder(log, swapped);
	assert_problem(log, "Record 2 is not", 2);
	write_content(log, SEGMENT, data, len);
	reorder(log, removed);
	assert_problem(log, "Records are missing", 2);
	write_content(log, SEGMENT, data, len);
	reorder(log, doubled);
	assert_problem(log, "Record 2 is not", 2);
	write_content(log, SEGMENT, data, len);
	reorder(log, cut);
	assert_problem(log, "Records are missing", 5);
	write_content(log, SEGMENT, data, len);
	assert_verified(log, 6);
	free(data);
}

static void
test_any_bit_of_heads(void **state)
{
	struct log *log = *state;
	size_t len, i;
	char *data;

	add(log, 3, 8);
	sign(log);
	data = content(log, HEADS, &len);
	for (i = 0; i < 8 * len; i += 5) {
		data[i / 8] = (char)(data[i / 8] ^ 1 << i % 8);
		write_content(log, HEADS, data, len);
		/* The last newline is the end of a line being written. */
		if (i / 8 != len - 1)
			assert_problem(log, "", -1);
		data[i / 8] = (char)(data[i / 8] ^ 1 << i % 8);
	}
	free(data);
}

/* Heads that are left out, from the middle and altogether. */
static void
test_heads_removed(void **state)
{
	struct log *log = *state;
	size_t len, first, second;
	char *data;

	add(log, 3, 8);
	sign(log);
	add(log, 3, 8);
	sign(log);
	data = content(log, HEADS, &len);
	first = line_at(data, len, 1);
	second = line_at(data, len, 2);
	write_content(log, HEADS, data + first, len - first);
	assert_problem(log, "others before it are missing", -1);
	memmove(data + first, data + second, len - second);
	write_content(log, HEADS, data, len - (second - first));
	assert_problem(log, "a head is missing before it", -1);
	write_content(log, HEADS, "", 0);
	assert_problem(log, "There is no head", -1);
	free(data);
}

static char *
last_line(const struct log *log)
{
	return xstrdup(heads_last_line(tree_heads(log->tree)));
}

/* The whole folder as it was earlier: only a head seen elsewhere tells. */
static void
test_against(void **state)
{
	struct log *log = *state;
	char *seen, *later, *segment, *heads;
	size_t segment_len, heads_len;

	add(log, 3, 8);
	sign(log);
	seen = last_line(log);
	segment = content(log, SEGMENT, &segment_len);
	heads = content(log, HEADS, &heads_len);
	add(log, 3, 8);
	sign(log);
	later = last_line(log);
	json_decref(verify(log, seen));
	assert_problem_with(log, "{}", "is none", -1);
	close_log(log);
	write_content(log, SEGMENT, segment, segment_len);
	write_content(log, HEADS, heads, heads_len);
	assert_verified(log, 3);
	assert_problem_with(log, later, "was rolled back", -1);
	/* And then goes on in another way. */
	open_at(log, PLACE);
	add(log, 4, 8);
	sign(log);
	assert_problem_with(log, later, "The log forked", -1);
	free(seen);
	free(later);
	free(segment);
	free(heads);
}

static void
test_copied(void **state)
{
	struct log *log = *state;
	json_t *report;

	fill(log);
	close_log(log);
	open_at(log, "elsewhere");
	add(log, 4, 8);
	sign(log);
	report = verify(log, NULL);
	assert_true(json_bool(report, "verified", false));
	assert_int_equal(
	    json_array_size(json_object_get(report, "continued")), 1);
	json_decref(report);
}

/* Records that go while nobody runs: it goes on, and does not hide it. */
static void
test_damaged_between_runs(void **state)
{
	static const int fewer[] = { 0, 1, 2, 3, -1 };
	struct log *log = *state;

	add(log, 6, 8);
	sign(log);
	close_log(log);
	reorder(log, fewer);
	open_at(log, PLACE);
	add(log, 9, 8);
	sign(log);
	assert_problem(log, "", -1);
}

static void
test_key_gone(void **state)
{
	struct log *log = *state;
	json_t *report;

	fill(log);
	close_log(log);
	assert_int_equal(unlinkat(log->fd, "key", 0), 0);
	open_at(log, PLACE);
	report = verify(log, NULL);
	assert_true(json_bool(report, "verified", false));
	assert_int_equal(
	    json_array_size(json_object_get(report, "continued")), 1);
	json_decref(report);
}

/* The key of a sealed epoch signs nothing any more: it is not there. */
static void
test_key_evolves(void **state)
{
	struct log *log = *state;
	char *before, *after;
	size_t len;

	add(log, 3, 8);
	before = content(log, "key", &len);
	assert_int_equal(len, 32);
	seal(log);
	after = content(log, "key", &len);
	assert_int_equal(len, 32);
	assert_memory_not_equal(before, after, 32);
	assert_int_equal(faccessat(log->fd, "key.new", F_OK, 0), -1);
	free(before);
	free(after);
}

/* A crash between the sealing head and the new key taking its place. */
static void
test_crash_in_seal(void **state)
{
	struct log *log = *state;
	char *old_key, *new_key;
	size_t len;

	add(log, 3, 8);
	old_key = content(log, "key", &len);
	seal(log);
	close_log(log);
	new_key = content(log, "key", &len);
	write_content(log, "key", old_key, len);
	write_content(log, "key.new", new_key, len);
	open_at(log, PLACE);
	assert_string_equal(tree_why(log->tree), "");
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 6);
	/* Before it: the new one is forgotten. */
	close_log(log);
	write_content(log, "key.new", old_key, len);
	open_at(log, PLACE);
	assert_string_equal(tree_why(log->tree), "");
	assert_int_equal(faccessat(log->fd, "key.new", F_OK, 0), -1);
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 9);
	free(old_key);
	free(new_key);
}

static void
test_torn_head(void **state)
{
	struct log *log = *state;
	size_t len;
	char *data;

	add(log, 3, 8);
	sign(log);
	close_log(log);
	data = content(log, HEADS, &len);
	data = xreallocarray(data, 2, len);
	memcpy(data + len, data, 100);
	write_content(log, HEADS, data, len + 100);
	open_at(log, PLACE);
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 6);
	free(data);
}

/* Hashes and trees beside the segments can be made again. */
static void
test_kept_files_gone(void **state)
{
	struct log *log = *state;

	fill(log);
	close_log(log);
	assert_int_equal(unlinkat(log->fd, HASHES, 0), 0);
	assert_int_equal(unlinkat(log->fd, "segment-000001.tree", 0), 0);
	assert_verified(log, 40);
	open_at(log, PLACE);
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 43);
	assert_int_equal(faccessat(log->fd, HASHES, F_OK, 0), 0);
}

static void
test_segments_and_retention(void **state)
{
	struct log *log = *state;
	size_t count, len;
	json_t *report;
	char *data;

	add(log, 40, 900 * 1024);
	seal(log);
	segments_numbers(log->segments, &count);
	assert_true(count >= 3);
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 43);
	close_log(log);
	open_at(log, PLACE);
	assert_string_equal(tree_why(log->tree), "");
	add(log, 3, 8);
	sign(log);
	assert_verified(log, 46);
	assert_int_equal(tree_prune(log->tree, log->segments, 3), 0);
	report = verify(log, NULL);
	assert_true(json_bool(report, "verified", false));
	assert_true(json_int(report, "first_record", 0) > 0);
	assert_int_equal(json_int(report, "records", 0) +
		json_int(report, "first_record", 0),
	    46);
	json_decref(report);
	/* What stands for the dropped ones is part of the proof. */
	data = content(log, "segment-000003.tree", &len);
	data[len - 2] = data[len - 2] == '0' ? '1' : '0';
	write_content(log, "segment-000003.tree", data, len);
	assert_problem(log, "is not", -1);
	free(data);
}

static void
test_segment_missing(void **state)
{
	struct log *log = *state;

	add(log, 40, 900 * 1024);
	sign(log);
	close_log(log);
	assert_int_equal(unlinkat(log->fd, "segment-000002.jsonl", 0), 0);
	assert_problem(log, "Segment 2 is missing", -1);
	open_at(log, PLACE);
}

static void
test_dropped_epochs(void **state)
{
	struct log *log = *state;
	unsigned int i;
	size_t len;
	char *ends, *line;

	for (i = 0; i < 4; i++) {
		add(log, 20, 900 * 1024);
		sign(log);
		seal(log);
	}
	add(log, 3, 8);
	sign(log);
	assert_int_equal(tree_prune(log->tree, log->segments, 4), 0);
	json_decref(verify(log, NULL));
	ends = content(log, HEADS_ENDS, &len);
	assert_true(len > 0);
	line = xstrdup(ends);
	*strchr(line, '\n') = '\0';
	/* The end of an epoch can be compared with for ever. */
	json_decref(verify(log, line));
	write_content(log, HEADS_ENDS, "", 0);
	assert_problem(log, "", -1);
	free(ends);
	free(line);
}

/* Between records, where a reader of lines would pass over it. */
static void
test_overlong(void **state)
{
	struct log *log = *state;
	size_t len, at, junk = RECORD_MAX + 2;
	char *data, *made;

	add(log, 6, 8);
	sign(log);
	data = content(log, SEGMENT, &len);
	at = line_at(data, len, 3);
	made = xcalloc(1, len + junk);
	memcpy(made, data, at);
	memset(made + at, 'x', junk);
	made[at + junk - 1] = '\n';
	memcpy(made + at + junk, data + at, len - at);
	write_content(log, SEGMENT, made, len + junk);
	assert_problem(log, "what is no record", 3);
	free(data);
	free(made);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_verified),
		TREE_TEST(test_again),
		TREE_TEST(test_any_bit_of_records),
		TREE_TEST(test_names_the_record),
		TREE_TEST(test_order),
		TREE_TEST(test_any_bit_of_heads),
		TREE_TEST(test_heads_removed),
		TREE_TEST(test_against),
		TREE_TEST(test_copied),
		TREE_TEST(test_damaged_between_runs),
		TREE_TEST(test_key_gone),
		TREE_TEST(test_key_evolves),
		TREE_TEST(test_crash_in_seal),
		TREE_TEST(test_torn_head),
		TREE_TEST(test_kept_files_gone),
		TREE_TEST(test_segments_and_retention),
		TREE_TEST(test_segment_missing),
		TREE_TEST(test_dropped_epochs),
		TREE_TEST(test_overlong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
