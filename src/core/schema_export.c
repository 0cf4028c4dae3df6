/*
 * Rows as JSON Schema: in the form in which core.get_methods gives it, which
 * has members of its own and says of an array what its first element is, or
 * in that of draft 7 (json-schema.org), where objects refer to their model.
 */
#include <stdlib.h>
#include <string.h>

#include "core/schema_internal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct form {
	enum schema_use use;
	struct schema_models *models; /* NULL: that of core.get_methods */
};

static json_t *export(const struct field *, const struct form *, bool required);
static json_t *shape(const struct field *, const struct form *);

static void
set(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static void
set_integer(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

static json_t *
choices(const struct field *f)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < schema_choice_count(f); i++)
		json_array_append_new(list, json_string(f->choices[i]));
	return list;
}

static void
put_length(json_t *schema, const struct field *f, const struct form *form)
{
	int64_t max = f->max;

	/* core.get_methods does not say the limits that every text has. */
	if (form->models == NULL && (max == STRING_MAX || max == STRING_LONG))
		max = 0;
	else if (form->models != NULL && form->use != SCHEMA_RESULT)
		max = schema_text_max(f);
	if (f->min > 0)
		set_integer(schema, "minLength", f->min);
	if (max > 0)
		set_integer(schema, "maxLength", max);
}

static void
put_string(json_t *schema, const struct field *f, const struct form *form)
{
	char *anchored;

	set(schema, "type", "string");
	if (f->type == F_ENUM || f->type == F_ENUMV) {
		json_object_set_new(schema, "enum", choices(f));
		return;
	}
	if (f->type == F_STR)
		put_length(schema, f, form);
	if (f->pattern != NULL && form->models == NULL) {
		set(schema, "pattern", f->pattern);
	} else if (f->pattern != NULL) {
		anchored = xasprintf("^(?:%s)$", f->pattern);
		set(schema, "pattern", anchored);
		free(anchored);
	}
}

static void
put_integer(json_t *schema, const struct field *f)
{
	set(schema, "type", "integer");
	if (f->min == 0 && f->max == 0)
		return;
	if (f->max != INT64_MAX)
		set_integer(schema, "maximum", f->max);
	if (f->min != INT64_MIN)
		set_integer(schema, "minimum", f->min);
}

/* The member that tells a union's variants apart. */
static json_t *
tag_member(const char *tag, const char *value, const struct form *form)
{
	json_t *member =
	    json_pack("{s:s, s:s}", "const", value, "type", "string");

	if (form->models == NULL)
		json_object_update_new(member,
		    json_pack("{s:s, s:s, s:b}", "title", tag, "_name_", tag,
			"_required_", 1));
	return member;
}

