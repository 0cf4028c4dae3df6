/* certificate.*: what others ask of certificates. */
#ifndef HF_CERTIFICATE_H
#define HF_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"
#include "core/method.h"

extern const struct resource certificate_resource;	/* certificate.c */

/* The machine's own: its entry's id; -1: there is none yet. */
int64_t	certificate_own(void);

/*
 * The page's, as the change leaves it (NULL: as it is stored), borrowed: chain
 * and private key, or both NULL of the machine's own.  False: there is none
 * such, or without its key.  id -1 is the machine's own.
 */
bool	certificate_of_page(const struct change *, int64_t id,
	    const char **chainp, const char **keyp);
/* Why it cannot be the page's; static, NULL: it can. */
const char *certificate_unfit(const struct change *, int64_t id);
/* {id: name} of those that can; a new reference. */
json_t	*certificate_choices(void);

/* Of the scheduler's table: tells of those that end. */
struct task_run;
void	certificate_watch_task(struct task_run *, const json_t *args);

#endif
