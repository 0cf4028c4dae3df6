/*
 * Verification of the audit log: see verify.h.
 *
 * The heads are read first and form a chain; then all records are hashed, and
 * wherever a head was signed the root must be that of the head.  The hashes
 * that are kept beside the records prove nothing by themselves, but where they
 * give the signed root and the records do not, they tell which record it is.
 */
#include "audit/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/heads.h"
#include "audit/segment.h"
#include "audit/tree.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct signed_head {
	struct tree_head head;
	char *line, *where;
	size_t len; /* of the line: nobody knows yet what is in it */
};

/* The first record since the last good head that is not the kept one. */
struct difference {
	bool found;
	uint64_t record;
	char *where;
};

struct verify {
	int dirfd;
	char *against;
	struct signed_head *heads;
	size_t count, parsed; /* lines there are, heads that are proven */
	size_t at; /* whose root comes next */
	struct segments *segments;
	struct segment_reader *reader;
	uint64_t total, done; /* bytes */

	uint32_t segment; /* that is being read */
	uint64_t line, end; /* in it: number, where the next must begin */
	struct merkle tree; /* of the records */
	uint64_t first;
	uint64_t good; /* records up to the last head that held */

	bool kept; /* do the kept hashes reach to here? */
	struct merkle kept_tree;
	struct merkle_hash *hashes; /* of this segment */
	size_t hashes_count;
	struct difference difference;

	bool begun; /* the heads are proven */
	bool finished;
	char *problem, *where;
	bool has_record;
	uint64_t record;
	json_t *continued;
};

static void __attribute__((format(printf, 3, 4)))
fail(struct verify *v, const char *where, const char *fmt, ...)
{
	va_list ap;

	if (v->problem != NULL)
		return;
	va_start(ap, fmt);
	v->problem = xvasprintf(fmt, ap);
	va_end(ap);
	v->where = where != NULL ? xstrdup(where) : NULL;
	v->finished = true;
}

static void
fail_record(struct verify *v, uint64_t record)
{
	v->has_record = true;
	v->record = record;
}

/* --- The chain of heads ----------------------------------------------------- */

static int
take_line(const char *line, size_t len, const char *where, void *arg)
{
	struct verify *v = arg;
	struct signed_head taken = { 0 };

	if (len > TREE_HEAD_MAX) {
		fail(v, where, "A head is none: it is too long");
		return 1;
	}
	taken.line = xmemdup(line, len + 1);
	taken.line[len] = '\0';
	taken.len = len;
	taken.where = xstrdup(where);
	v->heads = xreallocarray(v->heads, v->count + 1, sizeof(*v->heads));
	v->heads[v->count++] = taken;
	return 0;
}

static bool
same_epoch(const struct tree_head *a, const struct tree_head *b)
{
	return a->epoch == b->epoch && strcmp(a->log, b->log) == 0;
}

static void
head_free(struct signed_head *h)
{
	free(h->line);
	free(h->where);
}

/* Is the end of an epoch, kept apart, also among its epoch's heads? */
static bool
is_twin(const struct verify *v, size_t i)
{
	size_t j;

	if (strncmp(v->heads[i].where, HEADS_ENDS, strlen(HEADS_ENDS)) != 0)
		return false;
	for (j = i + 1; j < v->count; j++)
		if (v->heads[i].len == v->heads[j].len &&
		    memcmp(v->heads[i].line, v->heads[j].line,
			v->heads[i].len) == 0)
			return true;
	return false;
}

/* A crash while heads were dropped leaves an end in both places. */
static void
drop_twins(struct verify *v)
{
	struct signed_head *kept = xcalloc(v->count + 1, sizeof(*kept));
	size_t i, count = 0;

	for (i = 0; i < v->count; i++)
		if (is_twin(v, i))
			head_free(&v->heads[i]);
		else
			kept[count++] = v->heads[i];
	free(v->heads);
	v->heads = kept;
	v->count = count;
}

