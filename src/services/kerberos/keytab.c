/*
 * kerberos.keytab.*: the keys by which this machine reads tickets.  A worker
 * reads what is sent; what is kept is what it found, and all of it together is
 * the machine's one keytab.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/op.h"
#include "core/query.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/keytab.h"
#include "lib/xalloc.h"
#include "services/kerberos/kerberos.h"

#define PRINCIPAL_MAX 2048

/* clang-format off */
static const struct field principal_fields[] = {
	{ .name = "principal", .type = F_STR, .max = PRINCIPAL_MAX,
	  .doc = "Whose key it is: \"host/nas.example@EXAMPLE\"." },
	{ .name = "version", .type = F_INT,
	  .doc = "Which of the principal's keys (kvno)." },
	{ .name = "encryption", .type = F_STR,
	  .doc = "What it is a key of; those of DES and RC4 are not used." },
	FIELD_END
};
static const struct field principal[] = {
	{ .name = "principal", .type = F_OBJECT, .fields = principal_fields,
	  .model = "KerberosKeytabPrincipal", .doc = "One key." },
	FIELD_END
};

static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "name", .type = F_STR, .min = 1, .max = STRING_MAX,
	  .flags = FF_REQUIRED | FF_UNIQUE, .label = "Name",
	  .doc = "What it is called here." },
	{ .name = "file", .type = F_STR, .min = 1, .max = STRING_LONG,
	  .flags = FF_REQUIRED | FF_NULL | FF_SECRET | FF_GRANTS,
	  .label = "Kerberos Keytab",
	  .source = "MIT Kerberos, Keytab file format",
	  .doc = "The keytab as Base64." },
	{ .name = "principals", .type = F_ARRAY, .fields = principal,
	  .def = "[]", .flags = FF_OWN | FF_READONLY | FF_KEPT,
	  .max = KEYTAB_ENTRIES, .label = "Principals",
	  .doc = "The keys that are in it." },
	IF_REVISION_ROW,
	FIELD_END
};

static const struct field create_params[] = {
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .model = "KerberosKeytabCreate",
	  .doc = "The new keytab." },
	FIELD_END
};
static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the keytab." },
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .model = "KerberosKeytabUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};
static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = fields, .model = "KerberosKeytabEntry",
	.doc = "The keytab." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The keytabs." };
/* clang-format on */

/* --- What a change may do ------------------------------------------------- */

static void
check(struct change *c)
{
	if (kerberos_allowed(c, c->verb == CHANGE_DELETE ? NULL : "file") &&
	    c->verb != CHANGE_DELETE &&
	    !json_is_string(json_object_get(c->after, "file")))
		verr_add(c->errors, "file", "Field required");
}

/* Its members into the entry; false: they are malformed. */
static bool
take(struct wire_in *in, json_t *after)
{
	json_t *principals = json_array();
	char *name, *encryption, *file = wire_get_str(in, KEYTAB_TEXT_MAX);
	uint32_t version;

	while (in->at < in->len && !in->bad) {
		name = wire_get_str(in, PRINCIPAL_MAX);
		version = wire_get_u32(in);
		encryption = wire_get_str(in, 64);
		if (!in->bad)
			json_array_append_new(principals,
			    json_pack("{s:s, s:I, s:s}", "principal", name,
				"version", (json_int_t)version, "encryption",
				encryption));
		free(name);
		free(encryption);
	}
	if (wire_end(in) == 0) {
		json_object_set_new(after, "file", json_string(file));
		json_object_set(after, "principals", principals);
	}
	json_decref(principals);
	freezero_str(file);
	return wire_end(in) == 0;
}

static void
known(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in in = reply->body;

	if (reply->error != 0)
		verr_add(c->errors, "file", "%s", reply->text);
	else if (!take(&in, c->after))
		verr_add(c->errors, "file", "The keytab could not be read");
	change_continue(c);
}

static void
lookup(struct change *c)
{
	const char *file = json_str(c->after, "file", "");
	struct wire_out body = { 0 };

	if (c->verb == CHANGE_DELETE || change_is_faulty(c) ||
	    json_equal(json_object_get(c->before, "file"),
		json_object_get(c->after, "file"))) {
		change_continue(c);
		return;
	}
	if (strlen(file) > KEYTAB_TEXT_MAX) {
		verr_add(c->errors, "file", "The keytab is too long");
		change_continue(c);
		return;
	}
	wire_put_str(&body, file);
	op_worker(TASK_KEYTAB_READ, &body, known, c);
	wire_free(&body);
}

/* --- The file ------------------------------------------------------------- */

/* One behind the other; each was read by the worker and has no hole. */
char *
kerberos_render_keytab(const struct change *c, char **whyp)
{
	json_t *all = change_view_all(c, &kerberos_keytab_resource), *keytab;
	struct wire_out out = { 0 };
	char *text = NULL;
	uint8_t *data;
	size_t i, len;

	if (json_array_size(all) > 0)
		wire_put_raw(&out, KEYTAB_MARK, strlen(KEYTAB_MARK));
	json_array_foreach(all, i, keytab) {
		data = base64_decode(
		    json_str(keytab, "file", ""), KEYTAB_MAX, &len);
		if (data == NULL || len < 2) {
			*whyp = xasprintf("the keytab \"%s\" is damaged",
			    json_str(keytab, "name", ""));
			freezero(data, len);
			break;
		}
		wire_put_raw(&out, data + 2, len - 2); /* the version */
		freezero(data, len);
	}
	if (i == json_array_size(all))
		text = base64_encode(out.data, out.len);
	wire_free(&out);
	json_decref(all);
	return text;
}

/* --- Methods -------------------------------------------------------------- */

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

static char *
id_suffix(const json_t *params)
{
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), kerberos_keytab_resource.name,
		    json_integer_value(json_array_get(params, 0)));
	return stored != NULL ? xstrdup(json_str(stored, "name", "")) : NULL;
}

static const char *const read_roles[] = { "DIRECTORY_SERVICE_READ", NULL };
static const char *const write_roles[] = { "DIRECTORY_SERVICE_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "kerberos.keytab.create", .kind = KIND_CREATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = create_params,
	  .result = &entry, .audit = "Kerberos keytab create:",
	  .audit_suffix = name_suffix, .doc = "Keeps a keytab.",
	  .run = resource_create_run },
	{ .name = "kerberos.keytab.delete", .kind = KIND_DELETE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = id_params,
	  .audit = "Kerberos keytab delete:", .audit_suffix = id_suffix,
	  .doc = "Removes a keytab.", .run = resource_delete_run },
	{ .name = "kerberos.keytab.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One keytab.",
	  .run = resource_instance_run },
	{ .name = "kerberos.keytab.query", .kind = KIND_QUERY,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = query_params,
	  .result = &entries, .doc = "The keytabs there are.",
	  .run = resource_query_run },
	{ .name = "kerberos.keytab.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = &entry, .audit = "Kerberos keytab update:",
	  .audit_suffix = id_suffix, .doc = "Changes a keytab.",
	  .run = resource_update_run },
	METHOD_END
};

const struct resource kerberos_keytab_resource = {
	.name = "kerberos.keytab", .doc = "Keys of Kerberos principals.",
	.kind = RESOURCE_CRUD, .role_prefix = "DIRECTORY_SERVICE",
	.verbose_name = "KerberosKeytab", .methods = methods, .fields = fields,
	.guarded = true, .check = check, .lookup = lookup,
	.changed = kerberos_review
};
/* clang-format on */
