/*
 * JSON-RPC 2.0 calls over an instance's Unix socket.
 */
#ifndef HF_CLI_CLIENT_H
#define HF_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/command.h"

struct client;

enum client_answer {
	ANSWER_RESULT,
	ANSWER_ERROR,	/* the server's error object */
	ANSWER_LOST	/* no connection any more; was said */
};

/*
 * Connects to DIR/middlewared.sock, or with NULL to this machine's own socket.
 * NULL when nobody serves there, which was said on standard error.
 */
struct client	*client_open(const char *instance);
/* The socket alone, connected; -1 with errno. */
int		 client_socket(const char *folder);
/* NULL is fine. */
void		 client_close(struct client *);

/*
 * Calls and waits.  params (an array) is stolen.  *answerp is a new reference
 * to the result or the error object; NULL when lost.
 */
enum client_answer client_call(struct client *, const char *method,
    json_t *params, json_t **answerp);
/*
 * The next notification: an event, or the end of a subscription (protocol
 * "notifications").  A new reference; NULL when lost, which was said.
 */
json_t		*client_notification(struct client *);
/*
 * From now on the connection is lost when what is waited for has not come
 * within so many seconds; 0: never.
 */
void		 client_patience(struct client *, int seconds);
/* What a command exits with; an error object is printed. */
enum exit_code	 client_outcome(enum client_answer, const json_t *answer,
		    bool json);

#endif
