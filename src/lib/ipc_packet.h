/*
 * The packets that a channel (ipc.h) consists of: how a message becomes one,
 * and every check of one that arrives.  Nothing here knows of an event loop.
 */
#ifndef HF_IPC_PACKET_H
#define HF_IPC_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ipc.h"

#define PACKET_HEADER	12

/* The message's own descriptors and the memory file. */
#define PACKET_FDS	(IPC_FDS_MAX + 1)

/* Sent or received by one system call. */
#define PACKET_BATCH	8

/* One to be sent; nothing in it is ours. */
struct outgoing {
	const struct message_info *info;
	uint32_t	 id;
	const uint8_t	*body;
	size_t		 len;
	const int	*fds;
	unsigned int	 nfds;
};

/* The row of a message that we mean to send; what it forbids is our bug. */
const struct message_info *packet_info(enum role self, enum role peer,
		    enum message_type, size_t len, unsigned int nfds);

/* How many of n, at most PACKET_BATCH, went out; or -1 with errno. */
int		 packets_send(int fd, const struct outgoing *, unsigned int n);

/* One that arrived. */
struct packet {
	/* As the socket gave it. */
	size_t		 size;
	int		 fds[PACKET_FDS];	/* -1 where there is none */
	unsigned int	 nfds;
	bool		 surplus;	/* control data that does not belong */
	bool		 truncated;
	/* After the checks. */
	const struct message_info *info;
	unsigned int	 flags;
	uint32_t	 id;
	const uint8_t	*body;
	size_t		 len;
	void		*map;		/* the memory file, to unmap */
	uint8_t		 data[PACKET_HEADER + MESSAGE_INLINE_MAX];
};

/*
 * How many arrived, at most n and PACKET_BATCH; 0 when there is none now; -1
 * with errno.  Each goes to packet_done in the end.
 */
int		 packets_receive(int fd, struct packet *, unsigned int n);

enum outcome { DONE, EMPTY, GONE, BREACH };

/* DONE, or GONE: it is the peer's end; or BREACH with the reason. */
enum outcome	 packet_check(struct packet *, enum role self, enum role peer,
		    char *reason, size_t size);
/* Closes what was not taken of it and zeroes it. */
void		 packet_done(struct packet *);

#endif
