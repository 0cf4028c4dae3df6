/*
 * A change of configuration on its way through the apply pipeline (design
 * section 2), the one mechanism for every resource:
 *
 *	check -> lookup -> render -> the daemons' own checks -> guards
 *	-> store PENDING -> install -> reload -> verify -> what is no file (beside)
 *	-> COMMITTED, or all back -> UNDONE
 *
 * A change may edit several entries, be rendered into several files and reach
 * several services: all or none.  Changes are serialised.  All errors of the
 * first steps are collected and reported together; from install on, a failure
 * undoes what was done.
 */
#ifndef HF_CHANGE_H
#define HF_CHANGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"
#include "lib/verr.h"
#include "services/catalog.h"

struct call;

enum change_verb { CHANGE_CREATE, CHANGE_UPDATE, CHANGE_DELETE };

/* What becomes of one entry; stored objects, owned. */
struct edit {
	const struct resource	*resource;
	int64_t			 id;
	json_t			*before;	/* NULL: there was none */
	json_t			*after;		/* NULL: it goes */
	/* Of a call's own entry: the members sent.  Borrowed; NULL: none. */
	const json_t		*given;
	int64_t			 at;		/* which of many calls' */
};

/* An output that comes out different. */
struct step {
	bool			 affected;
	char			*content;
	char			*previous;	/* as of before; accounts only */
	/* What it may replace, {digest: true}, of a shared one; NULL. */
	json_t			*replaces;
	bool			 installed;
};

/* A daemon that reads one of them. */
struct reached {
	bool			 affected;
	bool			 running;	/* before */
};

struct change {
	struct call		*call;
	const struct resource	*resource;	/* of the call */
	enum change_verb	 verb;
	int64_t			 id;		/* of its entry */
	const json_t		*data;		/* the members sent, validated */
	/* The call's own entry: the first edit's, and the same as structs. */
	json_t			*before;	/* borrowed; NULL: none */
	json_t			*after;
	void			*old;		/* NULL where there is no struct */
	void			*new;
	struct verr		*errors;
	bool			 full_admin;	/* who asks */
	/* The resource's own: what it keeps between its hooks, freed by it. */
	void			*scratch;
	/* What is answered besides the entry's members; NULL: nothing. */
	json_t			*answer;
	/* What a lookup keeps for those of the other entries; NULL. */
	json_t			*gathered;
	/* What is answered instead of all else; NULL: nothing. */
	json_t			*result;
	/* Once it is committed, before the answer; may be NULL. */
	void			(*committed)(struct change *);
	/* The same where there was nothing to change; set by check. */
	void			(*unchanged)(struct change *);

	/* The pipeline's own. */
	bool			 alone;		/* others go on meanwhile */
	struct edit		*edits;
	size_t			 nedits;
	int64_t			 if_revision;	/* -1: not asked for */
	/* Of confirm.h: it takes itself back after so long; 0: it is final. */
	uint32_t		 rollback_seconds;
	bool			 held;		/* and the monitor knows */
	bool			 taking_back;	/* of one that was held */
	bool			 dry;		/* it is only looked at */
	size_t			 room;		/* for edits */
	json_t			*index;		/* of edits, by resource, id */
	/*
	 * Of many entries (change_many.c): the first edits are the call's own,
	 * each checked as if it were alone; how many of them were, and how
	 * many errors there were before the present one's.
	 */
	json_t			*all;		/* of change_submit_all */
	json_t			*items;		/* of change_submit_items */
	json_t			*values;	/* of theirs, that are unique */
	size_t			 own, checked, faults;
	void			(*passed)(struct call *);
	bool			 looking, looked;	/* up, in a loop */
	json_t			*given;
	int64_t			 revision;	/* number of the change */
	struct step		 steps[OUTPUTS_MAX];
	struct reached		 reached[DAEMONS_MAX];
	int			 at;		/* the step or daemon */
	/* From check: its entry counts as edited even if nothing is new. */
	bool			 beside_wanted;
	enum beside		 beside;	/* the step that goes on */
	bool			 beside_begun;
	char			*problem;	/* why it is being undone */
	const struct output	*edited;	/* by somebody else meanwhile;
						   NULL */
	char			 audit_id[37];
};

/*
 * Puts a validated change of an entry into the pipeline and answers the call
 * at its end: with what the method's result row says (the entry, its id, or
 * true), or validation errors, or the reason why it was taken back.  data:
 * the members sent, valid by the schema (NULL for delete); id of a created
 * one -1: the next.  then becomes .committed.
 */
