/*
 * Audit records on disk: see segment.h.
 *
 * A crash can leave lines that were written but not yet synced.  They are
 * whole or torn; torn ones are cut at the next start, whole ones synced, so
 * that "it is there" always means "it is on disk".
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/room.h"
#include "audit/segment.h"
#include "audit/uuid_set.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define NUMBER_MAX 999999u
#define NAME_SIZE sizeof("segment-000001.jsonl")
#define HELD_SEGMENTS 4 /* of which it is known what is in them */
#define READ_SIZE ((size_t)128 * 1024)

struct segments {
	int dirfd;
	uint32_t *numbers; /* of the files, ascending */
	size_t count;
	int fd; /* of the newest one; -1: none yet */
	off_t size; /* of what is committed in it */
	off_t room; /* zeros follow up to there */
	bool dirty; /* bytes behind size must go first */
	bool worn; /* nothing more goes into this file */
	char *batch;
	size_t batch_len, batch_size;
	struct uuid_set *known; /* NULL: not asked for yet */
};

struct segment_reader {
	const struct segments *store;
	uint32_t *numbers;
	size_t count, at; /* at: the current one's index */
	int fd; /* -1: open numbers[at] next */
	off_t last_size; /* how much of the newest */
	off_t from; /* where to begin in the first one */
	off_t left; /* of the current one */
	off_t read; /* of the current one, into the buffer */
	off_t line; /* where the line given last begins in it */
	char *buffer;
	size_t start, end, size;
	bool skipping; /* in an overlong line */
};

static void
segment_name(char name[NAME_SIZE], uint32_t number)
{
	int len;

	len = snprintf(name, NAME_SIZE, "segment-%06u.jsonl",
	    (unsigned int)number % (NUMBER_MAX + 1));
	if (len != (int)NAME_SIZE - 1)
		abort();
}

/* The number in a segment's name, or 0 when it is none. */
static uint32_t
segment_number(const char *name)
{
	char again[NAME_SIZE];
	unsigned long number;

	if (strncmp(name, "segment-", strlen("segment-")) != 0)
		return 0;
	number = strtoul(name + strlen("segment-"), NULL, 10);
	if (number == 0 || number > NUMBER_MAX)
		return 0;
	segment_name(again, (uint32_t)number);
	return strcmp(again, name) == 0 ? (uint32_t)number : 0;
}

/* The id of a line, quickly when it is one of ours.  0 or -1. */
static int
line_uuid(const char *line, size_t len, struct uuid *uuid)
{
	const size_t start = sizeof(RECORD_START) - 1;
	const char *text;
	json_t *record;
	int result = -1;

	if (len >= start + UUID_LEN && memcmp(line, RECORD_START, start) == 0)
		return uuid_parse(line + start, UUID_LEN - 1, uuid);
	if ((record = record_parse(line, len)) == NULL)
		return -1;
	text = json_str(record, "audit_id", NULL);
	if (text != NULL)
		result = uuid_parse(text, strlen(text), uuid);
	json_decref(record);
	return result;
}

static int
number_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Reads which segments there are.  0 or -1 with errno. */
static int
segments_list(struct segments *store)
{
	struct dirent *entry;
	DIR *dir = NULL;
	uint32_t number;
	int fd, result = -1;

	fd = openat(store->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL)
		goto out;
	fd = -1; /* transferred */
	for (;;) {
		errno = 0;
		if ((entry = readdir(dir)) == NULL)
			break;
		if ((number = segment_number(entry->d_name)) == 0)
			continue;
		store->numbers = xreallocarray(
		    store->numbers, store->count + 1, sizeof(*store->numbers));
		store->numbers[store->count++] = number;
	}
	if (errno != 0)
		goto out;
	if (store->count > 0)
		qsort(store->numbers, store->count, sizeof(*store->numbers),
		    number_compare);
	result = 0;
out:
	if (fd != -1)
		close(fd);
	if (dir != NULL)
		closedir(dir);
	return result;
}

