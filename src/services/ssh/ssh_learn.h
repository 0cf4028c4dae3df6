/*
 * What the monitor knows of this machine and core keeps until it asks again:
 * the installed OpenSSH, interfaces, host keys.
 */
#ifndef HF_SSH_LEARN_H
#define HF_SSH_LEARN_H

#include "core/op.h"

/*
 * Asks by an operation without arguments and lets learn() keep the answer: 0,
 * or -1, when it is malformed as the text says.  Then done(error, text, arg), as
 * struct op_reply has them.
 */
void	ssh_learn(enum message_type, int (*learn)(struct wire_in),
	    const char *malformed, void (*done)(int error, const char *text, void *),
	    void *arg);

#endif
