/*
 * Verification of exports: see export_verify.h.
 *
 * The members come in one order, and two readers go over them: the proof comes
 * first and must lead to the signed root; then the records are compared with
 * it, line by line, which names the first that is wrong.  So nothing grows
 * with the archive.
 */
#include "audit/export_verify.h"

#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
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

#define PIECE ((size_t)64 * 1024)
#define PROOF_LINE ((size_t)2 * 21 + MERKLE_TEXT)

struct export_check {
	int fd;
	uint64_t size; /* of the file */
	const char *against;
	void (*progress)(unsigned int);

	char report[ARCHIVE_NAME];
	struct merkle_hash report_hash;

	struct tree_head head; /* the last one read */
	char *head_line;
	bool met; /* the one seen elsewhere */
	const char *how; /* it was */
	struct tree_head seen;

	struct merkle tree;
	uint64_t count; /* records that the proof has */
	EVP_MD_CTX *lines; /* digest of all but the last */
	json_t *last; /* record */

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

static int
fail_record(struct export_check *x, uint64_t record, const char *what)
{
	if (x->problem == NULL) {
		x->has_record = true;
		x->record = record;
	}
	return fail(x, "Record %" PRIu64 " is %s", record, what);
}

/* --- Members and their lines ------------------------------------------------ */

/* The next member, which has to have that name (NULL: any). */
static int
member(struct export_check *x, struct archive *a, const char *wanted,
    char name[ARCHIVE_NAME])
{
	const char *why = "";
	uint64_t size;
	int rc = archive_next(a, name, &size, &why);

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

struct lines {
	struct export_check *x;
	struct archive *archive;
	const char *name;
	char *text;
	size_t at, len, room;
};

static void
lines_free(struct lines *l)
{
	free(l->text);
	l->text = NULL;
}

/* Of the next member, which has to have that name; most: longest line. */
static int
lines_begin(struct lines *l, struct export_check *x, struct archive *a,
    const char *name, size_t most)
{
	char found[ARCHIVE_NAME];

	memset(l, 0, sizeof(*l));
	l->x = x;
	l->archive = a;
	l->name = name;
	l->room = most + 1 + PIECE;
	l->text = xmalloc(l->room);
	return member(x, a, name, found);
}

/* More of the member behind what is there: 1, 0 at its end, -1. */
static int
lines_fill(struct lines *l)
{
	const char *why = "";
	size_t len = 0;

	memmove(l->text, l->text + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	if (l->room - l->len < PIECE)
		return fail(l->x, "A line of \"%s\" is too long", l->name);
	if (archive_read(l->archive, l->text + l->len, PIECE, &len, &why) == -1)
		return fail(l->x, "This is no whole export: %s", why);
	if (l->x->progress != NULL && l->x->size > 0)
		l->x->progress((unsigned int)(archive_place(l->archive) * 100 /
		    l->x->size));
	l->len += len;
	return len > 0;
}

/* A line without its newline, ended by a NUL: 1, 0 at the end, -1. */
static int
lines_next(struct lines *l, const char **linep, size_t *lenp)
{
	size_t looked = 0;
	char *end;
	int rc;

	while ((end = memchr(l->text + l->at + looked, '\n',
		    l->len - l->at - looked)) == NULL) {
		looked = l->len - l->at;
		if ((rc = lines_fill(l)) == 1)
			continue;
		if (rc == 0 && looked > 0)
			rc = fail(l->x, "The last line of \"%s\" is not whole",
			    l->name);
		return rc;
	}
	*end = '\0';
	*linep = l->text + l->at;
	*lenp = (size_t)(end - *linep);
	l->at += *lenp + 1;
	return 1;
}

/* --- The report ------------------------------------------------------------- */

static EVP_MD_CTX *
digest_new(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort();
	return md;
}

static void
digest(EVP_MD_CTX *md, const void *data, size_t len)
{
	if (EVP_DigestUpdate(md, data, len) != 1)
		abort();
}

static int
read_report(struct export_check *x, struct archive *a)
{
	EVP_MD_CTX *md = digest_new();
	unsigned char piece[16384];
	const char *why = "";
	size_t len = 1;
	int rc = member(x, a, NULL, x->report);

	while (rc == 0 && len > 0) {
		if (archive_read(a, piece, sizeof(piece), &len, &why) == -1)
			rc = fail(x, "This is no whole export: %s", why);
		else
			digest(md, piece, len);
	}
	if (EVP_DigestFinal_ex(md, x->report_hash.bytes, NULL) != 1)
		abort();
	EVP_MD_CTX_free(md);
	return rc;
}

/* --- Heads ------------------------------------------------------------------ */

static bool
same_hash(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* May it stand between the head before and this one, by the same key? */
static bool
is_between(const struct export_check *x, const struct tree_head *h)
{
	const struct tree_head *s = &x->seen;

	return h->epoch == s->epoch && h->size >= s->size &&
	    x->head.size <= s->size && same_hash(&h->sealed, &s->sealed) &&
	    memcmp(h->key, s->key, sizeof(h->key)) == 0;
}

/* Is the head that was seen elsewhere one of this log's? */
static int
meet(struct export_check *x, const struct tree_head *h, const char *line)
{
	if (x->against == NULL || x->met || h->number < x->seen.number)
		return 0;
	x->met = true;
	if (h->number != x->seen.number) {
		x->how = "KEY";
		return is_between(x, h) ?
		    0 :
		    fail(x, "The head seen elsewhere is not one of this log");
	}
	x->how = "HEAD";
	return strcmp(line, x->against) == 0 ?
	    0 :
	    fail(x, "Head %" PRIu64 " is another one than that seen elsewhere",
		h->number);
}

static int
take_head(struct export_check *x, const char *line, size_t len)
{
	struct tree_head head;
	const char *why;

	if (tree_head_read(line, len, &head, &why) == -1)
		return fail(x, "A head is none: %s", why);
	if (x->head_line != NULL &&
	    (why = tree_head_follows(
		 &x->head, x->head_line, strlen(x->head_line), &head)) != NULL)
		return fail(x,
		    "Head %" PRIu64 " does not follow the one before: %s",
		    head.number, why);
	if (meet(x, &head, line) == -1)
		return -1;
	free(x->head_line);
	x->head_line = xmemdup(line, len + 1);
	x->head = head;
	return 0;
}

static int
check_met(struct export_check *x)
{
	if (x->against == NULL)
		return 0;
	if (strcmp(x->seen.log, x->head.log) != 0)
		return fail(x, "The head seen elsewhere is one of another log");
	return x->met ?
	    0 :
	    fail(x, "The head seen elsewhere is newer than this export");
}

static int
read_heads(struct export_check *x, struct archive *a)
{
	const char *why, *line = "";
	struct lines l;
	size_t len = 0;
	int rc = 0;

	if (x->against != NULL &&
	    tree_head_read(x->against, strlen(x->against), &x->seen, &why) ==
		-1)
		return fail(x, "The head seen elsewhere is none: %s", why);
	if (lines_begin(&l, x, a, EXPORT_HEADS, TREE_HEAD_MAX) == -1)
		rc = -1;
	while (rc == 0 && (rc = lines_next(&l, &line, &len)) == 1)
		rc = take_head(x, line, len);
	lines_free(&l);
	if (rc == 0 && x->head_line == NULL)
		rc = fail(x, "There is no head");
	return rc == 0 ? check_met(x) : -1;
}

/* --- The proof -------------------------------------------------------------- */

/* Digits, no zero in front, and a space behind: what follows it, or NULL. */
static const char *
parse_number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9' || (*text == '0' && text[1] != ' '))
		return NULL;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == ' ' ? end + 1 : NULL;
}

/* A subtree, or with the count 0 a record of the export. */
static int
parse_subtree(const char *line, size_t len, struct merkle_subtree *out)
{
	const char *rest, *hash;

	rest = parse_number(line, &out->first);
	if (rest == NULL || strlen(line) != len)
		return -1;
	if ((hash = parse_number(rest, &out->count)) == NULL) {
		out->count = 0;
		hash = rest;
	} else if (out->count == 0)
		return -1;
	return merkle_parse(hash, &out->hash);
}

static int
take_subtree(struct export_check *x, const char *line, size_t len)
{
	struct merkle_subtree tree = { 0 };

	if (parse_subtree(line, len, &tree) == -1 ||
	    tree.first != x->tree.size ||
	    merkle_add_tree(
		&x->tree, &tree.hash, tree.count != 0 ? tree.count : 1) == -1)
		return fail(x, "The proof is none from record %" PRIu64 " on",
		    x->tree.size);
	if (tree.count == 0)
		x->count++;
	return 0;
}

static int
read_proof(struct export_check *x, struct archive *a)
{
	struct merkle_hash root;
	const char *line = "";
	struct lines l;
	size_t len = 0;
	int rc;

	rc = lines_begin(&l, x, a, EXPORT_PROOF, PROOF_LINE);
	while (rc == 0 && (rc = lines_next(&l, &line, &len)) == 1)
		rc = take_subtree(x, line, len);
	lines_free(&l);
	if (rc != 0)
		return rc;
	merkle_root(&x->tree, &root);
	if (x->tree.size != x->head.size || !same_hash(&root, &x->head.root))
		return fail(x, "The proof does not lead to what was signed");
	return x->count > 0 ? 0 : fail(x, "There is no record of the export");
}

/* --- Records ---------------------------------------------------------------- */

/* The next record that the proof has: 1, 0 there is none, -1. */
static int
next_proven(struct lines *proof, struct merkle_subtree *tree)
{
	const char *line = "";
	size_t len = 0;
	int rc;

	while ((rc = lines_next(proof, &line, &len)) == 1)
		if (parse_subtree(line, len, tree) == -1)
			return fail(proof->x, "The archive changes");
		else if (tree->count == 0)
			return 1;
	return rc;
}

static int
compare_records(
    struct export_check *x, struct lines *records, struct lines *proof)
{
	struct merkle_subtree proven;
	struct merkle_hash hash;
	const char *line = "";
	uint64_t left = x->count;
	size_t len = 0;
	int rc;

	while ((rc = next_proven(proof, &proven)) == 1) {
		rc = lines_next(records, &line, &len);
		if (rc == 0)
			return fail_record(x, proven.first, "missing");
		if (rc == -1)
			return -1;
		merkle_leaf(line, len, &hash);
		if (!same_hash(&hash, &proven.hash))
			return fail_record(
			    x, proven.first, "not the one that was signed");
		if (--left == 0)
			x->last = record_parse(line, len);
		else {
			digest(x->lines, line, len);
			digest(x->lines, "\n", 1);
		}
	}
	if (rc == 0 && (rc = lines_next(records, &line, &len)) == 1)
		rc = fail(x, "There are more records than were signed");
	return rc;
}

/* Members up to the proof, which were read before. */
static int
skip_to_proof(struct export_check *x, struct archive *again)
{
	char name[ARCHIVE_NAME];

	if (member(x, again, NULL, name) == -1)
		return -1;
	return member(x, again, EXPORT_HEADS, name);
}

static int
read_records(struct export_check *x, struct archive *a)
{
	struct archive *again = archive_open(x->fd);
	struct lines records = { 0 }, proof = { 0 };
	int rc = -1;

	if (again == NULL)
		(void)fail(x, "There is no memory for it");
	else if (lines_begin(&records, x, a, EXPORT_RECORDS, RECORD_MAX) == 0 &&
	    skip_to_proof(x, again) == 0 &&
	    lines_begin(&proof, x, again, EXPORT_PROOF, PROOF_LINE) == 0)
		rc = compare_records(x, &records, &proof);
	lines_free(&records);
	lines_free(&proof);
	archive_free(again);
	return rc;
}

/* --- What they say together ------------------------------------------------- */

/* The record of the export itself tells of the report and of the others. */
static int
check_last(struct export_check *x)
{
	const json_t *data = json_object_get(x->last, "event_data");
	char report[MERKLE_TEXT], lines[MERKLE_TEXT];
	struct merkle_hash hash;

	merkle_text(&x->report_hash, report);
	if (EVP_DigestFinal_ex(x->lines, hash.bytes, NULL) != 1)
		abort();
	merkle_text(&hash, lines);
	if (strcmp(json_str(x->last, "event", ""), EXPORT_EVENT) != 0)
		return fail(x, "The last record is not that of an export");
	if (json_int(data, "records", -1) != (json_int_t)x->count - 1 ||
	    strcmp(json_str(data, "records_sha256", ""), lines) != 0)
		return fail(x, "The records are not those of this export");
	if (strcmp(json_str(data, "report", ""), x->report) != 0 ||
	    strcmp(json_str(data, "sha256", ""), report) != 0)
		return fail(x,
		    "The report \"%s\" is not the one that was exported",
		    x->report);
	return 0;
}

static int
check_end(struct export_check *x, struct archive *a)
{
	char name[ARCHIVE_NAME];
	const char *why = "";
	uint64_t size;
	int rc = archive_next(a, name, &size, &why);

	if (rc == 1)
		return fail(x, "\"%s\" is none of an export's", name);
	if (rc == -1)
		return fail(x, "This is no whole export: %s", why);
	return 0;
}

static void
check(struct export_check *x, struct archive *a)
{
	if (read_report(x, a) == 0 && read_heads(x, a) == 0 &&
	    read_proof(x, a) == 0 && read_records(x, a) == 0 &&
	    check_end(x, a) == 0)
		(void)check_last(x);
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
	if (x->head_line != NULL) {
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
	report = json_pack("{s:b, s:I, s:s?, s:s?, s:o, s:s?, s:o}",
	    "verified", x->problem == NULL,
	    "records", (json_int_t)(x->count > 0 ? x->count - 1 : 0),
	    "report", x->report[0] != '\0' ? x->report : NULL,
	    "log", x->head_line != NULL ? x->head.log : NULL,
	    "last_head", head, "against", x->how, "problem", problem);
	/* clang-format on */
	return report;
}

json_t *
export_verify(
    int fd, const char *against, void (*progress)(unsigned int percent))
{
	struct export_check x = { .fd = fd,
		.against = against,
		.progress = progress,
		.lines = digest_new() };
	struct archive *a = archive_open(fd);
	struct stat st;
	json_t *report;

	if (fstat(fd, &st) == 0)
		x.size = (uint64_t)st.st_size;
	if (a == NULL)
		(void)fail(&x, "There is no memory for it");
	else
		check(&x, a);
	report = tell(&x);
	archive_free(a);
	EVP_MD_CTX_free(x.lines);
	json_decref(x.last);
	free(x.head_line);
	free(x.problem);
	return report;
}
