/*
 * Failures by the minute: see tally.h.
 */
#include "lib/tally.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct minute {
	bool used;
	int64_t began;
	unsigned int singly;
	struct tally_sum sum;
};

struct tally {
	unsigned int singly;
	void (*tell)(const struct tally_sum *, void *);
	void *arg;
	struct minute minutes[TALLY_MAX];
	struct minute others;
};

struct tally *
tally_new(unsigned int singly, void (*tell)(const struct tally_sum *, void *),
    void *arg)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));

	tally->singly = singly;
	tally->tell = tell;
	tally->arg = arg;
	return tally;
}

void
tally_free(struct tally *tally)
{
	free(tally);
}

static bool
same(const struct tally_sum *a, const struct tally_sum *b)
{
	return strcmp(a->what, b->what) == 0 &&
	    strcmp(a->account, b->account) == 0 &&
	    strcmp(a->source, b->source) == 0;
}

static void
over(struct tally *tally, struct minute *minute)
{
	if (minute->sum.count > 0)
		tally->tell(&minute->sum, tally->arg);
	minute->used = false;
}

static void
begin(struct minute *minute, const struct tally_sum *key, int64_t now)
{
	*minute = (struct minute){ .used = true, .began = now, .sum = *key };
}

/* The minute that runs, or a new one; NULL: there is no room for it. */
static struct minute *
minute_of(struct tally *tally, const struct tally_sum *key, int64_t now)
{
	struct minute *m, *place = NULL;
	size_t i;

	for (i = 0; i < TALLY_MAX; i++) {
		m = &tally->minutes[i];
		if (m->used && now - m->began >= TALLY_MS)
			over(tally, m);
		if (m->used && same(&m->sum, key))
			return m;
		if (!m->used && place == NULL)
			place = m;
	}
	if (place != NULL)
		begin(place, key, now);
	return place;
}

/* Cut before a character, not within one (RFC 3629): it stays UTF-8. */
static void
keep(char to[static TALLY_TEXT], const char *text)
{
	size_t len = strlen(text);

	if (len >= TALLY_TEXT)
		for (len = TALLY_TEXT - 1;
		     len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;
		     len--)
			;
	memcpy(to, text, len);
	to[len] = '\0';
}

static struct minute *
minute_of_others(struct tally *tally, const char *what, int64_t now)
{
	struct minute *m = &tally->others;
	struct tally_sum key = { .account = TALLY_OTHERS,
		.source = TALLY_OTHERS };

	keep(key.what, what);
	if (m->used && (now - m->began >= TALLY_MS || !same(&m->sum, &key)))
		over(tally, m);
	if (!m->used) {
		begin(m, &key, now);
		m->singly = tally->singly;
	}
	return m;
}

bool
tally_one(struct tally *tally, int64_t now, const char *what,
    const char *account, const char *source)
{
	struct tally_sum key = { .count = 0 };
	struct minute *m;

	keep(key.what, what);
	keep(key.account, account);
	keep(key.source, source);
	if ((m = minute_of(tally, &key, now)) == NULL)
		m = minute_of_others(tally, what, now);
	if (m->singly < tally->singly) {
		m->singly++;
		return true;
	}
	if (m->sum.count++ == 0)
		m->sum.from = now;
	m->sum.until = now;
	return false;
}

bool
tally_turn(struct tally *tally, int64_t now)
{
	struct minute *m;
	bool left = false;
	size_t i;

	for (i = 0; i <= TALLY_MAX; i++) {
		m = i < TALLY_MAX ? &tally->minutes[i] : &tally->others;
		if (m->used && now - m->began >= TALLY_MS)
			over(tally, m);
		left = left || m->used;
	}
	return left;
}

void
tally_flush(struct tally *tally)
{
	struct minute *m;
	size_t i;

	for (i = 0; i <= TALLY_MAX; i++) {
		m = i < TALLY_MAX ? &tally->minutes[i] : &tally->others;
		if (!m->used || m->sum.count == 0)
			continue;
		tally->tell(&m->sum, tally->arg);
		m->sum.count = 0;
	}
}
