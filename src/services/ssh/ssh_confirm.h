/*
 * What confirms a change of SSH's settings: an administrator's login that sshd
 * accepted after it.
 */
#ifndef HF_SSH_CONFIRM_H
#define HF_SSH_CONFIRM_H

#include "core/method.h"

extern const struct confirming	ssh_confirming;

/* The same for others whose changes may end logins over SSH. */
void	ssh_confirm_prove(int64_t since,
	    void (*done)(const char *missing, void *), void *);

#endif
