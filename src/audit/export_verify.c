/*
 * Verification of exports: see export_verify.h.
 *
 * The members come in one order.  The hashes prove nothing by themselves, but
 * where they lead to the signed root and a record does not have its own, they
 * tell which record it is.
 */
#include "audit/export_verify.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/archive.h"
#include "audit/export.h"
#include "audit/segment.h"
#include "lib/json.h"
#include "lib/merkle.h"
#include "lib/treehead.h"
#include "lib/xalloc.h"

#define RECORDS_MAX ((size_t)1 << 27)
#define PROOF_MAX ((size_t)1 << 27)
#define HEADS_MAX ((size_t)1 << 17)
#define FIRST_ROOM 256

struct export_check {
	int fd;
	struct archive *archive;
	const char *against;
	void (*progress)(int fd);

	char report[ARCHIVE_NAME];
	struct merkle_hash report_hash;

	struct tree_head head; /* the last one read */
	char *head_line;
	size_t heads;
	bool met; /* the one seen elsewhere, in the chain */
	struct tree_head seen;

	uint64_t *indexes;
	struct merkle_hash *leaves;
	size_t count, room;

	size_t records; /* lines read */
	bool differs;
	uint64_t first; /* that does */
	json_t *last; /* record */

	struct merkle_hash *proof;
	size_t nproof, proof_room;

	char *problem;
	bool has_record;
	uint64_t record;
};

static int __attribute__((format(printf, 2, 3)))
fail(struct export_check *x, const char *fmt, ...)
{
	va_list ap;

	if (x->problem == NULL) {
		va_start(ap, fmt);
		x->problem = xvasprintf(fmt, ap);
		va_end(ap);
	}
	return -1;
}

/* --- Members ---------------------------------------------------------------- */

static int
member(struct export_check *x, const char *wanted, char name[ARCHIVE_NAME])
{
	const char *why = "";
	uint64_t size;
	int rc = archive_next(x->archive, name, &size, &why);

	if (rc == -1)
		return fail(x, "This is no whole export: %s", why);
	if (rc == 0)
		return fail(x, "The archive lacks \"%s\"",
		    wanted != NULL ? wanted : "the report");
	if (wanted != NULL && strcmp(name, wanted) != 0)
		return fail(
		    x, "\"%s\" is where \"%s\" should be", name, wanted);
	return 0;
}

typedef int line_taker(struct export_check *, const char *line, size_t len);

struct lines {
	char *text;
	size_t len, room, most;
};

/* All whole lines of the buffer; the rest moves to its beginning. */
static int
take_lines(struct export_check *x, struct lines *b, line_taker *take)
{
	char *at = b->text, *end;

	while (
	    (end = memchr(at, '\n', b->len - (size_t)(at - b->text))) != NULL) {
		*end = '\0';
		if (take(x, at, (size_t)(end - at)) == -1)
			return -1;
		at = end + 1;
	}
	b->len -= (size_t)(at - b->text);
	memmove(b->text, at, b->len);
	return 0;
}

static int
read_lines(
    struct export_check *x, const char *name, size_t most, line_taker *take)
{
	struct lines b = { .room = most + 1 };
	char found[ARCHIVE_NAME];
	const char *why = "";
	size_t len = 1;
	int rc = member(x, name, found);

	b.text = xmalloc(b.room);
	while (rc == 0 && len > 0) {
		if (b.len == b.room)
			rc = fail(x, "A line of \"%s\" is too long", name);
		else if (archive_read(x->archive, b.text + b.len,
			     b.room - b.len, &len, &why) == -1)
			rc = fail(x, "This is no whole export: %s", why);
		else {
			b.len += len;
			rc = take_lines(x, &b, take);
		}
		if (x->progress != NULL)
			x->progress(x->fd);
	}
	if (rc == 0 && b.len > 0)
		rc = fail(x, "The last line of \"%s\" is not whole", name);
	free(b.text);
	return rc;
}

static int
read_report(struct export_check *x)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char piece[16384];
	const char *why = "";
	size_t len = 1;
	int rc = member(x, NULL, x->report);

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort();
	while (rc == 0 && len > 0) {
		if (archive_read(
			x->archive, piece, sizeof(piece), &len, &why) == -1)
			rc = fail(x, "This is no whole export: %s", why);
		else if (EVP_DigestUpdate(md, piece, len) != 1)
			abort();
	}
	if (EVP_DigestFinal_ex(md, x->report_hash.bytes, NULL) != 1)
		abort();
	EVP_MD_CTX_free(md);
	return rc;
}

