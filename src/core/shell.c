/*
 * The web shell: see shell.h.
 */
#include "core/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/error.h"
#include "core/limits.h"
#include "core/op.h"
#include "core/rate.h"
#include "core/reconnect.h"
#include "core/sessions.h"
#include "core/token.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define TOKEN_MAX 4096

struct shell {
	struct shell *next;
	struct connection *connection; /* NULL: gone */
	struct session *maker; /* of its token */
	struct session *session; /* NULL: not let in */
	char id[UUID_LEN];
	uint32_t terminal; /* 0: not yet, or over */
	bool began; /* there is a record of it */
	int64_t since; /* boottime_ms() */
	unsigned int taking; /* answers that will come */
	bool ending; /* no terminal any more */
	int error; /* it is refused with */
	const char *why;
};

static struct shell *shells;

/* --- The end ---------------------------------------------------------------- */

static void
ended(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("shell.end", "%s", reply->text);
}

static void
close_terminal(struct shell *s)
{
	struct wire_out out = { 0 };

	s->ending = true;
	if (s->terminal == 0)
		return;
	wire_put_u32(&out, s->terminal);
	op_request(MSG_OP_TERMINAL_END, &out, -1, ended, NULL);
	wire_free(&out);
	s->terminal = 0;
}

/* That it was there, never what was done in it: the kernel's audit has that. */
static json_t *
record(const struct shell *s, const char *action, bool success)
{
	json_t *data = json_pack("{s:s, s:s, s:o, s:{s:i, s:i}}", "action",
	    action, "id", s->id, "credentials",
	    session_credentials(s->session != NULL ? s->session : s->maker),
	    "vers", "major", 0, "minor", 1);

	if (!success)
		json_object_set_new(data, "error", json_string(s->why));
	else if (strcmp(action, "END") == 0)
		json_object_set_new(data, "seconds",
		    json_integer((boottime_ms() - s->since) / 1000));
	return audit_record(s->connection,
	    s->session != NULL ? s->session : s->maker, "SHELL", data, success);
}

static void
finish(struct shell *s)
{
	struct shell **at = &shells;

	if (s->connection != NULL || s->taking > 0)
		return;
	close_terminal(s);
	if (s->began)
		audit_send(record(s, "END", true), NULL, NULL);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	session_release(s->maker);
	session_release(s->session);
	free(s);
}

void
shell_forget(struct connection *c)
{
	struct shell *s = c->shell;

	if (s == NULL)
		return;
	c->shell = NULL;
	s->connection = NULL;
	finish(s);
}

void
shell_end(struct connection *c)
{
	if (c->shell != NULL)
		close_terminal(c->shell);
}

void
shell_end_of(const struct session *maker)
{
	struct shell *s;

	for (s = shells; s != NULL; s = s->next) {
		if (s->maker != maker || s->connection == NULL)
			continue;
		close_terminal(s);
		connection_close(s->connection, 1000, "Logged out");
	}
}

void
shell_over(struct ipc_msg *msg)
{
	uint32_t number = wire_get_u32(&msg->body);
	struct shell *s = shells;

	if (wire_end(&msg->body) == -1)
		fatal("TERMINAL_OVER of the monitor is malformed");
	while (s != NULL && s->terminal != number)
		s = s->next;
	if (s == NULL)
		return;
	s->terminal = 0;
	s->ending = true;
	if (s->connection != NULL)
		connection_close(s->connection, 1000, "");
}

/* --- Refusals --------------------------------------------------------------- */

static void
answer(struct shell *s, json_t *message)
{
	struct wire_out out = { 0 };

	if (s->connection != NULL && json_write(message, &out) == 0)
		connection_send(s->connection, &out, 0);
	wire_free(&out);
	json_decref(message);
}

static void
send_refusal(struct shell *s)
{
	answer(s,
	    json_pack("{s:s, s:{s:i, s:s}}", "msg", "failed", "error", "error",
		s->error, "reason", s->why));
	if (s->connection != NULL)
		connection_close(s->connection, 1000, "");
}

static void
refuse_now(void *arg)
{
	struct shell *s = arg;

	s->taking--;
	send_refusal(s);
	finish(s);
}

static void
refusal_recorded(int error, void *arg)
{
	(void)error; /* nothing was done that could go unrecorded */
	core_after(LIMIT_LOGIN_DELAY_MS + core_random(LIMIT_LOGIN_SPREAD_MS),
	    refuse_now, arg);
}

static void
refuse(struct shell *s, int error, const char *why)
{
	s->error = error;
	s->why = why;
	s->taking++;
	if (s->maker == NULL)
		audit_failure(
		    audit_authentication(s->connection, NULL, CREDENTIAL_TOKEN,
			json_pack("{s:n}", "username"), why),
		    refusal_recorded, s);
	else
		audit_send(record(s, "BEGIN", false), refusal_recorded, s);
}

/* --- The beginning ---------------------------------------------------------- */

static void
opened(const struct op_reply *reply, void *arg)
{
	struct shell *s = arg;
	struct wire_in body = reply->body;
	struct ipc *front;
	uint32_t number = wire_get_u32(&body);

	s->taking--;
	if (reply->error != 0 || wire_end(&body) == -1 || reply->fd == -1) {
		s->error = reply->error != 0 ? reply->error : EPROTO;
		s->why = "There is no terminal now";
		log_warn("shell.terminal", "%s", reply->text);
		send_refusal(s);
		finish(s);
		return;
	}
	s->terminal = number;
	/* The session ended meanwhile, or the client is gone. */
	if (s->ending || s->connection == NULL) {
		close_terminal(s);
		finish(s);
		return;
	}
	answer(s, json_pack("{s:s, s:s}", "msg", "connected", "id", s->id));
	if ((front = core_peer(s->connection->front)) != NULL)
		ipc_send(front, MSG_SHELL_OPEN, s->connection->id, NULL,
		    &reply->fd, 1);
}

