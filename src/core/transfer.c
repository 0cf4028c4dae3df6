/*
 * Up- and downloads as core sees them: see transfer.h.
 */
#include "core/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/dispatch.h"
#include "core/download.h"
#include "core/error.h"
#include "core/limits.h"
#include "core/openrpc.h"
#include "core/pipe.h"
#include "core/resource.h"
#include "core/twofactor.h"
#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define TEXT_MAX (256 * 1024)

/* Beside the files: "data", and what stands between the parts. */
#define FORM_EXTRA ((uint64_t)128 << 10)

/* Who is to be known first; the document is one without anything but that. */
struct upload {
	struct connection *connection; /* NULL: gone */
	void (*known)(struct upload *); /* what to do then */
	unsigned int taking; /* answers that will come */
	json_t *data; /* "data" */
	uint64_t length; /* of the request's body */
	struct pipe *pipe;
	json_int_t job; /* 0: not begun */
};

/*
 * To the front role.
 */
static void
send_status(struct connection *c, unsigned int status, const char *type,
    const char *text)
{
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	if (front == NULL)
		return;
	wire_put_u16(&out, (uint16_t)status);
	wire_put_str(&out, type);
	wire_put_str(&out, text);
	ipc_send(front, MSG_TRANSFER_STATUS, c->id, &out, NULL, 0);
	wire_free(&out);
}

void
transfer_status(struct connection *c, unsigned int status, const char *text)
{
	send_status(c, status, "", text);
}

void
transfer_file(struct connection *c, const char *filename, bool whole, int fd)
{
	struct wire_out out = { 0 };
	struct ipc *front = core_peer(c->front);

	if (front == NULL)
		return;
	wire_put_str(&out, filename);
	wire_put_u8(&out, whole);
	ipc_send(front, MSG_TRANSFER_FILE, c->id, &out, &fd, 1);
	wire_free(&out);
}

/*
 * Uploads.
 */
static void
upload_release(struct upload *u)
{
	if (u->connection != NULL || u->taking > 0)
		return;
	json_decref(u->data);
	free(u);
}

static void
upload_refuse(struct upload *u, unsigned int status, const char *text)
{
	if (u->connection != NULL)
		transfer_status(u->connection, status, text);
}

/* One more file for the client to send. */
static void
upload_file(struct upload *u)
{
	int fd = pipe_next_file(u->pipe);

	if (fd == -1 && errno == E2BIG) {
		upload_refuse(u, 405, "The method takes no more files");
		return;
	}
	if (fd == -1) {
		upload_refuse(u, 503, NULL);
		return;
	}
	transfer_file(u->connection, "", false, fd);
	close(fd);
}

static void
upload_done(struct upload *u)
{
	char *text = xasprintf("{\"job_id\": %lld}", (long long)u->job);

	send_status(u->connection, 200, "application/json", text);
	free(text);
}

static json_int_t
error_of(const json_t *error)
{
	return json_int(json_object_get(error, "data"), "error", 0);
}

/* The HTTP status for an error object. */
static unsigned int
status_of(const json_t *error)
{
	switch (error_of(error)) {
	case ENOTAUTHENTICATED:
		return 401;
	case EACCES:
		return 403;
	case EBUSY:
		return 429;
	default:
		return 412;
	}
}

static void
upload_failed(struct upload *u, const json_t *error)
{
	const json_t *data = json_object_get(error, "data");

	upload_refuse(u, status_of(error),
	    json_str(data, "reason", json_str(error, "message", NULL)));
}

static void
job_began(json_t *answer, bool success, void *arg)
{
	struct upload *u = arg;

	u->taking--;
	if (success)
		u->job = json_integer_value(answer);
	else
		upload_failed(u, answer);
	json_decref(answer);
	if (success && u->connection != NULL)
		upload_file(u);
	upload_release(u);
}

/* Who it is is known: what is it to be? */
static void
upload_call(struct upload *u)
{
	const char *name = json_str(u->data, "method", "");
	const struct method *m = method_find(name);
	json_t *params = json_object_get(u->data, "params"), *none = NULL;
	uint64_t most;

	if (m == NULL) {
		upload_refuse(u, 422, "[ENOMETHOD] Method does not exist");
		return;
	}
	if (m->pipe != PIPE_INPUT) {
		upload_refuse(u, 422, "The method takes no file");
		return;
	}
	most = m->input_max != 0 ? m->input_max : LIMIT_UPLOAD;
	if (u->length > most + FORM_EXTRA) {
		upload_refuse(u, 413, NULL);
		return;
	}
	if (params == NULL)
		params = none = json_array();
	u->pipe = pipe_input(m->input_files != 0 ? m->input_files : 1);
	u->taking++;
	dispatch_upload(u->connection, m, params, u->pipe, job_began, u);
	json_decref(none);
}

static void
logged_in(json_t *answer, bool success, void *arg)
{
	struct upload *u = arg;
	const char *type = json_str(answer, "response_type", "");

	u->taking--;
	/* Closed by the assurance level: not a fault of the call. */
	if (!success && error_of(answer) == EOPNOTSUPP)
		upload_refuse(u, 403, "This way of logging in is closed");
	else if (!success)
		upload_failed(u, answer);
	else if (!json_is_true(answer) && strcmp(type, "SUCCESS") != 0)
		upload_refuse(u, 401, "Bad username or password");
	else if (u->connection != NULL)
		u->known(u);
	json_decref(answer);
	upload_release(u);
}

