/*
 * Who may come in by TCP and with which TLS, as the web role is told
 * (MSG_ACCESS): first of all whenever it comes, for it accepts nobody before.
 */
#ifndef HF_CORE_ACCESS_H
#define HF_CORE_ACCESS_H

#include <jansson.h>
#include <stdint.h>

#include "lib/ipc.h"

/* Bits, of MSG_ACCESS. */
#define ACCESS_TLS12	(1u << 0)
#define ACCESS_TLS13	(1u << 1)

struct access {
	uint8_t			 versions;
	enum access_frames	 frames;
	uint16_t		 port;	/* of HTTPS, where HTTP is sent to */
	const json_t		*networks;	/* network.h; none: all */
};

/* From now on; copied. */
void	access_set(const struct access *);
/* The web role came (back). */
void	access_connected(struct ipc *);

#endif
