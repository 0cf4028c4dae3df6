/*
 * Taking a change back: the file of before, the service as it was, UNDONE in
 * the store.  Until all of it is done the revision stays PENDING, so that no
 * other change of the entry begins and a restart finds it (recover.c).
 */
#ifndef HF_UNDO_H
#define HF_UNDO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"

/*
 * Within the change's turn (serial.h).  installed false: its file was not
 * replaced, only the store is to be told; running: its service was.  record
 * is what the outbox gets (borrowed; NULL as of store_end).  done is called
 * after the first attempt: failed NULL, or one line of what is not yet as
 * before; that is tried again, in turns of its own, until it is.
 */
void	undo(const struct resource *, int64_t revision, bool installed,
	    bool running, const json_t *record,
	    void (*done)(const char *failed, void *), void *);

#endif
