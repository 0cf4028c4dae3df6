/*
 * From a client's call to the method's function: look-up, session, rate,
 * role, arguments, in this order.
 */
#ifndef HF_DISPATCH_H
#define HF_DISPATCH_H

struct connection;

/* id: the request's id as JSON text, "" for a notification. */
void	dispatch_call(struct connection *, const char *id, const char *method,
	    const char *params);
/* The same for core.subscribe, answered as core/legacy.h says. */
void	dispatch_subscribe(struct connection *, const char *id,
	    const char *name);
/* The connection goes away: its calls go on without an answer. */
void	dispatch_abandon(struct connection *);

#endif
