/*
 * What goes to a client, in the words of the protocol that its connection
 * speaks: the one place that knows them.
 */
#ifndef HF_PROTOCOL_H
#define HF_PROTOCOL_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct connection;

/*
 * Answers a call of this connection, which counts it as finished: a result, or
 * an error object as JSON-RPC has it (call.h); NULL: no answer, as to a
 * notification.
 */
void	 protocol_answer(struct connection *, const struct call *,
	    const json_t *answer, bool success);
/* A result whose text is at hand. */
void	 protocol_answer_text(struct connection *, const struct call *,
	    const char *result);
/*
 * Tells it unasked: "collection_update" or "notify_unsubscribed" with its
 * params, as JSON-RPC has them.
 */
void	 protocol_notify(struct connection *, const char *method,
	    const json_t *params);

#endif
