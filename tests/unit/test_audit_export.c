/*
 * Exports of the audit log: what they hold while the log goes on, what they
 * leave behind, and that no bit of one can be changed.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "audit/export.h"
#include "audit/export_files.h"
#include "audit/export_verify.h"
#include "audit/segment.h"
#include "audit/tree.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define SEGMENT "segment-000001.jsonl"
#define NAME "00000000-0000-4000-8000-000000000000.json.tar.gz"
#define ARCHIVE_MAX ((size_t)1 << 20)

struct log {
	char path[64];
	int fd;
	struct segments *segments;
	struct tree *tree;
	unsigned int added;
};

static int
setup(void **state)
{
	struct log *log = xcalloc(1, sizeof(*log));
	size_t torn;

	/* In memory: what is synced is not what is tested here. */
	snprintf(log->path, sizeof(log->path), "%s/test_export.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(log->path));
	log->fd = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	log->segments = segments_open(log->fd, &torn);
	assert_non_null(log->segments);
	log->tree = tree_open(log->fd, log->segments, "here");
	assert_non_null(log->tree);
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

	tree_close(log->tree);
	segments_close(log->segments);
	close(log->fd);
	assert_int_equal(
	    nftw(log->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(log);
	return 0;
}

static void
commit(struct log *log, const char *line)
{
	segments_add(log->segments, line);
	tree_add(log->tree, line);
	assert_int_equal(segments_commit(log->segments), 0);
	assert_int_equal(tree_commit(log->tree, true), 0);
}

/* So many records, every third of them one of SYSTEM. */
static void
add(struct log *log, unsigned int count)
{
	unsigned int i;
	char *line;

	for (i = 0; i < count; i++, log->added++) {
		line = xasprintf("{\"audit_id\":\"00000000-0000-4000-8000-%012x"
				 "\",\"service\":\"%s\",\"number\":%u}",
		    log->added, log->added % 3 == 2 ? "SYSTEM" : "MIDDLEWARE",
		    log->added);
		commit(log, line);
		free(line);
	}
}

static void
sign(struct log *log, bool seal)
{
	assert_int_equal(tree_sign(log->tree, seal), 0);
}

/* --- Exports ---------------------------------------------------------------- */

static struct export *
begin(struct log *log, unsigned int number, const char *options)
{
	char *uuid = xasprintf("00000000-0000-4000-8000-%012x", number), *why;
	json_t *parsed = json_loads(options, 0, NULL), *request;
	struct export *e;

	assert_non_null(parsed);
	/* clang-format off */
	request = json_pack(
	    "{s:s, s:s, s:s, s:{s:[s], s:[], s:o}, s:{s:s, s:s}}",
	    "user", "anna", "uuid", uuid, "format", "JSON",
	    "data", "services", "MIDDLEWARE", "query-filters",
	    "query-options", parsed,
	    "record", "audit_id", uuid, "service", "MIDDLEWARE");
	/* clang-format on */
	e = export_new(log->fd, log->segments, log->tree, request, &why);
	assert_non_null(e);
	json_decref(request);
	free(uuid);
	return e;
}

static void
give_record(struct log *log, struct export *e)
{
	json_t *record = export_record(e);
	char *line = NULL;

	assert_int_equal(record_line(record, 1700000000, &line, NULL), 0);
	json_decref(record);
	commit(log, line);
	sign(log, false);
	export_recorded(e, line);
	freezero_str(line);
}

/* To its end; meanwhile: records that come with each of the first steps. */
static int
finish(struct log *log, struct export *e, unsigned int meanwhile)
{
	enum export_state state;
	const char *why;
	int error;

	while ((state = export_step(e, 512)) != EXPORT_ENDED) {
		if (state == EXPORT_WANTS_RECORD)
			give_record(log, e);
		else if (meanwhile > 0) {
			add(log, 2);
			meanwhile--;
		}
	}
	error = export_problem(e, &why);
	if (error == 0)
		assert_int_equal(export_progress(e), 99);
	export_free(e);
	return error;
}

/* The descriptor of one that was just made. */
static int
made(struct log *log, unsigned int meanwhile, const char *options)
{
	int fd;

	assert_int_equal(finish(log, begin(log, 0, options), meanwhile), 0);
	fd = export_open(log->fd, "anna", NAME);
	assert_int_not_equal(fd, -1);
	return fd;
}

static json_t *
verified(int fd, const char *against)
{
	json_t *report = export_verify(fd, against, NULL);

	if (!json_bool(report, "verified", false))
		print_error("%s\n",
		    json_str(json_object_get(report, "problem"), "text", ""));
	assert_true(json_bool(report, "verified", false));
	return report;
}

static void
assert_records(int fd, json_int_t count)
{
	json_t *report = verified(fd, NULL);

	assert_int_equal(json_int(report, "records", -1), count);
	json_decref(report);
	close(fd);
}

static void
test_log_goes_on(void **state)
{
	struct log *log = *state;

	add(log, 30);
	assert_records(made(log, 0, "{}"), 20);
	/* What came meanwhile is of the tree, not of the report. */
	assert_records(made(log, 7, "{}"), 21);
	assert_records(made(log, 3, "{\"limit\": 5, \"offset\": 2}"), 5);
	assert_records(made(log, 3, "{\"order_by\": [\"-number\"]}"), 37);
}

static void
test_of_nothing(void **state)
{
	assert_records(made(*state, 0, "{}"), 0);
}

static void
test_behind_retention(void **state)
{
	struct log *log = *state;

	add(log, 9);
	segments_turn(log->segments);
	add(log, 4);
	sign(log, false);
	assert_int_equal(tree_prune(log->tree, log->segments, 2), 0);
	assert_records(made(log, 0, "{}"), 3);
}

/* The log on disk is another one than the one in memory. */
static void
test_altered_log(void **state)
{
	struct log *log = *state;
	int fd;

	add(log, 12);
	fd = openat(log->fd, SEGMENT, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "8", 1, 27), 1);
	close(fd);
	assert_int_equal(finish(log, begin(log, 0, "{}"), 0), EIO);
	assert_int_equal(export_open(log->fd, "anna", NAME), -1);
}

static unsigned int
count_files(struct log *log, const char *folder)
{
	int fd = openat(log->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	unsigned int count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static void
test_given_up(void **state)
{
	struct log *log = *state;
	unsigned int steps, i, files;
	enum export_state at = EXPORT_GOES_ON;
	struct export *e;

	add(log, 12);
	sign(log, false);
	files = count_files(log, ".");
	for (steps = 0; at != EXPORT_ENDED; steps++) {
		e = begin(log, 0, "{}");
		for (i = 0; i <= steps && at != EXPORT_ENDED; i++)
			if ((at = export_step(e, 512)) == EXPORT_WANTS_RECORD)
				give_record(log, e);
		export_free(e);
		assert_int_equal(count_files(log, EXPORT_FOLDER "/anna"),
		    at == EXPORT_ENDED);
	}
	assert_true(steps > 3);
	assert_int_equal(count_files(log, "."), files + 1);
}

static void
test_what_stays(void **state)
{
	struct log *log = *state;
	unsigned int i;

	add(log, 2);
	for (i = 0; i < EXPORT_FILES_MAX + 3; i++)
		assert_int_equal(finish(log, begin(log, i, "{}"), 0), 0);
	assert_int_equal(
	    count_files(log, EXPORT_FOLDER "/anna"), EXPORT_FILES_MAX);
	assert_int_equal(export_open(log->fd, "anna", NAME), -1);
	assert_int_equal(export_expire(log->fd, (int64_t)time(NULL) - 60), 0);
	assert_int_equal(
	    count_files(log, EXPORT_FOLDER "/anna"), EXPORT_FILES_MAX);
	assert_int_equal(export_expire(log->fd, (int64_t)time(NULL) + 60), 0);
	assert_int_equal(count_files(log, EXPORT_FOLDER "/anna"), 0);
}

/* --- Heads seen elsewhere --------------------------------------------------- */

static char *
head_now(struct log *log)
{
	sign(log, false);
	return xstrdup(heads_last_line(tree_heads(log->tree)));
}

static void
assert_met(int fd, const char *against, const char *how)
{
	json_t *report = export_verify(fd, against, NULL);

	assert_int_equal(json_bool(report, "verified", false), how != NULL);
	if (how != NULL)
		assert_string_equal(json_str(report, "against", ""), how);
	json_decref(report);
}

static void
test_against(void **state)
{
	struct log *log = *state;
	char *early, *sealed, *late, *newer, *other;
	void *another = NULL;
	int fd;

	add(log, 5);
	early = head_now(log);
	add(log, 5);
	sign(log, true);
	sealed = xstrdup(heads_last_line(tree_heads(log->tree)));
	add(log, 5);
	late = head_now(log);
	fd = made(log, 0, "{}");
	newer = head_now(log);
	setup(&another);
	add(another, 5);
	other = head_now(another);
	assert_met(fd, early, "KEY");
	assert_met(fd, sealed, "HEAD");
	assert_met(fd, late, "KEY");
	assert_met(fd, newer, NULL);
	assert_met(fd, other, NULL);
	assert_met(fd, "{}", NULL);
	teardown(&another);
	close(fd);
	free(early);
	free(sealed);
	free(late);
	free(newer);
	free(other);
}

/* --- Every bit -------------------------------------------------------------- */

/* What is in it, or NULL: it is damaged. */
static unsigned char *
uncompressed(const unsigned char *data, size_t len, size_t *lenp)
{
	unsigned char *out = xcalloc(1, ARCHIVE_MAX);
	z_stream z = { 0 };
	int rc;

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	z.next_in = (z_const Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = out;
	z.avail_out = ARCHIVE_MAX;
	rc = inflate(&z, Z_FINISH);
	*lenp = z.total_out;
	(void)inflateEnd(&z);
	if (rc == Z_STREAM_END && z.avail_in == 0)
		return out;
	free(out);
	return NULL;
}

/*
 * Some bits tell nothing: in the header of gzip, behind the last block, and
 * which of two equal texts is repeated.
 */
static bool
says_the_same(const unsigned char *a, const unsigned char *b, size_t len)
{
	unsigned char *x, *y;
	size_t x_len, y_len;
	bool same;

	x = uncompressed(a, len, &x_len);
	y = uncompressed(b, len, &y_len);
	same = x != NULL && y != NULL && x_len == y_len &&
	    memcmp(x, y, x_len) == 0;
	free(x);
	free(y);
	return same;
}

static bool
verifies(const void *data, size_t len)
{
	int fd = memfd_create("export", MFD_CLOEXEC);
	json_t *report;
	bool good;

	assert_int_equal(file_write_all(fd, data, len), 0);
	report = export_verify(fd, NULL, NULL);
	good = json_bool(report, "verified", false);
	json_decref(report);
	close(fd);
	return good;
}

static char *
small_export(struct log *log, size_t *lenp)
{
	char *data;
	int fd;

	add(log, 4);
	sign(log, true);
	add(log, 5);
	fd = made(log, 0, "{\"limit\": 3}");
	assert_int_equal(file_read_fd(fd, ARCHIVE_MAX, &data, lenp), 0);
	close(fd);
	assert_true(verifies(data, *lenp));
	return data;
}

static void
test_every_byte(void **state)
{
	size_t len, i, meaningless = 0;
	char *data = small_export(*state, &len), *changed;

	changed = xmemdup(data, len);
	for (i = 0; i < len; i++) {
		changed[i] ^= (char)(1 << i % 8);
		if (verifies(changed, len)) {
			assert_true(says_the_same((unsigned char *)data,
			    (unsigned char *)changed, len));
			meaningless++;
		}
		changed[i] = data[i];
	}
	assert_true(meaningless * 50 < len);
	free(changed);
	free(data);
}

static void
test_every_length(void **state)
{
	size_t len, i;
	char *data = small_export(*state, &len);

	for (i = 0; i < len; i++)
		assert_false(verifies(data, i));
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_log_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_of_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_behind_retention, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_altered_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_against, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_every_length, setup, teardown),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
