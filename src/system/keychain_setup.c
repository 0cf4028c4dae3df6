/*
 * keychaincredential.setup_ssh_connection and .remote_ssh_semiautomatic_setup:
 * a connection and, when wanted, the key pair for it, in one change.  What has
 * to be known of the other machine is said, or asked of its API.
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
#define SEMI "semi_automatic_setup"

/* clang-format off */
static const char *const setup_types[] = { "MANUAL", "SEMI-AUTOMATIC", NULL };

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
static const struct field semi_fields[] = { REMOTE_ROWS, FIELD_END };
static const struct field option_fields[] = {
	{ .name = "private_key", .type = F_OBJECT, .fields = key_fields,
	  .flags = FF_REQUIRED, .doc = "The key pair to log in with." },
	{ .name = "connection_name", .type = F_STR, .flags = FF_REQUIRED,
	  .min = 1, .doc = "What the connection is called." },
	{ .name = "setup_type", .type = F_ENUM, .choices = setup_types,
	  .def = "\"MANUAL\"", .doc = "Who knows the other machine." },
	{ .name = "manual_setup", .type = F_OBJECT, .fields = manual_fields,
	  .flags = FF_NULL, .def = "null",
	  .doc = "The other machine, where it is said." },
	{ .name = SEMI, .type = F_OBJECT, .fields = semi_fields,
	  .flags = FF_NULL, .def = "null",
	  .doc = "The other machine's API, where that is asked." },
	FIELD_END
};
const struct field keychain_setup_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = option_fields,
	  .flags = FF_REQUIRED, .model = "SetupSSHConnectionManual",
	  .doc = "The connection." },
	FIELD_END
};
static const struct field remote_setup_fields[] = {
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .doc = "What the connection is called." },
	REMOTE_ROWS,
	{ .name = "private_key", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the key pair to log in with." },
	FIELD_END
};
const struct field keychain_remote_params[] = {
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = remote_setup_fields,
	  .model = "KeychainCredentialRemoteSSHSemiautomaticSetup",
	  .doc = "The connection, and the other machine's API." },
	FIELD_END
};
/* clang-format on */

char *
keychain_setup_suffix(const json_t *params)
{
	const json_t *given = json_array_get(params, 0);
	const char *name = json_str(given, "connection_name", NULL);

	if (name == NULL)
		name = json_str(given, "name", NULL);
	return name != NULL ? xstrdup(name) : NULL;
}

/* --- What is wanted ------------------------------------------------------- */

/* Of a call in progress. */
struct setup {
	const char *name; /* of the connection */
	const char *pair_name; /* of a new key pair; NULL: none is made */
	int64_t pair; /* the one that is there */
	const json_t *manual, *remote; /* one of them */
	const char *attribute; /* where that stands in the parameters */
	json_t *made; /* attributes of the new key pair */
};

static void
setup_free(void *arg)
{
	struct setup *s = arg;

	json_decref(s->made);
	free(s);
}

/* Of either method; the schema saw to the types. */
static struct setup *
setup_new(struct call *call)
{
	struct setup *s = xcalloc(1, sizeof(*s));
	const json_t *given = call_param(call, 0);
	const json_t *key = json_object_get(given, "private_key");

	call->data = s;
	call->free_data = setup_free;
	s->name =
	    json_str(given, "connection_name", json_str(given, "name", ""));
	if (json_is_integer(key)) {
		s->pair = json_integer_value(key);
		s->remote = given;
		s->attribute = "data";
		return s;
	}
	s->pair = json_int(key, "existing_key_id", -1);
	if (json_bool(key, "generate_key", false))
		s->pair_name = json_str(key, "name", "");
	if (strcmp(json_str(given, "setup_type", ""), "MANUAL") == 0)
		s->manual = json_object_get(given, "manual_setup");
	else
		s->remote = json_object_get(given, SEMI);
	s->attribute = ATTRIBUTE SEMI;
	return s;
}

/* --- Carrying it out ------------------------------------------------------ */

/* The new pair is added by the change's check: keychain_setup_pair(). */
static void
submit(struct call *call, const json_t *connection)
{
	const struct setup *s = call->data;
	json_t *attributes = json_copy((json_t *)(uintptr_t)connection), *data;

	json_object_set_new(attributes, "private_key",
	    json_integer(s->made != NULL ? -1 : s->pair));
	data = json_pack("{s:s, s:s, s:o}", "name", s->name, "type", CONNECTION,
	    "attributes", attributes);
	change_submit(call, &keychain_resource, CHANGE_CREATE, -1, data, NULL);
	json_decref(data);
}

void
keychain_setup_pair(struct change *c)
{
	const struct setup *s = c->call->data;
	struct edit *e;

	if (c->call->method->run != keychain_setup_run || s == NULL ||
	    s->made == NULL)
		return;
	e = change_add(c, c->resource, -1);
	json_object_set_new(e->after, "name", json_string(s->pair_name));
	json_object_set_new(e->after, "type", json_string(KEY_PAIR));
	json_object_set(e->after, "attributes", s->made);
	json_object_set_new(json_object_get(c->after, "attributes"),
	    "private_key", json_integer(e->id));
}

