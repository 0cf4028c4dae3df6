/* Where sshd listens, as the monitor tells it (MSG_OP_SERVICE_STATUS). */
#ifndef HF_SSH_LISTENING_H
#define HF_SSH_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/op.h"

#define SSH_LISTENING_MAX	64

struct ssh_endpoint {
	char		*address;	/* numeric; the kernel tells no scope */
	uint16_t	 port;
};

struct ssh_listening {
	uint8_t			 state;		/* enum service_state */
	struct ssh_endpoint	 endpoints[SSH_LISTENING_MAX];
	size_t			 count;
	char			*reason;	/* why it ended last, or "" */
};

/* 0, or -1; free in either case. */
int	ssh_listening_parse(const struct op_reply *, struct ssh_listening *);
void	ssh_listening_free(struct ssh_listening *);
/* port 0: any. */
bool	ssh_listening_has(const struct ssh_listening *, const char *address,
	    uint16_t port);

#endif