/* --- Heads ------------------------------------------------------------------ */

/* Is the head that was seen elsewhere one of this log's? */
static int
meet(struct export_check *x, const struct tree_head *h, const char *line)
{
	if (x->against == NULL || h->number < x->seen.number)
		return 0;
	if (h->number == x->seen.number) {
		if (strcmp(line, x->against) != 0)
			return fail(x,
			    "Head %" PRIu64 " is another one than "
			    "that seen elsewhere",
			    h->number);
		x->met = true;
	} else if (!x->met && h->epoch == x->seen.epoch) {
		/* One between those that are here: by the same key. */
		if (memcmp(h->key, x->seen.key, sizeof(h->key)) != 0 ||
		    h->size < x->seen.size)
			return fail(x,
			    "The head seen elsewhere is not one of "
			    "this log");
		x->met = true;
	}
	return 0;
}

static int
take_head(struct export_check *x, const char *line, size_t len)
{
	struct tree_head head;
	const char *why;

	if (x->heads == HEADS_MAX)
		return fail(x, "There are too many heads");
	if (tree_head_read(line, len, &head, &why) == -1)
		return fail(x, "A head is none: %s", why);
	if (x->heads > 0 &&
	    (why = tree_head_follows(
		 &x->head, x->head_line, strlen(x->head_line), &head)) != NULL)
		return fail(x,
		    "Head %" PRIu64 " does not follow the one "
		    "before: %s",
		    head.number, why);
	if (meet(x, &head, line) == -1)
		return -1;
	free(x->head_line);
	x->head_line = xstrdup(line);
	x->head = head;
	x->heads++;
	return 0;
}

static int
read_heads(struct export_check *x)
{
	const char *why;

	if (x->against != NULL &&
	    tree_head_read(x->against, strlen(x->against), &x->seen, &why) ==
		-1)
		return fail(x, "The head seen elsewhere is none: %s", why);
	if (read_lines(x, EXPORT_HEADS, TREE_HEAD_MAX, take_head) == -1)
		return -1;
	if (x->heads == 0)
		return fail(x, "There is no head");
	if (x->against == NULL)
		return 0;
	if (strcmp(x->seen.log, x->head.log) != 0)
		return fail(x, "The head seen elsewhere is one of another log");
	if (x->seen.number > x->head.number)
		return fail(x,
		    "The head seen elsewhere is newer than this "
		    "export");
	return x->met ? 0 :
			fail(x,
			    "The head seen elsewhere is not one of "
			    "this log");
}

/* --- Records ---------------------------------------------------------------- */

static int
take_hash(struct export_check *x, const char *line, size_t len)
{
	unsigned long long index;
	char text[32];
	const char *space = memchr(line, ' ', len);
	int n;

	if (x->count == RECORDS_MAX)
		return fail(x, "There are too many hashes");
	if (x->count == x->room) {
		x->room = 2 * x->room + FIRST_ROOM;
		x->indexes =
		    xreallocarray(x->indexes, x->room, sizeof(*x->indexes));
		x->leaves =
		    xreallocarray(x->leaves, x->room, sizeof(*x->leaves));
	}
	index = strtoull(line, NULL, 10);
	n = snprintf(text, sizeof(text), "%llu", index);
	if (space == NULL || (size_t)n != (size_t)(space - line) ||
	    memcmp(line, text, (size_t)n) != 0 ||
	    strlen(space + 1) != MERKLE_TEXT - 1 ||
	    len != (size_t)n + MERKLE_TEXT ||
	    merkle_parse(space + 1, &x->leaves[x->count]) == -1)
		return fail(x, "Hash %zu is none", x->count);
	x->indexes[x->count++] = index;
	return 0;
}

static int
take_record(struct export_check *x, const char *line, size_t len)
{
	struct merkle_hash hash;

	if (x->records == x->count)
		return fail(x, "There are more records than hashes");
	merkle_leaf(line, len, &hash);
	if (!x->differs &&
	    memcmp(&hash, &x->leaves[x->records], sizeof(hash)) != 0) {
		x->differs = true;
		x->first = x->indexes[x->records];
	}
	if (++x->records == x->count)
		x->last = record_parse(line, len);
	return 0;
}

static int
take_proof(struct export_check *x, const char *line, size_t len)
{
	if (x->nproof == PROOF_MAX)
		return fail(x, "The proof is too long");
	if (x->nproof == x->proof_room) {
		x->proof_room = 2 * x->proof_room + FIRST_ROOM;
		x->proof =
		    xreallocarray(x->proof, x->proof_room, sizeof(*x->proof));
	}
	if (len != MERKLE_TEXT - 1 ||
	    merkle_parse(line, &x->proof[x->nproof]) == -1)
		return fail(x, "Hash %zu of the proof is none", x->nproof);
	x->nproof++;
	return 0;
}

