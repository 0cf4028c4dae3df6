/*
 * The index over the audit log: what it answers is what reading the segments
 * answers, whatever the filter, and whatever became of its file.
 */
#include <sys/stat.h>

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

#include "audit/index_file.h"
#include "audit/index_query.h"
#include "audit/query.h"
#include "audit/tree.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define BOOT "this boot"
#define RECORDS 400
#define ROUNDS 400

struct log {
	char path[64];
	int fd;
	struct segments *segments;
	struct tree *tree;
	struct record_index *index;
	unsigned int added;
};

/*
 * How many queries the index answered, how many of them in windows, and how
 * many stretches of records were read for them.
 */
static unsigned int answered, in_windows, stretches;
/* Statements are over their time as soon as SQLite looks at the clock. */
static bool no_time, no_time_always;

int64_t __real_index_clock(void);
int64_t __wrap_index_clock(void);
enum index_found __real_index_query_next(
    struct index_query *, struct line_place *);
enum index_found __wrap_index_query_next(
    struct index_query *, struct line_place *);

int64_t
__wrap_index_clock(void)
{
	return no_time ? 1 : __real_index_clock();
}

enum index_found
__wrap_index_query_next(struct index_query *query, struct line_place *place)
{
	enum index_found found = __real_index_query_next(query, place);

	answered += found == INDEX_END;
	in_windows += found == INDEX_END && index_query_windows(query);
	stretches += found == INDEX_STRETCH;
	return found;
}

/* xorshift: the same cases in every run. */
static uint64_t state = 0x9e3779b97f4a7c15;

