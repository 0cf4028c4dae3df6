/*
 * The protocol that clients spoke before JSON-RPC, at /websocket
 * (protocol.json "legacy_websocket"): the same methods and events in other
 * words.  Of a subscription the client chooses the name.
 */
#ifndef HF_LEGACY_H
#define HF_LEGACY_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct connection;

/* Answers the handshake. */
void	 legacy_connect(struct connection *);
/* Ends what the client subscribed to under that id (JSON text). */
void	 legacy_unsubscribe(struct connection *, const char *id);
/* The connection is gone. */
void	 legacy_forget(struct connection *);

/* For protocol.c: the answer to a subscription; */
void	 legacy_subscribed(struct connection *, const struct call *,
	    const json_t *answer, bool success);
/* the error object for JSON-RPC's; what tells of an event or its end. */
json_t	*legacy_error(const json_t *error);
json_t	*legacy_notification(const char *method, const json_t *params);

#endif
