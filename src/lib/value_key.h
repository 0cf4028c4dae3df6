/*
 * Sort keys: bytes whose order (memcmp, the shorter first) is that of
 * value_sort, so that others can sort values without knowing them.
 */
#ifndef HF_VALUE_KEY_H
#define HF_VALUE_KEY_H

#include <jansson.h>

#include "lib/wire.h"

/* Appends the key. */
void	 value_key(const json_t *, struct wire_out *);

#endif
