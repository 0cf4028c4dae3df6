/*
 * What every resource has in common: see resource.h.
 */
#include "core/resource.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert_class.h"
#include "core/change.h"
#include "core/core.h"
#include "core/event.h"
#include "core/privilege.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* "ssh" of "ssh.update", "auth.twofactor" of "auth.twofactor.config". */
const struct resource *
resource_of_method(const char *method)
{
	const char *dot = strrchr(method, '.');
	const struct resource *const *r;
	size_t len;

	if (dot == NULL)
		return NULL;
	len = (size_t)(dot - method);
	for (r = resources; *r != NULL; r++)
		if (strlen((*r)->name) == len &&
		    strncmp((*r)->name, method, len) == 0)
			return *r;
	return NULL;
}

const struct resource *
resource_find(const char *name)
{
	const struct resource *const *r;

	for (r = resources; *r != NULL; r++)
		if (strcmp((*r)->name, name) == 0)
			return *r;
	return NULL;
}

size_t
resource_count(void)
{
	size_t count = 0;

	while (resources[count] != NULL)
		count++;
	return count;
}

size_t
resource_index(const struct resource *r)
{
	size_t index = 0;

	while (resources[index] != r)
		index++;
	return index;
}

struct method_row {
	const struct method *method;
};

static int
compare_methods(const void *a, const void *b)
{
	const struct method_row *x = a, *y = b;

	return strcmp(x->method->name, y->method->name);
}

static int
compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct method_row *)row)->method->name);
}

const struct method *
method_find(const char *name)
{
	static struct method_row *sorted;
	static size_t count;
	const struct resource *const *r;
	const struct method_row *found;
	const struct method *m;

	if (sorted == NULL) {
		for (r = resources; *r != NULL; r++)
			for (m = (*r)->methods; m->name != NULL; m++) {
				sorted = xreallocarray(
				    sorted, count + 1, sizeof(*sorted));
				sorted[count++].method = m;
			}
		if (count == 0)
			fatal("there are no methods");
		qsort(sorted, count, sizeof(*sorted), compare_methods);
	}
	found = bsearch(name, sorted, count, sizeof(*sorted), compare_name);
	return found != NULL ? found->method : NULL;
}

json_t *
method_redact(const struct method *m, const json_t *given)
{
	if (m->redact != NULL)
		return m->redact(given);
	return schema_redact_params(m->params, given);
}

bool
resource_shows_secrets(const struct resource *r, const struct session *s)
{
	char *role;
	bool may;

	if (s->full_admin)
		return true;
	if (r->role_prefix == NULL || r->guarded)
		return false;
	role = xasprintf("%s_WRITE", r->role_prefix);
	may = role_set_has(&s->roles, role);
	free(role);
	return may;
}

int
resource_initialise(void)
{
	const struct resource *const *at, *r;
	struct revision change;
	int64_t number;

	for (at = resources; (r = *at) != NULL; at++) {
		if (r->kind != RESOURCE_CONFIG ||
		    store_get(core_store(), r->name, r->entry) != NULL)
			continue;
		change = (struct revision){ .time = time(NULL),
			.who = xstrdup("root"),
			.origin = xstrdup(""),
			.resource = xstrdup(r->name),
			.entry = r->entry,
			.after = schema_defaults(r->fields) };
		if (r->initial != NULL)
			r->initial(change.after);
		number = store_change(core_store(), &change, 1, NULL, NULL);
		free(change.who);
		free(change.origin);
		free(change.resource);
		json_decref(change.after);
		if (number == -1)
			return -1;
	}
	return 0;
}

enum schema_use
method_params_use(const struct method *m)
{
	return m->kind == KIND_UPDATE ? SCHEMA_UPDATE : SCHEMA_ARGUMENT;
}

static json_t *
export_params(const struct method *m)
{
	json_t *list = json_array();
	const struct field *f;

	for (f = m->params; f != NULL && f->name != NULL; f++)
		json_array_append_new(
		    list, schema_export(f, method_params_use(m)));
	return list;
}

