/*
 * The frames of the protocol before JSON-RPC (protocol.json
 * "legacy_websocket"), into the same verdicts.  As the real server does: what
 * it does not know is ignored, ping included; before "connect" everything
 * else is answered with "failed".
 */
#include <errno.h>
#include <string.h>

#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/envelope.h"

/* Its one version. */
#define VERSION "1"

static void
refuse(struct envelope *e, const char *reason)
{
	e->verdict = ENVELOPE_ERROR;
	e->message = xstrdup(reason);
}

static void
connect_message(const json_t *message, bool *greeted, struct envelope *e)
{
	*greeted = strcmp(json_str(message, "version", ""), VERSION) == 0;
	if (!*greeted) {
		e->verdict = ENVELOPE_ERROR; /* without a text: failed */
		return;
	}
	e->verdict = ENVELOPE_LEGACY;
	e->verb = LEGACY_CONNECT;
	e->id = xstrdup("");
	e->method = xstrdup("");
}

static void
call_message(const json_t *message, struct envelope *e)
{
	const json_t *params = json_object_get(message, "params");
	const char *method = json_str(message, "method", NULL);

	if (method == NULL || strlen(method) > ENVELOPE_METHOD_MAX) {
		refuse(e, "'method' member must be the name of a method");
		return;
	}
	if (params != NULL && !json_is_array(params)) {
		refuse(e, "'params' member must be of type array");
		return;
	}
	e->verdict = ENVELOPE_CALL;
	e->method = xstrdup(method);
	e->params = params == NULL ? xstrdup("[]") : json_text(params);
}

static void
subscription_message(
    const json_t *message, enum legacy_verb verb, struct envelope *e)
{
	const char *name = json_str(message, "name", NULL);

	if (verb == LEGACY_SUBSCRIBE && name == NULL) {
		refuse(e, "'name' member must be the name of an event");
		return;
	}
	e->verdict = ENVELOPE_LEGACY;
	e->verb = verb;
	e->method = xstrdup(name == NULL ? "" : name);
}

/* Those that name what they are about, for the answer. */
static void
named_message(const json_t *message, const char *msg, struct envelope *e)
{
	const json_t *id = json_object_get(message, "id");

	if (id == NULL)
		return;
	if (strcmp(msg, "method") == 0)
		call_message(message, e);
	else if (strcmp(msg, "sub") == 0)
		subscription_message(message, LEGACY_SUBSCRIBE, e);
	else if (strcmp(msg, "unsub") == 0)
		subscription_message(message, LEGACY_UNSUBSCRIBE, e);
	if (e->verdict != ENVELOPE_SILENT)
		e->id = json_text(id);
}

void
legacy_check(const char *text, size_t len, bool *greeted, struct envelope *e)
{
	const char *error = "", *msg;
	json_t *message;

	memset(e, 0, sizeof(*e));
	e->verdict = ENVELOPE_SILENT;
	message = json_parse(text, len, &error);
	if (!json_is_object(message) || ejson_check(message, &error) == -1) {
		e->verdict = ENVELOPE_CLOSE;
		e->message = xstrdup("Invalid Message Format");
		json_decref(message);
		return;
	}
	msg = json_str(message, "msg", "");
	if (strcmp(msg, "connect") == 0)
		connect_message(message, greeted, e);
	else if (!*greeted)
		e->verdict = ENVELOPE_ERROR;
	else
		named_message(message, msg, e);
	json_decref(message);
}

char *
legacy_answer(const struct envelope *e)
{
	json_t *answer;
	char *text;

	if (e->message == NULL)
		answer = json_pack(
		    "{s:s, s:s}", "msg", "failed", "version", VERSION);
	else
		answer = json_pack(
		    "{s:s, s:o, s:{s:i, s:s, s:n, s:s+, s:n, s:n}}", "msg",
		    "result", "id", json_loads(e->id, JSON_DECODE_ANY, NULL),
		    "error", "error", EINVAL, "errname", "EINVAL", "type",
		    "reason", "[EINVAL] ", e->message, "trace", "extra");
	text = json_text(answer);
	json_decref(answer);
	return text;
}
