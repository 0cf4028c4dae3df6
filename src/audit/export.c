/*
 * The first half of an export: reads all records, see export.h.
 *
 * What matches is written to files without names at once, and what proves it
 * beside it, as the tree of all lines grows.  Records that came while it read
 * are of its tree, but not of its report.
 */
#include "audit/export.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/export_internal.h"
#include "audit/query.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define TEMPORARY "export.tmp"
#define FREE_LEAST ((uint64_t)64 << 20) /* the log's own need comes first */
#define SMALL ((uint64_t)1 << 20)
#define READING_SHARE 60 /* percent of the work */

static const char too_full[] = "The disk is too full for an export";
static const char not_signed[] = "The audit log is not what was signed: "
				 "\"holdfast audit verify\" says more";

void
export_fail(struct export *e, int error, const char *why)
{
	if (e->error != 0)
		return;
	e->error = error != 0 ? error : EIO;
	e->why = xstrdup(why);
}

static bool
room_less_than(const struct export *e, uint64_t bytes)
{
	struct statfs fs;

	return fstatfs(e->dirfd, &fs) == -1 ||
	    fs.f_bavail * (uint64_t)fs.f_bsize < bytes;
}

void
export_fail_write(struct export *e, int error, const char *why)
{
	/* stdio may have kept the error back until it was another one. */
	if (room_less_than(e, SMALL))
		export_fail(e, ENOSPC, too_full);
	else
		export_fail(e, error, why);
}

int
export_problem(const struct export *e, const char **whyp)
{
	*whyp = e->why != NULL ? e->why : "";
	return e->error;
}

char *
export_report_name(const struct export *e)
{
	return xasprintf("%s.%s", json_str(e->request, "uuid", ""),
	    report_ending(json_str(e->request, "format", "")));
}

/* --- Beginning -------------------------------------------------------------- */

