/*
 * Taking a change back: the files of before, the services as they were, UNDONE
 * in the store.  Until all of it is done the revisions stay PENDING, so that
 * no other change of these entries begins and a restart finds them
 * (recover.c).
 */
#ifndef HF_UNDO_H
#define HF_UNDO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"

/*
 * Within the change's turn (serial.h).  record is what the outbox gets
 * (borrowed; NULL as of store_end).  done is called after the first attempt:
 * failed NULL, or one line of what is not yet as before; that is tried again,
 * in turns of its own, until it is.  The change's edited is set by then.
 */
void	undo_change(struct change *, const json_t *record,
	    void (*done)(const char *failed, void *), void *);
/* The same where the files are as they should be; resource: for people. */
void	undo_revision(const char *resource, int64_t change,
	    void (*done)(const char *failed, void *), void *);

/* Is the file not yet what it was, so that no other change may take it up? */
bool	undo_holds(int output);

#endif
