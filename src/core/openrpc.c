/*
 * The API as an OpenRPC document: see openrpc.h.
 */
#include "core/openrpc.h"

#include <string.h>

#include "core/event.h"
#include "core/openrpc_internal.h"
#include "core/privilege.h"
#include "core/resource.h"
#include "services/catalog.h"

#define OPENRPC_VERSION "1.3.2"
#define MODELS_PATH "#/components/schemas/"

/* clang-format off */
static const char *const auth_names[] = {
	[AUTH_NONE] = "none", [AUTH_SESSION] = "authenticated",
	[AUTH_ROLE] = "role"
};

/* What any method may answer; call.c and dispatch.c do. */
static const struct error {
	const char	*name, *message;
	int		 code;
	bool		 params;	/* of methods with parameters only */
} errors[] = {
	{ "InvalidParams", "Invalid params", -32602, true },
	{ "MethodCallError", "Method call error", -32001, false },
	{ "TooManyCalls", "Maximum number of concurrent calls (20) has "
	  "exceeded", -32000, false },
	{ NULL, NULL, 0, false }
};
/* clang-format on */

/* A parameter or a result; its sentence stands with it, not in its schema. */
static json_t *
descriptor(const char *name, const struct field *f, enum schema_use use,
    struct schema_models *models)
{
	json_t *schema = schema_export_standard(f, use, models), *d;

	d = json_pack("{s:s, s:s*, s:b}", "name", name, "description", f->doc,
	    "required", use == SCHEMA_RESULT || (f->flags & FF_REQUIRED) != 0);
	json_object_del(schema, "description");
	json_object_set_new(d, "schema", schema);
	return d;
}

static json_t *
params(const struct method *m, struct schema_models *models)
{
	json_t *list = json_array();
	const struct field *f;

	for (f = m->params; f != NULL && f->name != NULL; f++)
		json_array_append_new(
		    list, descriptor(f->name, f, method_params_use(m), models));
	return list;
}

/* The options of a query also make of it one entry or their number. */
static json_t *
result(const struct method *m, struct schema_models *models)
{
	json_t *d, *schema;

	if (m->result == NULL)
		return json_pack("{s:s, s:b, s:{s:s}}", "name", "result",
		    "required", 1, "schema", "type", "null");
	d = descriptor("result", m->result, SCHEMA_RESULT, models);
	if (m->kind != KIND_QUERY)
		return d;
	schema = json_pack("{s:[O, {s:s}, {s:s}]}", "anyOf",
	    json_object_get(d, "schema"), "type", "object", "type", "integer");
	json_object_set_new(d, "schema", schema);
	return d;
}

static json_t *
error_references(const struct method *m)
{
	json_t *list = json_array();
	const struct error *e;

	for (e = errors; e->name != NULL; e++)
		if (!e->params || m->params != NULL)
			json_array_append_new(list,
			    json_pack("{s:s+}", "$ref", "#/components/errors/",
				e->name));
	return list;
}

static json_t *
roles(enum method_auth auth, const char *const *names)
{
	return auth == AUTH_ROLE ? roles_that_grant(names) : json_array();
}

static json_t *
describe(const struct resource *r, const struct method *m,
    struct schema_models *models)
{
	/* clang-format off */
	return json_pack("{s:s, s:s, s:[{s:s}], s:s, s:o, s:o, s:o, s:s, s:o, "
	    "s:b, s:b, s:s*}",
	    "name", m->name, "summary", m->doc,
	    "tags", "name", r->name,
	    "paramStructure", "by-position",
	    "params", params(m, models), "result", result(m, models),
	    "errors", error_references(m),
	    "x-auth", auth_names[m->auth], "x-roles", roles(m->auth, m->roles),
	    "x-job", m->job, "x-own", m->own, "x-audit", m->audit);
	/* clang-format on */
}

static json_t *
error_components(void)
{
	json_t *all = json_object();
	const struct error *e;

	for (e = errors; e->name != NULL; e++)
		json_object_set_new(all, e->name,
		    json_pack(
			"{s:i, s:s}", "code", e->code, "message", e->message));
	return all;
}

json_t *
openrpc_methods(struct schema_models *models)
{
	json_t *list = json_array();
	const struct resource *const *r;
	const struct method *m;

	for (r = resources; *r != NULL; r++)
		for (m = (*r)->methods; m->name != NULL; m++)
			json_array_append_new(list, describe(*r, m, models));
	return list;
}

/* What core.subscribe takes; OpenRPC has no word for events. */
json_t *
openrpc_events(void)
{
	json_t *list = json_array();
	const struct event *e;
	size_t i;

	for (i = 0; (e = event_at(i)) != NULL; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:o, s:b}", "name", e->name,
			"description", e->doc, "x-auth", auth_names[e->auth],
			"x-roles", roles(e->auth, e->roles), "x-own", e->own));
	return list;
}

/* The names that service.control takes. */
static json_t *
service_names(void)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < service_count; i++)
		json_array_append_new(list, json_string(services[i].name));
	return list;
}

json_t *
openrpc_document(void)
{
	struct schema_models models = { json_object(), MODELS_PATH };
	json_t *methods = openrpc_methods(&models);

	/* clang-format off */
	return json_pack("{s:s, s:{s:s, s:s, s:s}, s:o, s:{s:o, s:o}, s:o, "
	    "s:o}",
	    "openrpc", OPENRPC_VERSION,
	    "info", "title", "Holdfast", "version", HF_VERSION, "description",
	    "JSON-RPC 2.0 over WebSocket, at /api/current over TLS and on the "
	    "Unix socket of the machine.",
	    "methods", methods,
	    "components", "schemas", models.schemas,
	    "errors", error_components(),
	    "x-events", openrpc_events(), "x-services", service_names());
	/* clang-format on */
}