/* A log that goes on from another one says so in its first head. */
static const char *
child_of(const struct signed_head *a, const struct tree_head *b)
{
	struct merkle_hash hash;

	tree_head_hash(a->line, strlen(a->line), &hash);
	if (b->number != 0 || b->epoch != 1)
		return "it is of another log";
	if (strcmp(b->parent.log, a->head.log) != 0 ||
	    b->parent.number != a->head.number ||
	    memcmp(&b->parent.head, &hash, sizeof(hash)) != 0)
		return "it begins another log and does not name the last head "
		       "of this one";
	return NULL;
}

static void
note_continued(
    struct verify *v, const struct signed_head *a, const struct signed_head *b)
{
	char *text =
	    xasprintf("Log %s ended with head %llu at %llu records and "
		      "went on as log %s: the machine was restored, "
		      "copied, or given a new identity",
		a->head.log, (unsigned long long)a->head.number,
		(unsigned long long)a->head.size, b->head.log);

	json_array_append_new(v->continued, json_string(text));
	free(text);
}

static void
check_pair(
    struct verify *v, const struct signed_head *a, const struct signed_head *b)
{
	const char *why;

	if (strcmp(a->head.log, b->head.log) == 0) {
		why = tree_head_follows(
		    &a->head, a->line, strlen(a->line), &b->head);
	} else if ((why = child_of(a, &b->head)) == NULL) {
		note_continued(v, a, b);
		if (b->head.size < a->head.size) {
			fail(v, b->where,
			    "Head %llu of log %s had %llu records, the log "
			    "that goes on from it begins with %llu",
			    (unsigned long long)a->head.number, a->head.log,
			    (unsigned long long)a->head.size,
			    (unsigned long long)b->head.size);
			return;
		}
	}
	if (why != NULL)
		fail(v, b->where,
		    "Head %llu does not follow the one before: "
		    "%s",
		    (unsigned long long)b->head.number, why);
}

/* The next one is signed, and follows the one before. */
static void
check_head(struct verify *v)
{
	struct signed_head *h = &v->heads[v->parsed];
	const char *why;

	if (tree_head_read(h->line, h->len, &h->head, &why) == -1) {
		fail(v, h->where, "A head is none: %s", why);
		return;
	}
	v->parsed++;
	v->done += VERIFY_HEAD;
	if (v->parsed > 1)
		check_pair(v, h - 1, h);
	else if (h->head.number != 0 && !h->head.seals)
		fail(v, h->where,
		    "The first head there is has number %llu: others before "
		    "it are missing",
		    (unsigned long long)h->head.number);
}

/* --- A head that was seen elsewhere ----------------------------------------- */

static const struct signed_head *
same_number(const struct verify *v, const struct tree_head *seen)
{
	size_t i;

	for (i = 0; i < v->parsed; i++)
		if (strcmp(v->heads[i].head.log, seen->log) == 0 &&
		    v->heads[i].head.number == seen->number)
			return &v->heads[i];
	return NULL;
}

/* The last head of that log; NULL: it is not known here. */
static const struct signed_head *
last_of(const struct verify *v, const char *log)
{
	const struct signed_head *last = NULL;
	size_t i;

	for (i = 0; i < v->parsed; i++)
		if (strcmp(v->heads[i].head.log, log) == 0)
			last = &v->heads[i];
	return last;
}