/* --- What they say together ------------------------------------------------- */

static int
check_tree(struct export_check *x)
{
	struct merkle_hash root;

	if (merkle_root_of(x->head.size, x->indexes, x->leaves, x->count,
		x->proof, x->nproof, &root) == -1 ||
	    memcmp(&root, &x->head.root, sizeof(root)) != 0)
		return fail(x, "The hashes do not lead to what was signed");
	if (!x->differs && x->records == x->count)
		return 0;
	x->has_record = true;
	x->record = x->differs ? x->first : x->indexes[x->records];
	return fail(x,
	    x->differs ? "Record %" PRIu64 " is not the one that was signed" :
			 "Record %" PRIu64 " is missing",
	    x->record);
}

/* The record of the export itself tells of the report. */
static int
check_report(struct export_check *x)
{
	const json_t *data = json_object_get(x->last, "event_data");
	char hash[MERKLE_TEXT];

	merkle_text(&x->report_hash, hash);
	if (strcmp(json_str(x->last, "event", ""), EXPORT_EVENT) != 0 ||
	    json_int(data, "records", -1) != (json_int_t)x->count - 1 ||
	    x->indexes[x->count - 1] + 1 != x->head.size)
		return fail(x, "The last record is not that of this export");
	if (strcmp(json_str(data, "report", ""), x->report) != 0 ||
	    strcmp(json_str(data, "sha256", ""), hash) != 0)
		return fail(x,
		    "The report \"%s\" is not the one that was "
		    "exported",
		    x->report);
	return 0;
}

static void
check(struct export_check *x)
{
	char name[ARCHIVE_NAME];
	const char *why = "";
	uint64_t size;
	int rc;

	if (read_report(x) == -1 || read_heads(x) == -1 ||
	    read_lines(x, EXPORT_HASHES, 20 + MERKLE_TEXT, take_hash) == -1 ||
	    read_lines(x, EXPORT_RECORDS, RECORD_MAX + 1, take_record) == -1 ||
	    read_lines(x, EXPORT_PROOF, MERKLE_TEXT, take_proof) == -1)
		return;
	rc = archive_next(x->archive, name, &size, &why);
	if (rc == 1)
		(void)fail(x, "\"%s\" is none of an export's", name);
	else if (rc == -1)
		(void)fail(x, "This is no whole export: %s", why);
	else if (x->count == 0)
		(void)fail(x, "There is no record of the export");
	else if (check_tree(x) == 0)
		(void)check_report(x);
}

static json_t *
tell(const struct export_check *x)
{
	json_t *report, *problem = json_null(), *head = json_null();
	char root[MERKLE_TEXT];

	if (x->problem != NULL)
		problem = json_pack("{s:s, s:o}", "text", x->problem, "record",
		    x->has_record ? json_integer((json_int_t)x->record) :
				    json_null());
	if (x->heads > 0) {
		merkle_text(&x->head.root, root);
		/* clang-format off */
		head = json_pack("{s:I, s:I, s:s, s:I, s:s}",
		    "head", (json_int_t)x->head.number,
		    "size", (json_int_t)x->head.size, "root", root,
		    "time_us", (json_int_t)x->head.time_us,
		    "line", x->head_line);
		/* clang-format on */
	}
	/* clang-format off */
	report = json_pack("{s:b, s:I, s:s?, s:s?, s:o, s:o}",
	    "verified", x->problem == NULL,
	    "records", (json_int_t)(x->count > 0 ? x->count - 1 : 0),
	    "report", x->report[0] != '\0' ? x->report : NULL,
	    "log", x->heads > 0 ? x->head.log : NULL,
	    "last_head", head, "problem", problem);
	/* clang-format on */
	return report;
}

json_t *
export_verify(int fd, const char *against, void (*progress)(int fd))
{
	struct export_check x = {
		.fd = fd, .against = against, .progress = progress
	};
	json_t *report;

	x.archive = archive_open(fd);
	if (x.archive == NULL)
		(void)fail(&x, "There is no memory for it");
	else
		check(&x);
	report = tell(&x);
	archive_free(x.archive);
	json_decref(x.last);
	free(x.head_line);
	free(x.indexes);
	free(x.leaves);
	free(x.proof);
	free(x.problem);
	return report;
}