/* clang-format off */
static const struct field null_result = {
	.name = "result", .type = F_CONST, .def = "null", .flags = FF_REQUIRED
};
/* clang-format on */

static json_t *
export_result(const struct method *m)
{
	const struct field *result = m->result;

	if (result == NULL)
		result = &null_result;
	return json_pack("[o]", schema_export(result, SCHEMA_RESULT));
}

static json_t *
describe(const struct method *m)
{
	bool filterable = m->kind == KIND_QUERY;
	/* clang-format off */
	json_t *o = json_pack("{s:s, s:s, s:{}, s:b, s:b, s:b, s:b, s:n, s:b, "
	    "s:b, s:b, s:b, s:b}",
	    "description", m->doc, "cli_description", m->doc, "examples",
	    "no_auth_required", m->auth == AUTH_NONE,
	    "no_authz_required", m->auth == AUTH_SESSION,
	    "cli_private", 0, "filterable", filterable, "filterable_schema",
	    "pass_application", 0, "job", m->job, "downloadable",
	    m->pipe == PIPE_OUTPUT, "uploadable", m->pipe == PIPE_INPUT,
	    "check_pipes", m->pipe != PIPE_NONE && !m->pipe_optional);
	/* clang-format on */

	json_object_set_new(o, "roles",
	    m->auth == AUTH_ROLE ? roles_that_grant(m->roles) : json_array());
	json_object_set_new(o, "accepts", export_params(m));
	json_object_set_new(o, "returns", export_result(m));
	return o;
}

/* The tables do not change while we run: described once, then shared. */
static json_t *
all_methods(void)
{
	static json_t *all;
	const struct resource *const *r;
	const struct method *m;

	if (all != NULL)
		return all;
	all = json_object();
	for (r = resources; *r != NULL; r++)
		for (m = (*r)->methods; m->name != NULL; m++)
			json_object_set_new(all, m->name, describe(m));
	return all;
}

json_t *
resource_methods(const char *name)
{
	json_t *all = all_methods(), *some;
	const struct resource *r;
	const struct method *m;

	if (name == NULL)
		return json_incref(all);
	some = json_object();
	if ((r = resource_find(name)) != NULL)
		for (m = r->methods; m->name != NULL; m++)
			json_object_set(
			    some, m->name, json_object_get(all, m->name));
	return some;
}

json_t *
resource_services(void)
{
	/* clang-format off */
	static const char *const kinds[] = {
		[RESOURCE_SERVICE] = "service", [RESOURCE_CONFIG] = "config",
		[RESOURCE_CRUD] = "crud"
	};
	/* clang-format on */
	json_t *all = json_object(), *config;
	const struct resource *const *at, *r;

	for (at = resources; (r = *at) != NULL; at++) {
		if (r->kind == RESOURCE_INNER)
			continue;
		config = json_pack("{s:s, s:b, s:s?, s:b, s:s?}", "namespace",
		    r->name, "private", 0, "role_prefix", r->role_prefix,
		    "cli_private", 0, "verbose_name", r->verbose_name);
		json_object_set_new(all, r->name,
		    json_pack("{s:o, s:s}", "config", config, "type",
			kinds[r->kind]));
	}
	return all;
}

static void
fault(json_t *faults, const char *where, const char *what)
{
	char *text = xasprintf("%s: %s", where, what);

	json_array_append_new(faults, json_string(text));
	free(text);
}

