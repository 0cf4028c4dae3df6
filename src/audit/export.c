/*
 * Exports of the audit log: see export.h.
 *
 * What matches is written to files without names at once; of the records only
 * their indexes stay in memory, and where the report has an order, its entries
 * up to QUERY_RESULT_MAX.
 */
#include "audit/export.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/archive.h"
#include "audit/query.h"
#include "audit/report.h"
#include "lib/file.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define TEMPORARY "export.tmp"
#define PIECE ((size_t)64 * 1024)
#define NAME_SIZE 64
#define USER_MAX 64
#define FREE_LEAST ((uint64_t)256 << 20) /* the log's own need comes first */

enum part { REPORT, HEADS, HASHES, RECORDS, PROOF, PARTS };

/* clang-format off */
static const char *const part_names[PARTS] = {
	[HEADS] = EXPORT_HEADS, [HASHES] = EXPORT_HASHES,
	[RECORDS] = EXPORT_RECORDS, [PROOF] = EXPORT_PROOF
};
/* clang-format on */

struct export
{
	int dirfd;
	const struct segments *segments;
	const struct tree *tree;
	json_t *request;
	const char *service; /* borrowed */
	struct filter *filter;
	struct query_options options;
	struct segment_reader *reader;
	uint64_t next; /* index of the line that comes */
	uint64_t total, seen; /* bytes */
	FILE *parts[PARTS];
	struct report *report;
	json_t *kept; /* where the report has an order */
	size_t kept_size;
	json_int_t matches;
	uint64_t *wanted;
	size_t count, room;
	int error;
	char *why;
};

static void
fail(struct export *e, int error, const char *why)
{
	if (e->error != 0)
		return;
	e->error = error != 0 ? error : EIO;
	e->why = xstrdup(why);
}

int
export_problem(const struct export *e, const char **whyp)
{
	*whyp = e->why != NULL ? e->why : "";
	return e->error;
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
	struct merkle before;
	size_t count;

	numbers = segments_numbers(e->segments, &count);
	if (count > 0 && tree_before(e->dirfd, numbers[0], &before) == -1) {
		errno = EIO;
		return -1;
	}
	e->next = count > 0 ? before.size : 0;
	e->total = segments_size(e->segments);
	e->reader = segment_reader_new(e->segments);
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
	for (i = 0; i < PARTS; i++)
		if (e->parts[i] != NULL)
			(void)fclose(e->parts[i]);
	report_free(e->report);
	segment_reader_free(e->reader);
	filter_free(e->filter);
	json_decref(e->kept);
	json_decref(e->request);
	free(e->wanted);
	free(e->why);
	free(e);
}

/* --- Reading ---------------------------------------------------------------- */

static void
take_line(struct export *e, const char *line, size_t len, uint64_t index)
{
	struct merkle_hash hash;
	char text[MERKLE_TEXT];

	if (e->count == e->room) {
		e->room = 2 * e->room + 256;
		e->wanted =
		    xreallocarray(e->wanted, e->room, sizeof(*e->wanted));
	}
	e->wanted[e->count++] = index;
	merkle_leaf(line, len, &hash);
	merkle_text(&hash, text);
	(void)fprintf(e->parts[HASHES], "%" PRIu64 " %s\n", index, text);
	(void)fwrite(line, 1, len, e->parts[RECORDS]);
	(void)fputc('\n', e->parts[RECORDS]);
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
		fail(e, E2BIG,
		    "Too many records for an order: narrow the "
		    "filters, or leave order_by out");
		return;
	}
	json_array_append(e->kept, record);
}

static void
take_record(struct export *e, const char *line, size_t len, json_t *record)
{
	const struct query_options *o = &e->options;
	json_t *entry;

	if (strcmp(json_str(record, "service", ""), e->service) != 0 ||
	    !filter_match(e->filter, record))
		return;
	e->matches++;
	if (e->kept == NULL &&
	    (e->matches <= o->offset ||
		(o->limit > 0 && e->matches > o->offset + o->limit)))
		return;
	take_line(e, line, len, e->next);
	if (e->kept != NULL) {
		keep_entry(e, record, len);
		return;
	}
	entry = selected(e, record);
	report_entry(e->report, entry);
	json_decref(entry);
}

static void
end_reading(struct export *e)
{
	json_t *sorted = NULL, *entry;
	size_t i;

	if (e->kept != NULL)
		sorted = query_run(e->kept, NULL, &e->options);
	json_array_foreach(sorted, i, entry)
		report_entry(e->report, entry);
	json_decref(sorted);
	if (report_end(e->report) == -1)
		fail(e, errno, "The report cannot be written");
}

