/*
 * What is learnt of the system at start (its own users and groups) and stored
 * as entries, in one change.
 */
#ifndef HF_LEARNING_H
#define HF_LEARNING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct resource;
struct revision;

struct learning {
	const struct resource	*resource;
	struct revision		*list;
	size_t			 count;
	int64_t			 next;		/* id of a new entry */
	json_t			*present;	/* names seen */
};

void	learning_begin(struct learning *, const struct resource *);
/*
 * What becomes of an entry; before NULL: there is none yet.  after is stolen;
 * NULL: it goes.
 */
void	learning_add(struct learning *, int64_t entry, const json_t *before,
	    json_t *after);
/* Stores it all; what fails is a core_problem of the resource's name. */
void	learning_end(struct learning *);

#endif
