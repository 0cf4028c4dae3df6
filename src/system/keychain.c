/*
 * keychaincredential.*: the SSH key pairs that this machine logs in elsewhere
 * with, and where it does.  What an entry's attributes are follows from its
 * type; they are a secret as a whole, as in the API.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/query.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"
#include "system/system.h"

#define IN_USE "This credential is used and no cascade option is specified"

/* clang-format off */
static const char *const types[] = { KEY_PAIR, CONNECTION, NULL };

const struct field key_pair_fields[] = {
	{ .name = "private_key", .type = F_STR, .def = "null",
	  .flags = FF_NULL, .max = KEY_TEXT_MAX - 1, .label = "Private Key",
	  .doc = "In a form of OpenSSH or PEM; null: only the public one." },
	{ .name = "public_key", .type = F_STR, .def = "null",
	  .flags = FF_NULL, .max = KEY_TEXT_MAX - 1, .label = "Public Key",
	  .doc = "One line of authorized_keys; null: as of the private one." },
	{ .name = "passphrase", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_OWN, .min = 1, .max = 1023,
	  .label = "Passphrase",
	  .doc = "What the private key is encrypted with; null: it is not." },
	FIELD_END
};

const struct field connection_fields[] = {
	HOST_ROW, PORT_ROW, USERNAME_ROW,
	{ .name = "private_key", .type = F_INT, .flags = FF_REQUIRED,
	  .label = "Private Key", .doc = "Id of the key pair's entry." },
	HOST_KEY_ROW, TIMEOUT_ROW, FIELD_END
};

#define NAME_ROW { .name = "name", .type = F_STR,			\
	.flags = FF_REQUIRED | FF_UNIQUE, .min = 1, .max = STRING_MAX,	\
	.label = "Name", .doc = "What it is called here." }
#define ATTRIBUTES_ROW(more) { .name = "attributes", .type = F_DICT,	\
	.flags = FF_SECRET | (more), .label = "Attributes",		\
	.doc = "What belongs to its type." }
#define ENTRY_ROWS							\
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,		\
	  .doc = "Id of the entry." },					\
	NAME_ROW,							\
	{ .name = "type", .type = F_ENUM, .choices = types,		\
	  .flags = FF_REQUIRED | FF_CREATE, .label = "Type",		\
	  .doc = "A key pair, or where to log in with one." },		\
	ATTRIBUTES_ROW(FF_REQUIRED)
#define OVERWRITE_ROW { .name = "overwrite", .type = F_BOOL,		\
	.def = "false", .flags = FF_OWN | FF_UNSTORED,			\
	.label = "Overwrite",						\
	.doc = "Put another key pair in the place of this one." }

static const struct field keychain_fields[] = {
	ENTRY_ROWS, OVERWRITE_ROW, IF_REVISION_ROW, FIELD_END
};
static const struct field create_fields[] = {
	ENTRY_ROWS, FIELD_END
};
static const struct field update_fields[] = {
	NAME_ROW, ATTRIBUTES_ROW(0), OVERWRITE_ROW, IF_REVISION_ROW, FIELD_END
};
static const struct field create_params[] = {
	{ .name = CREATE_PREFIX, .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = create_fields, .model = "KeychainCredentialCreate",
	  .doc = "The new credential." },
	FIELD_END
};
static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the credential." },
	{ .name = "keychain_credential_update", .type = F_OBJECT,
	  .flags = FF_REQUIRED, .fields = update_fields,
	  .model = "KeychainCredentialUpdate",
	  .doc = "What to change of it; attributes as a whole." },
	FIELD_END
};
static const struct field delete_options[] = {
	{ .name = "cascade", .type = F_BOOL, .def = "false",
	  .doc = "Remove what uses it as well." },
	FIELD_END
};
static const struct field delete_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the credential." },
	{ .name = "options", .type = F_OBJECT, .fields = delete_options,
	  .model = "KeychainCredentialDeleteOptions", .def = "{}",
	  .doc = "What goes with it." },
	FIELD_END
};

