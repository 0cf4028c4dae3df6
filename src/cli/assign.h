/*
 * FIELD=VALUE on the command line, by the schema of a method's parameter.
 */
#ifndef HF_CLI_ASSIGN_H
#define HF_CLI_ASSIGN_H

#include <jansson.h>

#include "cli/client.h"

/*
 * An object of the arguments ("uid=3000", "groups=staff,editors",
 * "locked_until=+3d", "password=-"), each read as the schema (of an object, as
 * core.get_methods has it) says its field is.  Names stand for entries where
 * the field of that namespace refers to some: the server is asked.  A secret
 * is never taken from the argument itself.  NULL, said why, with the exit
 * code.
 */
json_t	*assign_object(struct client *, const char *namespace,
	    const json_t *schema, char **arguments, enum exit_code *codep);

#endif
