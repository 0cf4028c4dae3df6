#include "services/ssh/ssh_names.h"

#include <string.h>

const char *
ssh_names_next(const char *list, const char **at, size_t *lenp)
{
	const char *name = *at == NULL ? list : *at;

	if (*name == '\0')
		return NULL;
	*lenp = strcspn(name, ",");
	*at = name[*lenp] == ',' ? name + *lenp + 1 : name + *lenp;
	return name;
}

bool
ssh_names_have(const char *list, const char *name, size_t len)
{
	const char *at = NULL, *p;
	size_t n;

	while ((p = ssh_names_next(list, &at, &n)) != NULL)
		if (n == len && memcmp(p, name, len) == 0)
			return true;
	return false;
}
