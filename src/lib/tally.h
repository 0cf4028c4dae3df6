/*
 * Failures by the minute: the first few of a kind are told one by one, the
 * others of that minute as a sum.  Counts are exact; who is one too many to be
 * kept by name is summed with the others.
 */
#ifndef HF_TALLY_H
#define HF_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#define TALLY_SINGLY	10	/* of a minute, of the same, as a rule */
#define TALLY_MS	60000
#define TALLY_MAX	256	/* different ones at a time */
#define TALLY_TEXT	256	/* bytes of a name, with its NUL */
/* In the place of names, of those that are summed with others. */
#define TALLY_OTHERS	".OTHERS"

struct tally_sum {
	char		 what[TALLY_TEXT], account[TALLY_TEXT], source[TALLY_TEXT];
	uint64_t	 count;		/* that were not told one by one */
	int64_t		 from, until;	/* of these, as now was given */
};

struct tally;

/* Each sum is told once, from tally_one(), _turn() and _flush(). */
struct tally	*tally_new(unsigned int singly,
		    void (*tell)(const struct tally_sum *, void *), void *arg);
/* NULL is fine; sums that were not told are not. */
void		 tally_free(struct tally *);
/*
 * One more, at that time (ms, never backwards).  True: it is to be told by
 * itself.  Texts are cut.
 */
bool		 tally_one(struct tally *, int64_t now, const char *what,
		    const char *account, const char *source);
/* Tells the sums whose minute is over; true: there are others left. */
bool		 tally_turn(struct tally *, int64_t now);
/* Tells what there is to tell by now: the minutes go on. */
void		 tally_flush(struct tally *);

#endif
