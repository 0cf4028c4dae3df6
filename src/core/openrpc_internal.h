/*
 * What the two descriptions of the API share.
 */
#ifndef HF_OPENRPC_INTERNAL_H
#define HF_OPENRPC_INTERNAL_H

#include <jansson.h>

#include "core/schema.h"

/* All methods as OpenRPC's method objects, and their models; a new array. */
json_t	*openrpc_methods(struct schema_models *);
/* All events: name, description, x-auth, x-roles, x-own; a new array. */
json_t	*openrpc_events(void);

#endif
