/*
 * What every resource has in common: its methods' table look-ups, config and
 * update, and the descriptions that others ask for.
 */
#ifndef HF_RESOURCE_H
#define HF_RESOURCE_H

#include <jansson.h>

#include "core/call.h"
#include "core/method.h"

const struct method	*method_find(const char *name);
/* How the objects among its parameters are checked and described. */
enum schema_use		 method_params_use(const struct method *);
/* A call's parameters as sent, without secrets; new reference. */
json_t			*method_redact(const struct method *,
			    const json_t *given);
/* The namespace's resource ("ssh"), or that of a method's name. */
const struct resource	*resource_find(const char *name);
const struct resource	*resource_of_method(const char *method);
/* How many there are, and where one stands among them. */
size_t	 resource_count(void);
size_t	 resource_index(const struct resource *);

/* May the session see the resource's secrets?  Who may write them may. */
bool	 resource_shows_secrets(const struct resource *,
	    const struct session *);

/* Makes the entries that a new instance lacks; 0 or -1 (store failed). */
int	 resource_initialise(void);

/* core.get_methods and core.get_services; name NULL: all. */
json_t	*resource_methods(const char *name);
json_t	*resource_services(void);

/* Faults of all tables, as texts; empty when they are sound. */
json_t	*resource_lint(void);

#endif