/* Members of an object or of one variant (tag not NULL). */
static void
put_members(json_t *schema, const struct field *fields, bool open,
    const struct form *form, const char *tag, const char *value)
{
	json_t *properties = json_object(), *required = json_array();
	json_t *order = json_array();
	const struct field *f;
	bool needed;

	set(schema, "type", "object");
	json_object_set_new(schema, "additionalProperties", json_boolean(open));
	if (tag != NULL) {
		json_object_set_new(
		    properties, tag, tag_member(tag, value, form));
		json_array_append_new(required, json_string(tag));
		json_array_append_new(order, json_string(tag));
	}
	for (f = fields; f != NULL && f->name != NULL; f++) {
		if (schema_hidden(f, form->use))
			continue;
		needed = form->use == SCHEMA_RESULT ||
		    (form->use == SCHEMA_ARGUMENT && (f->flags & FF_REQUIRED));
		json_object_set_new(
		    properties, f->name, export(f, form, needed));
		json_array_append_new(order, json_string(f->name));
		if (needed)
			json_array_append_new(required, json_string(f->name));
	}
	json_object_set_new(schema, "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(required);
	if (form->models == NULL)
		json_object_set(schema, "_attrs_order_", order);
	json_decref(order);
}

static void
put_array(json_t *schema, const struct field *f, const struct form *form)
{
	struct field single = schema_element(f);
	const struct field *element = f->type == F_ARRAY ? f->fields : &single;
	json_t *items;

	set(schema, "type", "array");
	if (f->min > 0)
		set_integer(schema, "minItems", f->min);
	if (f->max > 0)
		set_integer(schema, "maxItems", f->max);
	items = element != NULL ? shape(element, form) : json_object();
	json_object_set_new(schema, "items",
	    form->models == NULL ? json_pack("[o]", items) : items);
	if (f->flags & FF_SET)
		json_object_set_new(schema, "uniqueItems", json_true());
}

/* An array, to core.get_methods; else as it is on the wire. */
static json_t *
set_of(const struct field *f, const struct form *form)
{
	json_t *list = json_object();

	put_array(list, f, form);
	if (form->models == NULL)
		return list;
	return json_pack("{s:s, s:b, s:{s:o}, s:[s]}", "type", "object",
	    "additionalProperties", 0, "properties", "$set", list, "required",
	    "$set");
}

static void
put_union(json_t *schema, const struct field *f, const struct form *form)
{
	json_t *list = json_array(), *one;
	const struct variant *v;

	for (v = f->variants; v->value != NULL; v++) {
		one = json_object();
		put_members(one, v->fields, (f->flags & FF_OPEN) != 0, form,
		    f->tag, v->value);
		set(one, "title", v->value);
		json_array_append_new(list, one);
	}
	json_object_set_new(schema, "oneOf", list);
	json_object_set_new(schema, "discriminator",
	    json_pack("{s:s}", "propertyName", f->tag));
}

static void
put_constant(json_t *schema, const struct field *f)
{
	json_t *value = schema_default(f);
	const char *type = "object";

	if (json_is_null(value)) {
		set(schema, "type", "null");
		json_decref(value);
		return;
	}
	if (json_is_string(value))
		type = "string";
	else if (json_is_integer(value))
		type = "integer";
	else if (json_is_boolean(value))
		type = "boolean";
	set(schema, "type", type);
	json_object_set_new(schema, "const", value);
}

static json_t *
date(const struct form *form)
{
	if (form->models == NULL)
		return json_pack(
		    "{s:s, s:s}", "type", "string", "format", "date-time");
	/* As it is on the wire. */
	return json_pack("{s:s, s:b, s:{s:{s:s}}, s:[s]}", "type", "object",
	    "additionalProperties", 0, "properties", "$date", "type", "integer",
	    "required", "$date");
}

/*
 * A reference to the model of that name, which is this schema (stolen); the
 * schema itself when the name already stands for another one.
 */
static json_t *
model(struct schema_models *models, const char *name, json_t *schema)
{
	json_t *known = json_object_get(models->schemas, name), *reference;
	char *path;

	if (known != NULL && !json_equal(known, schema))
		return schema;
	json_object_set_new(models->schemas, name, schema);
	path = xasprintf("%s%s", models->path, name);
	reference = json_pack("{s:s}", "$ref", path);
	free(path);
	return reference;
}

/* What a row accepts, without its name. */
static json_t *
shape_of_type(const struct field *f, const struct form *form)
{
	json_t *schema;

	if (f->flags & FF_DATE)
		return date(form);
	if (f->flags & FF_SET)
		return set_of(f, form);
	schema = json_object();
	switch (f->type) {
	case F_BOOL:
		set(schema, "type", "boolean");
		break;
	case F_INT:
		put_integer(schema, f);
		break;
	case F_STR:
	case F_ENUM:
		put_string(schema, f, form);
		break;
	case F_STRV:
	case F_ENUMV:
	case F_ARRAY:
		put_array(schema, f, form);
		break;
	case F_OBJECT:
		put_members(schema, f->fields, (f->flags & FF_OPEN) != 0, form,
		    NULL, NULL);
		if (form->models != NULL && f->model != NULL)
			schema = model(form->models, f->model, schema);
		break;
	case F_DICT:
		set(schema, "type", "object");
		json_object_set_new(schema, "additionalProperties",
		    f->fields != NULL ? shape(f->fields, form) : json_true());
		break;
	case F_UNION:
		put_union(schema, f, form);
		break;
	case F_INT_OR_STR:
		json_object_set_new(schema, "anyOf",
		    json_pack(
			"[{s:s}, {s:s}]", "type", "integer", "type", "string"));
		break;
	case F_CONST:
		put_constant(schema, f);
		break;
	case F_ANY:
		break;
	}
	return schema;
}

static json_t *
shape(const struct field *f, const struct form *form)
{
	json_t *inner, *schema, *list;

	if (form->use == SCHEMA_RESULT && f->shown != NULL)
		return shape(f->shown, form);
	inner = shape_of_type(f, form);
	if (!(f->flags & FF_NULL) ||
	    (f->type == F_ANY && !(f->flags & FF_DATE)))
		return inner;
	schema = json_object();
	list = json_incref(json_object_get(inner, "anyOf"));
	if (list == NULL)
		list = json_pack("[O]", inner);
	json_decref(inner);
	json_array_append_new(list, json_pack("{s:s}", "type", "null"));
	json_object_set_new(schema, "anyOf", list);
	return schema;
}

/* What draft 7 says of a member, and what Holdfast adds for forms. */
static void
put_notes(json_t *schema, const struct field *f, const struct form *form)
{
	if ((f->flags & FF_READONLY) && form->use == SCHEMA_RESULT)
		json_object_set_new(schema, "readOnly", json_true());
	if (f->flags & FF_OWN)
		json_object_set_new(schema, "x-own", json_true());
	if (f->flags & FF_UNBUILT)
		json_object_set_new(schema, "x-unbuilt", json_true());
	if (f->label != NULL)
		set(schema, "x-label", f->label);
	if (f->unit != NULL)
		set(schema, "x-unit", f->unit);
	if (f->source != NULL)
		set(schema, "x-source", f->source);
}

/* Draft 7 ignores what stands beside a $ref. */
static json_t *
beside_reference(json_t *schema)
{
	if (json_object_get(schema, "$ref") == NULL)
		return schema;
	return json_pack("{s:[o]}", "allOf", schema);
}

/* Adds to a row's shape what is known of it by name; steals the shape. */
static json_t *
describe(json_t *schema, const struct field *f, const struct form *form,
    bool required)
{
	json_t *def = NULL;

	if (form->models == NULL) {
		set(schema, "title", f->name);
		set(schema, "_name_", f->name);
		json_object_set_new(
		    schema, "_required_", json_boolean(required));
	} else {
		schema = beside_reference(schema);
		put_notes(schema, f, form);
	}
	if ((f->flags & FF_SECRET) && form->use != SCHEMA_RESULT)
		json_object_set_new(schema, "writeOnly", json_true());
	if (f->doc != NULL)
		set(schema, "description", f->doc);
	if (form->use == SCHEMA_ARGUMENT && !required && f->type != F_CONST)
		def = schema_default(f);
	if (def != NULL)
		json_object_set_new(schema, "default", def);
	return schema;
}

static json_t *export(
    const struct field *f, const struct form *form, bool required)
{
	struct form below = *form;

	/* Only the outermost object of an update is partial. */
	if (form->use == SCHEMA_UPDATE)
		below.use = SCHEMA_ARGUMENT;
	return describe(shape(f, &below), f, form, required);
}

static json_t *
export_whole(const struct field *f, const struct form *form)
{
	bool required = form->use == SCHEMA_RESULT || (f->flags & FF_REQUIRED);
	struct form whole = *form;

	if (form->use != SCHEMA_UPDATE || f->type != F_OBJECT)
		return export(f, form, required);
	/* Any subset of its members, each of them whole. */
	whole.use = SCHEMA_ARGUMENT;
	return describe(shape(f, form), f, &whole, required);
}

json_t *
schema_export(const struct field *f, enum schema_use use)
{
	return export_whole(f, &(struct form){ .use = use });
}

json_t *
schema_export_standard(
    const struct field *f, enum schema_use use, struct schema_models *models)
{
	return export_whole(f, &(struct form){ .use = use, .models = models });
}
