/*
 * The clients that the front roles hold: one entry per connection, the calls
 * it has in progress, its session.
 */
#ifndef HF_CONNECTION_H
#define HF_CONNECTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/scram.h"
#include "core/session.h"
#include "core/token.h"
#include "lib/ipc.h"

struct call;
struct pending_login;
struct alias;
struct subscription;
struct upload;
struct shell;

#define END_POINT_MAX	64

struct connection {
	struct connection *next;	/* in its bucket */
	uint32_t	 id;
	enum role	 front;
	char		*address;	/* "" on the Unix socket */
	uint16_t	 port;
	bool		 secure;
	enum client_protocol protocol;
	int64_t		 opened;	/* boottime_ms() */
	bool		 opening;	/* identity not yet known: no calls */
	struct session	*session;	/* NULL: none */
	struct pending_login *pending;	/* NULL: none: pending_login.h */
	struct scram	*scram;		/* challenged by us; NULL: none */
	uid_t		 uid;		/* on the Unix socket */
	gid_t		 gid;
	uint32_t	 pid;
	/* Of the certificate that it was shown (RFC 5929 section 4.1). */
	uint8_t		 end_point[END_POINT_MAX];
	size_t		 end_point_len;
	unsigned int	 outstanding;	/* calls not yet answered */
	struct call	*calls;
	/* core.set_options: jobs are answered at their end; and the others. */
	bool		 await_jobs, private_methods, py_exceptions;
	struct subscription *subscriptions;
	unsigned int	 subscribed;
	size_t		 events;	/* on their way, MESSAGE_EVENT_COST() */
	bool		 deaf;		/* too many; it is being closed */
	struct upload	*upload;	/* of a transfer: core/transfer.c */
	bool		 begun;		/* of a transfer: it has one request */
	struct shell	*shell;		/* of one: core/shell.c */
	struct alias	*aliases;	/* of subscriptions: core/legacy.h */
	uint64_t	 last_event;	/* the last one sent, by number */
};

/* The messages of a front role, MSG_CLIENT_*. */
void	connection_message(struct ipc *, struct ipc_msg *);
/* All of a front role's clients are gone with it. */
void	connection_front_gone(enum role front);

/* Gives or takes (NULL) the session; steals the reference. */
void	connection_login(struct connection *, struct session *);
/*
 * Sends a text (empty: none) as a frame, and says how many calls it finishes.
 */
void	connection_send(struct connection *, const struct wire_out *text,
	    uint32_t finished);
/*
 * Sends an event.  Those that a client does not take are bounded; who lets
 * them pile up is closed.
 */
void	connection_event(struct connection *, const struct wire_out *text);
void	connection_close(struct connection *, uint16_t code,
	    const char *reason);
/* "192.0.2.1:4711" or "pid:42"; caller frees. */
char	*connection_origin(const struct connection *);
/* Can nobody listen to it?  TLS, the Unix socket, or the machine itself. */
bool	connection_secure(const struct connection *);
/* What SCRAM may be bound to; borrowed. */
struct scram_binding connection_binding(const struct connection *);
/* Where its peer is, for tokens; borrows the address. */
struct token_origin connection_token_origin(const struct connection *);
unsigned int connection_count(void);
/* Calls with each; what is called may close one, but destroys none. */
void	connection_each(void (*)(struct connection *, void *), void *);

#endif
