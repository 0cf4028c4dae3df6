/*
 * What all .query and .get_instance methods share.
 */
#include "core/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter.h"
#include "lib/json.h"

/* clang-format off */
static const struct field string_element[] = {
	{ .name = "item", .type = F_STR }, FIELD_END
};

const struct field query_option_fields[] = {
	{ .name = "extra", .type = F_DICT, .def = "{}",
	  .doc = "Options of the method's own." },
	{ .name = "order_by", .type = F_ARRAY, .fields = string_element,
	  .def = "[]", .doc = "Fields to sort by, the last one first; "
	  "\"-\" before a name turns the order around." },
	{ .name = "select", .type = F_ARRAY, .def = "[]",
	  .doc = "Fields to return; a pair gives one another name." },
	{ .name = "count", .type = F_BOOL, .def = "false",
	  .doc = "Return the number of entries." },
	{ .name = "get", .type = F_BOOL, .def = "false",
	  .doc = "Return the first entry; an error when there is none." },
	{ .name = "offset", .type = F_INT, .def = "0",
	  .doc = "Entries to leave out at the beginning." },
	{ .name = "limit", .type = F_INT, .def = "0",
	  .doc = "Entries to return at most; 0: all." },
	{ .name = "force_sql_filters", .type = F_BOOL, .def = "false",
	  .doc = "Evaluate with the differences of SQL." },
	FIELD_END
};

const struct field query_params[] = {
	{ .name = "filters", .type = F_ARRAY, .def = "[]",
	  .doc = "Conditions that an entry must meet: [field, operator, "
	  "value], all of them; [\"OR\", [...]] for one of several." },
	{ .name = "options", .type = F_OBJECT, .fields = query_option_fields,
	  .model = "QueryOptions", .def = "{}",
	  .doc = "What to return of them, and in which order." },
	FIELD_END
};
/* clang-format on */

void
query_fail_none(struct call *call)
{
	static const char none[] = "MatchNotFound";
	json_t *error = call_method_error(EINVAL, "MatchNotFound()", NULL);

	/* A class of its own, as clients tell it from other errors. */
	json_object_set_new(
	    json_object_get(json_object_get(error, "data"), "trace"), "class",
	    json_string(none));
	call_refuse(call, error);
}

void
query_fail_problem(
    struct call *call, const char *attribute, const char *problem)
{
	struct verr *errors = verr_new();

	verr_add(errors, attribute, "Value error, %s", problem);
	call_fail_invalid(call, errors);
}

/* What values of the field have an order with; NULL: it is not known. */
static const char *
comparable(const struct field *f, const json_t *operand)
{
	if (f->shown != NULL)
		f = f->shown;
	if (f->flags & FF_DATE)
		return json_is_object(operand) ? NULL : "a time (.$date)";
	switch (f->type) {
	case F_INT:
	case F_BOOL:
		return json_is_number(operand) || json_is_boolean(operand) ?
		    NULL :
		    "a number";
	case F_STR:
	case F_ENUM:
		return json_is_string(operand) ? NULL : "a text";
	default:
		return NULL;
	}
}

struct comparing {
	const struct field *fields;
	struct verr *errors;
};

static void
check_compared(const char *name, const json_t *operand, void *arg)
{
	const struct comparing *c = arg;
	const struct field *f;
	const char *needed;

	for (f = c->fields; f->name != NULL; f++) {
		needed =
		    strcmp(f->name, name) == 0 ? comparable(f, operand) : NULL;
		if (needed != NULL)
			verr_add(c->errors, "filters",
			    "Value error, %s can only be compared with %s",
			    name, needed);
	}
}

/*
 * A number is neither greater nor less than a text.  That nothing is found
 * then would look like an answer: where the table says of which type the
 * members are, it is an error.
 */
static void
check_types(const struct field *result, const struct filter *filter,
    struct verr *errors)
{
	struct comparing c = { .errors = errors };

	if (filter == NULL || result == NULL || result->type != F_ARRAY ||
	    result->fields == NULL || result->fields->type != F_OBJECT)
		return;
	c.fields = result->fields->fields;
	if (c.fields != NULL)
		filter_compared(filter, check_compared, &c);
}

static int
put_entry(const struct call *call, query_text *text_of, const json_t *entry,
    struct wire_out *out)
{
	size_t len;
	const char *text = text_of(call, entry, &len);

	if (text == NULL)
		return json_write(entry, out);
	wire_put_raw(out, text, len);
	return 0;
}

static int
put_entries(const struct call *call, query_text *text_of, const json_t *result,
    struct wire_out *out)
{
	json_t *entry;
	size_t i;

	if (json_is_object(result))
		return put_entry(call, text_of, result, out);
	wire_put_raw(out, "[", 1);
	json_array_foreach(result, i, entry) {
		if (i > 0)
			wire_put_raw(out, ",", 1);
		if (put_entry(call, text_of, entry, out) == -1)
			return -1;
	}
	wire_put_raw(out, "]", 2); /* with the end of the text */
	return 0;
}

/* Whole entries have their text already: it is put together from theirs. */
static void
reply_texts(struct call *call, query_text *text_of, json_t *result)
{
	struct wire_out out = { 0 };

	if (put_entries(call, text_of, result, &out) == 0) {
		if (json_is_object(result))
			wire_put_u8(&out, '\0');
		call_reply_text(call, (const char *)out.data);
		json_decref(result);
	} else
		call_reply(call, result);
	wire_free(&out);
}

/* Of the entries, or those that from gives; the other one is NULL. */
static void
reply(struct call *call, const json_t *entries, const struct query_from *from,
    const json_t *filters, const json_t *options)
{
	struct verr *errors = verr_new();
	struct query_options o;
	struct filter *filter;
	json_t *result, *found = NULL;

	filter = filter_parse_with(filters, options, "filters", errors);
	check_types(call->method->result, filter, errors);
	query_options_parse(options, "options", &o, errors);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		filter_free(filter);
		return;
	}
	verr_free(errors);
	if (from != NULL)
		entries = found = from->candidates(call, filter);
	result = query_run(entries, filter, &o);
	if (result != NULL && from != NULL && !o.count)
		reply_texts(call, from->text, result);
	else if (result != NULL)
		call_reply(call, result);
	else if (filter_problem(filter) != NULL)
		query_fail_problem(call, "filters", filter_problem(filter));
	else
		query_fail_none(call);
	json_decref(found);
	filter_free(filter);
}

void
query_reply(struct call *call, json_t *entries)
{
	reply(call, entries, NULL, call_param(call, 0), call_param(call, 1));
	json_decref(entries);
}

void
query_reply_from(struct call *call, const struct query_from *from)
{
	reply(call, NULL, from, call_param(call, 0), call_param(call, 1));
}

void
query_reply_instance(struct call *call, json_t *entry, const char *name)
{
	json_t *entries, *filters, *options;
	char *id;

	if (entry == NULL) {
		id = json_text(call_param(call, 0));
		call_fail_absent(call, "%s %s does not exist", name, id);
		free(id);
		return;
	}
	filters = json_array();
	options = json_copy((json_t *)(uintptr_t)call_param(call, 1));
	json_object_set_new(options, "get", json_true());
	json_object_del(options, "limit");
	json_object_del(options, "offset");
	entries = json_pack("[o]", entry);
	reply(call, entries, NULL, filters, options);
	json_decref(entries);
	json_decref(filters);
	json_decref(options);
}
