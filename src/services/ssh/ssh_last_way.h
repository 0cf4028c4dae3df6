/*
 * A change after which no administrator would get in by SSH is refused, where
 * one does before it: of SSH, accounts, groups, privileges, second factors or
 * the rules of passwords.  An administrator is root, or who may do everything.
 *
 * It says nothing of a box on which SSH neither runs nor starts by itself, or
 * whose administrators do not use it; nothing of a STOP of the service, whose
 * name says what it does, nor of methods without the member `lockout` (they
 * only make things).  Not refused is what says `lockout`, and what
 * takes itself back unless an administrator is seen to log in by SSH
 * (ssh_proof.h).
 */
#ifndef HF_SSH_LAST_WAY_H
#define HF_SSH_LAST_WAY_H

struct change;

/* Of the daemon's rule: ends in change_guarded(). */
void	ssh_last_way(struct change *);

#endif
