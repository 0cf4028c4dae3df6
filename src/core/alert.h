/*
 * Alerts: what somebody should know of and perhaps do something about, from
 * raise to clear.  Classes and texts are those of alert_class.c.  What passes
 * by itself within seconds, or only this start knows of, is a core_problem
 * (core.h) instead; nothing is both.
 *
 * Of each class there are at most 250; more are logged only.
 *
 * Kept in the store, so that they outlive core; while the store cannot be
 * written they are kept in memory and written as soon as it can.  A condition
 * that is looked at anew at each start is raised or cleared then.
 */
#ifndef HF_ALERT_H
#define HF_ALERT_H

#include <jansson.h>

struct store;
struct task_run;

/* Loads what is stored; store NULL: they live in memory only. */
void	 alert_start(struct store *);
void	 alert_stop(void);

/*
 * key tells two of a class apart, NULL when there is only one.  args: those
 * of the class, each a string or an integer; stolen; NULL: none.  Raised
 * again, it keeps its first time and takes the new arguments.
 */
void	 alert_raise(const char *class, const char *key, json_t *args);
/* Of none such is fine. */
void	 alert_clear(const char *class, const char *key);

/* The task of what clears itself: {class, key}. */
void	 alert_clear_task(struct task_run *, const json_t *args);

/*
 * Those that are raised, as alert.list of the API has them: the gravest first,
 * then by title and time.  A new reference.
 */
json_t	*alert_list(void);

#endif
