/*
 * Names of the errnos that travel on the wire: Linux's and the API's own.
 */
#include "core/error.h"

#include <stddef.h>
#include <string.h>

/* protocol.json, errnos.custom. */
/* clang-format off */
static const struct {
	int error;
	const char *name;
} own_errors[] = {
	{ ENOMETHOD, "ENOMETHOD" },
	{ ESERVICESTARTFAILURE, "ESERVICESTARTFAILURE" },
	{ 203, "EALERTCHECKERUNAVAILABLE" },
	{ 204, "EREMOTENODEERROR" },
	{ 205, "EDATASETISLOCKED" },
	{ 206, "EINVALIDRRDTIMESTAMP" },
	{ ENOTAUTHENTICATED, "ENOTAUTHENTICATED" },
	{ 208, "ESSLCERTVERIFICATIONERROR" },
	{ 209, "EREBOOTREQUIRED" },
	{ 210, "EHAUNAVAILABLE" },
};
/* clang-format on */

const char *
error_name(int error)
{
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(own_errors) / sizeof(own_errors[0]); i++)
		if (own_errors[i].error == error)
			return own_errors[i].name;
	name = strerrorname_np(error);
	return name != NULL ? name : "EUNKNOWN";
}
