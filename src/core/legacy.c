/*
 * The protocol before JSON-RPC: see legacy.h.
 */
#include "core/legacy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/error.h"
#include "core/event.h"
#include "core/limits.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

/* JSON-RPC's errors without data, and what was said here in their place. */
/* clang-format off */
static const struct {
	int code, error;
} bare_errors[] = {
	{ -32601, ENOMETHOD },
	{ -32000, ETOOMANYREFS },
};
/* clang-format on */

#define VALIDATION (-32602)

/* What a client calls a subscription of ours. */
struct alias {
	struct alias *next;
	char *name; /* JSON text */
	char id[UUID_LEN];
};

static void
send_message(struct connection *c, json_t *message, uint32_t finished)
{
	struct wire_out text = { 0 };

	if (message == NULL || json_write(message, &text) == -1)
		fatal("a message without a text");
	connection_send(c, &text, finished);
	wire_free(&text);
	json_decref(message);
}

void
legacy_connect(struct connection *c)
{
	char id[UUID_LEN];

	uuid_new(id);
	send_message(
	    c, json_pack("{s:s, s:s}", "msg", "connected", "session", id), 0);
}

static json_t *
bare_error(const json_t *error)
{
	const char *text = json_str(error, "message", "");
	int number = EINVAL;
	size_t i;

	for (i = 0; i < sizeof(bare_errors) / sizeof(bare_errors[0]); i++)
		if (bare_errors[i].code == json_int(error, "code", 0))
			number = bare_errors[i].error;
	return json_pack("{s:i, s:s, s:n, s:o, s:n, s:n}", "error", number,
	    "errname", error_name(number), "type", "reason",
	    json_sprintf("[%s] %s", error_name(number), text), "trace",
	    "extra");
}

json_t *
legacy_error(const json_t *error)
{
	json_t *data = json_object_get(error, "data"), *copy;

	if (data == NULL)
		return bare_error(error);
	copy = json_copy(data);
	json_object_set_new(copy, "type", json_null());
	if (json_int(error, "code", 0) == VALIDATION) {
		json_object_set_new(copy, "type", json_string("VALIDATION"));
		json_object_set_new(copy, "error", json_integer(EAGAIN));
		json_object_set_new(
		    copy, "errname", json_string(error_name(EAGAIN)));
	}
	return copy;
}

json_t *
legacy_notification(const char *method, const json_t *params)
{
	json_t *message = json_copy((json_t *)(uintptr_t)params), *extra;

	if (strcmp(method, "notify_unsubscribed") == 0) {
		json_object_set_new(message, "msg", json_string("nosub"));
		if (json_is_null(json_object_get(message, "error")))
			json_object_del(message, "error");
		return message;
	}
	/* It knew no extra: what it holds stood beside the others. */
	extra = json_object_get(message, "extra");
	if (extra != NULL) {
		json_object_update_missing(message, extra);
		json_object_del(message, "extra");
	}
	return message;
}

/*
 * Subscriptions.
 */
static struct alias **
alias_find(struct connection *c, const char *name)
{
	struct alias **at = &c->aliases;

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void
alias_free(struct alias **at)
{
	struct alias *alias = *at;

	*at = alias->next;
	free(alias->name);
	free(alias);
}

/* A name used again is that of the newer one. */
static void
alias_add(struct connection *c, const char *name, const char *id)
{
	struct alias **at = alias_find(c, name), *alias;

	if (*at != NULL) {
		event_unsubscribe(c, (*at)->id);
		alias_free(at);
	}
	alias = xcalloc(1, sizeof(*alias));
	alias->name = xstrdup(name);
	snprintf(alias->id, sizeof(alias->id), "%s", id);
	alias->next = c->aliases;
	c->aliases = alias;
}

/* Those that ended by themselves keep their name; there are not to be many. */
static void
aliases_bound(struct connection *c)
{
	struct alias **at = &c->aliases;
	unsigned int n = 0;

	while (*at != NULL && ++n <= 2 * LIMIT_SUBSCRIPTIONS)
		at = &(*at)->next;
	while (*at != NULL) {
		event_unsubscribe(c, (*at)->id);
		alias_free(at);
	}
}

void
legacy_subscribed(struct connection *c, const struct call *call,
    const json_t *answer, bool success)
{
	const json_t *name = json_array_get(call->given, 0);
	json_t *ident;

	if (!success) {
		send_message(c,
		    json_pack("{s:s, s:O?, s:o}", "msg", "nosub", "collection",
			name, "error", legacy_error(answer)),
		    1);
		return;
	}
	alias_add(c, call->id, json_string_value(answer));
	aliases_bound(c);
	ident = json_loads(call->id, JSON_DECODE_ANY, NULL);
	send_message(
	    c, json_pack("{s:s, s:[o?]}", "msg", "ready", "subs", ident), 1);
}

void
legacy_unsubscribe(struct connection *c, const char *id)
{
	struct alias **at = alias_find(c, id);

	if (*at == NULL)
		return;
	event_unsubscribe(c, (*at)->id);
	alias_free(at);
}

void
legacy_forget(struct connection *c)
{
	while (c->aliases != NULL)
		alias_free(&c->aliases);
}
