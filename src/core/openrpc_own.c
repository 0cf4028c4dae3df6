/*
 * Of the API what is Holdfast's own, for api/holdfast.json.
 */
#include <stdlib.h>
#include <string.h>

#include "core/openrpc.h"
#include "core/openrpc_internal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define MODELS_PATH "#/$defs/"

struct own {
	json_t *fields;
	const char *kind, *name; /* "method" or "model", whose members */
};

static void walk(struct own *, json_t *schema, const char *path);

static void
walk_below(struct own *own, json_t *schema, const char *path, const char *key)
{
	char *longer;

	if (schema == NULL)
		return;
	longer = xasprintf("%s%s%s", path, *path == '\0' ? "" : ".", key);
	walk(own, schema, longer);
	free(longer);
}

/* The members of a schema that are marked as own, wherever they stand. */
static void
walk(struct own *own, json_t *schema, const char *path)
{
	static const char *const lists[] = { "allOf", "anyOf", "oneOf" };
	const char *key;
	json_t *one;
	size_t i, j;

	if (json_bool(schema, "x-own", false)) {
		json_array_append_new(own->fields,
		    json_pack("{s:s, s:s, s:O}", own->kind, own->name, "path",
			path, "schema", schema));
		return;
	}
	json_object_foreach(json_object_get(schema, "properties"), key, one)
		walk_below(own, one, path, key);
	walk_below(own, json_object_get(schema, "items"), path, "*");
	walk_below(
	    own, json_object_get(schema, "additionalProperties"), path, "*");
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		json_array_foreach(json_object_get(schema, lists[i]), j, one)
			walk(own, one, path);
}

/* In the form of the API's data: name, auth, roles, params, result. */
static json_t *
own_method(json_t *m)
{
	json_t *list = json_array(), *param, *own;
	const char *audit = json_str(m, "x-audit", NULL);
	size_t i;

	json_array_foreach(json_object_get(m, "params"), i, param)
		json_array_append_new(list,
		    json_pack("{s:O, s:O, s:O}", "name",
			json_object_get(param, "name"), "required",
			json_object_get(param, "required"), "schema",
			json_object_get(param, "schema")));
	own = json_pack("{s:O, s:O, s:O, s:O, s:s*, s:o, s:O}", "name",
	    json_object_get(m, "name"), "doc", json_object_get(m, "summary"),
	    "auth", json_object_get(m, "x-auth"), "roles",
	    json_object_get(m, "x-roles"), "audit", audit, "params", list,
	    "result", json_object_get(json_object_get(m, "result"), "schema"));
	if (json_bool(m, "x-job", false))
		json_object_set_new(own, "job", json_object());
	return own;
}

static void
own_fields(struct own *own, json_t *m)
{
	json_t *param;
	size_t i;

	own->kind = "method";
	own->name = json_str(m, "name", "");
	json_array_foreach(json_object_get(m, "params"), i, param)
		walk(own, json_object_get(param, "schema"),
		    json_str(param, "name", ""));
	walk(own, json_object_get(json_object_get(m, "result"), "schema"),
	    "result");
}

/* Takes along the models that a value refers to, and those that these do. */
static void
take_models(json_t *value, json_t *all, json_t *defs)
{
	const char *key, *name;
	json_t *one, *model;
	size_t i;

	json_array_foreach(value, i, one)
		take_models(one, all, defs);
	json_object_foreach(value, key, one) {
		take_models(one, all, defs);
		if (strcmp(key, "$ref") != 0 || !json_is_string(one))
			continue;
		name = json_string_value(one) + strlen(MODELS_PATH);
		model = json_object_get(all, name);
		if (model == NULL || json_object_get(defs, name) != NULL)
			continue;
		json_object_set(defs, name, model);
		take_models(model, all, defs);
	}
}

static json_t *
own_events(void)
{
	json_t *all = openrpc_events(), *list = json_array(), *e;
	size_t i;

	json_array_foreach(all, i, e)
		if (json_bool(e, "x-own", false))
			json_array_append_new(list,
			    json_pack("{s:O, s:O, s:O, s:O}", "name",
				json_object_get(e, "name"), "doc",
				json_object_get(e, "description"), "auth",
				json_object_get(e, "x-auth"), "roles",
				json_object_get(e, "x-roles")));
	json_decref(all);
	return list;
}

json_t *
openrpc_own(void)
{
	struct schema_models models = { json_object(), MODELS_PATH };
	json_t *all = openrpc_methods(&models), *methods = json_array();
	json_t *defs = json_object(), *document, *m, *events = own_events();
	struct own own = { .fields = json_array() };
	size_t i;

	json_array_foreach(all, i, m) {
		if (json_bool(m, "x-own", false))
			json_array_append_new(methods, own_method(m));
		else
			own_fields(&own, m);
	}
	own.kind = "model";
	json_object_foreach(models.schemas, own.name, m)
		walk(&own, m, "");
	document = json_pack("{s:o, s:o, s:o, s:O}", "methods", methods,
	    "events", events, "fields", own.fields, "$defs", defs);
	take_models(methods, models.schemas, defs);
	take_models(own.fields, models.schemas, defs);
	json_decref(defs);
	json_decref(all);
	json_decref(models.schemas);
	return document;
}