void	change_submit(struct call *, const struct resource *,
	    enum change_verb, int64_t id, const json_t *data,
	    void (*then)(struct change *));

/*
 * The same for many entries of any resources at once, all or none: differences
 * as of backup_differences().  Each is checked by its resource as a change of
 * its own, all errors are told together.  The answer is null.
 */
void	change_submit_all(struct call *, const json_t *differences);

/*
 * The same without any check: what was so before is so again
 * (core/confirm.h).
 */
void	change_submit_back(struct call *, const json_t *differences);

/*
 * The same for many calls of create or update of one resource: items are
 * [{at, id, data}], data as for change_submit, id -1 (or absent): a new one.
 * Errors have the attribute "<first parameter>.<at>.<member>"; errors (stolen,
 * may be NULL) are those there are already.  passed: nothing is changed, and
 * where nothing is wrong the call, not answered, is its.
 */
void	change_submit_items(struct call *, const struct resource *,
	    const json_t *items, struct verr *errors,
	    void (*passed)(struct call *), void (*then)(struct change *));

/* The edit of an entry; NULL: it is not edited. */
struct edit	*change_find(const struct change *, const struct resource *,
		    int64_t id);
/* Is there an error of the entry at hand? */
bool		 change_is_faulty(const struct change *);
/*
 * "1, 2", malloc'd: which of those ids (one, or an array) will be no entry's;
 * NULL: none.
 */
char		*change_missing(const struct change *, const struct resource *,
		    const json_t *ids);

/*
 * From check and lookup: an entry to be changed along with the call's own.
 * after is a copy of what there is, to be changed in place; of one that is
 * made now (id -1: the next) its defaults.  Good until the next of these calls.
 * NULL: there is none of that id (any more), or, to be made, there is one.
 */
struct edit	*change_edit(struct change *, const struct resource *,
		    int64_t id);
struct edit	*change_add(struct change *, const struct resource *,
		    int64_t id);
void		 change_remove(struct change *, const struct resource *,
		    int64_t id);

/* From a resource's lookup: done, errors are in change->errors. */
void	change_continue(struct change *);
/*
 * From a resource's apply, where the truth is elsewhere: errno and text.  What
 * was made has its number in change->id by then.
 */
void	change_applied(struct change *, int error, const char *text);
/* From a daemon's guard: done, errors are in change->errors. */
void	change_guarded(struct change *);
/*
 * From a renderer's look: NULL, or why nothing is changed (copied) with what
 * is told besides (stolen; may be NULL).
 */
void	change_looked(struct change *, const char *why, json_t *extra);
/*
 * From look, before it says that nothing forbids it: a file with this digest
 * may be replaced.
 */
void	change_replaces(struct change *, const char *digest);
/*
 * From a service's verify: NULL when all is as rendered; else one line of
 * what is not (copied).
 */
void	change_verified(struct change *, const char *what);

/* From a resource's dry_run: what is answered (stolen); NULL: why not. */
void	change_answer(struct change *, json_t *result, const char *why);

/*
 * From a resource's beside: NULL, or what went wrong (copied).  What cannot be
 * kept once the change is stored is told of, and no more.
 */
void	change_beside_done(struct change *, const char *problem);

/*
 * Entries as they will be, for checks and renderers; change NULL: as they are
 * stored.  Borrowed, or NULL; a new reference.
 */
const json_t	*change_view(const struct change *, const struct resource *,
		    int64_t id);
json_t		*change_view_all(const struct change *,
		    const struct resource *);

/*
 * At start: compares every PENDING revision with what is installed, finishes
 * or undoes it, installs what is stored where nothing is, then done().
 * (recover.c)
 */
void	change_recover(void (*done)(void));
/*
 * Something that the output is rendered from and that is no entry is another
 * one (addresses): it is rendered again in a turn of its own, and what reads it
 * follows, as at start.  What fails is tried again by itself; done() after the
 * first try.  (recover.c)
 */
void	change_refresh(int output, void (*done)(void));

/* The content of an output, as of its renderer; change may be NULL. */
char	*change_render(int output, const struct change *, char **whyp);
/* Is the output made from this resource? */
bool	 change_renders(int output, const struct resource *);
/* Does the daemon read the output? */
bool	 daemon_reads(int daemon, int output);
const struct daemon_rule *daemon_rules_of(int daemon);

#endif
