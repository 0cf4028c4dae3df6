/*
 * How the files of the apply pipeline hand a change on: change.c begins and
 * ends it, change_many.c one of many entries, change_check.c looks at what
 * every resource has in common, apply.c carries it into files and services,
 * outside.c where the truth is elsewhere.
 */
#ifndef HF_CHANGE_INTERNAL_H
#define HF_CHANGE_INTERNAL_H

#include "core/change.h"

/*
 * The extra of the error when the entry is not of the revision that the call
 * says; NULL: it is, or the call says nothing.  A new reference.
 */
json_t	*change_lost(const struct change *);

struct change	*change_new(struct call *, const struct resource *);
struct edit	*change_new_edit(struct change *, const struct resource *,
		    int64_t id);
/*
 * The edit of change->id as change->verb and ->given say; false: there is no
 * such entry, or one already.
 */
bool	change_own_edit(struct change *);
void	change_forget_structs(struct change *);

/*
 * Of many entries (change_many.c): the edit becomes what the checks look at;
 * are some left to be checked, and these; nothing is to be changed.
 */
void	change_take(struct change *, const struct edit *);
bool	change_is_checking(const struct change *);
void	change_check_next(struct change *);
void	change_passed(struct change *);

/* The resource's own rules. */
void	change_run_check(struct change *);
/*
 * Adds what the tables forbid to change->errors: of all edits; of one; of
 * those that came along with many.
 */
void	change_check(struct change *);
void	change_check_one(struct change *, size_t edit);
void	change_check_along(struct change *);

/* Adds what nobody may who lacks the rights, and the last administrator. */
void	change_check_rights(struct change *);
/* Does it change nothing? */
bool	change_is_idle(const struct change *, const struct edit *);

/*
 * Renders, has the daemons check, and asks for the services' states; ends in
 * change_begin (NULL when no file comes out different as well), or in
 * change_refuse.
 */
void	apply_prepare(struct change *);
/* Installs, reloads, verifies; ends in change_commit or change_take_back. */
void	apply_run(struct change *);

/* The call's own edit is there: tables, the resource's rules, and on. */
void	change_checks(struct change *);
/* What was sent that is kept, onto the entry; if_revision is taken out. */
void	change_overlay(struct change *, json_t *after);
/* What the method answers with; entry makes it where that is the entry. */
json_t	*change_result(const struct change *,
	    json_t *(*entry)(const struct change *));
bool	 change_shows_secrets(const struct change *);
/* There is no such entry. */
void	change_absent(struct change *);
/* The end of it, after the answer. */
void	change_finish(struct change *);

/* A step of what is done beside files; then the change goes on. */
void	change_beside(struct change *, enum beside);

void	change_begin(struct change *);
/* Before anything was touched: the errors, or one reason. */
void	change_invalid(struct change *);
void	change_refuse(struct change *, int error, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	change_commit(struct change *);
void	change_store(struct change *);
/* Edits that change nothing are none; false: there is none left. */
bool	change_drop_idle(struct change *);
/* It is stored, and kept: tells and answers. */
void	change_committed(struct change *);
/* Nothing of it is left beside files: these go back now. */
void	change_undo(struct change *);
/* fmt NULL: change->problem says why. */
void	change_take_back(struct change *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
