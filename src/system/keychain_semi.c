/*
 * Connections that the other machine's API helps to set up: a worker adds our
 * key to an account there and asks for the host keys.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"

#define PORT_HTTPS 443

/* clang-format off */
/* Which member an error of the worker is about; the rest is about none. */
static const struct {
	int error;
	const char *member;
} faults[] = {
	{ EHOSTUNREACH, "url" },
	{ EPROTO, "url" },
	{ EKEYREJECTED, "verify_ssl" },
	{ EACCES, "admin_username" },
	{ ENOENT, "username" },
};
/* clang-format on */
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

/* What the worker's answer is waited for with. */
struct asking {
	struct call *call;
	char *attribute; /* prefix of the members */
	json_t *connection; /* attributes so far */
	void (*done)(struct call *, const json_t *connection);
};

/* The pattern of url saw to its form; false: no such port. */
static bool
split(const char *url, char **hostp, uint16_t *portp)
{
	const char *host = strstr(url, "://") + 3, *end;
	unsigned long port = PORT_HTTPS;

	if (*host == '[') {
		end = strchr(++host, ']');
		*hostp = xstrndup(host, (size_t)(end - host));
		end++;
	} else {
		end = host + strcspn(host, ":/");
		*hostp = xstrndup(host, (size_t)(end - host));
	}
	if (*end == ':')
		port = strtoul(end + 1, NULL, 10);
	*portp = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

static void
fail(struct asking *a, const struct op_reply *reply)
{
	char *attribute;
	size_t i;

	for (i = 0; i < FAULTS; i++)
		if (faults[i].error == reply->error)
			break;
	if (i == FAULTS) {
		call_fail(a->call, reply->error,
		    "The other machine was not set up: %s", reply->text);
		return;
	}
	attribute = xasprintf("%s.%s", a->attribute, faults[i].member);
	call_fail_attribute(a->call, EINVAL, attribute,
	    "The other machine was not set up: %s", reply->text);
	free(attribute);
}

static void
answered(const struct op_reply *reply, void *arg)
{
	struct asking *a = arg;
	struct wire_in in = reply->body;
	uint16_t port = wire_get_u16(&in);
	char *keys = wire_get_str(&in, KEY_TEXT_MAX);

	keychain_leave();
	if (reply->error != 0)
		fail(a, reply);
	else if (wire_end(&in) == -1)
		call_fail(a->call, EPROTO, "The worker's answer is malformed");
	else {
		json_object_set_new(a->connection, "port", json_integer(port));
		json_object_set_new(
		    a->connection, "remote_host_key", json_string(keys));
		a->done(a->call, a->connection);
	}
	free(keys);
	json_decref(a->connection);
	free(a->attribute);
	free(a);
}

/* "type base64" alone, as accounts of TrueNAS and ours keep it. */
static void
put_key(struct wire_out *body, const char *line)
{
	size_t type = strcspn(line, " \t");
	size_t gap = strspn(line + type, " \t");
	size_t key = strcspn(line + type + gap, " \t\r\n");
	char *text = xasprintf(
	    "%.*s %.*s", (int)type, line, (int)key, line + type + gap);

	wire_put_str(body, text);
	free(text);
}

static void
put(struct wire_out *body, const char *host, uint16_t port,
    const json_t *remote, const char *key)
{
	wire_put_str(body, host);
	wire_put_u16(body, port);
	wire_put_u8(body, json_bool(remote, "verify_ssl", true));
	wire_put_str(body, json_str(remote, "fingerprint", ""));
	wire_put_str(body, json_str(remote, "token", ""));
	wire_put_str(body, json_str(remote, "admin_username", ""));
	wire_put_str(body, json_str(remote, "password", ""));
	wire_put_str(body, json_str(remote, "otp_token", ""));
	wire_put_str(body, json_str(remote, "username", ""));
	put_key(body, key);
	wire_put_u32(body, (uint32_t)json_int(remote, "connect_timeout", 10));
	wire_put_u8(body, json_bool(remote, "sudo", false));
}

bool
keychain_remote_valid(
    struct call *call, const json_t *remote, const char *attribute)
{
	char *host = NULL, *path;
	uint16_t port;
	bool good = split(json_str(remote, "url", "://"), &host, &port);
	const char *member = "url", *text = "There is no such port";

	if (good) {
		member = "password";
		text = "A password, or a token, of an administrator of the "
		       "other machine is needed";
		good = *json_str(remote, "token", "") != '\0' ||
		    *json_str(remote, "password", "") != '\0';
	}
	if (!good) {
		path = xasprintf("%s.%s", attribute, member);
		call_fail_attribute(call, EINVAL, path, "%s", text);
		free(path);
	}
	free(host);
	return good;
}

void
keychain_remote_ask(struct call *call, const json_t *remote,
    const char *attribute, const char *key,
    void (*done)(struct call *, const json_t *connection))
{
	struct asking *a = xcalloc(1, sizeof(*a));
	struct wire_out body = { 0 };
	uint16_t port;
	char *host;

	(void)split(json_str(remote, "url", "://"), &host, &port);
	a->call = call;
	a->attribute = xstrdup(attribute);
	a->done = done;
	a->connection = json_pack("{s:s, s:O, s:O}", "host", host, "username",
	    json_object_get(remote, "username"), "connect_timeout",
	    json_object_get(remote, "connect_timeout"));
	put(&body, host, port, remote, key);
	op_worker(TASK_REMOTE_SETUP, &body, answered, a);
	wire_free(&body);
	free(host);
}