static void
check_against(struct verify *v)
{
	const struct signed_head *here, *last;
	struct tree_head seen;
	const char *why;

	if (v->against == NULL || v->finished)
		return;
	if (tree_head_read(v->against, strlen(v->against), &seen, &why) == -1) {
		fail(v, NULL, "The head to compare with is none: %s", why);
		return;
	}
	here = same_number(v, &seen);
	last = last_of(v, seen.log);
	if (last == NULL)
		fail(v, NULL,
		    "Log %s was never here: the head to compare "
		    "with is of another machine, or all of the log was "
		    "replaced",
		    seen.log);
	else if (here != NULL && strcmp(here->line, v->against) != 0)
		fail(v, here->where,
		    "The log forked: head %llu is not the "
		    "one that was seen elsewhere",
		    (unsigned long long)seen.number);
	else if (here == NULL && seen.number > last->head.number &&
	    last != &v->heads[v->count - 1])
		fail(v, last->where,
		    "The log forked: head %llu of log %s was seen elsewhere, "
		    "here that ended with head %llu and went on as log %s: "
		    "this is a copy of it, or an older state restored",
		    (unsigned long long)seen.number, seen.log,
		    (unsigned long long)last->head.number,
		    v->heads[v->count - 1].head.log);
	else if (here == NULL && seen.number > last->head.number)
		fail(v, last->where,
		    "The log was rolled back: head %llu with "
		    "%llu records was seen elsewhere, here it ends with head "
		    "%llu and %llu records",
		    (unsigned long long)seen.number,
		    (unsigned long long)seen.size,
		    (unsigned long long)last->head.number,
		    (unsigned long long)last->head.size);
	else if (here == NULL)
		fail(v, NULL,
		    "Head %llu is of an epoch whose heads were "
		    "dropped: compare with a later one",
		    (unsigned long long)seen.number);
}

/* --- The records ------------------------------------------------------------ */

static void
take_hashes(struct verify *v)
{
	free(v->hashes);
	v->hashes = tree_hashes(v->dirfd, v->segment, &v->hashes_count);
}

static void
forget_difference(struct verify *v)
{
	free(v->difference.where);
	memset(&v->difference, 0, sizeof(v->difference));
}

/* What a head was signed for is not there as it was. */
static void
blame(struct verify *v, const struct signed_head *h, const char *where)
{
	struct merkle_hash root;
	bool precise = false;

	if (v->kept && v->kept_tree.size == h->head.size) {
		merkle_root(&v->kept_tree, &root);
		precise = memcmp(&root, &h->head.root, sizeof(root)) == 0;
	}
	if (precise && v->difference.found) {
		fail_record(v, v->difference.record);
		fail(v, v->difference.where,
		    "Record %llu is not the one that was signed",
		    (unsigned long long)v->difference.record);
		return;
	}
	fail_record(v, v->good);
	fail(v, where,
	    "One of the records %llu to %llu is not as it was when "
	    "head %llu was signed",
	    (unsigned long long)v->good, (unsigned long long)h->head.size - 1,
	    (unsigned long long)h->head.number);
}

/* Heads that were signed for as many records as are read by now. */
static void
check_heads(struct verify *v, const char *where)
{
	const struct signed_head *h;
	struct merkle_hash root;

	while (v->at < v->count && v->heads[v->at].head.size < v->tree.size)
		v->at++; /* signed before what was dropped */
	for (; v->at < v->count && v->heads[v->at].head.size == v->tree.size;
	     v->at++) {
		h = &v->heads[v->at];
		merkle_root(&v->tree, &root);
		if (memcmp(&root, &h->head.root, sizeof(root)) != 0) {
			blame(v, h, where);
			return;
		}
		v->good = h->head.size;
		forget_difference(v);
		v->kept_tree = v->tree;
		v->kept = true;
	}
}

/* The kept hash that belongs to the record, by its number in the segment. */
static void
compare_kept(
    struct verify *v, const struct merkle_hash *hash, const char *where)
{
	if (v->hashes == NULL || v->line > v->hashes_count) {
		v->kept = false;
		return;
	}
	merkle_add(&v->kept_tree, &v->hashes[v->line - 1]);
	if (v->difference.found ||
	    memcmp(hash, &v->hashes[v->line - 1], sizeof(*hash)) == 0)
		return;
	v->difference.found = true;
	v->difference.record = v->tree.size;
	v->difference.where = xstrdup(where);
}

static void
begin_segment(struct verify *v, uint32_t number)
{
	if (v->segment != 0 && number != v->segment + 1) {
		fail_record(v, v->tree.size);
		fail(v, NULL, "Segment %u is missing", v->segment + 1);
		return;
	}
	v->segment = number;
	v->line = 0;
	v->end = 0;
	take_hashes(v);
}

