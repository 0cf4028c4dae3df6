/*
 * The methods that every config and CRUD resource has: see crud.h.
 */
#include "core/crud.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/query.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* clang-format off */
const struct field instance_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the entry." },
	{ .name = "options", .type = F_OBJECT, .fields = query_option_fields,
	  .model = "QueryOptions", .def = "{}",
	  .doc = "What to return of it." },
	FIELD_END
};

const struct field id_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the entry." },
	FIELD_END
};
/* clang-format on */

static const struct resource *
resource_of(const struct call *call)
{
	return resource_of_method(call->method->name);
}

static bool
shows_secrets(const struct call *call, const struct resource *r)
{
	return call->session != NULL &&
	    resource_shows_secrets(r, call->session);
}

static bool
has_store(struct call *call)
{
	if (core_store() != NULL)
		return true;
	call_fail(call, EIO, "%s", core_store_refused());
	return false;
}

void
resource_config_run(struct call *call)
{
	const struct resource *r = resource_of(call);

	if (has_store(call))
		call_reply_text(call, entry_text(r, shows_secrets(call, r)));
}

/* What was asked for elsewhere as the caller may see it; stolen. */
static json_t *
asked_shown(const struct call *call, json_t *entries)
{
	const struct resource *r = resource_of(call);
	json_t *entry;
	size_t i;

	if (!shows_secrets(call, r))
		json_array_foreach(entries, i, entry)
			json_array_set_new(
			    entries, i, schema_redact(r->fields, entry));
	return entries;
}

/* Asked for elsewhere: the call waits. */
static void
query_asked(json_t *entries, int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (entries == NULL)
		call_fail(call, error, "%s", text);
	else
		query_reply(call, asked_shown(call, entries));
}

/*
 * The one, where the filter names the id or the value of a unique member, so
 * that ten thousand are not looked through.
 */
static json_t *
candidates(const struct call *call, const struct filter *filter)
{
	const struct resource *r = resource_of(call);
	bool secrets = shows_secrets(call, r);
	const json_t *value = NULL;
	const struct field *f;
	json_t *entry = NULL;
	int64_t id;

	if ((value = filter_equals(filter, "id")) != NULL) {
		entry = entry_shown(r, json_integer_value(value), secrets);
		return entry != NULL ? json_pack("[o]", entry) : json_array();
	}
	for (f = r->fields; f->name != NULL; f++)
		if (f->flags & FF_UNIQUE &&
		    (value = filter_equals(filter, f->name)) != NULL)
			break;
	if (value == NULL)
		return entry_shown_all(r, secrets);
	id = entry_by(r, f->name, value);
	if (id != -1)
		entry = entry_shown(r, id, secrets);
	return entry != NULL ? json_pack("[o]", entry) : json_array();
}

static const char *
text_of(const struct call *call, const json_t *entry, size_t *lenp)
{
	const struct resource *r = resource_of(call);

	return entry_shown_text(r, entry, shows_secrets(call, r), lenp);
}

void
resource_query_run(struct call *call)
{
	static const struct query_from from = { candidates, text_of };
	const struct resource *r = resource_of(call);

	if (r->ask != NULL)
		r->ask(query_asked, call);
	else if (has_store(call))
		query_reply_from(call, &from);
}

static void
instance_asked(json_t *entries, int error, const char *text, void *arg)
{
	struct call *call = arg;
	int64_t id = json_integer_value(call_param(call, 0));
	json_t *entry, *found = NULL;
	size_t i;

	if (entries == NULL) {
		call_fail(call, error, "%s", text);
		return;
	}
	entries = asked_shown(call, entries);
	json_array_foreach(entries, i, entry)
		if (json_int(entry, "id", -1) == id)
			found = json_incref(entry);
	json_decref(entries);
	query_reply_instance(call, found, resource_of(call)->verbose_name);
}

void
resource_instance_run(struct call *call)
{
	const struct resource *r = resource_of(call);

	if (r->ask != NULL)
		r->ask(instance_asked, call);
	else if (has_store(call))
		query_reply_instance(call,
		    entry_shown(r, json_integer_value(call_param(call, 0)),
			shows_secrets(call, r)),
		    r->verbose_name);
}

void
resource_create_run(struct call *call)
{
	change_submit(call, resource_of(call), CHANGE_CREATE, -1,
	    call_param(call, 0), NULL);
}

/* A config's update has one parameter, an entry's two: the id first. */
void
resource_update_run(struct call *call)
{
	const struct resource *r = resource_of(call);

	if (r->kind == RESOURCE_CONFIG)
		change_submit(call, r, CHANGE_UPDATE, r->entry,
		    call_param(call, 0), NULL);
	else
		change_submit(call, r, CHANGE_UPDATE,
		    json_integer_value(call_param(call, 0)),
		    call_param(call, 1), NULL);
}

void
resource_delete_run(struct call *call)
{
	change_submit(call, resource_of(call), CHANGE_DELETE,
	    json_integer_value(call_param(call, 0)), NULL, NULL);
}
