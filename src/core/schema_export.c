/*
 * Rows as JSON Schema, in the form in which core.get_methods gives it.
 */
#include "core/schema_internal.h"

static json_t *export(const struct field *, enum schema_use, bool required);

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
put_string(json_t *schema, const struct field *f)
{
	set(schema, "type", "string");
	if (f->type == F_ENUM || f->type == F_ENUMV) {
		json_object_set_new(schema, "enum", choices(f));
		return;
	}
	/* The limits that every text has are not said. */
	if (f->type == F_STR && f->min > 0)
		set_integer(schema, "minLength", f->min);
	if (f->type == F_STR && f->max > 0 && f->max != STRING_MAX &&
	    f->max != STRING_LONG)
		set_integer(schema, "maxLength", f->max);
	if (f->pattern != NULL)
		set(schema, "pattern", f->pattern);
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

/* Members of an object or of one variant (tag not NULL). */
static void
put_members(json_t *schema, const struct field *fields, bool open,
    enum schema_use use, const char *tag, const char *value)
{
	json_t *properties = json_object(), *required = json_array();
	json_t *order = json_array();
	const struct field *f;
	bool needed;

	set(schema, "type", "object");
	json_object_set_new(schema, "additionalProperties", json_boolean(open));
	if (tag != NULL) {
		json_object_set_new(properties, tag,
		    json_pack("{s:s, s:s, s:s, s:s, s:b}", "const", value,
			"title", tag, "type", "string", "_name_", tag,
			"_required_", 1));
		json_array_append_new(required, json_string(tag));
		json_array_append_new(order, json_string(tag));
	}
	for (f = fields; f != NULL && f->name != NULL; f++) {
		if (schema_hidden(f, use))
			continue;
		needed = use == SCHEMA_RESULT ||
		    (use == SCHEMA_ARGUMENT && (f->flags & FF_REQUIRED));
		json_object_set_new(
		    properties, f->name, export(f, use, needed));
		json_array_append_new(order, json_string(f->name));
		if (needed)
			json_array_append_new(required, json_string(f->name));
	}
	json_object_set_new(schema, "properties", properties);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(required);
	json_object_set_new(schema, "_attrs_order_", order);
}

static json_t *shape(const struct field *, enum schema_use);

static void
put_array(json_t *schema, const struct field *f, enum schema_use use)
{
	json_t *element = json_object();

	set(schema, "type", "array");
	if (f->min > 0)
		set_integer(schema, "minItems", f->min);
	if (f->max > 0)
		set_integer(schema, "maxItems", f->max);
	if (f->type != F_ARRAY) {
		put_string(element, f);
	} else if (f->fields != NULL) {
		json_decref(element);
		element = shape(f->fields, use);
	}
	json_object_set_new(schema, "items", json_pack("[o]", element));
}

static void
put_union(json_t *schema, const struct field *f, enum schema_use use)
{
	json_t *list = json_array(), *one;
	const struct variant *v;

	for (v = f->variants; v->value != NULL; v++) {
		one = json_object();
		put_members(one, v->fields, (f->flags & FF_OPEN) != 0, use,
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

/* What a row accepts, without its name. */
static json_t *
shape_of_type(const struct field *f, enum schema_use use)
{
	json_t *schema = json_object();

	if (f->flags & FF_DATE) {
		set(schema, "type", "string");
		set(schema, "format", "date-time");
		return schema;
	}
	switch (f->type) {
	case F_BOOL:
		set(schema, "type", "boolean");
		break;
	case F_INT:
		put_integer(schema, f);
		break;
	case F_STR:
	case F_ENUM:
		put_string(schema, f);
		break;
	case F_STRV:
	case F_ENUMV:
	case F_ARRAY:
		put_array(schema, f, use);
		break;
	case F_OBJECT:
		put_members(schema, f->fields, (f->flags & FF_OPEN) != 0, use,
		    NULL, NULL);
		break;
	case F_DICT:
		set(schema, "type", "object");
		json_object_set_new(schema, "additionalProperties",
		    f->fields != NULL ? shape(f->fields, use) : json_true());
		break;
	case F_UNION:
		put_union(schema, f, use);
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
shape(const struct field *f, enum schema_use use)
{
	json_t *inner = shape_of_type(f, use), *schema, *list;

	if (!(f->flags & FF_NULL) || f->type == F_ANY)
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

static json_t *export(const struct field *f, enum schema_use use, bool required)
{
	/* Only the outermost object of an update is partial. */
	enum schema_use below = use == SCHEMA_UPDATE ? SCHEMA_ARGUMENT : use;
	json_t *schema = shape(f, below), *def;

	if (f->doc != NULL)
		set(schema, "description", f->doc);
	set(schema, "title", f->name);
	set(schema, "_name_", f->name);
	json_object_set_new(schema, "_required_", json_boolean(required));
	def = use == SCHEMA_ARGUMENT && !required ? schema_default(f) : NULL;
	if (def != NULL && f->type != F_CONST)
		json_object_set(schema, "default", def);
	json_decref(def);
	return schema;
}

json_t *
schema_export(const struct field *f, enum schema_use use)
{
	bool required = use == SCHEMA_RESULT || (f->flags & FF_REQUIRED);
	json_t *schema;

	if (use != SCHEMA_UPDATE || f->type != F_OBJECT)
		return export(f, use, required);
	/* Any subset of its members, each of them whole. */
	schema = export(f, SCHEMA_ARGUMENT, required);
	json_object_del(schema, "required");
	put_members(schema, f->fields, (f->flags & FF_OPEN) != 0, SCHEMA_UPDATE,
	    NULL, NULL);
	return schema;
}
