/*
 * Checks the JSON-RPC envelope.  Codes, texts and the order of the checks are
 * those of the TrueNAS API, which differ from the JSON-RPC specification in
 * places: a boolean is accepted as id, a fraction is not; a wrong envelope
 * without an id is not answered; a batch is "invalid JSON".
 */
#include <string.h>

#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/envelope.h"

/* The first fault of the members, or NULL. */
static const char *
envelope_fault(const json_t *message)
{
	const json_t *member;

	member = json_object_get(message, "jsonrpc");
	if (member == NULL)
		return "Missing 'jsonrpc' member";
	if (!json_is_string(member) || json_string_length(member) != 3 ||
	    memcmp(json_string_value(member), "2.0", 3) != 0)
		return "'jsonrpc' member must be of type string and must be "
		       "exactly '2.0'";

	member = json_object_get(message, "id");
	if (member != NULL && !json_is_null(member) &&
	    !json_is_integer(member) && !json_is_string(member) &&
	    !json_is_boolean(member))
		return "'id' member must be of type null, string or number";

	member = json_object_get(message, "method");
	if (member == NULL)
		return "Missing 'method' member";
	if (!json_is_string(member))
		return "'method' member must be of type string";

	member = json_object_get(message, "params");
	if (member != NULL && !json_is_array(member))
		return "'params' member must be of type array";
	return NULL;
}

static void
envelope_refuse(struct envelope *e, int code, const char *message)
{
	e->verdict = ENVELOPE_ERROR;
	e->code = code;
	e->message = xstrdup(message);
}

static void
envelope_members(const json_t *message, struct envelope *e)
{
	const json_t *id, *method, *params;
	const char *fault;

	id = json_object_get(message, "id");
	fault = envelope_fault(message);
	if (fault != NULL) {
		if (id == NULL) {
			e->verdict = ENVELOPE_SILENT;
			return;
		}
		envelope_refuse(e, JSONRPC_INVALID_REQUEST, fault);
		e->id = json_text(id);
		return;
	}

	method = json_object_get(message, "method");
	if (json_string_length(method) > ENVELOPE_METHOD_MAX) {
		/* Kept from the core, whose reader has a bound as well. */
		if (id == NULL) {
			e->verdict = ENVELOPE_SILENT;
			return;
		}
		envelope_refuse(
		    e, JSONRPC_METHOD_NOT_FOUND, "Method does not exist");
		e->id = json_text(id);
		return;
	}

	e->verdict = ENVELOPE_CALL;
	e->id = id == NULL ? xstrdup("") : json_text(id);
	e->method = xstrdup(json_string_value(method));
	params = json_object_get(message, "params");
	if (json_array_size(params) > 0)
		e->params = json_text(params);
	else
		e->params = xstrdup("[]");
}

void
envelope_check(const char *text, size_t len, struct envelope *e)
{
	const char *error;
	json_t *message;

	memset(e, 0, sizeof(*e));
	error = NULL;
	message = json_parse(text, len, &error);
	if (message == NULL) {
		envelope_refuse(e, JSONRPC_INVALID_JSON,
		    error == NULL ? "Not JSON" : error);
	} else if (ejson_check(message, &error) == -1) {
		envelope_refuse(e, JSONRPC_INVALID_JSON, error);
	} else if (json_is_array(message)) {
		envelope_refuse(e, JSONRPC_INVALID_JSON,
		    "Batch messages are not supported at this time");
	} else if (!json_is_object(message)) {
		envelope_refuse(
		    e, JSONRPC_INVALID_JSON, "Invalid Message Format");
	} else
		envelope_members(message, e);

	if (e->verdict == ENVELOPE_ERROR && e->id == NULL)
		e->id = xstrdup("null");
	json_decref(message);
}

void
envelope_free(struct envelope *e)
{
	freezero_str(e->id);
	freezero_str(e->method);
	freezero_str(e->params);
	freezero_str(e->message);
	memset(e, 0, sizeof(*e));
}

char *
envelope_answer(const struct envelope *e)
{
	json_t *message;
	char *answer, *quoted;

	message = json_string(e->message);
	quoted = message == NULL ? NULL : json_text(message);
	json_decref(message);
	answer = xasprintf("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,"
			   "\"message\":%s},\"id\":%s}",
	    e->code, quoted == NULL ? "\"\"" : quoted, e->id);
	freezero_str(quoted);
	return answer;
}
