/*
 * The kernel's word that a network interface or an address came, went or is
 * another one (rtnetlink(7)).  What it says of it is not read: core asks for
 * all there is (MSG_OP_INTERFACES), once it is quiet.
 */
#ifndef HF_MONITOR_INTERFACES_H
#define HF_MONITOR_INTERFACES_H

#include <uv.h>

#include "lib/wire.h"

/* Tells core by MSG_INTERFACES_CHANGED, as long as the loop runs. */
void		interfaces_watch(uv_loop_t *);
/* Adds [str problem], without a count; returns how many. */
uint32_t	interfaces_problems(struct wire_out *);

#endif
