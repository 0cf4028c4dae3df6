/*
 * What the files of commit-confirm share: confirm.c knows what waits and deals
 * with the pipeline, confirm_back.c takes back, confirm_call.c answers calls.
 */
#ifndef HF_CONFIRM_INTERNAL_H
#define HF_CONFIRM_INTERNAL_H

#include "core/confirm.h"
#include "core/op.h"
#include "lib/digest.h"
#include "lib/uuid.h"

/* What waits, as the monitor keeps it. */
struct waiting {
	enum held_state	 state;		/* HELD_NONE: nothing */
	char		 id[UUID_LEN];
	/*
	 * {method, resource, username, uid, origin, change, edits: [{resource,
	 * entry, before}]}, the documents as the store has them on disk.
	 */
	json_t		*what;
	int64_t		 since, deadline;	/* boottime_ms() */
	bool		 outputs[OUTPUTS_MAX];
};

/* One of them, and what it was. */
struct confirm_output {
	int	 output;
	char	 digest[DIGEST_TEXT];
	bool	 edited;	/* by somebody else since */
};

struct waiting	*confirm_waiting(void);
/* Of MSG_OP_HELD's answer; how many there are. */
size_t		 confirm_outputs(struct wire_in *,
		    struct confirm_output [static OUTPUTS_MAX]);
/* Nothing waits any more: tells who listens. */
void		 confirm_ended(void);
/* By root itself: a call that nobody made, of that method. */
struct call	*confirm_call(const char *what);
int64_t		 confirm_seconds_left(void);	/* rounded up */
/* "a change of ssh by root", malloc'd. */
char		*confirm_text(void);
/* {"seconds": ...} to those who subscribed. */
void		 confirm_tell(void);

/*
 * The files are as they were: the store follows, in turns of its own, tried
 * again until it does.
 */
void		 confirm_settle(void);
/* Once, at the start: then done(), whatever became of it. */
void		 confirm_settle_then(void (*done)(void));

/* Lets go of it: restored says as what. */
void		 confirm_release(bool restored, op_done *, void *);

#endif
