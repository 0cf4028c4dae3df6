/*
 * Events: see event.h.
 */
#include "core/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/limits.h"
#include "core/protocol.h"
#include "core/resource.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

TAILQ_HEAD(subscribers, subscription);

struct collection {
	const struct event *event;
	const struct resource *resource;
	struct subscribers subscribers;
};

struct source {
	struct connection *connection;
	const struct event *event;
	char *name; /* as subscribed, with its arguments */
	void *own; /* the source's */
	unsigned int subscriptions;
	enum { SOURCE_NEW, SOURCE_STARTING, SOURCE_RUNS, SOURCE_ENDED } state;
	json_t *error; /* of one that ended while it was started */
};

struct subscription {
	struct subscription *next; /* of the connection */
	TAILQ_ENTRY(subscription) link;
	struct subscribers *list; /* NULL: in none */
	struct source *source; /* NULL: not of one */
	struct connection *connection;
	char id[UUID_LEN];
};

/* clang-format off */
static const char *const kind_names[] = {
	[EVENT_ADDED] = "added", [EVENT_CHANGED] = "changed",
	[EVENT_REMOVED] = "removed"
};
/* clang-format on */

/* Sorted by name; subscribers of "*" apart. */
static struct collection *collections;
static size_t collection_count;
static struct subscribers everything = TAILQ_HEAD_INITIALIZER(everything);

/*
 * The collections.
 */
static void
collection_add(const struct resource *r, const struct event *event)
{
	struct collection *c;

	collections = xreallocarray(
	    collections, collection_count + 1, sizeof(*collections));
	c = &collections[collection_count++];
	c->resource = r;
	c->event = event;
}

/* The one that a resource has without a row, kept for ever. */
static void
collection_implied(const struct resource *r)
{
	const char *verb = r->kind == RESOURCE_CRUD ? "query" : "config";
	struct event *event = xcalloc(1, sizeof(*event));
	const char **roles = xcalloc(2, sizeof(*roles));

	event->name = xasprintf("%s.%s", r->name, verb);
	event->doc = "What changes of it.";
	event->auth = AUTH_ROLE;
	event->own = r->kind == RESOURCE_CONFIG;
	roles[0] = r->role_prefix == NULL ?
	    xstrdup("READONLY_ADMIN") :
	    xasprintf("%s_READ", r->role_prefix);
	event->roles = roles;
	collection_add(r, event);
}

static int
compare_collections(const void *a, const void *b)
{
	const struct collection *x = a, *y = b;

	return strcmp(x->event->name, y->event->name);
}

static void
collections_make(void)
{
	const struct resource *const *r;
	const struct event *event;
	size_t i;

	for (r = resources; *r != NULL; r++) {
		if ((*r)->kind == RESOURCE_CONFIG ||
		    (*r)->kind == RESOURCE_CRUD)
			collection_implied(*r);
		event = (*r)->events;
		for (; event != NULL && event->name != NULL; event++)
			collection_add(*r, event);
	}
	if (collections == NULL)
		return;
	qsort(collections, collection_count, sizeof(*collections),
	    compare_collections);
	for (i = 0; i < collection_count; i++)
		TAILQ_INIT(&collections[i].subscribers);
}

static struct collection *
collection_find(const char *name, size_t len)
{
	size_t i;

	if (collections == NULL)
		collections_make();
	for (i = 0; collections != NULL && i < collection_count; i++)
		if (strncmp(collections[i].event->name, name, len) == 0 &&
		    collections[i].event->name[len] == '\0')
			return &collections[i];
	return NULL;
}

const struct event *
event_at(size_t i)
{
	if (collections == NULL)
		collections_make();
	return i < collection_count ? collections[i].event : NULL;
}

void
event_lint(json_t *faults)
{
	const struct event *e;
	const char *const *role;
	size_t i;

	if (collections == NULL)
		collections_make();
	for (i = 0; i < collection_count; i++) {
		e = collections[i].event;
		if (i > 0 &&
		    strcmp(collections[i - 1].event->name, e->name) == 0)
			json_array_append_new(
			    faults, json_sprintf("%s: twice", e->name));
		if (e->doc == NULL)
			json_array_append_new(faults,
			    json_sprintf("%s: has no doc sentence", e->name));
		if ((e->start == NULL) != (e->stop == NULL))
			json_array_append_new(faults,
			    json_sprintf("%s: starts or stops only", e->name));
		if (e->auth == AUTH_NONE && e->may_read != NULL)
			json_array_append_new(faults,
			    json_sprintf("%s: asks nobody's session", e->name));
		for (role = e->roles; role != NULL && *role != NULL; role++)
			if (role_find(*role) == NULL)
				json_array_append_new(faults,
				    json_sprintf(
					"%s: names an unknown role", e->name));
	}
}

/*
 * What is told.
 */
static bool
permitted(const struct session *s, const struct event *event)
{
	if (event->auth == AUTH_NONE)
		return true;
	return s != NULL && !session_expired(s) &&
	    (event->auth == AUTH_SESSION || session_has_any(s, event->roles));
}

