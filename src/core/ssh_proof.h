/*
 * Proof that SSH still lets an administrator in: one is here whose connection
 * began after a change.
 */
#ifndef HF_SSH_PROOF_H
#define HF_SSH_PROOF_H

#include <stdint.h>

/* since: boottime_ms().  missing: what is, or NULL: it is proven. */
void	 ssh_proof(int64_t since, void (*done)(const char *missing, void *),
	    void *arg);

#endif
