/*
 * A change of configuration on its way through the apply pipeline (design
 * section 2), the one mechanism for every resource:
 *
 *	check -> lookup -> render -> the daemon's own check -> store PENDING ->
 *	install -> reload -> verify -> COMMITTED, or restore -> UNDONE
 *
 * Changes are serialised.  All errors of the first steps are collected and
 * reported together; from install on, a failure undoes what was done.
 */
#ifndef HF_CHANGE_H
#define HF_CHANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"
#include "lib/verr.h"

struct call;

struct change {
	struct call		*call;
	const struct resource	*resource;
	json_t			*before;	/* stored objects */
	json_t			*after;
	void			*old;		/* the same as structs */
	void			*new;
	struct verr		*errors;
	bool			 full_admin;	/* who asks */

	/* The pipeline's own. */
	int64_t			 revision;
	char			*content;	/* rendered */
	size_t			 content_len;
	bool			 running;	/* was the service running? */
	char			*problem;	/* why it is being undone */
	void			*scratch;	/* a resource's own, in a step */
	char			 audit_id[37];
};

/*
 * Puts a validated update of a config resource into the pipeline and answers
 * the call at its end: with the new entry, or validation errors, or the reason
 * why it was taken back.  data holds the members sent, valid by the schema.
 */
void	change_submit(struct call *, const struct resource *,
	    const json_t *data);

/* From a resource's lookup: done, errors are in change->errors. */
void	change_continue(struct change *);
/*
 * From a resource's verify: NULL when all is as rendered; else one line of
 * what is not (copied).
 */
void	change_verified(struct change *, const char *what);

/*
 * At start: compares every PENDING revision with what is installed, finishes
 * or undoes it, installs what is stored where nothing is, then done().
 * (recover.c)
 */
void	change_recover(void (*done)(void));

/* The content of an output, as of its renderer; change may be NULL. */
char	*change_render(int output, struct change *, char **whyp);

#endif
