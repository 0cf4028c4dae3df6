/*
 * How often somebody without a session may call: so many calls of one method
 * from one address within a window.  A fixed table: a flood of addresses
 * costs no memory, it only makes the oldest windows be forgotten.
 */
#ifndef HF_RATE_H
#define HF_RATE_H

#include <stdbool.h>

/* Counts one call; false: over the limit. */
bool	rate_allow(const char *method, const char *address);

#endif
