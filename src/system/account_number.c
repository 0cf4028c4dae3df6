/* The numbers of users and groups: see account_number.h. */
#include "system/account_number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/entry.h"
#include "lib/xalloc.h"

#define FIRST 3000 /* of those that the API gives */
#define NOBODY_16 65535 /* -1 in 16 bits */

/* Those of removed ones are below. */
static int64_t
unused(const struct account_numbers *n)
{
	char *known = store_value(core_store(), n->value);
	int64_t next = known != NULL ? strtoll(known, NULL, 10) : FIRST;

	free(known);
	return next;
}

bool
account_number_is_system(int64_t number)
{
	return number < NUMBER_LEAST || number == NUMBER_NOBODY ||
	    number == NOBODY_16;
}

static bool
is_taken(const struct account_numbers *n, int64_t number)
{
	json_t *value = json_integer(number);
	int64_t id = entry_by(n->resource, n->member, value);

	json_decref(value);
	return id != -1;
}

int64_t
account_number_next(const struct account_numbers *n, int64_t after)
{
	int64_t number = after == -1 ? unused(n) : after + 1;

	while (number > NUMBER_MAX || account_number_is_system(number) ||
	    is_taken(n, number))
		number = number >= NUMBER_MAX ? FIRST : number + 1;
	return number;
}

void
account_number_keep(
    const struct account_numbers *n, int64_t number, struct verr *errors)
{
	char *text;

	if (number < unused(n))
		return;
	text = xasprintf("%lld", (long long)number + 1);
	if (store_set_value(core_store(), n->value, text) == -1)
		verr_add_errno(errors, errno, "id",
		    "Its number cannot be kept from being used again: %s",
		    strerror(errno));
	free(text);
}