#define SHOWN_ROWS(rows)						\
	{ .name = "id", .type = F_INT, .doc = "Id of the entry." },	\
	{ .name = "name", .type = F_STR,				\
	  .doc = "What it is called here." },				\
	{ .name = "attributes", .type = F_OBJECT, .fields = rows,	\
	  .flags = FF_SECRET, .doc = "What belongs to its type." }
static const struct field pair_shown[] = {
	SHOWN_ROWS(key_pair_fields), FIELD_END
};
static const struct field connection_shown[] = {
	SHOWN_ROWS(connection_fields), FIELD_END
};
static const struct variant shown[] = {
	{ KEY_PAIR, pair_shown }, { CONNECTION, connection_shown }, { NULL }
};
const struct field keychain_shown = { .name = "result", .type = F_UNION,
	.tag = "type", .variants = shown, .flags = FF_REQUIRED,
	.doc = "The credential." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &keychain_shown, .doc = "The credentials." };

static const char *const unbind_methods[] = { "delete", "disable", NULL };
static const struct field user_fields[] = {
	{ .name = "title", .type = F_STR, .doc = "What uses it." },
	{ .name = "unbind_method", .type = F_ENUM, .choices = unbind_methods,
	  .doc = "What becomes of that with cascade." },
	FIELD_END
};
static const struct field user = { .name = "result", .type = F_OBJECT,
	.fields = user_fields, .model = "UsedKeychainCredential",
	.doc = "What uses it." };
static const struct field users = { .name = "result", .type = F_ARRAY,
	.fields = &user, .doc = "All that uses it." };
/* clang-format on */

bool
keychain_is(const json_t *entry, const char *type)
{
	return strcmp(json_str(entry, "type", ""), type) == 0;
}

json_t *
keychain_users(const struct change *c, int64_t pair)
{
	json_t *all = change_view_all(c, &keychain_resource), *entry;
	json_t *found = json_array();
	size_t i;

	json_array_foreach(all, i, entry)
		if (keychain_is(entry, CONNECTION) &&
		    json_int(json_object_get(entry, "attributes"),
			"private_key", -1) == pair)
			json_array_append(found, entry);
	json_decref(all);
	return found;
}

/* --- Methods -------------------------------------------------------------- */

const json_t *
keychain_stored(struct call *call)
{
	int64_t id = json_integer_value(call_param(call, 0));
	const json_t *stored;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return NULL;
	}
	stored = store_get(core_store(), keychain_resource.name, id);
	if (stored == NULL)
		call_fail_absent(call, "%s %lld does not exist",
		    keychain_resource.verbose_name, (long long)id);
	return stored;
}

static void
used_by_run(struct call *call)
{
	const json_t *stored = keychain_stored(call);
	json_t *found, *entry, *told;
	size_t i;
	char *title;

	if (stored == NULL)
		return;
	told = json_array();
	found = keychain_users(NULL, json_int(stored, "id", -1));
	json_array_foreach(found, i, entry) {
		title = xasprintf(
		    "SSH credentials %s", json_str(entry, "name", ""));
		json_array_append_new(told,
		    json_pack("{s:s, s:s}", "title", title, "unbind_method",
			"delete"));
		free(title);
	}
	json_decref(found);
	call_reply(call, told);
}

/* In the pipeline it is looked at again: keychain_check(). */
void
keychain_delete_run(struct call *call)
{
	const json_t *stored = keychain_stored(call);
	json_t *found;
	bool used;

	if (stored == NULL)
		return;
	found = keychain_users(NULL, json_int(stored, "id", -1));
	used = json_array_size(found) > 0;
	json_decref(found);
	if (used && !json_bool(call_param(call, 1), "cascade", false))
		call_fail_attribute(
		    call, EINVAL, "options.cascade", "%s", IN_USE);
	else
		resource_delete_run(call);
}

/* The name as it is before the change. */
static char *
id_suffix(const json_t *params)
{
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), keychain_resource.name,
		    json_integer_value(json_array_get(params, 0)));
	return stored != NULL ? xstrdup(json_str(stored, "name", "")) : NULL;
}

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