static void
look_for_room(struct export *e)
{
	struct statfs fs;
	size_t i;

	if (fstatfs(e->dirfd, &fs) == -1 ||
	    fs.f_bavail * (uint64_t)fs.f_bsize < FREE_LEAST)
		fail(e, ENOSPC, "The disk is too full for an export");
	for (i = 0; i < PARTS; i++)
		if (ferror(e->parts[i]))
			fail(e, EIO, "The export cannot be written");
}

bool
export_step(struct export *e, size_t bytes)
{
	size_t len, seen = 0;
	const char *line;
	json_t *record;
	int got = 1;

	look_for_room(e);
	while (e->error == 0 && seen <= bytes) {
		got = segment_reader_next(e->reader, &line, &len);
		if (got == -1)
			fail(e, errno, "The audit log cannot be read");
		if (got != 1)
			break;
		seen += len + 1;
		if ((record = record_parse(line, len)) != NULL)
			take_record(e, line, len, record);
		json_decref(record);
		e->next++;
		if (filter_problem(e->filter) != NULL)
			fail(e, ETIMEDOUT, filter_problem(e->filter));
	}
	e->seen += seen;
	if (e->error == 0 && got == 0)
		end_reading(e);
	return e->error != 0 || got != 1;
}

unsigned int
export_progress(const struct export *e)
{
	return e->total == 0 || e->seen >= e->total ?
	    99 :
	    (unsigned int)(e->seen * 99 / e->total);
}

static void
report_name(const struct export *e, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%s.%s",
	    json_str(e->request, "uuid", ""),
	    report_ending(json_str(e->request, "format", "")));
}

json_t *
export_record(struct export *e)
{
	json_t *record = json_deep_copy(json_object_get(e->request, "record"));
	char name[NAME_SIZE], hash[MERKLE_TEXT];

	report_name(e, name);
	report_hash(e->report, hash);
	json_object_set_new(record, "event", json_string(EXPORT_EVENT));
	/* clang-format off */
	json_object_set_new(record, "event_data", json_pack(
	    "{s:s, s:s, s:I, s:O}", "report", name, "sha256", hash,
	    "records", (json_int_t)e->count,
	    "data", json_object_get(e->request, "data")));
	/* clang-format on */
	return record;
}

/* --- The proof -------------------------------------------------------------- */

struct prover {
	const struct export *e;
	const uint32_t *numbers;
	size_t count, at;
	struct merkle_hash *hashes; /* of the segment at */
	size_t nhashes;
	uint64_t start;
};

/* Indexes come in ascending order: one segment's hashes at a time. */
static int
leaf(uint64_t index, struct merkle_hash *hash, void *arg)
{
	struct prover *p = arg;

	while (p->hashes == NULL || index >= p->start + p->nhashes) {
		if (p->hashes != NULL) {
			p->start += p->nhashes;
			p->at++;
		}
		free(p->hashes);
		p->hashes = NULL;
		if (p->at == p->count)
			return -1;
		p->hashes =
		    tree_hashes(p->e->dirfd, p->numbers[p->at], &p->nhashes);
		if (p->hashes == NULL)
			return -1;
	}
	*hash = p->hashes[index - p->start];
	return 0;
}

static int
put_hash(const struct merkle_hash *hash, void *arg)
{
	struct prover *p = arg;
	char text[MERKLE_TEXT];

	merkle_text(hash, text);
	return fprintf(p->e->parts[PROOF], "%s\n", text) < 0 ? -1 : 0;
}

static int
write_proof(const struct export *e)
{
	const struct tree_head *head = heads_last(tree_heads(e->tree));
	struct prover p = { .e = e };
	struct merkle before;
	int rc;

	p.numbers = segments_numbers(e->segments, &p.count);
	if (tree_before(e->dirfd, p.numbers[0], &before) == -1) {
		errno = EIO;
		return -1;
	}
	p.start = before.size;
	rc = merkle_prove(
	    head->size, &before, e->wanted, e->count, leaf, put_hash, &p);
	free(p.hashes);
	if (rc == -1)
		errno = EIO;
	return rc;
}

struct chain {
	const struct export *e;
	const struct tree_head *last;
	uint64_t next; /* number that may come */
};

static int
take_head(const char *line, size_t len, const char *where, void *arg)
{
	struct chain *c = arg;
	struct tree_head head;
	const char *why;

	(void)where;
	if (tree_head_read(line, len, &head, &why) == -1 || !head.seals ||
	    strcmp(head.log, c->last->log) != 0 || head.number < c->next ||
	    head.number >= c->last->number)
		return 0;
	c->next = head.number + 1;
	(void)fprintf(c->e->parts[HEADS], "%.*s\n", (int)len, line);
	return 0;
}

static int
write_heads(const struct export *e)
{
	const struct heads *heads = tree_heads(e->tree);
	struct chain c = { .e = e, .last = heads_last(heads) };

	if (heads_each(e->dirfd, take_head, &c) == -1)
		return -1;
	return fprintf(e->parts[HEADS], "%s\n", heads_last_line(heads)) < 0 ?
	    -1 :
	    0;
}