/* In its turn, which keychain_remote_ask() ends. */
static void
ask_remote(struct call *call, const json_t *pair)
{
	const struct setup *s = call->data;

	keychain_remote_ask(call, s->remote, s->attribute,
	    json_str(pair, "public_key", ""), submit);
}

static void
made(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct setup *s = call->data;

	s->made = keychain_made(reply);
	if (s->made != NULL && s->remote != NULL) {
		ask_remote(call, s->made);
		return;
	}
	keychain_leave();
	if (s->made == NULL)
		call_fail(call, reply->error != 0 ? reply->error : EIO,
		    "The keys could not be made: %s", reply->text);
	else
		submit(call, s->manual);
}

static void
make(struct call *call)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, "ssh-ed25519");
	wire_put_u32(&body, 0);
	op_worker(TASK_KEY_MAKE, &body, made, call);
	wire_free(&body);
}

/* The attributes of the pair that is there; NULL: it cannot be used. */
static const json_t *
existing(const struct setup *s)
{
	const json_t *entry =
	    store_get(core_store(), keychain_resource.name, s->pair);
	const json_t *attributes = json_object_get(entry, "attributes");

	return entry != NULL && keychain_is(entry, KEY_PAIR) &&
		json_is_string(json_object_get(attributes, "private_key")) ?
	    attributes :
	    NULL;
}

/* It may have had to wait: the pair may be gone by now. */
static void
begin(void *arg)
{
	struct call *call = arg;
	const struct setup *s = call->data;
	const json_t *pair;

	if (s->pair_name != NULL) {
		make(call);
		return;
	}
	if ((pair = existing(s)) != NULL) {
		ask_remote(call, pair);
		return;
	}
	keychain_leave();
	call_fail(call, ENOENT, "The key pair is gone");
}

/* --- Before anything is done ---------------------------------------------- */

static bool
is_free(struct call *call, const char *name, const char *attribute)
{
	json_t *value = json_string(name);
	bool is = entry_by(&keychain_resource, "name", value) == -1;

	json_decref(value);
	if (!is)
		call_fail_attribute(call, EEXIST, attribute,
		    "A credential with this name already exists");
	return is;
}

static bool
refuse(struct call *call, const char *attribute, const char *text)
{
	call_fail_attribute(call, EINVAL, attribute, "%s", text);
	return false;
}

/* What is given for the one kind of setup and not for the other. */
static bool
check_kind(struct call *call, const struct setup *s)
{
	const json_t *given = call_param(call, 0);
	bool semi = strcmp(json_str(given, "setup_type", ""), "MANUAL") != 0;
	const char *wanted = semi ? SEMI : "manual_setup";
	const char *other = semi ? "manual_setup" : SEMI;
	char path[64];

	snprintf(path, sizeof(path), ATTRIBUTE "%s", wanted);
	if (s->manual == NULL && !json_is_object(s->remote))
		return refuse(call, path, "Field required");
	if (s->manual != NULL && !json_is_object(s->manual))
		return refuse(call, path, "Field required");
	snprintf(path, sizeof(path), ATTRIBUTE "%s", other);
	if (json_is_object(json_object_get(given, other)))
		return refuse(call, path, "Extra inputs are not permitted");
	return true;
}

static bool
check_key(struct call *call, const struct setup *s)
{
	const json_t *key = json_object_get(call_param(call, 0), "private_key");

	if (s->pair_name != NULL && *s->pair_name == '\0')
		return refuse(
		    call, ATTRIBUTE "private_key.name", "Field required");
	if (s->pair_name == NULL &&
	    !json_is_integer(json_object_get(key, "existing_key_id")))
		return refuse(call, ATTRIBUTE "private_key.existing_key_id",
		    "Field required");
	return is_free(call, s->name, ATTRIBUTE "connection_name") &&
	    (s->pair_name == NULL ||
		is_free(call, s->pair_name, ATTRIBUTE "private_key.name"));
}

/* Nobody over there is to get a key that cannot be kept here. */
static bool
check_remote(struct call *call, const struct setup *s, const char *attribute)
{
	if (s->pair_name == NULL && existing(s) == NULL)
		return refuse(call, attribute,
		    "There is no key pair with this id and a private key");
	return keychain_remote_valid(call, s->remote, s->attribute) &&
	    keychain_allowed(call);
}

void
keychain_setup_run(struct call *call)
{
	const struct setup *s = setup_new(call);

	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else if (!check_kind(call, s) || !check_key(call, s) ||
	    (s->remote != NULL &&
		!check_remote(
		    call, s, ATTRIBUTE "private_key.existing_key_id")))
		return;
	else if (s->remote == NULL && s->pair_name == NULL)
		submit(call, s->manual);
	else
		keychain_enter(call, begin);
}

void
keychain_remote_run(struct call *call)
{
	const struct setup *s = setup_new(call);

	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else if (is_free(call, s->name, "data.name") &&
	    check_remote(call, s, "data.private_key"))
		keychain_enter(call, begin);
}