static void
take_record(struct verify *v, const char *line, size_t len)
{
	struct merkle_hash hash;
	uint64_t at;
	uint32_t number = segment_reader_place(v->reader, &at);
	char where[64];

	if (number != v->segment)
		begin_segment(v, number);
	v->line++;
	(void)snprintf(where, sizeof(where), "segment-%06u.jsonl line %llu",
	    number, (unsigned long long)v->line);
	if (!v->finished && at != v->end) {
		fail_record(v, v->tree.size);
		fail(v, where, "Before it stands what is no record");
	}
	if (v->finished)
		return;
	v->end = at + len + 1;
	v->done += len + 1;
	merkle_leaf(line, len, &hash);
	compare_kept(v, &hash, where);
	merkle_add(&v->tree, &hash);
	check_heads(v, where);
}

/* All is read: is all there that was signed? */
static void
check_end(struct verify *v)
{
	const struct signed_head *h;

	v->finished = true;
	if (v->at == v->count || v->problem != NULL)
		return;
	h = &v->heads[v->count - 1];
	if (v->difference.found)
		fail_record(v, v->difference.record);
	else
		fail_record(v, v->tree.size);
	fail(v, v->difference.found ? v->difference.where : h->where,
	    "Records are missing: head %llu was signed for %llu, there are "
	    "%llu",
	    (unsigned long long)h->head.number,
	    (unsigned long long)h->head.size, (unsigned long long)v->tree.size);
}

unsigned int
verify_progress(const struct verify *v)
{
	if (v->finished || v->total == 0)
		return 1000;
	return v->done < v->total ? (unsigned int)(v->done * 1000 / v->total) :
				    999;
}

/* --- Beginning and end ------------------------------------------------------ */

/* The tree before the first record that there is. */
static void
begin_tree(struct verify *v)
{
	const uint32_t *numbers;
	size_t count;

	numbers = segments_numbers(v->segments, &count);
	if (count > 0 && tree_before(v->dirfd, numbers[0], &v->tree) == -1) {
		fail(v, NULL,
		    "Segment %u is the first there is, and the tree "
		    "before it was not kept",
		    numbers[0]);
		return;
	}
	if (count > 0 && numbers[0] == 1 && v->tree.size != 0) {
		fail(v, NULL, "Before the first segment there are no records");
		return;
	}
	v->first = v->good = v->tree.size;
	v->kept_tree = v->tree;
	v->kept = true;
	check_heads(v, NULL);
}

/* All heads are proven, whose records come now. */
static void
begin_records(struct verify *v)
{
	if (v->count == 0)
		fail(v, NULL, "There is no head: nothing is signed");
	check_against(v);
	v->begun = true;
	if (!v->finished)
		begin_tree(v);
}

bool
verify_step(struct verify *v, size_t bytes)
{
	uint64_t until = v->done + bytes;
	const char *line;
	size_t len;
	int got = 1;

	while (!v->finished && v->done < until && v->parsed < v->count)
		check_head(v);
	if (!v->finished && !v->begun && v->parsed == v->count)
		begin_records(v);
	while (!v->finished && v->begun && v->done < until &&
	    (got = segment_reader_next(v->reader, &line, &len)) == 1)
		take_record(v, line, len);
	if (got == -1)
		fail(v, NULL, "A segment cannot be read: %s", strerror(errno));
	if (got == 0)
		check_end(v);
	return v->finished;
}

struct verify *
verify_new(int dirfd, const char *against)
{
	struct verify *v = xcalloc(1, sizeof(*v));

	v->dirfd = dirfd;
	v->continued = json_array();
	v->against = against != NULL ? xstrdup(against) : NULL;
	if (heads_each(dirfd, take_line, v) == -1)
		fail(v, NULL, "The heads cannot be read: %s", strerror(errno));
	drop_twins(v);
	/* After the heads: what these say is there by now. */
	if ((v->segments = segments_look(dirfd)) == NULL) {
		fail(v, NULL, "The segments cannot be read: %s",
		    strerror(errno));
		return v;
	}
	v->reader = segment_reader_new(v->segments);
	v->total = segments_size(v->segments) + v->count * VERIFY_HEAD;
	return v;
}

