/*
 * keychaincredential.remote_ssh_host_key_scan and .test: what another machine
 * says it is, and whether it lets us in.  Workers speak with it; what they
 * found is remembered for .stale.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"
#include "core/core.h"
#include "core/job.h"
#include "core/op.h"
#include "core/rate.h"
#include "lib/address.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"
#include "system/system.h"

/* clang-format off */
static const struct field target_fields[] = {
	HOST_ROW, PORT_ROW, TIMEOUT_ROW, FIELD_END
};
const struct field keychain_scan_params[] = {
	{ .name = "keychain_remote_ssh_host_key_scan", .type = F_OBJECT,
	  .flags = FF_REQUIRED, .fields = target_fields,
	  .model = "KeychainCredentialRemoteSshHostKeyScanArgs",
	  .doc = "The other machine." },
	FIELD_END
};
const struct field keychain_scanned = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .max = STRING_LONG,
	.doc = "Its keys, one a line: type and Base64." };
const struct field keychain_tested = { .name = "result", .type = F_CONST,
	.def = "true", .flags = FF_REQUIRED, .doc = "Always true." };
/* clang-format on */

/* Who asks too often, whoever he is, makes us a means of an attack. */
bool
keychain_allowed(struct call *call)
{
	if (rate_allow(call->method->name, call_user(call)))
		return true;
	call_fail(call, EBUSY, "Too many connections in a minute: try later");
	return false;
}

static void
put_target(struct wire_out *body, const json_t *target)
{
	wire_put_str(body, json_str(target, "host", ""));
	wire_put_u16(body, (uint16_t)json_int(target, "port", 22));
	wire_put_str(body, json_str(target, "username", "root"));
	wire_put_u32(body, (uint32_t)json_int(target, "connect_timeout", 10));
}

/* --- Host keys ------------------------------------------------------------ */

char *
keychain_scan_suffix(const json_t *params)
{
	const json_t *target = json_array_get(params, 0);

	return address_port(json_str(target, "host", ""),
	    (uint16_t)json_int(target, "port", 22));
}

static void
scanned(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in in = reply->body;
	struct wire_out lines = { 0 };
	char *key;

	keychain_leave();
	if (reply->error != 0) {
		call_fail(call, EFAULT, "The host keys could not be read: %s",
		    reply->text);
		return;
	}
	while (in.at < in.len && !in.bad) {
		key = wire_get_str(&in, KEY_TEXT_MAX);
		if (key != NULL)
			wire_put_raw(&lines, key, strlen(key));
		wire_put_raw(&lines, "\n", 1);
		free(key);
	}
	if (wire_end(&in) == 0)
		call_reply(
		    call, json_stringn((const char *)lines.data, lines.len));
	else
		call_fail(call, EIO, "The host keys could not be read");
	wire_free(&lines);
}

static void
scan(void *arg)
{
	struct call *call = arg;
	struct wire_out body = { 0 };

	put_target(&body, call_param(call, 0));
	op_worker(TASK_SSH_HOST_KEYS, &body, scanned, call);
	wire_free(&body);
}

void
keychain_scan_run(struct call *call)
{
	if (keychain_allowed(call))
		keychain_enter(call, scan);
}

/* --- Trying a connection -------------------------------------------------- */

/* What a job keeps of the connection as it was when it began. */
struct trying {
	int64_t id, pair;
};

static void
tried(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	const struct trying *t = call->data;

	keychain_leave();
	keychain_state_tried(t->id, reply->error);
	if (reply->error == 0) {
		keychain_state_tried(t->pair, 0);
		job_progress(call->job, 100, "Logged in");
		call_reply(call, json_true());
	} else
		call_fail(call, reply->error, "%s", reply->text);
}

/* NULL: it was answered. */
static const json_t *
connection_of(struct call *call)
{
	const json_t *entry = keychain_stored(call);

	if (entry == NULL || keychain_is(entry, CONNECTION))
		return entry;
	call_fail(call, EINVAL, "This is a key pair: a connection is tried");
	return NULL;
}

bool
keychain_test_accept(struct call *call)
{
	return connection_of(call) != NULL && keychain_allowed(call);
}

static void
try(struct call *call, const json_t *connection, const json_t *pair)
{
	struct wire_out body = { 0 };

	put_target(&body, connection);
	wire_put_str(&body, json_str(pair, "private_key", ""));
	wire_put_str(&body, json_str(pair, "passphrase", ""));
	wire_put_str(&body, json_str(connection, "remote_host_key", ""));
	job_progress(call->job, 10, "Connecting");
	op_worker(TASK_SSH_LOGIN, &body, tried, call);
	wire_free(&body);
}

/* It may have had to wait: both may be gone by now. */
static void
begin(void *arg)
{
	struct call *call = arg;
	const json_t *entry = connection_of(call), *connection, *pair;
	struct trying *t;

	if (entry == NULL) {
		keychain_leave();
		return;
	}
	connection = json_object_get(entry, "attributes");
	t = xcalloc(1, sizeof(*t));
	t->id = json_int(entry, "id", -1);
	t->pair = json_int(connection, "private_key", -1);
	call->data = t;
	call->free_data = free;
	pair = store_get(core_store(), keychain_resource.name, t->pair);
	if (pair == NULL) {
		keychain_leave();
		call_fail(call, ENOENT, "Its key pair is gone");
	} else
		try(call, connection, json_object_get(pair, "attributes"));
}

void
keychain_test_run(struct call *call)
{
	keychain_enter(call, begin);
}