/* What logs in with such a credential, and its parameters; NULL: nothing. */
static json_t *
login_params(
    enum transfer_credential kind, const char *credential, const char **namep)
{
	const char *colon;

	*namep = "auth.login_ex";
	switch (kind) {
	case GIVEN_TOKEN:
		return json_pack("[{s:s, s:s}]", "mechanism", "TOKEN_PLAIN",
		    "token", credential);
	case GIVEN_BASIC:
		colon = strchr(credential, ':');
		if (colon == NULL)
			return NULL;
		return json_pack("[{s:s, s:s%, s:s}]", "mechanism",
		    "PASSWORD_PLAIN", "username", credential,
		    (size_t)(colon - credential), "password", colon + 1);
	case GIVEN_BEARER:
		*namep = "auth.login_with_api_key";
		return json_pack("[s]", credential);
	default:
		return NULL;
	}
}

static void
upload_login(
    struct upload *u, enum transfer_credential kind, const char *credential)
{
	const char *name;
	json_t *params;
	const struct method *m;

	if (kind == GIVEN_NOTHING && u->connection->session != NULL) {
		u->known(u); /* the Unix socket says who it is */
		return;
	}
	/* It has no place for a code (protocol.json "upload"). */
	if (kind == GIVEN_BASIC && twofactor_enabled()) {
		upload_refuse(u, 401,
		    "A password alone is not taken while second factors are "
		    "asked for");
		return;
	}
	params = login_params(kind, credential, &name);
	m = method_find(name);
	if (params == NULL || m == NULL) {
		upload_refuse(u, 401, NULL);
	} else {
		u->taking++;
		dispatch_upload(u->connection, m, params, NULL, logged_in, u);
	}
	json_decref(params);
}

/* "data": what to call.  0, or the status that refuses it. */
static unsigned int
data_check(json_t *data, const char **whyp)
{
	const json_t *params = json_object_get(data, "params");

	if (data == NULL || ejson_check(data, whyp) == -1)
		return 400;
	*whyp = "\"data\" names no method";
	if (!json_is_string(json_object_get(data, "method")))
		return 422;
	*whyp = "\"params\" in \"data\" is no array";
	return params == NULL || json_is_array(params) ? 0 : 422;
}

static struct upload *
upload_new(struct connection *c, void (*known)(struct upload *))
{
	struct upload *u = xcalloc(1, sizeof(*u));

	u->connection = c;
	u->known = known;
	c->upload = u;
	return u;
}

static void
upload_begin(struct connection *c, enum transfer_credential kind,
    const char *credential, uint64_t length, const char *text)
{
	const char *why = NULL;
	json_t *data = json_parse(text, strlen(text), &why);
	unsigned int status = data_check(data, &why);
	struct upload *u;

	if (status != 0) {
		json_decref(data);
		transfer_status(c, status, why);
		return;
	}
	u = upload_new(c, upload_call);
	u->data = data;
	u->length = length;
	upload_login(u, kind, credential);
}

static void
document_send(struct upload *u)
{
	json_t *document = openrpc_document();
	char *text = json_text(document);

	json_decref(document);
	send_status(u->connection, 200, "application/json", text);
	free(text);
}

static int
next_message(struct connection *c, struct ipc_msg *msg)
{
	uint8_t step = wire_get_u8(&msg->body);
	struct upload *u = c->upload;

	if (wire_end(&msg->body) == -1 || step >= STEP_COUNT || u == NULL ||
	    u->pipe == NULL || u->job == 0)
		return -1;
	if (step == STEP_FILE) {
		upload_file(u);
		return 0;
	}
	pipe_input_end(u->pipe, step == STEP_END);
	pipe_release(u->pipe);
	u->pipe = NULL;
	upload_done(u);
	return 0;
}

static int
begin_message(struct connection *c, struct ipc_msg *msg)
{
	uint8_t kind = wire_get_u8(&msg->body);
	uint8_t credential_kind = wire_get_u8(&msg->body);
	char *credential = wire_get_str(&msg->body, TEXT_MAX);
	uint64_t length = wire_get_u64(&msg->body);
	char *what = wire_get_str(&msg->body, TEXT_MAX);
	unsigned int status;
	int r = -1;

	if (wire_end(&msg->body) == 0 && kind < TRANSFER_KIND_COUNT &&
	    credential_kind < GIVEN_COUNT && !c->begun) {
		r = 0;
		c->begun = true;
		if (kind == TRANSFER_UPLOAD)
			upload_begin(
			    c, credential_kind, credential, length, what);
		else if (kind == TRANSFER_OPENRPC)
			upload_login(upload_new(c, document_send),
			    credential_kind, credential);
		else if ((status = download_fetch(
			      c, strtoll(what, NULL, 10), credential)) != 0)
			transfer_status(c, status, NULL);
	}
	freezero_str(credential);
	freezero_str(what);
	return r;
}

int
transfer_message(struct connection *c, struct ipc_msg *msg)
{
	/* Gone meanwhile, by our own close. */
	if (c == NULL)
		return 0;
	if (c->protocol != PROTOCOL_TRANSFER || c->opening)
		return -1;
	return msg->type == MSG_TRANSFER_BEGIN ? begin_message(c, msg) :
						 next_message(c, msg);
}

void
transfer_forget(struct connection *c)
{
	struct upload *u = c->upload;

	download_forget(c);
	if (u == NULL)
		return;
	c->upload = NULL;
	u->connection = NULL;
	if (u->pipe != NULL) {
		pipe_input_end(u->pipe, false);
		pipe_release(u->pipe);
		u->pipe = NULL;
	}
	upload_release(u);
}