/* --- The archive ------------------------------------------------------------ */

static int
archive_part(struct archive *a, FILE *file, const char *name, int64_t time)
{
	char *piece = xmalloc(PIECE);
	struct stat st;
	size_t n;
	int rc = -1;

	if (fflush(file) == EOF || ferror(file) ||
	    fstat(fileno(file), &st) == -1 || fseeko(file, 0, SEEK_SET) == -1)
		goto out;
	rc = archive_member(a, name, (uint64_t)st.st_size, time);
	while (rc == 0 && (n = fread(piece, 1, PIECE, file)) > 0)
		rc = archive_write(a, piece, n);
	if (ferror(file))
		rc = -1;
out:
	free(piece);
	return rc;
}

static int
write_archive(const struct export *e, int fd)
{
	struct archive *a = archive_new(fd);
	int64_t now = (int64_t)time(NULL);
	char name[NAME_SIZE];
	size_t i;
	int rc = a != NULL ? 0 : -1;

	report_name(e, name);
	for (i = 0; rc == 0 && i < PARTS; i++)
		rc = archive_part(
		    a, e->parts[i], i == REPORT ? name : part_names[i], now);
	if (rc == 0)
		rc = archive_finish(a);
	archive_free(a);
	return rc == 0 ? fsync(fd) : -1;
}

/* As it is in the path: no other folder than the user's own. */
static bool
user_sound(const char *user)
{
	size_t len = strlen(user);

	return len > 0 && len < USER_MAX && *user != '.' &&
	    strchr(user, '/') == NULL;
}

/* One name, so that O_NOFOLLOW is all that keeps it beneath. */
static int
open_folder(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A folder below that one, made when it is not there; -1 with errno. */
static int
folder(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) == -1 && errno != EEXIST)
		return -1;
	return open_folder(dirfd, name);
}

static int
users_folder(int dirfd, const char *user)
{
	int reports, fd;

	if (!user_sound(user)) {
		errno = EINVAL;
		return -1;
	}
	if ((reports = folder(dirfd, EXPORT_FOLDER)) == -1)
		return -1;
	fd = folder(reports, user);
	close(reports);
	return fd;
}

static int
install(const struct export *e, int dirfd)
{
	char name[NAME_SIZE], whole[NAME_SIZE + sizeof(".tar.gz")];
	int rc,
	    fd = openat(dirfd, TEMPORARY,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return -1;
	report_name(e, name);
	(void)snprintf(whole, sizeof(whole), "%s.tar.gz", name);
	rc = write_archive(e, fd);
	close(fd);
	if (rc == 0)
		rc = renameat(dirfd, TEMPORARY, dirfd, whole);
	if (rc == -1)
		(void)unlinkat(dirfd, TEMPORARY, 0);
	return rc;
}

int
export_finish(struct export *e, const char *line, uint64_t index)
{
	int dirfd, rc;

	take_line(e, line, strlen(line), index);
	if (write_heads(e) == -1 || write_proof(e) == -1)
		return -1;
	dirfd = users_folder(e->dirfd, json_str(e->request, "user", ""));
	if (dirfd == -1)
		return -1;
	rc = install(e, dirfd);
	close(dirfd);
	return rc;
}

/* --- What was exported ------------------------------------------------------ */

int
export_open(int dirfd, const char *user, const char *name)
{
	int reports, folder, fd = -1, error;

	if (!user_sound(user) || strchr(name, '/') != NULL || *name == '.' ||
	    *name == '\0') {
		errno = ENOENT;
		return -1;
	}
	if ((reports = open_folder(dirfd, EXPORT_FOLDER)) == -1)
		return -1;
	folder = open_folder(reports, user);
	if (folder != -1)
		fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	error = errno;
	if (folder != -1)
		close(folder);
	close(reports);
	errno = error;
	return fd;
}

static int
expire_folder(int dirfd, int64_t before)
{
	DIR *dir = fdopendir(dirfd);
	struct dirent *entry;
	struct stat st;

	if (dir == NULL) {
		close(dirfd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL)
		if (fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < before)
			(void)unlinkat(dirfd, entry->d_name, 0);
	closedir(dir);
	return 0;
}

int
export_expire(int dirfd, int64_t before)
{
	int reports, fd;
	struct dirent *entry;
	DIR *dir;

	reports = open_folder(dirfd, EXPORT_FOLDER);
	if (reports == -1)
		return errno == ENOENT ? 0 : -1;
	if ((dir = fdopendir(reports)) == NULL) {
		close(reports);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		fd = open_folder(reports, entry->d_name);
		if (fd != -1)
			(void)expire_folder(fd, before);
	}
	closedir(dir);
	return 0;
}
