/*
 * Events: which collections there are, who subscribed to which, and what each
 * subscriber is told (protocol.json "subscriptions" and "notifications").
 *
 * A collection is a row of its resource's table (struct event in method.h).
 * A CRUD resource has <name>.query and a config resource <name>.config without
 * a row, for those who may read it.  Whether a subscriber may hear is asked
 * again for each event, as sessions end and lose roles.
 */
#ifndef HF_EVENT_H
#define HF_EVENT_H

#include <jansson.h>

#include "core/core.h"
#include "core/method.h"
#include "lib/uuid.h"
#include "lib/verr.h"

struct connection;

enum event_kind { EVENT_ADDED, EVENT_CHANGED, EVENT_REMOVED };

/*
 * Tells everybody who subscribed to the collection ("group.query").  id and
 * fields may be NULL and are stolen; fields are with secrets, which those who
 * may not see them get redacted.
 */
void	 event_send(const char *name, enum event_kind, json_t *id,
	    json_t *fields);
/*
 * Around the events of a change, of which there may be thousands: a resource's
 * "changed" is called at the end, once.
 */
void	 event_hold(void);
void	 event_release(void);

/*
 * Subscribes a connection to "name" or "name:{arguments}" and writes the
 * subscription's id.  0, or an errno: EACCES, EBUSY (too many), EINVAL (the
 * collection takes no arguments).  A name that no table has is taken from full
 * administrators, as clients ask for what is not built; nothing is sent to it.
 */
int	 event_subscribe(struct connection *, const char *name,
	    char id[static UUID_LEN]);
/*
 * Starts the source of a new subscription, if it has one: after the client was
 * told the id.  Wrong arguments end it with a notify_unsubscribed.
 */
void	 event_start(struct connection *, const char *id);
/* An unknown id is ignored. */
void	 event_unsubscribe(struct connection *, const char *id);
/* The connection has another session, or none: what it may no longer hear. */
void	 event_session_changed(struct connection *);
/* It is gone, and its subscriptions with it; nothing is sent. */
void	 event_forget(struct connection *);

/*
 * What a source (event.start in method.h) says to its subscriber: an event,
 * parts stolen as above; and its end, NULL when there was no error (stolen).
 * After the end, or its stop function, the source is no more.
 */
void	 event_source_send(struct source *, enum event_kind, json_t *id,
	    json_t *fields);
void	 event_source_end(struct source *, json_t *error);

/* The collections by name, those without a row too; NULL behind the last. */
const struct event *event_at(size_t);

/* Faults of the tables' rows are added. */
void	 event_lint(json_t *faults);

#endif