/* A file that is gone with its descriptor. */
static FILE *
nameless(int dirfd)
{
	int fd = openat(dirfd, TEMPORARY,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file;

	if (fd == -1)
		return NULL;
	if (unlinkat(dirfd, TEMPORARY, 0) == -1 ||
	    (file = fdopen(fd, "w+")) == NULL) {
		close(fd);
		return NULL;
	}
	return file;
}

static int
prepare(struct export *e, char **whyp)
{
	json_t *data = json_object_get(e->request, "data"), *options;
	struct verr *errors = verr_new();
	int rc = -1;

	options = json_object_get(data, "query-options");
	e->service = json_string_value(
	    json_array_get(json_object_get(data, "services"), 0));
	e->filter = filter_parse_with(json_object_get(data, "query-filters"),
	    options, "query-filters", errors);
	if (e->service != NULL &&
	    query_options_parse(
		options, "query-options", &e->options, errors) == 0 &&
	    !verr_any(errors))
		rc = 0;
	if (rc == -1) {
		*whyp = verr_reason(errors);
		errno = EINVAL;
	}
	verr_free(errors);
	return rc;
}

static int
open_parts(struct export *e, char **whyp)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		if ((e->parts[i] = nameless(e->dirfd)) == NULL) {
			*whyp = xstrdup("No room for the export");
			return -1;
		}
	e->report =
	    report_new(e->parts[REPORT], json_str(e->request, "format", ""));
	if (e->report == NULL) {
		*whyp = xstrdup("No such format");
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
begin_reading(struct export *e)
{
	const uint32_t *numbers;
	size_t count;

	numbers = segments_numbers(e->segments, &count);
	if (count > 0 && tree_before(e->dirfd, numbers[0], &e->all) == -1) {
		errno = EIO;
		return -1;
	}
	merkle_proof_begin(&e->proof, &e->all);
	e->total = segments_size(e->segments);
	e->reader = segment_reader_new(e->segments);
	if ((e->lines = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(e->lines, EVP_sha256(), NULL) != 1)
		abort();
	return 0;
}

static bool
ordered(const struct export *e)
{
	return json_array_size(e->options.order_by) > 0 ||
	    e->options.offset < 0 || e->options.limit < 0;
}

struct export *
export_new(int dirfd, const struct segments *segments, const struct tree *tree,
    const json_t *request, char **whyp)
{
	struct export *e = xcalloc(1, sizeof(*e));
	int error;

	e->dirfd = dirfd;
	e->segments = segments;
	e->tree = tree;
	e->packing.folder = e->packing.fd = -1;
	e->request = json_deep_copy(request);
	*whyp = NULL;
	if (prepare(e, whyp) == -1 || open_parts(e, whyp) == -1 ||
	    begin_reading(e) == -1) {
		error = errno;
		if (*whyp == NULL)
			*whyp = xstrdup("The audit log cannot be read");
		export_free(e);
		errno = error;
		return NULL;
	}
	if (ordered(e))
		e->kept = json_array();
	return e;
}

void
export_free(struct export *e)
{
	size_t i;

	if (e == NULL)
		return;
	export_pack_end(e);
	for (i = 0; i < PARTS; i++)
		if (e->parts[i] != NULL)
			(void)fclose(e->parts[i]);
	report_free(e->report);
	segment_reader_free(e->reader);
	filter_free(e->filter);
	EVP_MD_CTX_free(e->lines);
	json_decref(e->kept);
	json_decref(e->request);
	free(e->why);
	free(e);
}

/* --- Reading ---------------------------------------------------------------- */

static int
put_subtree(const struct merkle_subtree *tree, void *arg)
{
	struct export *e = arg;
	char text[MERKLE_TEXT];

	merkle_text(&tree->hash, text);
	(void)fprintf(e->parts[PROOF], "%" PRIu64 " %" PRIu64 " %s\n",
	    tree->first, tree->count, text);
	return 0;
}

/* What could not be written shows in ferror(). */
static void
put_line(struct export *e, const char *line, size_t len,
    const struct merkle_hash *hash)
{
	char text[MERKLE_TEXT];

	(void)merkle_proof_take(&e->proof, put_subtree, e);
	merkle_text(hash, text);
	(void)fprintf(e->parts[PROOF], "%" PRIu64 " %s\n", e->all.size, text);
	(void)fwrite(line, 1, len, e->parts[RECORDS]);
	(void)fputc('\n', e->parts[RECORDS]);
}

static void
digest_line(struct export *e, const char *line, size_t len)
{
	if (EVP_DigestUpdate(e->lines, line, len) != 1 ||
	    EVP_DigestUpdate(e->lines, "\n", 1) != 1)
		abort();
}

/* As the options select it; a new reference. */
static json_t *
selected(const struct export *e, json_t *record)
{
	struct query_options options = { .select = e->options.select };
	json_t *one = json_pack("[O]", record), *made, *entry;

	made = query_run(one, NULL, &options);
	entry = json_incref(json_array_get(made, 0));
	json_decref(made);
	json_decref(one);
	return entry;
}

static void
keep_entry(struct export *e, json_t *record, size_t len)
{
	if ((e->kept_size += len) > QUERY_RESULT_MAX) {
		export_fail(e, E2BIG,
		    "Too many records for an order: narrow the "
		    "filters, or leave order_by out");
		return;
	}
	json_array_append(e->kept, record);
}

static bool
matches(const struct export *e, const json_t *record)
{
	return record != NULL &&
	    strcmp(json_str(record, "service", ""), e->service) == 0 &&
	    filter_match(e->filter, record);
}

/* Is it one that the report has, or is to be put in order? */
static bool
wanted(struct export *e, const json_t *record)
{
	if (!matches(e, record))
		return false;
	e->matches++;
	return e->kept != NULL || e->matches > e->options.offset;
}

/* The report has all that it may have. */
static bool
is_full(const struct export *e)
{
	return e->kept == NULL && e->options.limit > 0 &&
	    e->matches >= e->options.offset + e->options.limit;
}

static void
report_record(struct export *e, json_t *record, size_t len)
{
	json_t *entry;

	e->count++;
	if (e->kept != NULL) {
		keep_entry(e, record, len);
		return;
	}
	entry = selected(e, record);
	report_entry(e->report, entry);
	json_decref(entry);
}

typedef void line_taker(
    struct export *, const char *line, size_t len, const struct merkle_hash *);

static void
take_line(struct export *e, const char *line, size_t len,
    const struct merkle_hash *hash)
{
	json_t *record = is_full(e) ? NULL : record_parse(line, len);

	if (wanted(e, record)) {
		put_line(e, line, len, hash);
		digest_line(e, line, len);
		report_record(e, record, len);
	} else
		merkle_proof_pass(&e->proof, hash);
	json_decref(record);
	if (filter_problem(e->filter) != NULL)
		export_fail(e, ETIMEDOUT, filter_problem(e->filter));
}

static void
pass_line(struct export *e, const char *line, size_t len,
    const struct merkle_hash *hash)
{
	(void)line;
	(void)len;
	merkle_proof_pass(&e->proof, hash);
}

/* 1: there are more; 0: no more that this reader sees; -1: it failed. */
static int
read_lines(struct export *e, size_t bytes, line_taker *take)
{
	struct merkle_hash hash;
	const char *line;
	size_t len, read = 0;
	int got = 1;

	while (e->error == 0 && read < bytes) {
		got = segment_reader_next(e->reader, &line, &len);
		if (got == -1)
			export_fail(e, errno, "The audit log cannot be read");
		if (got != 1)
			break;
		read += len + 1;
		e->segment = segment_reader_place(e->reader, &e->line_end);
		e->line_end += len + 1;
		e->advanced = true;
		merkle_leaf(line, len, &hash);
		take(e, line, len, &hash);
		merkle_add(&e->all, &hash);
	}
	e->seen += read;
	return e->error != 0 ? -1 : got;
}

static void
end_report(struct export *e)
{
	json_t *sorted = NULL, *entry;
	size_t i;

	if (e->kept != NULL)
		sorted = query_run(e->kept, NULL, &e->options);
	json_array_foreach(sorted, i, entry)
		report_entry(e->report, entry);
	json_decref(sorted);
	if (report_end(e->report) == -1)
		export_fail_write(e, errno, "The report cannot be written");
}

/* The next reader sees what was committed until now. */
static void
leave_reader(struct export *e)
{
	segment_reader_free(e->reader);
	e->reader = NULL;
}

static void
step_reading(struct export *e, size_t bytes)
{
	if (read_lines(e, bytes, take_line) != 0)
		return;
	leave_reader(e);
	end_report(e);
	e->phase = CATCHING_UP;
}

static void
step_catching_up(struct export *e, size_t bytes)
{
	if (e->reader == NULL) {
		e->reader =
		    segment_reader_at(e->segments, e->segment, e->line_end);
		e->advanced = false;
	}
	if (read_lines(e, bytes, pass_line) != 0)
		return;
	leave_reader(e);
	if (!e->advanced && e->all.size != tree_size(e->tree))
		export_fail(e, EIO, not_signed);
}

/* The bytes of all parts, as far as they are written. */
static uint64_t
written(const struct export *e)
{
	uint64_t bytes = 0;
	size_t i;

	if (e->phase >= PACKING)
		return e->packing.size;
	for (i = 0; i < PARTS; i++)
		bytes += (uint64_t)ftello(e->parts[i]);
	return bytes;
}

/* A small one is made on a full disk, too: of the log's spare room. */
static void
look_for_room(struct export *e)
{
	size_t i;

	if (written(e) > SMALL && room_less_than(e, FREE_LEAST))
		export_fail(e, ENOSPC, too_full);
	for (i = 0; i < PARTS; i++)
		if (ferror(e->parts[i]))
			export_fail_write(
			    e, EIO, "The export cannot be written");
}

enum export_state
export_step(struct export *e, size_t bytes)
{
	look_for_room(e);
	if (e->error == 0 && e->phase == READING)
		step_reading(e, bytes);
	else if (e->error == 0 && e->phase == CATCHING_UP)
		step_catching_up(e, bytes);
	else if (e->error == 0 && export_pack_step(e, bytes))
		e->phase = ENDED;
	if (e->error != 0 || e->phase == ENDED)
		return EXPORT_ENDED;
	if (e->phase == CATCHING_UP && e->reader == NULL &&
	    e->all.size == tree_size(e->tree))
		return EXPORT_WANTS_RECORD;
	return EXPORT_GOES_ON;
}

unsigned int
export_progress(const struct export *e)
{
	uint64_t of = e->total, done = e->seen, share = READING_SHARE;
	unsigned int before = 0;

	if (e->phase >= PACKING) {
		of = e->packing.size;
		done = e->packing.done;
		share = 99 - READING_SHARE;
		before = READING_SHARE;
	}
	if (of == 0 || done > of)
		done = of = 1;
	return before + (unsigned int)(done * share / of);
}

/* --- The record of it ------------------------------------------------------- */

json_t *
export_record(struct export *e)
{
	json_t *record = json_deep_copy(json_object_get(e->request, "record"));
	char *name = export_report_name(e);
	char report[MERKLE_TEXT], lines[MERKLE_TEXT];
	struct merkle_hash hash;

	report_hash(e->report, report);
	if (EVP_DigestFinal_ex(e->lines, hash.bytes, NULL) != 1)
		abort();
	merkle_text(&hash, lines);
	json_object_set_new(record, "event", json_string(EXPORT_EVENT));
	/* clang-format off */
	json_object_set_new(record, "event_data", json_pack(
	    "{s:s, s:s, s:I, s:s, s:O}", "report", name, "sha256", report,
	    "records", (json_int_t)e->count, "records_sha256", lines,
	    "data", json_object_get(e->request, "data")));
	/* clang-format on */
	free(name);
	return record;
}

void
export_recorded(struct export *e, const char *line)
{
	const struct tree_head *head = heads_last(tree_heads(e->tree));
	struct merkle_hash hash, root;
	size_t len = strlen(line);

	merkle_leaf(line, len, &hash);
	put_line(e, line, len, &hash);
	merkle_add(&e->all, &hash);
	merkle_root(&e->all, &root);
	e->phase = PACKING;
	if (head == NULL || head->size != e->all.size ||
	    memcmp(&root, &head->root, sizeof(root)) != 0)
		export_fail(e, EIO, not_signed);
	else if (export_pack_begin(e) == -1)
		export_fail_write(e, errno, "The export cannot be written");
}
