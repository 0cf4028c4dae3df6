/*
 * From a client's call to the method's function: look-up, session, rate,
 * role, arguments, in this order.
 */
#ifndef HF_DISPATCH_H
#define HF_DISPATCH_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct connection;
struct method;
struct pipe;
struct session;

/* id: the request's id as JSON text, "" for a notification. */
void	dispatch_call(struct connection *, const char *id, const char *method,
	    const char *params);
/* The same for core.subscribe, answered as core/legacy.h says. */
void	dispatch_subscribe(struct connection *, const char *id,
	    const char *name);
/* May this session (NULL: none) call it? */
bool	dispatch_allows(const struct session *, const struct method *);
/*
 * A call of the same session within another one, without a connection: the
 * taker gets the answer (stolen), a job's id where it is one.  At once or
 * later.
 */
void	dispatch_member(const struct call *whole, const struct method *,
	    const json_t *given, void (*taker)(json_t *answer, bool success,
	    void *), void *arg);
/* The same with a pipe, whose one end is the call's (stolen). */
void	dispatch_piped(const struct call *whole, const struct method *,
	    const json_t *given, struct pipe *, void (*taker)(json_t *answer,
	    bool success, void *), void *arg);
/*
 * A call of a connection that is an upload; the taker gets the answer.  pipe:
 * as above, or NULL.
 */
void	dispatch_upload(struct connection *, const struct method *,
	    const json_t *given, struct pipe *, void (*taker)(json_t *answer,
	    bool success, void *), void *arg);
/* The connection goes away: its calls go on without an answer. */
void	dispatch_abandon(struct connection *);

#endif
