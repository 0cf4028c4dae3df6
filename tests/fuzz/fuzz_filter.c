/*
 * libFuzzer: query filters and options of any shape never crash, and their
 * evaluation leaves the entries as they were.  Input: a JSON array of the
 * two parameters of a .query method.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/filter.h"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char entries_text[] =
    "[{\"id\":1,\"name\":\"daemon\",\"uid\":3000,\"smb\":true,"
    "\"tags\":[\"a\",\"B\"],\"p\":{\"q\":{\"r\":5}},\"sub\":[{\"k\":1}],"
    "\"at\":{\"$date\":1735689600000}},"
    "{\"id\":2,\"name\":null,\"uid\":1.5,\"tags\":null,\"a.b\":7,\"p\":null}]";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static json_t *entries, *before;
	struct verr *errors = verr_new();
	struct filter *filter = NULL;
	struct query_options q;
	json_t *params, *result;

	if (entries == NULL) {
		json_secure();
		entries = json_parse(entries_text, strlen(entries_text), NULL);
		before = json_deep_copy(entries);
	}
	params = json_parse((const char *)data, size, NULL);
	if (params != NULL)
		filter =
		    filter_parse(json_array_get(params, 0), "filters", errors);
	/* Its types are checked by its schema before. */
	if (filter != NULL &&
	    query_options_parse(
		json_array_get(params, 1), "options", &q, errors) == 0) {
		result = query_run(entries, filter, &q);
		json_decref(result);
		if (!json_equal(entries, before))
			abort();
	}
	filter_free(filter);
	json_decref(params);
	free(verr_reason(errors));
	json_decref(verr_extra(errors));
	verr_free(errors);
	return 0;
}
