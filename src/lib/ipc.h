/*
 * A channel between two roles: a SOCK_SEQPACKET socketpair on a libuv loop.
 * Header: type u16, flags u16, id u32, length u32, little-endian.  A body
 * longer than MESSAGE_INLINE_MAX is put into a sealed memfd that travels
 * along; the receiver checks the seals and maps it, the handler sees no
 * difference.
 *
 * Each message is checked against the table (message.h) with the peer's role
 * as sender and ours as receiver, before the handler sees a byte.  A breach
 * closes the channel and calls closed() with the reason: the caller decides
 * whether that ends us (a more trusted peer) or only the peer.
 */
#ifndef HF_IPC_H
#define HF_IPC_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "lib/message.h"
#include "lib/wire.h"

#define IPC_FDS_MAX	4

struct ipc;

struct ipc_msg {
	uint16_t	 type;
	uint32_t	 id;
	struct wire_in	 body;
	int		 fds[IPC_FDS_MAX];	/* take one: set it to -1 */
	unsigned int	 nfds;
};

struct ipc_callbacks {
	/* The message is valid during the call; fds not taken are closed. */
	void	(*message)(struct ipc *, struct ipc_msg *, void *);
	/*
	 * The channel is dead: the peer went away (reason NULL) or broke the
	 * protocol.  Called once, not from within ipc_send.  The ipc may be
	 * freed here.
	 */
	void	(*closed)(struct ipc *, const char *reason, void *);
};

/* Takes over fd (set non-blocking). */
struct ipc	*ipc_new(uv_loop_t *, int fd, enum role self, enum role peer,
		    const struct ipc_callbacks *, void *arg);
/* NULL is fine.  Closes the socket; nothing is called back any more. */
void		 ipc_free(struct ipc *);
enum role	 ipc_peer(const struct ipc *);

/*
 * Sends a message; body may be NULL for an empty one.  Its content is copied
 * or moved to a memfd; the caller keeps (and frees) *body.  Descriptors are
 * duplicated, the caller keeps its own.  A full socket queues; the queue is
 * ours, so bound it with ipc_queued() where a peer could be slow.
 * 0, or -1 when the channel is dead.  Sending what the table forbids is a
 * bug of ours and fatal.
 */
int		 ipc_send(struct ipc *, enum message_type, uint32_t id,
		    const struct wire_out *body, const int *fds,
		    unsigned int nfds);
/*
 * For a channel of many small messages: those of one turn of the loop go out
 * together, at its end or when they are several, and wake the peer once.
 */
void		 ipc_gather(struct ipc *);
size_t		 ipc_queued(const struct ipc *);	/* bytes waiting */

/*
 * Blocking receive and send for the set-up, before there is a loop, and for
 * workers.  Receiving: 0, or -1 with errno EPIPE (the peer is gone) or EPROTO
 * (a breach, which is logged).  *to_free holds the body: freezero(*to_free,
 * msg->body.len) after use; every descriptor in msg is the caller's.
 * Sending: 0, or -1 with errno.
 */
int		 ipc_recv_blocking(int fd, enum role self, enum role peer,
		    struct ipc_msg *, void **to_free);
int		 ipc_send_blocking(int fd, enum role self, enum role peer,
		    enum message_type, uint32_t id, const struct wire_out *,
		    const int *fds, unsigned int nfds);

/* A connected pair of close-on-exec sockets; 0 or -1 with errno. */
int		 ipc_pair(int fds[2]);

#endif