static int
segment_open(const struct segments *store, uint32_t number, int flags)
{
	char name[NAME_SIZE];

	segment_name(name, number);
	return openat(store->dirfd, name,
	    flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
}

/* Cuts off what follows the committed bytes, durably.  0 or -1. */
static int
segments_repair(struct segments *store)
{
	if (!store->dirty)
		return 0;
	if (room_end(store->fd, store->size, &store->room) == -1)
		return -1;
	store->dirty = false;
	return 0;
}

/* Takes up the newest segment where the last run left it.  0 or -1. */
static int
segments_resume(struct segments *store, size_t *tornp)
{
	struct stat st;

	if (store->count == 0)
		return 0;
	store->fd =
	    segment_open(store, store->numbers[store->count - 1], O_RDWR);
	if (store->fd == -1 || fstat(store->fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if ((store->size = room_lines(store->fd, st.st_size, tornp)) == -1)
		return -1;
	store->dirty = st.st_size > store->size;
	if (segments_repair(store) == -1)
		return -1;
	return fsync(store->fd) == -1 || fsync(store->dirfd) == -1 ? -1 : 0;
}

/* The newest segment as far as it is whole, by others being written. */
static int
segments_see(struct segments *store)
{
	struct stat st;
	size_t torn;

	if (store->count == 0)
		return 0;
	store->fd =
	    segment_open(store, store->numbers[store->count - 1], O_RDONLY);
	if (store->fd == -1 || fstat(store->fd, &st) == -1)
		return -1;
	store->size = room_lines(store->fd, st.st_size, &torn);
	return store->size == -1 ? -1 : 0;
}

static struct segments *
segments_new(int dirfd)
{
	struct segments *store = xcalloc(1, sizeof(*store));

	store->dirfd = dirfd;
	store->fd = -1;
	return store;
}

/* The store, or NULL with errno as it is now when that failed. */
static struct segments *
segments_or_null(struct segments *store, int failed)
{
	int error = errno;

	if (!failed)
		return store;
	segments_close(store);
	errno = error;
	return NULL;
}

struct segments *
segments_open(int dirfd, size_t *tornp)
{
	struct segments *store = segments_new(dirfd);

	*tornp = 0;
	return segments_or_null(store,
	    segments_list(store) == -1 || segments_resume(store, tornp) == -1);
}

struct segments *
segments_look(int dirfd)
{
	struct segments *store = segments_new(dirfd);

	return segments_or_null(
	    store, segments_list(store) == -1 || segments_see(store) == -1);
}

void
segments_close(struct segments *store)
{
	if (store == NULL)
		return;
	if (store->room > store->size) /* else the next start does */
		(void)room_end(store->fd, store->size, &store->room);
	if (store->fd != -1)
		close(store->fd);
	free(store->numbers);
	freezero(store->batch, store->batch_size);
	uuid_set_free(store->known);
	free(store);
}

void
segments_add(struct segments *store, const char *line)
{
	size_t len = strlen(line), want, size;
	struct uuid uuid;
	char *bigger;

	want = store->batch_len + len + 1;
	if (want > store->batch_size) {
		size = store->batch_size == 0 ? 4096 : store->batch_size;
		while (size < want)
			size *= 2;
		bigger = xmalloc(size);
		if (store->batch_len > 0)
			memcpy(bigger, store->batch, store->batch_len);
		freezero(store->batch, store->batch_size);
		store->batch = bigger;
		store->batch_size = size;
	}
	memcpy(store->batch + store->batch_len, line, len);
	store->batch[want - 1] = '\n';
	store->batch_len = want;
	if (store->known != NULL && line_uuid(line, len, &uuid) == 0)
		uuid_set_insert(store->known, &uuid);
}

size_t
segments_batched(const struct segments *store)
{
	return store->batch_len;
}

/* Begins a new file, durably named.  0 or -1, the old one stays then. */
static int
segments_roll(struct segments *store)
{
	uint32_t number = 1;
	char name[NAME_SIZE];
	int fd, error;

	if (store->count > 0)
		number = store->numbers[store->count - 1] + 1;
	if (number > NUMBER_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (store->room > store->size &&
	    room_end(store->fd, store->size, &store->room) == -1)
		return -1;
	fd = segment_open(store, number, O_RDWR | O_CREAT | O_EXCL);
	if (fd == -1)
		return -1;
	if (fsync(fd) == -1 || fsync(store->dirfd) == -1) {
		error = errno;
		segment_name(name, number);
		(void)unlinkat(store->dirfd, name, 0);
		close(fd);
		errno = error;
		return -1;
	}
	store->numbers = xreallocarray(
	    store->numbers, store->count + 1, sizeof(*store->numbers));
	store->numbers[store->count++] = number;
	if (store->fd != -1)
		close(store->fd);
	store->fd = fd;
	store->size = store->room = 0;
	store->worn = false;
	uuid_set_free(store->known);
	store->known = NULL;
	return 0;
}

static int
segments_write(struct segments *store)
{
	if (segments_repair(store) == -1)
		return -1;
	if (store->fd == -1 ||
	    (store->size > 0 &&
		(store->worn ||
		    store->size + (off_t)store->batch_len > SEGMENT_SIZE)))
		if (segments_roll(store) == -1)
			return -1;
	store->dirty = true;
	if (room_write(store->fd, store->size, store->batch, store->batch_len,
		&store->room) == -1)
		return -1;
	if (fdatasync(store->fd) == -1) {
		/*
		 * The kernel may have dropped these pages and would report
		 * success next time, so nothing more goes into this file.
		 */
		store->worn = true;
		return -1;
	}
	store->size += (off_t)store->batch_len;
	store->dirty = false;
	return 0;
}

void
segments_turn(struct segments *store)
{
	store->worn = true;
}

int
segments_commit(struct segments *store)
{
	int result, error;

	if (store->batch_len == 0)
		return 0;
	if ((result = segments_write(store)) == -1) {
		error = errno;
		uuid_set_free(store->known); /* it lists the batch */
		store->known = NULL;
		(void)segments_repair(store); /* else the next commit does */
		errno = error;
	}
	if (store->batch_size > BATCH_SIZE) {
		freezero(store->batch, store->batch_size);
		store->batch = NULL;
		store->batch_size = 0;
	} else
		explicit_bzero(store->batch, store->batch_len);
	store->batch_len = 0;
	return result;
}

const uint32_t *
segments_numbers(const struct segments *store, size_t *countp)
{
	*countp = store->count;
	return store->numbers;
}

uint32_t
segments_end(const struct segments *store, uint64_t *bytesp)
{
	*bytesp = store->count > 0 ? (uint64_t)store->size : 0;
	return store->count > 0 ? store->numbers[store->count - 1] : 0;
}

int
segment_file(const struct segments *store, uint32_t number)
{
	return segment_open(store, number, O_RDONLY);
}

uint64_t
segments_size(const struct segments *store)
{
	uint64_t size = (uint64_t)store->size;
	char name[NAME_SIZE];
	struct stat st;
	size_t i;

	for (i = 0; i + 1 < store->count; i++) {
		segment_name(name, store->numbers[i]);
		if (fstatat(store->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			size += (uint64_t)st.st_size;
	}
	return size;
}

int
segments_drop(struct segments *store, uint32_t first)
{
	char name[NAME_SIZE];
	size_t n = 0;
	int rc = 0;

	while (rc == 0 && n + 1 < store->count && store->numbers[n] < first) {
		segment_name(name, store->numbers[n]);
		rc = unlinkat(store->dirfd, name, 0);
		if (rc == 0)
			n++;
	}
	store->count -= n;
	memmove(store->numbers, store->numbers + n,
	    store->count * sizeof(*store->numbers));
	if (rc == 0 && n > 0)
		rc = fsync(store->dirfd);
	return rc;
}

/* Everything of the newest segments and of the batch.  0 or -1. */
static int
segments_learn(struct segments *store)
{
	struct segment_reader *reader;
	struct uuid_set *known;
	struct uuid uuid;
	const char *line, *newline;
	size_t len, at;
	int got;

	known = uuid_set_new(1024);
	reader = segment_reader_new(store);
	if (reader->count > HELD_SEGMENTS)
		reader->at = reader->count - HELD_SEGMENTS;
	while ((got = segment_reader_next(reader, &line, &len)) == 1)
		if (line_uuid(line, len, &uuid) == 0)
			uuid_set_insert(known, &uuid);
	segment_reader_free(reader);
	if (got == -1) {
		uuid_set_free(known);
		return -1;
	}
	for (at = 0; at < store->batch_len; at += len + 1) {
		newline =
		    memchr(store->batch + at, '\n', store->batch_len - at);
		len = (size_t)(newline - (store->batch + at));
		if (line_uuid(store->batch + at, len, &uuid) == 0)
			uuid_set_insert(known, &uuid);
	}
	store->known = known;
	return 0;
}

int
segments_hold(struct segments *store, const char *audit_id)
{
	struct uuid uuid;

	if (uuid_parse(audit_id, strlen(audit_id), &uuid) == -1) {
		errno = EINVAL;
		return -1;
	}
	if (store->known == NULL && segments_learn(store) == -1)
		return -1;
	return uuid_set_has(store->known, &uuid);
}

struct segment_reader *
segment_reader_new(const struct segments *store)
{
	struct segment_reader *reader;

	reader = xcalloc(1, sizeof(*reader));
	reader->store = store;
	reader->fd = -1;
	reader->last_size = store->size;
	reader->count = store->count;
	if (store->count > 0)
		reader->numbers = xmemdup(
		    store->numbers, store->count * sizeof(*store->numbers));
	reader->size = READ_SIZE;
	reader->buffer = xmalloc(reader->size);
	return reader;
}

struct segment_reader *
segment_reader_from(const struct segments *store, uint32_t number)
{
	struct segment_reader *reader = segment_reader_new(store);

	while (
	    reader->at < reader->count && reader->numbers[reader->at] < number)
		reader->at++;
	return reader;
}

struct segment_reader *
segment_reader_at(const struct segments *store, uint32_t number, uint64_t bytes)
{
	struct segment_reader *reader = segment_reader_from(store, number);

	if (reader->at < reader->count && reader->numbers[reader->at] == number)
		reader->from = (off_t)bytes;
	return reader;
}

uint32_t
segment_reader_place(const struct segment_reader *reader, uint64_t *bytesp)
{
	*bytesp = (uint64_t)reader->line;
	return reader->at < reader->count ? reader->numbers[reader->at] : 0;
}

void
segment_reader_free(struct segment_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fd != -1)
		close(reader->fd);
	free(reader->numbers);
	freezero(reader->buffer, reader->size);
	free(reader);
}

/* Opens the next segment: 1; 0 when there is none; -1 with errno. */
static int
reader_open(struct segment_reader *reader)
{
	struct stat st;

	if (reader->at == reader->count)
		return 0;
	reader->fd =
	    segment_open(reader->store, reader->numbers[reader->at], O_RDONLY);
	if (reader->fd == -1 || fstat(reader->fd, &st) == -1)
		return -1;
	reader->left = st.st_size;
	if (reader->at == reader->count - 1)
		reader->left = reader->last_size;
	if (lseek(reader->fd, reader->from, SEEK_SET) == -1)
		return -1;
	reader->left -= reader->from;
	reader->read = reader->from;
	reader->from = 0;
	reader->start = reader->end = 0;
	reader->skipping = false;
	return 1;
}

/*
 * Reads more of the current segment behind what is in the buffer: 1; 0 at its
 * end; -1 with errno.
 */
static int
reader_fill(struct segment_reader *reader)
{
	size_t have = reader->end - reader->start, want, size;
	char *bigger;
	ssize_t got;

	if (reader->left <= 0)
		return 0;
	if (have > RECORD_MAX) {
		reader->skipping = true;
		reader->start = reader->end = have = 0;
	}
	if (reader->start > 0)
		memmove(reader->buffer, reader->buffer + reader->start, have);
	reader->start = 0;
	reader->end = have;
	if (reader->size - have < READ_SIZE / 2) {
		size = 2 * reader->size;
		bigger = xmalloc(size);
		memcpy(bigger, reader->buffer, have);
		freezero(reader->buffer, reader->size);
		reader->buffer = bigger;
		reader->size = size;
	}
	want = reader->size - have;
	if ((off_t)want > reader->left)
		want = (size_t)reader->left;
	do
		got = read(reader->fd, reader->buffer + have, want);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	reader->left = got == 0 ? 0 : reader->left - got;
	reader->read += got;
	reader->end += (size_t)got;
	return got > 0;
}

/* The next line of the current segment: 1; 0 at its end; -1 with errno. */
static int
reader_line(struct segment_reader *reader, const char **linep, size_t *lenp)
{
	size_t searched = 0;
	char *from, *newline;
	bool skip;
	int got;

	for (;;) {
		from = reader->buffer + reader->start;
		newline = memchr(from + searched, '\n',
		    reader->end - reader->start - searched);
		if (newline != NULL) {
			skip = reader->skipping;
			reader->skipping = false;
			reader->start += (size_t)(newline - from) + 1;
			searched = 0;
			if (skip || (size_t)(newline - from) > RECORD_MAX)
				continue;
			*linep = from;
			*lenp = (size_t)(newline - from);
			reader->line = reader->read -
			    (off_t)(reader->end - reader->start) -
			    (off_t)*lenp - 1;
			return 1;
		}
		searched = reader->end - reader->start;
		if ((got = reader_fill(reader)) != 1)
			return got; /* a last line without newline is none */
		if (searched > RECORD_MAX)
			searched = 0;
	}
}

int
segment_reader_next(
    struct segment_reader *reader, const char **linep, size_t *lenp)
{
	int got;

	*linep = NULL;
	*lenp = 0;
	for (;;) {
		if (reader->fd == -1 && (got = reader_open(reader)) != 1)
			return got;
		if ((got = reader_line(reader, linep, lenp)) != 0)
			return got;
		close(reader->fd);
		reader->fd = -1;
		reader->at++;
	}
}