/* The params of a collection_update; id and fields stay the caller's. */
static json_t *
update(const char *name, enum event_kind kind, json_t *id, json_t *fields)
{
	json_t *params = json_pack(
	    "{s:s, s:s}", "msg", kind_names[kind], "collection", name);

	if (id != NULL)
		json_object_set(params, "id", id);
	if (fields != NULL && kind != EVENT_REMOVED)
		json_object_set(params, "fields", fields);
	else if (fields != NULL)
		json_object_set_new(
		    params, "extra", json_pack("{s:O}", "fields", fields));
	return params;
}

/* One event on its way to its subscribers. */
struct telling {
	const struct collection *collection;
	enum event_kind kind;
	uint64_t number;
	json_t *id, *fields;
	json_t *whole, *redacted; /* params, made when somebody may hear */
};

static json_t *
params_for(struct telling *t, const struct session *s)
{
	const struct resource *r = t->collection->resource;
	const char *name = t->collection->event->name;
	json_t *fields;

	if (r->fields == NULL || t->fields == NULL ||
	    (s != NULL && resource_shows_secrets(r, s))) {
		if (t->whole == NULL)
			t->whole = update(name, t->kind, t->id, t->fields);
		return t->whole;
	}
	if (t->redacted == NULL) {
		fields = schema_redact(r->fields, t->fields);
		t->redacted = update(name, t->kind, t->id, fields);
		json_decref(fields);
	}
	return t->redacted;
}

static void
tell(struct telling *t, struct connection *c)
{
	const struct event *event = t->collection->event;

	if (c->last_event == t->number || !permitted(c->session, event) ||
	    (event->may_read != NULL &&
		!event->may_read(c->session, t->id, t->fields)))
		return;
	c->last_event = t->number;
	protocol_notify(c, "collection_update", params_for(t, c->session));
}

static bool held;
static bool *waiting; /* by resource_index() */

static void
changed(const struct resource *r)
{
	if (r->changed == NULL)
		return;
	if (held)
		waiting[resource_index(r)] = true;
	else
		r->changed();
}

void
event_send(const char *name, enum event_kind kind, json_t *id, json_t *fields)
{
	static uint64_t number;
	struct collection *c = collection_find(name, strlen(name));
	struct telling t = { .collection = c,
		.kind = kind,
		.number = ++number,
		.id = id,
		.fields = fields };
	struct subscription *s;

	if (c == NULL)
		fatal("an event of %s, which no table has", name);
	TAILQ_FOREACH(s, &c->subscribers, link)
	tell(&t, s->connection);
	TAILQ_FOREACH(s, &everything, link)
	if (s->connection->session != NULL &&
	    s->connection->session->full_admin)
		tell(&t, s->connection);
	json_decref(id);
	json_decref(fields);
	json_decref(t.whole);
	json_decref(t.redacted);
	changed(c->resource);
}

void
event_hold(void)
{
	if (waiting == NULL)
		waiting = xcalloc(resource_count(), sizeof(*waiting));
	held = true;
}

void
event_release(void)
{
	const struct resource *const *r;
	size_t i;

	held = false;
	for (r = resources; *r != NULL; r++) {
		i = resource_index(*r);
		if (!waiting[i])
			continue;
		waiting[i] = false;
		(*r)->changed();
	}
}

/*
 * Subscriptions.
 */
static void
subscription_free(struct subscription **at)
{
	struct subscription *s = *at;

	*at = s->next;
	s->connection->subscribed--;
	if (s->list != NULL)
		TAILQ_REMOVE(s->list, s, link);
	free(s);
}

static struct subscription **
subscription_find(struct connection *c, const char *id)
{
	struct subscription **at = &c->subscriptions;

	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

/* The one that runs for this connection under that name, or a new one. */
static struct source *
source_of(struct connection *c, const struct event *event, const char *name)
{
	const struct subscription *s;
	struct source *source;
	unsigned int running = 0;

	for (s = c->subscriptions; s != NULL; s = s->next) {
		if (s->source == NULL)
			continue;
		if (strcmp(s->source->name, name) == 0)
			return s->source;
		running++;
	}
	if (running >= LIMIT_SOURCES)
		return NULL;
	source = xcalloc(1, sizeof(*source));
	source->connection = c;
	source->event = event;
	source->name = xstrdup(name);
	return source;
}

static void
subscription_add(struct connection *c, struct subscribers *list,
    struct source *source, char id[static UUID_LEN])
{
	struct subscription *s = xcalloc(1, sizeof(*s));

	uuid_new(s->id);
	memcpy(id, s->id, UUID_LEN);
	s->connection = c;
	s->source = source;
	if (source != NULL)
		source->subscriptions++;
	s->list = list;
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, s, link);
	s->next = c->subscriptions;
	c->subscriptions = s;
	c->subscribed++;
}

int
event_subscribe(
    struct connection *c, const char *name, char id[static UUID_LEN])
{
	size_t len = strcspn(name, ":");
	struct collection *collection = collection_find(name, len);
	bool full = c->session != NULL && c->session->full_admin;
	struct source *source = NULL;
	struct subscribers *list = NULL;

