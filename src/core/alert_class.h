/*
 * What alerts there are: one table (alert_classes.json of the API as far as
 * Holdfast raises them, and our own).  An alert is a class, a key that tells
 * two of one class apart, and the arguments of the class's text.
 */
#ifndef HF_ALERT_CLASS_H
#define HF_ALERT_CLASS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum alert_level { ALERT_INFO, ALERT_NOTICE, ALERT_WARNING, ALERT_ERROR,
    ALERT_CRITICAL, ALERT_ALERT, ALERT_EMERGENCY };

#define ALERT_ARGS_MAX 3

struct alert_class {
	const char		*name;
	const char		*category;	/* "SYSTEM" */
	enum alert_level	 level;
	const char		*title;
	const char		*text;		/* {name}: that argument */
	const char		*args[ALERT_ARGS_MAX + 1];
	bool			 own;		/* TrueNAS has none such */
	/* Clears itself so long after it was raised last; 0: never. */
	unsigned int		 seconds;
};

extern const struct alert_class	alert_classes[];	/* name NULL ends */

const struct alert_class *alert_class_find(const char *name);
const char	*alert_level_name(enum alert_level);

/* Are these all its arguments, each a string or a number? */
bool		 alert_args_fit(const struct alert_class *, const json_t *args);
/* The text with the arguments in place; caller frees. */
char		*alert_text(const struct alert_class *, const json_t *args);

/* Adds the faults of the table, as texts. */
void		 alert_lint(json_t *faults);

#endif
