/*
 * The end of everything that somebody does here, once he may do it no longer.
 *
 * Who is ended by a change is noted in the store before the change is, so that
 * a crash in between leaves nobody at work: the next start goes on with it.
 */
#ifndef HF_ACCOUNT_END_H
#define HF_ACCOUNT_END_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is stored at the start itself, without a change's number. */
#define ACCOUNT_END_AT_START	0

/*
 * Adds an account to those: locked, removed, or it lost what it rested on.  Its
 * sessions, tokens and SSH sessions end; with processes, every process of the
 * uid does.
 */
void	 account_end_add(json_t *who, uid_t, const char *username,
	    bool processes);

/*
 * Before the change of that number is stored, and if it is not after all.
 * who: an array.  0, or -1: the store cannot be written.
 */
int	 account_end_note(int64_t change, const json_t *who);
void	 account_end_forget(int64_t change);
/*
 * The change is in force: what begins now is refused by that.  Asynchronous;
 * what the system refuses is logged, a problem of status and tried again until
 * it succeeds, and then the note goes.
 */
void	 account_end(int64_t change, const json_t *who);
/* Core serves: what was noted and never done. */
void	 account_end_resume(void);

#endif
