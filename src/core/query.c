/*
 * What all .query and .get_instance methods share.
 */
#include "core/query.h"

#include <errno.h>
#include <stdlib.h>

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

static void
reply(struct call *call, json_t *entries, const json_t *filters,
    const json_t *options)
{
	struct verr *errors = verr_new();
	struct query_options o;
	struct filter *filter = filter_parse(filters, "filters", errors);
	json_t *result;

	query_options_parse(options, "options", &o, errors);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		goto out;
	}
	verr_free(errors);
	result = query_run(entries, filter, &o);
	if (result == NULL)
		call_fail(call, EINVAL, "No entry matches");
	else
		call_reply(call, result);
out:
	filter_free(filter);
	json_decref(entries);
}

void
query_reply(struct call *call, json_t *entries)
{
	reply(call, entries, call_param(call, 0), call_param(call, 1));
}

void
query_reply_instance(struct call *call, json_t *entry, const char *name)
{
	json_t *filters, *options;
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
	reply(call, json_pack("[o]", entry), filters, options);
	json_decref(filters);
	json_decref(options);
}