static void
lint_method(const struct resource *r, const struct method *m, json_t *faults)
{
	const char *const *role;

	if (resource_of_method(m->name) != r)
		fault(faults, m->name, "is in another namespace's table");
	if (m->doc == NULL)
		fault(faults, m->name, "has no doc sentence");
	if (m->run == NULL)
		fault(faults, m->name, "has no function");
	if ((m->kind == KIND_CREATE || m->kind == KIND_UPDATE ||
		m->kind == KIND_DELETE) &&
	    m->audit == NULL)
		fault(
		    faults, m->name, "changes something without an audit text");
	if (m->auth != AUTH_ROLE && m->roles != NULL && m->kind != KIND_CHOICES)
		fault(faults, m->name, "names roles that nobody checks");
	for (role = m->roles; role != NULL && *role != NULL; role++)
		if (role_find(*role) == NULL)
			fault(faults, m->name, "names an unknown role");
	if (m->pipe != PIPE_NONE && !m->job)
		fault(faults, m->name, "has a pipe and is no job");
	if (m->params != NULL)
		schema_lint(m->params, m->name, faults);
}

/* A flag that has no effect further down. */
static void
lint_outer(const struct field *f, json_t *faults)
{
	if (f->refers != NULL ||
	    (f->flags & (FF_UNIQUE | FF_UNBUILT | FF_UNSTORED | FF_RELEASES)))
		fault(faults, f->name, "says of a member what an entry can be");
}

static void
lint_reference(const struct field *f, json_t *faults)
{
	const struct resource *target = resource_find(f->refers);

	if (target == NULL || target->ask != NULL)
		fault(faults, f->name, "refers to no resource in the store");
	if ((f->flags & FF_RELEASES) && f->type != F_ARRAY &&
	    !(f->flags & FF_NULL))
		fault(faults, f->name, "can not do without what it refers to");
}

/* What an entry means to others is looked for in its own members only. */
static void
lint_nested(const struct field *f, json_t *faults)
{
	const struct variant *v;
	const struct field *g;

	for (v = f->variants; v != NULL && v->value != NULL; v++)
		for (g = v->fields; g != NULL && g->name != NULL; g++) {
			lint_outer(g, faults);
			lint_nested(g, faults);
		}
	/* Of a list or a dictionary there is one row, with or without name. */
	if (f->fields != NULL && f->type != F_OBJECT) {
		lint_nested(f->fields, faults);
		return;
	}
	for (g = f->fields; g != NULL && g->name != NULL; g++) {
		lint_outer(g, faults);
		lint_nested(g, faults);
	}
}

static void
lint_references(const struct resource *r, json_t *faults)
{
	const struct field *f;

	for (f = r->fields; f != NULL && f->name != NULL; f++)
		if (f->refers != NULL)
			lint_reference(f, faults);
	for (f = r->fields; f != NULL && f->name != NULL; f++)
		lint_nested(f, faults);
	if ((r->ask == NULL) != (r->apply == NULL))
		fault(faults, r->name, "is asked for and not changed, or so");
}

/* What is rendered has someone to render it, and the other way round. */
static void
lint_outputs(json_t *faults)
{
	const struct resource *const *from;
	const struct renderer *r;
	int i;

	for (i = 0; i < output_count; i++) {
		for (r = renderers; r->output != -1; r++)
			if (r->output == i)
				break;
		if (r->output == -1)
			fault(faults, outputs[i].name, "has no renderer");
	}
	for (r = renderers; r->output != -1; r++)
		for (from = r->from; *from != NULL; from++)
			if ((*from)->fields == NULL)
				fault(faults, outputs[r->output].name,
				    "is rendered from what has no fields");
	for (i = 0; i < daemon_count; i++)
		if (daemon_rules[i].daemon != i)
			fault(faults, daemons[i].name, "has no rules");
}

json_t *
resource_lint(void)
{
	json_t *faults = json_array();
	const struct resource *const *at, *r;
	const struct method *m;

	for (at = resources; (r = *at) != NULL; at++) {
		if (r->fields != NULL)
			schema_lint(r->fields, r->name, faults);
		lint_references(r, faults);
		for (m = r->methods; m->name != NULL; m++)
			lint_method(r, m, faults);
	}
	lint_outputs(faults);
	event_lint(faults);
	alert_lint(faults);
	return faults;
}
