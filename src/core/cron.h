/*
 * Times that come again, in the five fields of crontab(5), and the API's
 * schedule objects made of them: {minute, hour, dom, month, dow}.
 *
 * Local time.  Where the clock is put forward, what the missing hour would
 * have begun begins at its end; where it is put back, the hour that comes
 * twice counts once.  Schedules of every hour know neither: they go by real
 * hours.
 */
#ifndef HF_CRON_H
#define HF_CRON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/verr.h"

enum cron_field { CRON_MINUTE, CRON_HOUR, CRON_DOM, CRON_MONTH, CRON_DOW,
    CRON_FIELDS };

struct cron {
	uint64_t	 on[CRON_FIELDS];	/* bit n: the value n */
};

/* Their names, as members of a schedule. */
extern const char *const cron_names[CRON_FIELDS];

/*
 * Reads a schedule.  A member that is absent is "*", of minute "00".  Errors
 * on attribute.minute and so on; -1 when there were any.
 */
int	cron_parse(struct cron *, const json_t *schedule, const char *attribute,
	    struct verr *);

/* The first time after that one, in seconds since the epoch. */
int64_t	cron_next(const struct cron *, int64_t after);

#endif
