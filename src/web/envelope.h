/*
 * The JSON-RPC 2.0 envelope as the API reads it: bytes of one text message
 * in, a verdict out.  Pure; knows no connection and no method.
 */
#ifndef HF_WEB_ENVELOPE_H
#define HF_WEB_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/message.h"

/* No method's name is longer; a longer one does not exist. */
#define ENVELOPE_METHOD_MAX	128

#define JSONRPC_INVALID_JSON		(-32700)
#define JSONRPC_INVALID_REQUEST		(-32600)
#define JSONRPC_METHOD_NOT_FOUND	(-32601)

enum envelope_verdict {
	ENVELOPE_CALL,	/* id, method and params are set */
	ENVELOPE_ERROR,	/* answer with code, message and id */
	ENVELOPE_SILENT,/* wrong, but nobody waits for an answer */
	ENVELOPE_LEGACY,/* verb, id and method (the event's name) are set */
	ENVELOPE_CLOSE	/* end the connection with message as the reason */
};

struct envelope {
	enum envelope_verdict verdict;
	char	*id;		/* JSON text; "": a notification */
	char	*method;
	char	*params;	/* JSON text, an array */
	enum legacy_verb verb;
	int	 code;
	char	*message;
};

/*
 * Checks one message, in the order of the API: JSON, batch, object, then the
 * members jsonrpc, id, method, params.  The first fault counts.  Members that
 * do not belong to the verdict are NULL.  Free with envelope_free, which
 * zeroes: the parameters may hold a password.
 */
void	 envelope_check(const char *text, size_t len, struct envelope *);
void	 envelope_free(struct envelope *);

/* The answer to ENVELOPE_ERROR as JSON text; free with freezero_str. */
char	*envelope_answer(const struct envelope *);

/*
 * The same for the protocol before JSON-RPC; *greeted remembers that the
 * client said connect, before which nothing else is heard.
 */
void	 legacy_check(const char *text, size_t len, bool *greeted,
	    struct envelope *);
char	*legacy_answer(const struct envelope *);

#endif
