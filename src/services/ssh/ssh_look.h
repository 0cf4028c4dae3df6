/*
 * A probe's part in the worker: the connections it takes to see what an SSH
 * server offers and does.
 */
#ifndef HF_SSH_LOOK_H
#define HF_SSH_LOOK_H

#include "services/ssh/ssh_report.h"

struct ssh_look {
	bool		 resolve;	/* host may be a name */
	bool		 try_none;	/* see that the cipher none is refused */
	const char	*host;
	uint16_t	 port;
	const char	*user;		/* whose methods are asked for */
	const char	*farewell;	/* said to it then; "": nothing */
	unsigned int	 milliseconds;	/* for all of it */
};

/* Fills a zeroed report.  0, or -1 with *why (static): no such host. */
int	ssh_look(const struct ssh_look *, struct ssh_report *,
	    const char **why);

#endif
