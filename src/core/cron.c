/*
 * Times that come again: see cron.h.
 */
#include "core/cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/log.h"
#include "lib/xalloc.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* From one 29 February to the next there may be eight years. */
#define DAYS_MAX (9 * 366)

/* clang-format off */
const char *const cron_names[CRON_FIELDS] = {
	"minute", "hour", "dom", "month", "dow"
};

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun",
	"jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri",
	"sat", NULL };

static const struct range {
	const char *def;
	unsigned int min, max;
	const char *const *names;	/* of min, ... */
} ranges[CRON_FIELDS] = {
	[CRON_MINUTE]	= { "00", 0, 59, NULL },
	[CRON_HOUR]	= { "*", 0, 23, NULL },
	[CRON_DOM]	= { "*", 1, 31, NULL },
	[CRON_MONTH]	= { "*", 1, 12, months },
	[CRON_DOW]	= { "*", 0, 7, days },		/* 7: Sunday again */
};

static const unsigned int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30,
	31, 30, 31 };
/* clang-format on */

/* Where a field is being read; why says what is wrong with it. */
struct reader {
	const struct range *range;
	const char *at;
	char *why;
};

static void __attribute__((format(printf, 2, 3)))
wrong(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&r->why, fmt, ap) == -1)
		abort();
	va_end(ap);
}

static int
read_number(struct reader *r, unsigned int *value)
{
	const char *begin = r->at;

	for (*value = 0; isdigit((unsigned char)*r->at); r->at++)
		if (*value < 1000)
			*value = *value * 10 + (unsigned int)(*r->at - '0');
	return r->at > begin ? 0 : -1;
}