static unsigned int
below(unsigned int limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % limit;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static json_t *
parse(const char *text)
{
	const char *why;
	json_t *value = json_parse(text, strlen(text), &why);

	if (value == NULL)
		fail_msg("%s: %s", text, why);
	return value;
}

static void
open_index(struct log *log, const char *id, const char *boot)
{
	log->index = index_open(log->path, log->fd, log->segments, id, boot);
	while (!index_step(log->index, 2000))
		;
	assert_true(index_usable(log->index));
}

static void
open_log(struct log *log)
{
	size_t torn;

	log->segments = segments_open(log->fd, &torn);
	assert_non_null(log->segments);
	log->tree = tree_open(log->fd, log->segments, "here");
	assert_non_null(log->tree);
	if (tree_unsigned(log->tree) > 0)
		assert_int_equal(tree_sign(log->tree, false), 0);
}

static void
close_log(struct log *log)
{
	index_close(log->index);
	tree_close(log->tree);
	segments_close(log->segments);
	log->index = NULL;
}

static int
setup(void **unused)
{
	struct log *log = xcalloc(1, sizeof(*log));

	/* In memory: what is synced is not what is tested here. */
	snprintf(log->path, sizeof(log->path), "%s/test_index.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(log->path));
	log->fd = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(log->fd, -1);
	open_log(log);
	open_index(log, "log", BOOT);
	answered = in_windows = stretches = 0;
	no_time = false;
	*unused = log;
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
teardown(void **unused)
{
	struct log *log = *unused;

	close_log(log);
	close(log->fd);
	assert_int_equal(
	    nftw(log->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(log);
	return 0;
}

static const char *const services[] = { "MIDDLEWARE", "MIDDLEWARE", "SMB",
	"SUDO" };
static const char *const events[] = { "METHOD_CALL", "AUTHENTICATION",
	"LOGOUT" };
static const char *const people[] = { "root", "admin", "Root", "na\xc3\xafve",
	"", "a\"b" };

static json_t *
random_record(unsigned int number)
{
	char id[40];
	json_t *record;

	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012x", number);
	record = json_pack("{s:s, s:{s:i}, s:s, s:s, s:s, s:{s:i, s:[s]}, s:b}",
	    "audit_id", id, "timestamp", "$date", below(50), "service",
	    PICK(services), "event", PICK(events), "address", "::1",
	    "event_data", "number", below(30), "params", PICK(people),
	    "success", below(2));
	assert_non_null(record);
	if (below(8) > 0)
		json_object_set_new(record, "username",
		    below(8) > 0 ? json_string(PICK(people)) : json_null());
	if (below(3) > 0)
		json_object_set_new(record, "session", json_string(id));
	if (below(5) > 0)
		json_object_set_new(
		    record, "time_us", json_integer(below(50) * 1000000));
	return record;
}

static void
add_record(struct log *log, json_t *record, int64_t time)
{
	json_t *formed;
	char *line;

	assert_int_equal(record_line(record, time, &line, &formed), 0);
	/* Some come as they were parsed, some are read again. */
	if (log->index != NULL && below(3) > 0)
		index_expect(
		    log->index, tree_next(log->tree), formed, strlen(line));
	json_decref(formed);
	segments_add(log->segments, line);
	tree_add(log->tree, line);
	log->added++;
	freezero_str(line);
	json_decref(record);
}

static void
commit(struct log *log)
{
	assert_int_equal(segments_commit(log->segments), 0);
	assert_int_equal(tree_commit(log->tree, true), 0);
}

/* The clock goes back now and then. */
static void
fill(struct log *log, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		add_record(log, random_record(log->added),
		    (int64_t)log->added / 5 - (int64_t)(below(20) == 0) * 30);
		if (below(30) == 0)
			commit(log);
	}
	commit(log);
}

static json_t *
random_test(void)
{
	static const char *const tests[] = { "[\"username\",\"=\",\"root\"]",
		"[\"username\",\"!=\",\"root\"]",
		"[\"username\",\"C=\",\"ROOT\"]",
		"[\"username\",\"in\",[\"admin\",\"\",null]]",
		"[\"username\",\"=\",null]", "[\"username\",\"~\",\".*o\"]",
		"[\"username\",\"^\",\"na\xc3\xaf\"]",
		"[\"event\",\"=\",\"LOGOUT\"]",
		"[\"event\",\"nin\",[\"LOGOUT\"]]", "[\"success\",\"=\",true]",
		"[\"success\",\"!=\",1]", "[\"message_timestamp\",\">=\",60]",
		"[\"message_timestamp\",\"<\",40]",
		"[\"message_timestamp\",\"=\",17.0]",
		"[\"timestamp\",\">\",{\"$date\":20}]",
		"[\"timestamp.$date\",\"<=\",30]", "[\"session\",\"=\",null]",
		"[\"session\",\"rin\",\"00000000012\"]",
		"[\"event_data.number\",\"=\",7]",
		"[\"time_us\",\"<\",30000001]",
		"[\"event_data.number\",\">\",25]",
		"[\"event_data.params\",\"rin\",\"root\"]",
		"[\"event_data.params.0\",\"=\",\"admin\"]",
		"[\"nosuch\",\"=\",1]", "[\"audit_id\",\"$\",\"4\"]",
		"[\"service\",\"!=\",\"SUDO\"]",
		("[\"OR\",[[\"username\",\"=\",\"admin\"],"
		 "[\"event_data.number\",\"<\",5]]]") };

	return parse(PICK(tests));
}

static json_t *
random_options(void)
{
	static const char *const order[] = { "message_timestamp",
		"-message_timestamp", "-timestamp", "username", "-username",
		"nulls_last:username", "nulls_first:-session", "success",
		"time_us", "-time_us", "event_data.number",
		"-event_data.params", "x", "event" };
	static const char *const select[] = { "\"audit_id\"",
		"[\"event_data.number\",\"x\"]", "\"username\"",
		"\"message_timestamp\"" };
	json_t *options = json_object(), *list = json_array();
	unsigned int n;

	for (n = below(3); n > 0; n--)
		json_array_append_new(list, json_string(PICK(order)));
	json_object_set_new(options, "order_by", list);
	list = json_array();
	for (n = below(2) * below(4); n > 0; n--)
		json_array_append_new(list, parse(PICK(select)));
	json_object_set_new(options, "select", list);
	if (below(6) == 0)
		json_object_set_new(options, "count", json_true());
	else if (below(6) == 0)
		json_object_set_new(options, "get", json_true());
	else {
		if (below(4) > 0)
			json_object_set_new(
			    options, "limit", json_integer((int)below(60) - 8));
		if (below(3) == 0)
			json_object_set_new(options, "offset",
			    json_integer((int)below(60) - 8));
	}
	if (below(4) == 0)
		json_object_set_new(options, "force_sql_filters", json_true());
	return options;
}

/* The outcome, with its errno in front. */
static char *
ask(const struct log *log, const char *data, bool by_index)
{
	struct record_query *query;
	const char *text;
	char *outcome;
	int error;

	query = record_query_new(log->segments, data, strlen(data));
	if (by_index)
		record_query_use(query, log->index);
	while (!record_query_step(query, 100000))
		;
	error = record_query_outcome(query, &text);
	outcome = xasprintf("%d %s", error, text);
	record_query_free(query);
	return outcome;
}

static void
compare(const struct log *log, const char *data)
{
	char *read = ask(log, data, false), *found;

	no_time = no_time_always || below(2) == 0;
	found = ask(log, data, true);
	if (strcmp(read, found) != 0)
		fail_msg("%s (%s):\n%s\nnot\n%s", data,
		    no_time ? "no time" : "time", found, read);
	no_time = false;
	free(read);
	free(found);
}

static void
compare_random(const struct log *log)
{
	json_t *data, *filters = json_array(), *wanted = json_array();
	unsigned int n;
	char *text;

	for (n = below(3); n > 0; n--)
		json_array_append_new(filters, random_test());
	for (n = 1 + below(2); n > 0; n--)
		json_array_append_new(wanted, json_string(PICK(services)));
	data = json_pack("{s:o, s:o, s:o}", "services", wanted, "query-filters",
	    filters, "query-options", random_options());
	text = json_text(data);
	compare(log, text);
	freezero_str(text);
	json_decref(data);
}

#define ALL "{\"query-filters\":[],\"query-options\":{}}"
#define COUNT "{\"query-filters\":[],\"query-options\":{\"count\":true}}"
#define OF_ROOT                                                                \
	"{\"services\":[\"MIDDLEWARE\"],"                                      \
	"\"query-filters\":[[\"username\",\"=\",\"root\"]],"                   \
	"\"query-options\":{\"order_by\":[\"-message_timestamp\"],"            \
	"\"limit\":20}}"

static void
test_agrees(void **unused)
{
	struct log *log = *unused;
	unsigned int i;

	fill(log, RECORDS);
	for (i = 0; i < ROUNDS; i++) {
		compare_random(log);
		/* It follows what is appended meanwhile. */
		if (i % 50 == 0)
			fill(log, 20);
	}
	/* Wrong ones and lucky ones do not need its last word. */
	assert_true(answered > ROUNDS / 3);
	assert_true(in_windows > ROUNDS / 10);
	assert_true(answered - in_windows > ROUNDS / 10);
	assert_true(stretches > ROUNDS / 10);
}

/*
 * Records of one time only are looked at: what comes before and behind them
 * is passed over by the index, they are read.
 */
static void
test_reads_what_it_must(void **unused)
{
	static const char few[] =
	    "{\"query-filters\":[[\"message_timestamp\",\">=\",100],"
	    "[\"message_timestamp\",\"<\",200],"
	    "[\"event_data.params.0\",\"in\",[\"a\\\"b\",\"admin\"]]],"
	    "\"query-options\":{\"order_by\":[\"event\"],\"select\":"
	    "[\"audit_id\",\"event\",\"event_data\"]}}";
	struct log *log = *unused;

	fill(log, 1500);
	no_time_always = true;
	compare(log, few);
	no_time_always = false;
	assert_int_equal(in_windows, 1);
	assert_in_range(stretches, 1, 8);
	compare(log, few);
}

static void
test_goes_on(void **unused)
{
	struct log *log = *unused;

	fill(log, 100);
	while (!index_step(log->index, 1000))
		;
	close_log(log);
	open_log(log);
	/* All of it is there: nothing is left to do at the first step. */
	log->index = index_open(log->path, log->fd, log->segments, "log", BOOT);
	assert_true(index_step(log->index, 1));
	assert_true(index_usable(log->index));
	compare(log, ALL);
	assert_int_equal(answered, 1);
}

static void
spoil(const struct log *log, const char *text, off_t at, off_t size)
{
	int fd = openat(log->fd, INDEX_FILE, O_WRONLY);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	if (size != 0)
		assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void
open_once(struct log *log)
{
	log->index = index_open(log->path, log->fd, log->segments, "log", BOOT);
	while (!index_step(log->index, 1000))
		;
}

static void
open_again(struct log *log)
{
	index_close(log->index);
	open_index(log, "log", BOOT);
}

/* Whatever is there instead of it, it is made anew. */
static void
test_made_anew(void **unused)
{
	static const struct {
		const char *text, *log, *boot;
		off_t at, size;
	} cases[] = {
		{ "no database at all", "log", BOOT, 0, 0 },
		{ "", "log", BOOT, 0, 4096 },
		{ "", "log", BOOT, 0, 1 },
		{ "xxxx", "log", BOOT, 68, 0 }, /* the application's id */
		{ "xxxx", "log", BOOT, 60, 0 }, /* the form */
		{ "", "another log", BOOT, 0, 0 },
		{ "", "another log", "another boot", 0, 0 },
	};
	struct log *log = *unused;
	size_t i;

	fill(log, 300);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		index_close(log->index);
		spoil(log, cases[i].text, cases[i].at, cases[i].size);
		open_index(log, cases[i].log, cases[i].boot);
		answered = 0;
		compare(log, ALL);
		compare(log, OF_ROOT);
		assert_int_equal(answered, 2);
	}
}

/* Whichever page of it is damaged: what is answered is right all the same. */
static void
test_corrupt_page(void **unused)
{
	static const char *const queries[] = { ALL, COUNT, OF_ROOT };
	struct log *log = *unused;
	char junk[1024];
	struct stat st;
	off_t page;
	size_t i;

	memset(junk, 0xa5, sizeof(junk) - 1);
	junk[sizeof(junk) - 1] = '\0';
	fill(log, 600);
	open_again(log);
	open_again(log); /* closing writes it all to the file */
	assert_int_equal(fstatat(log->fd, INDEX_FILE, &st, 0), 0);
	assert_true(st.st_size > 10 * 4096);
	for (page = 0; page < st.st_size / 4096; page += 7) {
		index_close(log->index);
		spoil(log, junk, page * 4096 + (page % 3) * 1024, 0);
		open_once(log);
		for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
			compare(log, queries[i]);
		add_record(log, random_record(log->added), page);
		commit(log);
		compare(log, ALL);
		open_again(log);
	}
}

/* What was not committed after all leaves nothing behind. */
static void
test_forgotten(void **unused)
{
	struct log *log = *unused;
	json_t *other = random_record(77);

	index_expect(log->index, tree_next(log->tree), other, 10);
	json_decref(other);
	index_forget(log->index);
	fill(log, 20);
	compare(log, ALL);
	compare(log, OF_ROOT);
	assert_int_equal(answered, 2);
}

/* Of a machine that ended; a process that ended loses nothing. */
static void
test_not_closed(void **unused)
{
	struct log *log = *unused;
	struct index_state kept;
	sqlite3 *db;

	fill(log, 50);
	index_close(log->index);
	assert_int_equal(index_file_open(log->path, log->fd, &db), 1);
	assert_int_equal(index_state_read(db, &kept), 0);
	assert_string_equal(kept.boot, "");
	index_state_free(&kept);
	assert_int_equal(sqlite3_exec(db, "UPDATE record SET username = 'root'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(index_file_mark(db, "the boot before"), 0);
	sqlite3_close(db);
	open_index(log, "log", BOOT);
	compare(log, OF_ROOT);
	assert_int_equal(answered, 1);
}

/* Rows that point elsewhere: the line that is read is not the record's. */
static void
test_points_elsewhere(void **unused)
{
	struct log *log = *unused;
	sqlite3 *db;

	fill(log, 300);
	while (!index_step(log->index, 1000))
		;
	index_close(log->index);
	assert_int_equal(index_file_open(log->path, log->fd, &db), 1);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE record SET at = at + 1 WHERE leaf = 200",
		NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	log->index = index_open(log->path, log->fd, log->segments, "log", BOOT);
	assert_true(index_step(log->index, 1));
	compare(log, ALL);
	assert_int_equal(answered, 0);
	while (!index_step(log->index, 1000))
		;
	compare(log, ALL);
	assert_int_equal(answered, 1);
}

/* A line that somebody changed is shown as it is now, as reading shows it. */
static void
test_line_changed(void **unused)
{
	struct log *log = *unused;
	int fd;

	fill(log, 300);
	while (!index_step(log->index, 1000))
		;
	fd = openat(log->fd, "segment-000001.jsonl", O_WRONLY);
	assert_int_equal(pwrite(fd, "00000001", 8, 13), 8);
	close(fd);
	compare(log, ALL);
	assert_int_equal(answered, 0);
	/* Making it anew does not help, and is not done again and again. */
	while (!index_step(log->index, 1000))
		;
	compare(log, ALL);
	assert_int_equal(answered, 0);
	assert_true(index_step(log->index, 1000));
	compare(log, COUNT);
	assert_int_equal(answered, 1);
}

/* Members of other types than usual are found as well. */
static void
test_odd_members(void **unused)
{
	static const char *const tests[] = {
		"[\"username\",\"=\",5]",
		"[\"username\",\"in\",[5,\"root\"]]",
		"[\"session\",\">\",3]",
		"[\"timestamp\",\"!=\",7]",
		"[\"success\",\"=\",\"yes\"]",
	};
	struct log *log = *unused;
	json_t *record;
	char *text;
	size_t i;

	fill(log, 50);
	record = parse("{\"audit_id\":\"00000000-0000-4000-8000-ffffffffffff\","
		       "\"username\":5,\"session\":4,\"timestamp\":7,"
		       "\"success\":\"yes\",\"service\":\"SMB\",\"event\":[]}");
	add_record(log, record, 1);
	commit(log);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		text = xasprintf("{\"query-filters\":[%s],\"query-options\":"
				 "{\"order_by\":[\"session\",\"username\"]}}",
		    tests[i]);
		compare(log, text);
		free(text);
	}
	assert_int_equal(answered, sizeof(tests) / sizeof(tests[0]));
}

/* Lines that are no records, or too deep for filters to parse. */
static void
test_odd_lines(void **unused)
{
	struct log *log = *unused;
	char deep[300];

	fill(log, 20);
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	add_record(log,
	    json_pack("{s:s, s:s, s:o}", "audit_id",
		"00000000-0000-4000-8000-fffffffffffe", "service", "SMB",
		"event_data", json_loads(deep, 0, NULL)),
	    1);
	segments_add(log->segments, "no record");
	tree_add(log->tree, "no record");
	fill(log, 20);
	compare(log, ALL);
	compare(log,
	    "{\"query-filters\":[[\"event_data.number.*.x\",\"!=\",5]],"
	    "\"query-options\":{}}");
	compare(log, OF_ROOT);
	assert_true(answered >= 2);
}

static int64_t
rows(struct log *log)
{
	sqlite3_stmt *st;
	int64_t count;

	assert_int_equal(sqlite3_prepare_v2(index_database(log->index),
			     "SELECT count(*) FROM record", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	count = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return count;
}

static void
test_pruned(void **unused)
{
	struct log *log = *unused;
	char *filler = xcalloc(1, 200 * 1000 + 1);
	json_t *record;
	unsigned int i;
	uint64_t from, end;

	memset(filler, 'x', 200 * 1000);
	for (i = 0; i < 100; i++) {
		record = random_record(log->added);
		json_object_set_new(record, "filler", json_string(filler));
		add_record(log, record, i);
		commit(log);
	}
	free(filler);
	fill(log, 100);
	while (!index_step(log->index, 1000))
		;
	assert_int_equal(rows(log), 200);
	assert_int_equal(tree_sign(log->tree, false), 0);
	assert_int_equal(tree_prune(log->tree, log->segments, 2), 0);
	/* Rows whose records are gone are found by nobody. */
	compare(log, COUNT);
	while (!index_step(log->index, 1000))
		;
	assert_int_equal(index_range(log->index, &from, &end), 0);
	assert_true(from > 50 && from < 100 && end == 200);
	assert_int_equal(rows(log), end - from);
	for (i = 0; i < 30; i++)
		compare_random(log);
	fill(log, 10);
	compare(log, COUNT);
	assert_true(answered > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define INDEX_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		INDEX_TEST(test_agrees),
		INDEX_TEST(test_reads_what_it_must),
		INDEX_TEST(test_goes_on),
		INDEX_TEST(test_made_anew),
		INDEX_TEST(test_corrupt_page),
		INDEX_TEST(test_forgotten),
		INDEX_TEST(test_not_closed),
		INDEX_TEST(test_points_elsewhere),
		INDEX_TEST(test_line_changed),
		INDEX_TEST(test_odd_members),
		INDEX_TEST(test_odd_lines),
		INDEX_TEST(test_pruned),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
