/*
 * What retention drops from the audit log: see retain.h.
 */
#include "audit/retain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/boottime.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define DAY (24 * 60 * 60)
#define CORRECTION (10 * 60) /* what a time server may put right unasked */
#define TEXT_MAX 64

/* --- The clock -------------------------------------------------------------- */

/*
 * A start of the machine whose clock since the boot is already past the kept
 * one looks like none: then less is believed, never more.
 */
bool
retain_clock_look(struct retain_clock *c, int64_t wall, int64_t boot)
{
	bool same = boot >= c->boot;
	int64_t expected = c->trusted + (same ? boot - c->boot : boot);
	bool forward = wall > expected + (same ? CORRECTION : DAY);

	c->boot = boot;
	c->trusted = !forward && wall > expected ? wall : expected;
	return forward;
}

int64_t
retain_clock_time(const struct retain_clock *c, int64_t wall)
{
	return wall < c->trusted ? wall : c->trusted;
}

/* 0: there is none yet, or it is damaged; 1; -1 with errno. */
static int
clock_read(int dirfd, struct retain_clock *c)
{
	char *text, *space, *end;
	size_t len;
	bool whole;

	if (file_read_at(dirfd, RETAIN_CLOCK, TEXT_MAX, &text, &len) == -1)
		return errno == ENOENT || errno == EFBIG ? 0 : -1;
	errno = 0;
	c->trusted = strtoll(text, &space, 10);
	c->boot = strtoll(space, &end, 10);
	whole = errno == 0 && *space == ' ' && *end == '\n';
	free(text);
	return whole && c->trusted > 0 && c->boot >= 0;
}

static int
clock_keep(int dirfd, const struct retain_clock *c)
{
	char text[TEXT_MAX];
	int len = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 "\n",
	    c->trusted, c->boot);

	return file_install(dirfd, RETAIN_CLOCK, text, (size_t)len, 0600,
	    FILE_OWN_UID, FILE_OWN_GID, NULL);
}

int
retain_now(int dirfd, bool right, int64_t *nowp)
{
	struct retain_clock c = { 0 };
	int64_t wall = (int64_t)time(NULL), boot = boottime_ms() / 1000;
	int known = clock_read(dirfd, &c);
	bool forward = false;

	if (known == -1)
		return -1;
	if (known == 0 || right)
		c = (struct retain_clock){ .trusted = wall, .boot = boot };
	else
		forward = retain_clock_look(&c, wall, boot);
	if (clock_keep(dirfd, &c) == -1)
		return -1;
	*nowp = retain_clock_time(&c, wall);
	return forward;
}

/* --- The records ------------------------------------------------------------ */

static int64_t
time_of(const char *line, size_t len)
{
	json_t *record = record_parse(line, len);
	int64_t time = json_int(record, "message_timestamp", 0);

	json_decref(record);
	return time;
}

/*
 * Of a segment's first and its last record the later time, in *latestp if it
 * is later than that: a clock that was put back makes none older than what was
 * written before it.  0 or -1 with errno.
 */
static int
segment_times(const struct segments *store, uint32_t number, int64_t *latestp)
{
	struct segment_reader *reader = segment_reader_from(store, number);
	int64_t at = 0, first = 0;
	char *last = NULL;
	const char *line;
	size_t len, last_len = 0, room = 0;
	uint64_t place;
	int got;

	while ((got = segment_reader_next(reader, &line, &len)) == 1 &&
	    segment_reader_place(reader, &place) == number) {
		if (last_len == 0)
			first = time_of(line, len);
		if (len > room)
			last = xreallocarray(last, room = len, 1);
		memcpy(last, line, last_len = len);
	}
	if (last_len > 0)
		at = time_of(last, last_len);
	free(last);
	segment_reader_free(reader);
	if (first > at)
		at = first;
	if (at > *latestp)
		*latestp = at;
	return got == -1 ? -1 : 0;
}

int64_t
retain_first(const struct segments *store, int64_t before)
{
	const uint32_t *numbers;
	int64_t latest = 0;
	size_t count, i;

	numbers = segments_numbers(store, &count);
	for (i = 0; i + 1 < count; i++) {
		if (segment_times(store, numbers[i], &latest) == -1)
			return -1;
		if (latest >= before)
			break;
	}
	return count > 0 ? (int64_t)numbers[i] : 0;
}

int64_t
retain_began(const struct segments *store)
{
	struct segment_reader *reader;
	const uint32_t *numbers;
	const char *line;
	int64_t began = 0;
	size_t count, len;

	numbers = segments_numbers(store, &count);
	if (count == 0)
		return 0;
	reader = segment_reader_from(store, numbers[count - 1]);
	if (segment_reader_next(reader, &line, &len) == 1)
		began = time_of(line, len);
	segment_reader_free(reader);
	return began;
}