static int
read_name(struct reader *r, unsigned int *value)
{
	const char *const *name = r->range->names;
	size_t len = strspn(
	    r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (; name != NULL && *name != NULL; name++)
		if (len == strlen(*name) && strncasecmp(r->at, *name, len) == 0)
			break;
	if (name == NULL || *name == NULL)
		return -1;
	*value = r->range->min + (unsigned int)(name - r->range->names);
	r->at += len;
	return 0;
}

static int
read_value(struct reader *r, unsigned int *value)
{
	if (read_number(r, value) == -1 && read_name(r, value) == -1) {
		wrong(r, "%s expected",
		    r->range->names != NULL ? "A number or a name of three "
					      "letters" :
					      "A number");
		return -1;
	}
	if (*value < r->range->min || *value > r->range->max) {
		wrong(r, "%u is not between %u and %u", *value, r->range->min,
		    r->range->max);
		return -1;
	}
	return 0;
}

/* The second value of a range; Sunday is then the last day of the week. */
static int
read_end(struct reader *r, unsigned int first, unsigned int *last)
{
	if (read_value(r, last) == -1)
		return -1;
	if (r->range->names == days && *last == 0)
		*last = 7;
	if (*last < first) {
		wrong(r, "A range runs from the smaller to the larger");
		return -1;
	}
	return 0;
}

static int
read_step(struct reader *r, unsigned int *step)
{
	unsigned int most = r->range->max - r->range->min + 1;

	if (read_number(r, step) == -1 || *step == 0 || *step > most) {
		wrong(r, "A step is a number between 1 and %u", most);
		return -1;
	}
	return 0;
}

/* One of a list: *, *\/N, N, N-N or N-N/N. */
static int
read_item(struct reader *r, uint64_t *on)
{
	unsigned int first = r->range->min, last = r->range->max, step = 1;
	bool several = true;

	if (*r->at == '*')
		r->at++;
	else {
		if (read_value(r, &first) == -1)
			return -1;
		several = *r->at == '-';
		last = first;
		if (several && (r->at++, read_end(r, first, &last)) == -1)
			return -1;
	}
	if (*r->at == '/' && !several) {
		wrong(r, "A step follows * or a range only");
		return -1;
	}
	if (*r->at == '/' && (r->at++, read_step(r, &step)) == -1)
		return -1;
	for (; first <= last; first += step)
		*on |= UINT64_C(1) << first;
	return 0;
}

/* NULL, or what is wrong with it; caller frees. */
static char *
read_field(enum cron_field field, const char *text, uint64_t *on)
{
	struct reader r = { .range = &ranges[field], .at = text };

	*on = 0;
	while (read_item(&r, on) == 0) {
		if (*r.at == '\0')
			break;
		if (*r.at++ != ',') {
			wrong(&r, "Values are separated by commas");
			break;
		}
	}
	if (field == CRON_DOW && (*on & 1 << 7) != 0)
		*on = (*on | 1) & 0x7f;
	return r.why;
}

static bool
all(const struct cron *c, enum cron_field field)
{
	unsigned int v, max = field == CRON_DOW ? 6 : ranges[field].max;

	for (v = ranges[field].min; v <= max; v++)
		if ((c->on[field] >> v & 1) == 0)
			return false;
	return true;
}

/* Is there such a day at all?  30 February is none. */
static bool
happens(const struct cron *c)
{
	unsigned int month;

	if (!all(c, CRON_DOW))
		return true;
	for (month = 1; month <= 12; month++)
		if ((c->on[CRON_MONTH] >> month & 1) != 0 &&
		    (c->on[CRON_DOM] & ((2ULL << month_days[month - 1]) - 1)))
			return true;
	return false;
}

static int
parse_member(struct cron *c, enum cron_field field, const json_t *schedule,
    const char *attribute, struct verr *errors)
{
	const json_t *member = json_object_get(schedule, cron_names[field]);
	const char *text = ranges[field].def;
	char *why, *path;

	if (json_is_string(member))
		text = json_string_value(member);
	if (member != NULL && !json_is_string(member))
		why = xstrdup("Not a text");
	else
		why = read_field(field, text, &c->on[field]);
	if (why == NULL)
		return 0;
	path = xasprintf("%s.%s", attribute, cron_names[field]);
	verr_add(errors, path, "%s", why);
	free(path);
	free(why);
	return -1;
}

int
cron_parse(struct cron *c, const json_t *schedule, const char *attribute,
    struct verr *errors)
{
	enum cron_field field;
	int result = 0;
	char *path;

	if (!json_is_object(schedule)) {
		verr_add(errors, attribute, "Not a schedule");
		return -1;
	}
	for (field = 0; field < CRON_FIELDS; field++)
		if (parse_member(c, field, schedule, attribute, errors) == -1)
			result = -1;
	if (result == -1 || happens(c))
		return result;
	path = xasprintf("%s.dom", attribute);
	verr_add(errors, path, "None of these months has such a day");
	free(path);
	return -1;
}

/* As crontab(5): where both days are restricted, either will do. */
static bool
date_matches(const struct cron *c, const struct tm *tm)
{
	bool dom = c->on[CRON_DOM] >> tm->tm_mday & 1;
	bool dow = c->on[CRON_DOW] >> tm->tm_wday & 1;

	if ((c->on[CRON_MONTH] >> (tm->tm_mon + 1) & 1) == 0)
		return false;
	if (all(c, CRON_DOM) || all(c, CRON_DOW))
		return dom && dow;
	return dom || dow;
}

/* The first matching time of that day from tm on; false: none is left. */
static bool
time_of_day(const struct cron *c, struct tm *tm)
{
	for (; tm->tm_hour < 24; tm->tm_hour++, tm->tm_min = 0) {
		if ((c->on[CRON_HOUR] >> tm->tm_hour & 1) == 0)
			continue;
		for (; tm->tm_min < 60; tm->tm_min++)
			if (c->on[CRON_MINUTE] >> tm->tm_min & 1)
				return true;
	}
	return false;
}

/*
 * The first match from there on in the calendar alone, where each day has all
 * its hours: seconds since the epoch as if local time were UTC.
 */
static int64_t
next_in_calendar(const struct cron *c, int64_t wall)
{
	time_t at = wall;
	struct tm tm;
	unsigned int n;

	gmtime_r(&at, &tm);
	for (n = 0; n < DAYS_MAX; n++) {
		if (date_matches(c, &tm) && time_of_day(c, &tm))
			return timegm(&tm);
		tm.tm_mday++;
		tm.tm_hour = tm.tm_min = 0;
		timegm(&tm);
	}
	fatal("a schedule that never comes"); /* happens() refused it */
}

/* Local time - UTC at that time, in seconds. */
static int64_t
offset_at(int64_t when)
{
	time_t at = when;
	struct tm tm;

	return localtime_r(&at, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/*
 * The first minute in (from, to] with another offset than from has; -1: there
 * is none.  Nowhere is the clock put forward and back within a day.
 */
static int64_t
transition(int64_t from, int64_t to)
{
	int64_t offset = offset_at(from), low = from, high, middle;

	for (;;) {
		if (low >= to)
			return -1;
		high = low + DAY < to ? low + DAY : to;
		if (offset_at(high) != offset)
			break;
		low = high;
	}
	while (high - low > MINUTE) {
		middle = low + (high - low) / MINUTE / 2 * MINUTE;
		if (offset_at(middle) == offset)
			low = middle;
		else
			high = middle;
	}
	return high;
}

int64_t
cron_next(const struct cron *c, int64_t after)
{
	bool hourly = all(c, CRON_HOUR);
	int64_t at = after - ((after % MINUTE) + MINUTE) % MINUTE;
	int64_t offset = offset_at(at), from = at + offset + MINUTE;
	int64_t wall, change, before, then;

	/* In the hour that comes twice, for the second time? */
	change = hourly ? -1 : transition(at - DAY, at);
	if (change != -1 && (before = offset_at(change - MINUTE)) > offset &&
	    change + before > from)
		from = change + before;
	for (;;) {
		wall = next_in_calendar(c, from);
		change = transition(at, wall - offset);
		if (change == -1)
			return wall - offset;
		then = offset_at(change);
		if (!hourly && then > offset && wall < change + then)
			return change;
		from = change + (!hourly && then < offset ? offset : then);
		at = change;
		offset = then;
	}
}
