/*
 * JSON-RPC's words, and the choice between them and those of others.
 */
#include "core/protocol.h"

#include <errno.h>
#include <string.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/legacy.h"
#include "core/limits.h"
#include "lib/json.h"
#include "lib/log.h"

static void
put_text(struct wire_out *out, const char *text)
{
	wire_put_raw(out, text, strlen(text));
}

static void
put_value(struct wire_out *out, const json_t *value)
{
	if (json_write(value, out) == -1)
		fatal("an answer without a text");
}

/*
 * The values come first, as they are at hand; the id goes back as the text it
 * came as.
 */
static void
put_response_start(
    struct wire_out *out, const struct connection *c, const char *key)
{
	put_text(out,
	    c->protocol == PROTOCOL_LEGACY ? "{\"msg\":\"result\"," :
					     "{\"jsonrpc\":\"2.0\",");
	put_text(out, key);
}

static void
put_response_end(struct wire_out *out, const struct call *call)
{
	put_text(out, ",\"id\":");
	put_text(out, call->id);
	put_text(out, "}");
}

/* A front role takes no longer one; asking for it must not be our end. */
static void
refuse_length(struct connection *c, const struct call *call)
{
	json_t *error = call_method_error(
	    EFBIG, "[EFBIG] The answer is too large: select less of it", NULL);

	protocol_answer(c, call, error, false);
	json_decref(error);
}

void
protocol_answer(struct connection *c, const struct call *call,
    const json_t *answer, bool success)
{
	struct wire_out text = { 0 };
	json_t *error = NULL;

	if (call->id == NULL || answer == NULL) {
		connection_send(c, &text, 1);
		return;
	}
	if (call->subscribes) {
		legacy_subscribed(c, call, answer, success);
		return;
	}
	if (!success && c->protocol == PROTOCOL_LEGACY)
		answer = error = legacy_error(answer);
	put_response_start(&text, c, success ? "\"result\":" : "\"error\":");
	put_value(&text, answer);
	put_response_end(&text, call);
	if (text.len > LIMIT_ANSWER && success) {
		wire_free(&text);
		refuse_length(c, call);
		return;
	}
	connection_send(c, &text, 1);
	wire_free(&text);
	json_decref(error);
}

void
protocol_answer_text(
    struct connection *c, const struct call *call, const char *result)
{
	struct wire_out text = { 0 };

	if (call->id != NULL) {
		put_response_start(&text, c, "\"result\":");
		put_text(&text, result);
		put_response_end(&text, call);
	}
	connection_send(c, &text, 1);
	wire_free(&text);
}

void
protocol_notify(struct connection *c, const char *method, const json_t *params)
{
	struct wire_out text = { 0 };
	json_t *message;

	if (c->protocol == PROTOCOL_LEGACY)
		message = legacy_notification(method, params);
	else
		message = json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0",
		    "method", method, "params", params);
	if (message == NULL)
		fatal("an event without a text");
	put_value(&text, message);
	connection_event(c, &text);
	wire_free(&text);
	json_decref(message);
}
