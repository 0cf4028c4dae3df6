/*
 * The task remote-setup: makes another machine ready for logins with a key of
 * ours, by its own API: the key is added to an account, SSH runs, and the
 * machine says what its host keys are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "worker/api_client.h"
#include "worker/tasks.h"

#define TEXT_MAX 1024
#define SECRET_MAX 65536
#define SECONDS_MAX 60
#define WHOLE_MS 60000 /* beside the connecting */
#define ZFS "/usr/sbin/zfs"

struct setup {
	char *host, *fingerprint, *user, *key;
	/* Of who administers it: a token, or name, password and code. */
	char *token, *admin, *password, *code;
	uint16_t port;
	uint32_t seconds;
	bool verify, sudo;
	struct api_client *api;
	const char *why;
};

/* --- Logging in ----------------------------------------------------------- */

static bool
is_answer(const json_t *answer, const char *type)
{
	return strcmp(json_str(answer, "response_type", ""), type) == 0;
}

static json_t *
login_call(struct setup *s)
{
	if (*s->token != '\0')
		return api_client_call(s->api, "auth.login_ex",
		    json_pack("[{s:s, s:s}]", "mechanism", "TOKEN_PLAIN",
			"token", s->token),
		    s->token, &s->why);
	return api_client_call(s->api, "auth.login_ex",
	    json_pack("[{s:s, s:s, s:s}]", "mechanism", "PASSWORD_PLAIN",
		"username", s->admin, "password", s->password),
	    s->password, &s->why);
}

static json_t *
code_call(struct setup *s)
{
	return api_client_call(s->api, "auth.login_ex_continue",
	    json_pack(
		"[{s:s, s:s}]", "mechanism", "OTP_TOKEN", "otp_token", s->code),
	    s->code, &s->why);
}

static int
log_in(struct setup *s)
{
	json_t *answer = login_call(s);
	int error = EACCES;

	if (is_answer(answer, "OTP_REQUIRED") && *s->code == '\0') {
		s->why = "it asks for a one-time password as well (otp_token)";
		json_decref(answer);
		return EACCES;
	}
	if (is_answer(answer, "OTP_REQUIRED")) {
		json_decref(answer);
		answer = code_call(s);
	}
	if (is_answer(answer, "SUCCESS"))
		error = 0;
	else if (answer != NULL)
		s->why = is_answer(answer, "EXPIRED") ?
		    "the password or token has expired there" :
		    "it does not accept the user, password, token or code";
	json_decref(answer);
	return error;
}

/* --- The account ---------------------------------------------------------- */

/* What to change of the account for our key; a new reference, {}: nothing. */
static json_t *
difference(const struct setup *s, const json_t *user)
{
	const char *keys = json_str(user, "sshpubkey", "");
	const json_t *commands =
	    json_object_get(user, "sudo_commands_nopasswd");
	json_t *data = json_object(), *more, *item;
	size_t len = strlen(keys), i;
	bool may = false;

	while (len > 0 && keys[len - 1] == '\n')
		len--;
	if (strstr(keys, s->key) == NULL)
		json_object_set_new(data, "sshpubkey",
		    json_sprintf("%.*s%s%s", (int)len, keys,
			len > 0 ? "\n" : "", s->key));
	json_array_foreach(commands, i, item)
		if (json_is_string(item) &&
		    (strcmp(json_string_value(item), "ALL") == 0 ||
			strcmp(json_string_value(item), ZFS) == 0))
			may = true;
	if (!s->sudo || may)
		return data;
	more = json_is_array(commands) ?
	    json_copy((json_t *)(uintptr_t)commands) :
	    json_array();
	json_array_append_new(more, json_string(ZFS));
	json_object_set_new(data, "sudo_commands_nopasswd", more);
	return data;
}

static int
add_key(struct setup *s)
{
	json_t *users = api_client_call(s->api, "user.query",
	    json_pack("[[[s, s, s]]]", "username", "=", s->user), NULL,
	    &s->why);
	const json_t *user = json_array_get(users, 0);
	json_t *data = NULL, *done = NULL;
	int error = 0;

	if (users == NULL)
		error = EREMOTEIO;
	else if (!json_is_integer(json_object_get(user, "id"))) {
		s->why = "it has no user of that name";
		error = ENOENT;
	} else if (json_object_size(data = difference(s, user)) > 0) {
		done = api_client_call(s->api, "user.update",
		    json_pack("[O, O]", json_object_get(user, "id"), data),
		    NULL, &s->why);
		error = done != NULL ? 0 : EREMOTEIO;
	}
	json_decref(done);
	json_decref(data);
	json_decref(users);
	return error;
}

