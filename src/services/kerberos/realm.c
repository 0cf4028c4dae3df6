/*
 * kerberos.realm.*: the realms, and where their servers are.
 */
#include <errno.h>

#include "core/call.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/query.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/kerberos/kerberos.h"
#include "services/kerberos/krb5_conf.h"

#define SERVERS_MAX 32
#define HOST "([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?|\\[[0-9A-Fa-f:.]+\\])"
#define SERVER HOST "(:[0-9]{1,5})?"
#define SERVER_MESSAGE                                                         \
	"This is neither a host's name or address, nor one "                   \
	"with a port (\"kdc.example:88\", \"[2001:db8::1]:88\")"

/* clang-format off */
static const struct field server[] = {
	{ .name = "server", .type = F_STR, .min = 1, .max = 261,
	  .pattern = SERVER, .pattern_message = SERVER_MESSAGE },
	FIELD_END
};

#define SERVERS_ROW(n, l, text)						\
	{ .name = n, .type = F_ARRAY, .fields = server, .def = "[]",	\
	  .max = SERVERS_MAX, .label = l, .source = "krb5.conf(5)",	\
	  .doc = text }

static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "realm", .type = F_STR, .min = 1, .max = 255,
	  .flags = FF_REQUIRED | FF_UNIQUE | FF_GRANTS, .label = "Realm",
	  .pattern = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?",
	  .pattern_message = "A realm is named like a domain, by custom in "
	  "capitals", .source = "krb5.conf(5)",
	  .doc = "Its name; the first realm is the default one." },
	{ .name = "primary_kdc", .type = F_STR, .def = "null", .min = 1,
	  .max = 261, .flags = FF_NULL, .pattern = SERVER,
	  .pattern_message = SERVER_MESSAGE, .label = "Primary KDC",
	  .source = "krb5.conf(5)",
	  .doc = "Which KDC knows new passwords first." },
	SERVERS_ROW("kdc", "KDC",
	    "Its servers of tickets; none: as DNS names them."),
	SERVERS_ROW("admin_server", "Admin Server",
	    "Where principals are administered."),
	SERVERS_ROW("kpasswd_server", "Password Server",
	    "Where passwords are changed."),
	IF_REVISION_ROW,
	FIELD_END
};

static const struct field create_params[] = {
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .model = "KerberosRealmCreate",
	  .doc = "The new realm." },
	FIELD_END
};
static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the realm." },
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .model = "KerberosRealmUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};
static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = fields, .model = "KerberosRealmEntry", .doc = "The realm." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The realms." };
/* clang-format on */

/* --- What a change may do ------------------------------------------------- */

bool
kerberos_allowed(struct change *c, const char *attribute)
{
	if (c->full_admin)
		return true;
	verr_add_errno(c->errors, EPERM, attribute,
	    "Who says whose tickets are believed can log in as anybody: that "
	    "takes the role FULL_ADMIN");
	return false;
}

static void
check(struct change *c)
{
	kerberos_allowed(c, c->verb == CHANGE_DELETE ? NULL : "realm");
}

/* --- The file ------------------------------------------------------------- */

/* The eldest is the default one, in whatever order they are kept. */
char *
kerberos_render_conf(const struct change *c, char **whyp)
{
	json_t *all = change_view_all(c, &kerberos_realm_resource);
	json_t *ordered = json_array(), *eldest = NULL, *realm;
	char *text;
	size_t i;

	(void)whyp;
	json_array_foreach(all, i, realm)
		if (eldest == NULL ||
		    json_int(realm, "id", 0) < json_int(eldest, "id", 0))
			eldest = realm;
	if (eldest != NULL)
		json_array_append(ordered, eldest);
	json_array_foreach(all, i, realm)
		if (realm != eldest)
			json_array_append(ordered, realm);
	text = krb5_conf_render(ordered);
	json_decref(ordered);
	json_decref(all);
	return text;
}

/* --- Methods -------------------------------------------------------------- */

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "realm", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

static char *
id_suffix(const json_t *params)
{
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), kerberos_realm_resource.name,
		    json_integer_value(json_array_get(params, 0)));
	return stored != NULL ? xstrdup(json_str(stored, "realm", "")) : NULL;
}

static const char *const read_roles[] = { "DIRECTORY_SERVICE_READ", NULL };
static const char *const write_roles[] = { "DIRECTORY_SERVICE_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "kerberos.realm.create", .kind = KIND_CREATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = create_params,
	  .result = &entry, .audit = "Kerberos realm create:",
	  .audit_suffix = name_suffix, .doc = "Believes a realm's tickets.",
	  .run = resource_create_run },
	{ .name = "kerberos.realm.delete", .kind = KIND_DELETE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = id_params,
	  .audit = "Kerberos realm delete:",
	  .audit_suffix = id_suffix, .doc = "Forgets a realm.",
	  .run = resource_delete_run },
	{ .name = "kerberos.realm.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One realm.",
	  .run = resource_instance_run },
	{ .name = "kerberos.realm.query", .kind = KIND_QUERY,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = query_params,
	  .result = &entries, .doc = "The realms there are.",
	  .run = resource_query_run },
	{ .name = "kerberos.realm.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = &entry, .audit = "Kerberos realm update:",
	  .audit_suffix = id_suffix, .doc = "Changes a realm.",
	  .run = resource_update_run },
	METHOD_END
};

const struct resource kerberos_realm_resource = {
	.name = "kerberos.realm", .doc = "Kerberos realms.",
	.kind = RESOURCE_CRUD, .role_prefix = "DIRECTORY_SERVICE",
	.verbose_name = "KerberosRealm", .methods = methods, .fields = fields,
	.check = check, .changed = kerberos_review
};
/* clang-format on */
