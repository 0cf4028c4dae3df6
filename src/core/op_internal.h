/*
 * What the core role hands to op.c: the monitor's answers.
 */
#ifndef HF_OP_INTERNAL_H
#define HF_OP_INTERNAL_H

#include "lib/ipc.h"

void	op_answered(struct ipc_msg *);

#endif