/* --- Its SSH -------------------------------------------------------------- */

static int
start_ssh(struct setup *s)
{
	json_t *list = api_client_call(s->api, "service.query",
	    json_pack("[[[s, s, s]]]", "service", "=", "ssh"), NULL, &s->why);
	const json_t *service = json_array_get(list, 0);
	json_t *done = json_true();

	if (list != NULL && !json_bool(service, "enable", false))
		done = api_client_call(s->api, "service.update",
		    json_pack("[s, {s:b}]", "ssh", "enable", 1), NULL, &s->why);
	if (list != NULL && done != NULL &&
	    strcmp(json_str(service, "state", ""), "RUNNING") != 0) {
		json_decref(done);
		done = api_client_job(s->api, "service.control",
		    json_pack("[s, s]", "START", "ssh"), &s->why);
	}
	if (list == NULL || done == NULL) {
		json_decref(list);
		json_decref(done);
		return EREMOTEIO;
	}
	json_decref(list);
	json_decref(done);
	return 0;
}

/* What it finds when it looks at itself; a new reference, or NULL. */
static json_t *
scan(struct setup *s, const char *host, uint16_t port)
{
	json_t *keys = api_client_call(s->api,
	    "keychaincredential.remote_ssh_host_key_scan",
	    json_pack("[{s:s, s:i, s:i}]", "host", host, "port", (int)port,
		"connect_timeout", 10),
	    NULL, &s->why);

	if (json_is_string(keys) && json_string_length(keys) > 0 &&
	    json_string_length(keys) < SECRET_MAX)
		return keys;
	if (keys != NULL)
		s->why = "it names no host keys";
	json_decref(keys);
	return NULL;
}

static int
ask_ssh(struct setup *s, struct wire_out *out)
{
	json_t *config =
	    api_client_call(s->api, "ssh.config", json_array(), NULL, &s->why);
	json_int_t port = json_int(config, "tcpport", 0);
	json_t *keys = NULL;

	if (config != NULL && (port < 1 || port > UINT16_MAX))
		s->why = "it does not say on which port its SSH is";
	else if (config != NULL &&
	    (keys = scan(s, s->host, (uint16_t)port)) == NULL)
		/* It may not reach itself by the name that we have for it. */
		keys = scan(s, "127.0.0.1", (uint16_t)port);
	json_decref(config);
	if (keys == NULL)
		return EREMOTEIO;
	wire_put_u16(out, (uint16_t)port);
	wire_put_str(out, json_string_value(keys));
	json_decref(keys);
	return 0;
}

/* --- The task ------------------------------------------------------------- */

static int
set_up(struct setup *s, struct wire_out *out)
{
	const struct api_server server = { .host = s->host,
		.port = s->port,
		.verify = s->verify,
		.fingerprint = s->fingerprint,
		.deadline = boottime_ms() + (int64_t)s->seconds * 1000,
		.end = boottime_ms() + (int64_t)s->seconds * 1000 + WHOLE_MS };
	int error = api_client_open(&server, &s->api, &s->why);

	if (error == 0)
		error = log_in(s);
	if (error == 0)
		error = add_key(s);
	if (error == 0)
		error = start_ssh(s);
	if (error == 0)
		error = ask_ssh(s, out);
	api_client_free(s->api);
	return error;
}

static void
setup_free(struct setup *s)
{
	free(s->host);
	free(s->fingerprint);
	free(s->user);
	free(s->key);
	free(s->admin);
	freezero_str(s->token);
	freezero_str(s->password);
	freezero_str(s->code);
}

int
task_remote_setup(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct setup s = { 0 };
	int error = EPROTO;

	s.host = wire_get_str(in, TEXT_MAX);
	s.port = wire_get_u16(in);
	s.verify = wire_get_u8(in) != 0;
	s.fingerprint = wire_get_str(in, TEXT_MAX);
	s.token = wire_get_str(in, SECRET_MAX);
	s.admin = wire_get_str(in, TEXT_MAX);
	s.password = wire_get_str(in, SECRET_MAX);
	s.code = wire_get_str(in, TEXT_MAX);
	s.user = wire_get_str(in, TEXT_MAX);
	s.key = wire_get_str(in, KEY_TEXT_MAX);
	s.seconds = wire_get_u32(in);
	s.sudo = wire_get_u8(in) != 0;
	s.why = *why;
	if (wire_end(in) == 0 && s.seconds > 0 && s.seconds <= SECONDS_MAX) {
		error = set_up(&s, out);
		*why = s.why;
	}
	setup_free(&s);
	return error;
}
