/* Addresses as texts. */
#ifndef HF_ADDRESS_H
#define HF_ADDRESS_H

#include <stdint.h>

/* "192.0.2.1:22" or "[2001:db8::1]:22"; malloc'd. */
char	*address_port(const char *address, uint16_t port);

#endif
