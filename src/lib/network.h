/* Networks as texts: "192.0.2.0/24", "2001:db8::/32", or an address alone. */
#ifndef HF_NETWORK_H
#define HF_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

struct network {
	int		 family;	/* AF_INET, AF_INET6 */
	uint8_t		 bytes[16];
	unsigned int	 bits;		/* of them that count */
};

/* 0, or -1: it is none, or has bits beyond those that count. */
int	network_parse(const char *text, struct network *);
/* Is that address (numeric) in it?  One of another family is not. */
bool	network_has(const struct network *, const char *address);

#endif