static const char *const read_roles[] = { "KEYCHAIN_CREDENTIAL_READ", NULL };
static const char *const write_roles[] = { "KEYCHAIN_CREDENTIAL_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "keychaincredential.create", .kind = KIND_CREATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = create_params,
	  .result = &keychain_shown, .audit = "Create Keychain Credential:",
	  .audit_suffix = name_suffix,
	  .doc = "Keeps a key pair, or where to log in with one.",
	  .run = resource_create_run },
	{ .name = "keychaincredential.delete", .kind = KIND_DELETE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = delete_params,
	  .audit = "Delete Keychain Credential:", .audit_suffix = id_suffix,
	  .doc = "Removes a credential.", .run = keychain_delete_run },
	{ .name = "keychaincredential.generate_ssh_key_pair",
	  .auth = AUTH_ROLE, .roles = write_roles,
	  .params = keychain_generate_params, .result = &keychain_generated,
	  .doc = "Makes a key pair and keeps nothing of it.",
	  .run = keychain_generate_run },
	{ .name = "keychaincredential.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &keychain_shown, .doc = "One credential.",
	  .run = resource_instance_run },
	{ .name = "keychaincredential.query", .kind = KIND_QUERY,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = query_params,
	  .result = &entries, .doc = "The credentials there are.",
	  .run = resource_query_run },
	{ .name = "keychaincredential.remote_ssh_host_key_scan",
	  .auth = AUTH_ROLE, .roles = write_roles,
	  .params = keychain_scan_params, .result = &keychain_scanned,
	  .audit = "Scan SSH host keys:",
	  .audit_suffix = keychain_scan_suffix,
	  .doc = "The keys that another machine's SSH server has.",
	  .run = keychain_scan_run },
	{ .name = "keychaincredential.remote_ssh_semiautomatic_setup",
	  .auth = AUTH_ROLE, .roles = write_roles,
	  .params = keychain_remote_params, .result = &keychain_shown,
	  .audit = "SSH Semi-automatic Setup:",
	  .audit_suffix = keychain_setup_suffix,
	  .doc = "Keeps a connection that the other machine is made ready for.",
	  .run = keychain_remote_run },
	{ .name = "keychaincredential.setup_ssh_connection",
	  .auth = AUTH_ROLE, .roles = write_roles,
	  .params = keychain_setup_params, .result = &keychain_shown,
	  .audit = "Setup SSH Connection:",
	  .audit_suffix = keychain_setup_suffix,
	  .doc = "Keeps a connection, and a new key pair for it if wanted.",
	  .run = keychain_setup_run },
	{ .name = "keychaincredential.stale", .auth = AUTH_ROLE, .own = true,
	  .roles = read_roles, .params = keychain_stale_params,
	  .result = &keychain_stale_result,
	  .doc = "The credentials that should be looked at, and why.",
	  .run = keychain_stale_run },
	{ .name = "keychaincredential.test", .auth = AUTH_ROLE, .own = true,
	  .roles = write_roles, .params = id_params, .job = true,
	  .result = &keychain_tested, .audit = "Test SSH Connection:",
	  .audit_suffix = id_suffix, .accept = keychain_test_accept,
	  .doc = "Logs in on the other machine and out again.",
	  .run = keychain_test_run },
	{ .name = "keychaincredential.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = &keychain_shown, .audit = "Update Keychain Credential:",
	  .audit_suffix = id_suffix, .doc = "Changes a credential.",
	  .run = resource_update_run },
	{ .name = "keychaincredential.used_by", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = id_params, .result = &users,
	  .doc = "What uses a credential.", .run = used_by_run },
	METHOD_END
};

const struct resource keychain_resource = {
	.name = "keychaincredential",
	.doc = "SSH key pairs, and where to log in with them.",
	.kind = RESOURCE_CRUD, .role_prefix = "KEYCHAIN_CREDENTIAL",
	.verbose_name = "KeychainCredential", .methods = methods,
	.fields = keychain_fields, .check = keychain_check,
	.lookup = keychain_lookup, .changed = keychain_state_review
};
/* clang-format on */