void
verify_free(struct verify *v)
{
	size_t i;

	if (v == NULL)
		return;
	for (i = 0; i < v->count; i++)
		head_free(&v->heads[i]);
	free(v->heads);
	segment_reader_free(v->reader);
	segments_close(v->segments);
	forget_difference(v);
	free(v->hashes);
	free(v->against);
	free(v->problem);
	free(v->where);
	json_decref(v->continued);
	free(v);
}

static json_t *
problem_of(const struct verify *v)
{
	json_t *record;

	if (v->problem == NULL)
		return json_null();
	record =
	    v->has_record ? json_integer((json_int_t)v->record) : json_null();
	return json_pack("{s:s, s:o, s:s?}", "text", v->problem, "record",
	    record, "where", v->where);
}

static json_t *
last_head_of(const struct verify *v)
{
	const struct signed_head *last;
	char root[MERKLE_TEXT];

	if (v->parsed == 0)
		return json_null();
	last = &v->heads[v->parsed - 1];
	merkle_text(&last->head.root, root);
	return json_pack("{s:I, s:I, s:s, s:I, s:s}", "head",
	    (json_int_t)last->head.number, "size", (json_int_t)last->head.size,
	    "root", root, "time_us", (json_int_t)last->head.time_us, "line",
	    last->line);
}

/* How many keys signed. */
static json_int_t
epochs_of(const struct verify *v)
{
	json_int_t epochs = 0;
	size_t i;

	for (i = 0; i < v->parsed; i++)
		if (i == 0 ||
		    !same_epoch(&v->heads[i].head, &v->heads[i - 1].head))
			epochs++;
	return epochs;
}

json_t *
verify_report(const struct verify *v)
{
	bool any = v->parsed > 0;
	uint64_t behind = any ? v->heads[v->parsed - 1].head.size : 0;

	/* clang-format off */
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:s?, s:o, s:o, s:O}",
	    "verified", v->finished && v->problem == NULL,
	    "records", (json_int_t)(v->tree.size - v->first),
	    "first_record", (json_int_t)v->first,
	    "unsigned_records", (json_int_t)(v->tree.size > behind ?
		v->tree.size - behind : 0),
	    "heads", (json_int_t)v->parsed, "epochs", epochs_of(v),
	    "log", any ? v->heads[v->parsed - 1].head.log : NULL,
	    "last_head", last_head_of(v), "problem", problem_of(v),
	    "continued", v->continued);
	/* clang-format on */
}

/* The first or the last one of its epoch, or the newest. */
static bool
is_end(const struct verify *v, size_t i)
{
	return i == 0 || i + 1 == v->parsed || v->heads[i].head.seals ||
	    !same_epoch(&v->heads[i].head, &v->heads[i - 1].head);
}

static json_t *
shown_head(const struct tree_head *h)
{
	/* clang-format off */
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:b, s:s?}",
	    "log", h->log, "head", (json_int_t)h->number,
	    "epoch", (json_int_t)h->epoch, "size", (json_int_t)h->size,
	    "time_us", (json_int_t)h->time_us, "seals", h->seals,
	    "parent", h->parent.log[0] != '\0' ? h->parent.log : NULL);
	/* clang-format on */
}

/* Is the one that is nth of count among most, evenly chosen? */
static bool
is_chosen(size_t nth, size_t count, size_t most)
{
	return count <= most || (nth + 1) * most / count != nth * most / count;
}

json_t *
verify_heads(const struct verify *v, size_t most)
{
	json_t *list = json_array();
	size_t ends = 0, i, of_ends = 0, of_others = 0;
	bool chosen;

	for (i = 0; i < v->parsed; i++)
		ends += is_end(v, i);
	for (i = 0; i < v->parsed; i++) {
		chosen = is_end(v, i) ?
		    is_chosen(of_ends++, ends, most) :
		    is_chosen(of_others++, v->parsed - ends, most);
		if (chosen || i + 1 == v->parsed)
			json_array_append_new(
			    list, shown_head(&v->heads[i].head));
	}
	return list;
}
