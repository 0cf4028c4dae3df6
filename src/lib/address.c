#include "lib/address.h"

#include <string.h>

#include "lib/xalloc.h"

char *
address_port(const char *address, uint16_t port)
{
	if (strchr(address, ':') != NULL)
		return xasprintf("[%s]:%u", address, port);
	return xasprintf("%s:%u", address, port);
}
