/*
 * What of a record only those may see who may write the audit's settings:
 * the arguments of programs, which hold passwords now and then, and what was
 * typed on a terminal.
 */
#ifndef HF_AUDIT_HIDE_H
#define HF_AUDIT_HIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A member of event_data, random and hidden as well: who may see all else of a
 * record, and the hash of its line in the proof of an export, could otherwise
 * try arguments until one fits.
 */
#define HIDE_SALT "salt"

/* In place, before it is filtered, sorted or shown. */
void	 record_hide_arguments(json_t *record);
/* By its line: may there be something to hide?  False only when not. */
bool	 line_may_hide(const char *line, size_t len);

#endif