	if (collection != NULL ? !permitted(c->session, collection->event) :
				 !full)
		return EACCES;
	if (c->subscribed >= LIMIT_SUBSCRIPTIONS)
		return EBUSY;
	if (strcmp(name, "*") == 0) {
		list = &everything;
	} else if (collection != NULL && collection->event->start != NULL) {
		source = source_of(c, collection->event, name);
		if (source == NULL)
			return EBUSY;
	} else if (collection != NULL) {
		if (name[len] != '\0')
			return EINVAL;
		list = &collection->subscribers;
	}
	subscription_add(c, list, source, id);
	return 0;
}

/*
 * Sources.
 */
/* All its subscriptions are over, and it is; error: as event_source_end's. */
static void
source_over(struct source *source, json_t *error, bool told)
{
	struct connection *c = source->connection;
	struct subscription **at = &c->subscriptions;
	json_t *data = json_object_get(error, "data"), *params;

	while (*at != NULL) {
		if ((*at)->source == source)
			subscription_free(at);
		else
			at = &(*at)->next;
	}
	if (told) {
		params = json_pack("{s:s, s:O}", "collection", source->name,
		    "error", data != NULL ? data : json_null());
		protocol_notify(c, "notify_unsubscribed", params);
		json_decref(params);
	}
	json_decref(error);
	free(source->name);
	free(source);
}

void
event_source_send(
    struct source *source, enum event_kind kind, json_t *id, json_t *fields)
{
	json_t *params = update(source->name, kind, id, fields);

	if (permitted(source->connection->session, source->event))
		protocol_notify(
		    source->connection, "collection_update", params);
	json_decref(params);
	json_decref(id);
	json_decref(fields);
}

void
event_source_end(struct source *source, json_t *error)
{
	bool running = source->state == SOURCE_RUNS;

	source->state = SOURCE_ENDED;
	if (running)
		source_over(source, error, true);
	else
		source->error = error; /* told when its start returns */
}

static void
source_stop(struct source *source, json_t *error, bool told)
{
	if (source->state == SOURCE_RUNS)
		source->event->stop(source->own);
	source_over(source, error, told);
}

/* The arguments as validated, or NULL with the error. */
static json_t *
arguments_of(const struct source *source, json_t **errorp)
{
	const struct field row = { .name = source->event->name,
		.type = F_OBJECT,
		.fields = source->event->arguments,
		.model = source->event->name };
	const char *text = strchr(source->name, ':'), *why = NULL;
	struct verr *errors = verr_new();
	json_t *given = json_object(), *arguments = NULL;

	if (text != NULL) {
		json_decref(given);
		given = json_parse(text + 1, strlen(text + 1), &why);
	}
	if (given == NULL)
		verr_add(errors, row.name, "%s", why);
	else if (row.fields == NULL && json_object_size(given) > 0)
		verr_add(errors, row.name, "It takes no arguments");
	else if (row.fields == NULL)
		arguments = json_incref(given);
	else
		arguments = schema_value(
		    &row, row.name, given, SCHEMA_ARGUMENT, errors);
	json_decref(given);
	if (arguments == NULL)
		*errorp = call_invalid_error(errors);
	verr_free(errors);
	return arguments;
}

void
event_start(struct connection *c, const char *id)
{
	struct subscription *s = *subscription_find(c, id);
	struct source *source;
	json_t *arguments, *error = NULL;

	/* Running already: one that was subscribed to twice. */
	if (s == NULL || (source = s->source) == NULL ||
	    source->state != SOURCE_NEW)
		return;
	if ((arguments = arguments_of(source, &error)) == NULL) {
		source_over(source, error, true);
		return;
	}
	source->state = SOURCE_STARTING;
	source->own = source->event->start(source, arguments);
	json_decref(arguments);
	if (source->state == SOURCE_ENDED)
		source_over(source, source->error, true);
	else
		source->state = SOURCE_RUNS;
}

/* A source ends with its last subscription. */
static void
subscription_end(struct subscription **at, int error, bool told)
{
	struct source *source = (*at)->source;
	json_t *why = NULL;

	subscription_free(at);
	if (source == NULL || --source->subscriptions > 0)
		return;
	if (error == EACCES)
		why =
		    call_method_error(EACCES, "[EACCES] Not authorized", NULL);
	source_stop(source, why, told);
}

void
event_unsubscribe(struct connection *c, const char *id)
{
	struct subscription **at = subscription_find(c, id);

	if (*at != NULL)
		subscription_end(at, 0, true);
}

void
event_session_changed(struct connection *c)
{
	struct subscription **at = &c->subscriptions;
	const struct source *source;

	while (*at != NULL) {
		source = (*at)->source;
		if (source == NULL || permitted(c->session, source->event))
			at = &(*at)->next;
		else
			subscription_end(at, EACCES, true);
	}
}

void
event_forget(struct connection *c)
{
	while (c->subscriptions != NULL)
		subscription_end(&c->subscriptions, 0, false);
}