static void
recorded(int error, void *arg)
{
	struct shell *s = arg;
	struct wire_out out = { 0 };

	s->taking--;
	s->began = true;
	if (error != 0 || s->connection == NULL || s->ending) {
		s->error = EIO;
		s->why = "The audit log cannot be written";
		send_refusal(s);
		finish(s);
		return;
	}
	s->taking++;
	wire_put_str(&out, s->session->username);
	wire_put_u32(&out, s->session->uid);
	wire_put_str(&out, s->connection->address);
	op_request(MSG_OP_TERMINAL, &out, -1, opened, s);
	wire_free(&out);
}

static unsigned int
count_of(uid_t uid)
{
	const struct shell *s;
	unsigned int n = 0;

	for (s = shells; s != NULL; s = s->next)
		n += s->session != NULL && s->session->uid == uid;
	return n;
}

/* Its own session, steals it; the token was used. */
static void
enter(struct shell *s, struct session *session,
    const unsigned char token[static TOKEN_HASH])
{
	struct connection *c = s->connection;

	session_of_token(session, s->maker, token);
	token_end(token);
	connection_login(c, session_keep(session));
	s->session = session;
	s->taking++;
	audit_send(
	    audit_authentication(c, session, CREDENTIAL_TOKEN, NULL, NULL),
	    NULL, NULL);
	audit_send(record(s, "BEGIN", true), recorded, s);
}

/* Why that session gets none; NULL: it may. */
static const char *
objection(const struct session *session, const struct connection *c, int *error)
{
	*error = EACCES;
	if (session == NULL)
		return "The account may not use the API";
	if (!session->web_shell)
		return "The account may not use the web shell";
	if (!sessions_allow(session, c))
		return "It has as many sessions as it may have";
	*error = EBUSY;
	if (count_of(session->uid) >= LIMIT_SHELLS_USER)
		return "It has as many shells as it may have";
	*error = EIO;
	return audit_refuses() != NULL ? "The audit log cannot be written" :
					 NULL;
}

static void
begin(struct shell *s, const char *token)
{
	struct connection *c = s->connection;
	struct token_origin from = connection_token_origin(c);
	unsigned char hash[TOKEN_HASH];
	struct session *session;
	const char *why;
	char *origin;
	int error;

	s->maker = token_use(token, &from, NULL, hash);
	if (s->maker == NULL &&
	    (s->maker = reconnect_use(token, &from)) != NULL)
		token_hash(token, hash);
	if (s->maker == NULL) {
		refuse(s, ENOTAUTHENTICATED, "Invalid token");
		return;
	}
	origin = connection_origin(c);
	session = account_session_again(s->maker, origin);
	free(origin);
	if ((why = objection(session, c, &error)) != NULL) {
		session_release(session);
		refuse(s, error, why);
		return;
	}
	enter(s, session, hash);
}

static struct shell *
shell_new(struct connection *c)
{
	struct shell *s = xcalloc(1, sizeof(*s));

	s->connection = c;
	s->since = boottime_ms();
	uuid_new(s->id);
	s->next = shells;
	shells = s;
	c->shell = s;
	return s;
}

static int
begin_message(struct connection *c, struct ipc_msg *msg)
{
	char *token = wire_get_str(&msg->body, TOKEN_MAX);
	bool elsewhere = wire_get_u8(&msg->body) != 0;
	struct shell *s;

	if (wire_end(&msg->body) == -1 || c->shell != NULL || c->opening) {
		freezero_str(token);
		return -1;
	}
	s = shell_new(c);
	if (c->front == ROLE_WEB && !rate_allow("shell", c->address)) {
		s->error = EBUSY;
		s->why = "Rate Limit Exceeded";
		s->taking++;
		refusal_recorded(0, s);
	} else if (elsewhere) {
		s->error = EOPNOTSUPP;
		s->why = "There are no virtual machines, apps or containers";
		send_refusal(s);
	} else {
		begin(s, token);
	}
	freezero_str(token);
	return 0;
}

int
shell_message(struct connection *c, struct ipc_msg *msg)
{
	/* Gone meanwhile, by our own close. */
	if (c == NULL)
		return 0;
	if (c->protocol != PROTOCOL_SHELL)
		return -1;
	if (msg->type == MSG_SHELL_BEGIN)
		return begin_message(c, msg);
	if (c->shell != NULL && c->session != NULL &&
	    !session_expired(c->session))
		c->session->used = boottime_ms();
	return wire_end(&msg->body);
}

/* --- Its size --------------------------------------------------------------- */

int
shell_resize(const struct session *session, const char *id, uint16_t columns,
    uint16_t rows)
{
	struct wire_out out = { 0 };
	const struct shell *s = shells;

	while (s != NULL && strcmp(s->id, id) != 0)
		s = s->next;
	if (s == NULL || s->terminal == 0 || s->session->uid != session->uid)
		return ENOENT;
	wire_put_u32(&out, s->terminal);
	wire_put_u16(&out, columns);
	wire_put_u16(&out, rows);
	op_request(MSG_OP_TERMINAL_SIZE, &out, -1, ended, NULL);
	wire_free(&out);
	return 0;
}
