/*
 * The end of everything that somebody does here.
 */
#ifndef HF_ACCOUNT_END_H
#define HF_ACCOUNT_END_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The account was locked, removed, or lost what it rested on: its sessions,
 * tokens and SSH sessions end; with processes, every process of the uid does.
 * Call it once the change is in force: what begins afterwards is refused by
 * that.  Asynchronous; what the system refuses is logged, and a problem of
 * status until it succeeds.
 */
void	account_end(uid_t, const char *username, bool processes);

#endif
