/*
 * keychaincredential.setup_ssh_connection: a connection and, when wanted, the
 * key pair for it, in one change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"
#include "system/system.h"

#define ATTRIBUTE "options."

/* clang-format off */
static const char *const setup_types[] = { "MANUAL", NULL };

static const struct field key_fields[] = {
	{ .name = "generate_key", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Make a new key pair." },
	{ .name = "name", .type = F_STR, .def = "null", .flags = FF_NULL,
	  .min = 1, .doc = "What the new key pair is called." },
	{ .name = "existing_key_id", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .doc = "Id of the key pair that is there." },
	FIELD_END
};
static const struct field manual_fields[] = {
	HOST_ROW, PORT_ROW, USERNAME_ROW, HOST_KEY_ROW, TIMEOUT_ROW, FIELD_END
};
static const struct field option_fields[] = {
	{ .name = "private_key", .type = F_OBJECT, .fields = key_fields,
	  .flags = FF_REQUIRED, .doc = "The key pair to log in with." },
	{ .name = "connection_name", .type = F_STR, .flags = FF_REQUIRED,
	  .min = 1, .doc = "What the connection is called." },
	{ .name = "setup_type", .type = F_ENUM, .choices = setup_types,
	  .def = "\"MANUAL\"", .doc = "Who knows the other machine." },
	{ .name = "manual_setup", .type = F_OBJECT, .fields = manual_fields,
	  .flags = FF_REQUIRED, .doc = "The other machine." },
	FIELD_END
};
const struct field keychain_setup_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = option_fields,
	  .flags = FF_REQUIRED, .model = "SetupSSHConnectionManual",
	  .doc = "The connection." },
	FIELD_END
};
/* clang-format on */

char *
keychain_setup_suffix(const json_t *params)
{
	const char *name =
	    json_str(json_array_get(params, 0), "connection_name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

static void
attributes_free(void *arg)
{
	json_decref(arg);
}

/* The new pair is added by the change's check: keychain_setup_pair(). */
static void
submit(struct call *call, int64_t pair)
{
	const json_t *options = call_param(call, 0);
	json_t *attributes =
	    json_copy(json_object_get(options, "manual_setup"));
	json_t *data;

	json_object_set_new(attributes, "private_key", json_integer(pair));
	data = json_pack("{s:O, s:s, s:o}", "name",
	    json_object_get(options, "connection_name"), "type", CONNECTION,
	    "attributes", attributes);
	change_submit(call, &keychain_resource, CHANGE_CREATE, -1, data, NULL);
	json_decref(data);
}

void
keychain_setup_pair(struct change *c)
{
	struct edit *e;
	json_t *name;

	if (c->call->method->run != keychain_setup_run || c->call->data == NULL)
		return;
	name = json_object_get(
	    json_object_get(call_param(c->call, 0), "private_key"), "name");
	e = change_add(c, c->resource, -1);
	json_object_set(e->after, "name", name);
	json_object_set_new(e->after, "type", json_string(KEY_PAIR));
	json_object_set(e->after, "attributes", c->call->data);
	json_object_set_new(json_object_get(c->after, "attributes"),
	    "private_key", json_integer(e->id));
}

static void
made(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	json_t *attributes = keychain_made(reply);

	keychain_leave();
	if (attributes == NULL) {
		call_fail(call, reply->error != 0 ? reply->error : EIO,
		    "The keys could not be made: %s", reply->text);
		return;
	}
	call->data = attributes;
	call->free_data = attributes_free;
	submit(call, -1);
}

static void
make(void *arg)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, "ssh-ed25519");
	wire_put_u32(&body, 0);
	op_worker(TASK_KEY_MAKE, &body, made, arg);
	wire_free(&body);
}

static bool
is_free(struct call *call, const json_t *name, const char *attribute)
{
	if (entry_by(&keychain_resource, "name", name) == -1)
		return true;
	call_fail_attribute(call, EEXIST, attribute,
	    "A credential with this name already exists");
	return false;
}

void
keychain_setup_run(struct call *call)
{
	const json_t *options = call_param(call, 0);
	const json_t *key = json_object_get(options, "private_key");
	const json_t *name = json_object_get(key, "name");
	const json_t *id = json_object_get(key, "existing_key_id");
	bool generate = json_bool(key, "generate_key", false);

	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else if (generate && !json_is_string(name))
		call_fail_attribute(call, EINVAL, ATTRIBUTE "private_key.name",
		    "Field required");
	else if (!generate && !json_is_integer(id))
		call_fail_attribute(call, EINVAL,
		    ATTRIBUTE "private_key.existing_key_id", "Field required");
	else if (!is_free(call, json_object_get(options, "connection_name"),
		     ATTRIBUTE "connection_name") ||
	    (generate && !is_free(call, name, ATTRIBUTE "private_key.name")))
		return;
	else if (!generate)
		submit(call, json_integer_value(id));
	else
		keychain_enter(call, make);
}
