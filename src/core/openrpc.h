/*
 * The API described for others, from the tables and from nothing else: as an
 * OpenRPC document (spec.open-rpc.org, 1.3.2), and what of it is Holdfast's
 * own rather than TrueNAS's.
 */
#ifndef HF_OPENRPC_H
#define HF_OPENRPC_H

#include <jansson.h>

/* A new document; methods and events in the order of the tables. */
json_t	*openrpc_document(void);

/*
 * What TrueNAS does not have: whole methods and events, and single members of
 * others ("fields", with the method or the model they belong to and the path
 * there).  "$defs" holds the models that these refer to.
 */
json_t	*openrpc_own(void);

#endif
