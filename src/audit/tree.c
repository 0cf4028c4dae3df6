/*
 * The tree over the audit log: see tree.h.
 */
#include "audit/tree.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"

#define NAME_MAX_LEN sizeof("segment-000001.hashes")
#define BEFORE_MAX ((size_t)(MERKLE_DEPTH + 2) * MERKLE_TEXT)

struct hashes {
	struct merkle_hash *list;
	size_t count, room;
};

struct tree {
	int dirfd;
	const struct segments *segments;
	struct heads *heads;
	struct merkle merkle;
	struct hashes batch; /* not committed */
	uint32_t segment; /* that the file is of; 0: none yet */
	int fd; /* of its hashes */
	uint32_t behind; /* from that segment on they are not kept; 0: all */
};

static void
hashes_put(struct hashes *hashes, const struct merkle_hash *hash)
{
	if (hashes->count == hashes->room) {
		hashes->room = 2 * hashes->room + 64;
		hashes->list = xreallocarray(
		    hashes->list, hashes->room, sizeof(*hashes->list));
	}
	hashes->list[hashes->count++] = *hash;
}

static void
file_of(char name[NAME_MAX_LEN], uint32_t segment, const char *ending)
{
	(void)snprintf(name, NAME_MAX_LEN, "segment-%06u.%s",
	    (unsigned int)segment % 1000000u, ending);
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- What is kept of each segment ------------------------------------------ */

/* Is that what the file has?  Then it needs no room to be as it should be. */
static bool
same_content(int dirfd, const char *name, const void *data, size_t len)
{
	char *there;
	size_t there_len;
	bool same;

	if (file_read_at(
		dirfd, name, (size_t)SEGMENT_SIZE, &there, &there_len) == -1)
		return false;
	same = there_len == len && (len == 0 || memcmp(there, data, len) == 0);
	free(there);
	return same;
}

static int
keep_file(int dirfd, const char *name, const void *data, size_t len)
{
	if (same_content(dirfd, name, data, len))
		return 0;
	return file_install(dirfd, name, len > 0 ? data : "", len, 0600,
	    FILE_OWN_UID, FILE_OWN_GID, NULL);
}

/* The number of records and the hashes, a line each. */
static int
keep_before(int dirfd, uint32_t segment, const struct merkle *merkle)
{
	char name[NAME_MAX_LEN], text[BEFORE_MAX], hash[MERKLE_TEXT];
	unsigned int i;
	int len;

	len = snprintf(
	    text, sizeof(text), "%llu\n", (unsigned long long)merkle->size);
	for (i = 0; i < merkle_roots(merkle->size); i++) {
		merkle_text(&merkle->roots[i], hash);
		len += snprintf(
		    text + len, sizeof(text) - (size_t)len, "%s\n", hash);
	}
	file_of(name, segment, "tree");
	return keep_file(dirfd, name, text, (size_t)len);
}

/* The next line of the text, ended where its newline was; NULL: none. */
static char *
next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static int
parse_before(char *text, struct merkle *merkle)
{
	char *line = next_line(&text), *end;
	unsigned int i;

	memset(merkle, 0, sizeof(*merkle));
	if (line == NULL || *line < '0' || *line > '9')
		return -1;
	errno = 0;
	merkle->size = strtoull(line, &end, 10);
	if (errno != 0 || *end != '\0')
		return -1;
	for (i = 0; i < merkle_roots(merkle->size); i++)
		if ((line = next_line(&text)) == NULL ||
		    merkle_parse(line, &merkle->roots[i]) == -1)
			return -1;
	return *text == '\0' ? 0 : -1;
}

int
tree_before(int dirfd, uint32_t segment, struct merkle *merkle)
{
	char name[NAME_MAX_LEN], *text;
	size_t len;
	int rc;

	memset(merkle, 0, sizeof(*merkle));
	file_of(name, segment, "tree");
	if (file_read_at(dirfd, name, BEFORE_MAX, &text, &len) == -1)
		return errno == ENOENT && segment == 1 ? 0 : -1;
	rc = strlen(text) == len ? parse_before(text, merkle) : -1;
	free(text);
	return rc;
}

struct merkle_hash *
tree_hashes(int dirfd, uint32_t segment, size_t *countp)
{
	char name[NAME_MAX_LEN], *data;
	size_t len;

	*countp = 0;
	file_of(name, segment, "hashes");
	if (file_read_at(dirfd, name, (size_t)SEGMENT_SIZE, &data, &len) == -1)
		return NULL;
	*countp = len / MERKLE_HASH;
	return (struct merkle_hash *)(void *)data;
}

int
tree_hashes_file(int dirfd, uint32_t segment)
{
	char name[NAME_MAX_LEN];

	file_of(name, segment, "hashes");
	return openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* --- Taking up what is there ----------------------------------------------- */

/* Has a tree, when it is as large as the last head's, that head's root? */
static bool
agrees(const struct tree *t, const struct merkle *merkle, bool agreed)
{
	const struct tree_head *last = heads_last(t->heads);
	struct merkle_hash root;

	if (last == NULL)
		return true;
	if (merkle->size != last->size)
		return agreed;
	merkle_root(merkle, &root);
	return memcmp(&root, &last->root, sizeof(root)) == 0;
}

/*
 * The newest segment that the last head knows the beginning of; the tree is
 * that before it.
 */
static size_t
begin_at(struct tree *t, const uint32_t *numbers, size_t count)
{
	const struct tree_head *last = heads_last(t->heads);
	uint64_t most = last != NULL ? last->size : 0;

	while (count-- > 0)
		if (tree_before(t->dirfd, numbers[count], &t->merkle) == 0 &&
		    t->merkle.size <= most)
			return count;
	memset(&t->merkle, 0, sizeof(t->merkle));
	return 0;
}

/*
 * All records of one segment, from the tree before it on.  *keptp: what is kept
 * of it is as it should be; false when there is no room for it.
 */
static int
take_segment(const struct tree *t, uint32_t number, struct merkle *merkle,
    bool *agreed, bool *keptp)
{
	struct segment_reader *reader =
	    segment_reader_from(t->segments, number);
	struct hashes hashes = { 0 };
	struct merkle_hash hash;
	char name[NAME_MAX_LEN];
	const char *line;
	uint64_t at;
	size_t len;
	int got;

	*keptp = keep_before(t->dirfd, number, merkle) == 0;
	while ((got = segment_reader_next(reader, &line, &len)) == 1 &&
	    segment_reader_place(reader, &at) == number) {
		merkle_leaf(line, len, &hash);
		merkle_add(merkle, &hash);
		hashes_put(&hashes, &hash);
		*agreed = agrees(t, merkle, *agreed);
	}
	file_of(name, number, "hashes");
	if (got != -1 &&
	    keep_file(
		t->dirfd, name, hashes.list, hashes.count * MERKLE_HASH) == -1)
		*keptp = false;
	free(hashes.list);
	segment_reader_free(reader);
	return got == -1 ? -1 : 0;
}

static int
open_hashes(struct tree *t, uint32_t segment)
{
	char name[NAME_MAX_LEN];

	file_of(name, segment, "hashes");
	if (t->fd != -1)
		close(t->fd);
	t->fd = openat(t->dirfd, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->fd == -1)
		return -1;
	t->segment = segment;
	return 0;
}

static int
take_segments(struct tree *t)
{
	bool agreed, kept;
	const uint32_t *numbers;
	size_t count, i;

	numbers = segments_numbers(t->segments, &count);
	i = begin_at(t, numbers, count);
	agreed = agrees(t, &t->merkle, false);
	for (; i < count; i++) {
		if (take_segment(t, numbers[i], &t->merkle, &agreed, &kept) ==
		    -1)
			return -1;
		if (!kept && t->behind == 0)
			t->behind = numbers[i];
	}
	if (!agreed && heads_why(t->heads)[0] == '\0')
		heads_begin_log(t->heads);
	if (count > 0 && open_hashes(t, numbers[count - 1]) == -1 &&
	    t->behind == 0)
		t->behind = numbers[count - 1];
	return 0;
}

struct tree *
tree_open(int dirfd, const struct segments *segments, const char *place)
{
	struct tree *t = xcalloc(1, sizeof(*t));
	int error;

	t->dirfd = dirfd;
	t->segments = segments;
	t->fd = -1;
	if ((t->heads = heads_open(dirfd, place)) == NULL ||
	    take_segments(t) == -1) {
		error = errno;
		tree_close(t);
		errno = error;
		return NULL;
	}
	return t;
}

void
tree_close(struct tree *t)
{
	if (t == NULL)
		return;
	if (t->fd != -1)
		close(t->fd);
	heads_close(t->heads);
	free(t->batch.list);
	free(t);
}

const char *
tree_why(const struct tree *t)
{
	return heads_why(t->heads);
}

const struct heads *
tree_heads(const struct tree *t)
{
	return t->heads;
}

/* --- Growing ---------------------------------------------------------------- */

void
tree_add(struct tree *t, const char *line)
{
	struct merkle_hash hash;

	merkle_leaf(line, strlen(line), &hash);
	hashes_put(&t->batch, &hash);
}

/* A hash too few or too many would move all others: whole, or not at all. */
static int
write_hashes(struct tree *t)
{
	struct stat st;
	int error;

	if (fstat(t->fd, &st) == -1)
		return -1;
	if (file_write_all(
		t->fd, t->batch.list, t->batch.count * MERKLE_HASH) == 0)
		return 0;
	error = errno;
	(void)!ftruncate(t->fd, st.st_size);
	errno = error;
	return -1;
}

/* The segment that a batch went to, which may be a new one. */
static int
follow_segment(struct tree *t, uint32_t newest)
{
	if (newest == t->segment)
		return 0;
	if (keep_before(t->dirfd, newest, &t->merkle) == -1)
		return -1;
	return open_hashes(t, newest);
}

/*
 * What could not be kept while the disk was full, from the records, as far
 * back as the tree before them is known.
 */
static int
catch_up(struct tree *t, const uint32_t *numbers, size_t count)
{
	struct merkle merkle;
	bool agreed = true, kept = true;
	size_t i;

	for (i = 0; i < count && numbers[i] < t->behind; i++)
		;
	while (i > 0 &&
	    (i == count || tree_before(t->dirfd, numbers[i], &merkle) == -1))
		i--;
	if (count == 0 || tree_before(t->dirfd, numbers[i], &merkle) == -1) {
		errno = EIO;
		return -1;
	}
	for (; i < count; i++)
		if (take_segment(t, numbers[i], &merkle, &agreed, &kept) ==
			-1 ||
		    !kept)
			return -1;
	if (open_hashes(t, numbers[count - 1]) == -1)
		return -1;
	t->behind = 0;
	return 0;
}

static void
grow(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->batch.count; i++)
		merkle_add(&t->merkle, &t->batch.list[i]);
}

int
tree_commit(struct tree *t, bool committed)
{
	const uint32_t *numbers;
	size_t count;
	int rc = 0;

	numbers = segments_numbers(t->segments, &count);
	if (committed && t->batch.count > 0 && t->behind != 0) {
		grow(t);
		rc = catch_up(t, numbers, count);
	} else if (committed && t->batch.count > 0) {
		rc = follow_segment(t, numbers[count - 1]);
		if (rc == 0)
			rc = write_hashes(t);
		if (rc == -1)
			t->behind = t->segment != 0 ? t->segment : numbers[0];
		grow(t);
	}
	t->batch.count = 0;
	return rc;
}

uint64_t
tree_size(const struct tree *t)
{
	return t->merkle.size;
}

uint64_t
tree_next(const struct tree *t)
{
	return t->merkle.size + t->batch.count;
}

uint64_t
tree_unsigned(const struct tree *t)
{
	const struct tree_head *last = heads_last(t->heads);

	if (last == NULL || heads_why(t->heads)[0] != '\0')
		return t->merkle.size + 1; /* the log itself has none yet */
	return t->merkle.size - last->size;
}

void
tree_begin_log(struct tree *t)
{
	heads_begin_log(t->heads);
}

int
tree_sign(struct tree *t, bool seal)
{
	return heads_sign(t->heads, &t->merkle, now_us(), seal);
}

/* --- Dropping --------------------------------------------------------------- */

static void
drop_kept(const struct tree *t, uint32_t segment)
{
	char name[NAME_MAX_LEN];

	file_of(name, segment, "hashes");
	(void)unlinkat(t->dirfd, name, 0);
	file_of(name, segment, "tree");
	(void)unlinkat(t->dirfd, name, 0);
}

int
tree_prune(struct tree *t, struct segments *segments, uint32_t first)
{
	const uint32_t *numbers;
	struct merkle before;
	uint32_t oldest;
	size_t count;

	numbers = segments_numbers(segments, &count);
	if (count == 0 || first <= numbers[0])
		return 0;
	/* What stands for the dropped ones has to be there. */
	if (tree_before(t->dirfd, first, &before) == -1) {
		errno = EIO;
		return -1;
	}
	oldest = numbers[0];
	if (segments_drop(segments, first) == -1)
		return -1;
	for (; oldest < first; oldest++)
		drop_kept(t, oldest);
	return heads_prune(t->heads, before.size);
}
