/*
 * Changes of many entries at once, all or none: each is looked at by its
 * resource as if it were a change of its own, and all errors are told
 * together.  There are two kinds.  A whole configuration (c->all) says what
 * becomes of entries; a list of calls (c->items) says what create or update
 * was sent for each.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/call.h"
#include "core/change_internal.h"
#include "core/core.h"
#include "core/limits.h"
#include "core/resource.h"
#include "core/serial.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static void
set_prefix(struct change *c, const struct edit *e)
{
	char *prefix;

	if (c->items != NULL)
		prefix = xasprintf("%s.%lld", c->call->method->params[0].name,
		    (long long)e->at);
	else
		prefix = xasprintf(
		    "file.%s.%lld", e->resource->name, (long long)e->id);
	verr_prefix(c->errors, prefix);
	free(prefix);
}

void
change_take(struct change *c, const struct edit *e)
{
	change_forget_structs(c);
	c->resource = e->resource;
	c->id = e->id;
	c->before = e->before;
	c->after = e->after;
	c->data = e->given != NULL ? e->given : e->after;
	c->faults = verr_count(c->errors);
	c->verb = CHANGE_UPDATE;
	if (e->before == NULL)
		c->verb = CHANGE_CREATE;
	else if (e->after == NULL)
		c->verb = CHANGE_DELETE;
	set_prefix(c, e);
}

bool
change_is_faulty(const struct change *c)
{
	return verr_count(c->errors) > c->faults;
}

bool
change_is_checking(const struct change *c)
{
	return c->checked < c->own;
}

static void
go_on_later(void *arg)
{
	change_continue(arg);
}

/*
 * A loop, as there may be thousands: a lookup that ends before it returns must
 * not make it a deep stack.  Calls of others have their turn in between.
 */
void
change_check_next(struct change *c)
{
	int64_t began = boottime_ms();

	while (change_is_checking(c)) {
		if (boottime_ms() - began >= LIMIT_BULK_SLICE_MS) {
			core_after(1, go_on_later, c);
			return;
		}
		change_take(c, &c->edits[c->checked++]);
		change_run_check(c);
		change_check_one(c, c->checked - 1);
		if (c->resource->lookup == NULL)
			continue;
		c->looked = false;
		c->looking = true;
		c->resource->lookup(c);
		c->looking = false;
		if (!c->looked)
			return;
	}
	change_continue(c);
}

/* --- A whole configuration ------------------------------------------------ */

static void
edit_all(struct change *c)
{
	const json_t *stored, *after;
	struct edit *e;
	json_t *item;
	size_t i;

	json_array_foreach(c->all, i, item) {
		e = change_new_edit(c,
		    resource_find(json_str(item, "resource", "")),
		    json_int(item, "entry", 0));
		stored = store_get(core_store(), e->resource->name, e->id);
		after = json_object_get(item, "after");
		if (stored != NULL)
			e->before = json_deep_copy(stored);
		if (!json_is_null(after))
			e->after = json_deep_copy(after);
	}
}

static void
start_all(void *arg)
{
	struct change *c = arg;

	edit_all(c);
	c->own = c->nedits;
	change_check_next(c);
}

void
change_submit_all(struct call *call, const json_t *differences)
{
	struct change *c =
	    change_new(call, resource_of_method(call->method->name));

	c->all = json_deep_copy(differences);
	serial_enter(start_all, c);
}

static void
start_back(void *arg)
{
	struct change *c = arg;

	c->taking_back = true;
	edit_all(c);
	c->resource = c->edits[0].resource;
	c->id = c->edits[0].id;
	if (change_drop_idle(c)) {
		apply_prepare(c);
		return;
	}
	call_reply(c->call, json_null());
	change_finish(c);
}

void
change_submit_back(struct call *call, const json_t *differences)
{
	struct change *c =
	    change_new(call, resource_of_method(call->method->name));

	c->all = json_deep_copy(differences);
	serial_enter(start_back, c);
}

/* --- A list of calls ------------------------------------------------------ */

/* The item's own edit, or its error. */
static void
add_item(struct change *c, const json_t *item)
{
	int64_t id = json_int(item, "id", -1);
	struct edit here = { .resource = c->resource,
		.at = json_int(item, "at", 0) };
	struct edit *e;
	bool twice;

	set_prefix(c, &here);
	e = id != -1 ? change_find(c, c->resource, id) : NULL;
	twice = e != NULL;
	c->verb = id == -1 ? CHANGE_CREATE : CHANGE_UPDATE;
	c->id = id;
	json_decref(c->given);
	c->given = json_incref(json_object_get(item, "data"));
	if (twice || !change_own_edit(c)) {
		verr_add_errno(c->errors, twice ? EINVAL : ENOENT, "id",
		    twice ? "%s %lld is named twice" : "%s %lld does not exist",
		    c->resource->verbose_name, (long long)id);
		return;
	}
	c->edits[c->nedits - 1].at = here.at;
}

static void
start_items(void *arg)
{
	struct change *c = arg;
	json_t *item;
	size_t i;

	if (core_store() == NULL) {
		change_refuse(c, EIO, "%s", core_store_refused());
		return;
	}
	json_array_foreach(c->items, i, item)
		add_item(c, item);
	c->if_revision = -1;
	c->rollback_seconds = 0;
	c->own = c->nedits;
	change_check_next(c);
}

/* Nothing was touched: the call goes on, and others have their turn. */
void
change_passed(struct change *c)
{
	void (*passed)(struct call *) = c->passed;
	struct call *call = c->call;

	change_finish(c);
	passed(call);
}

void
change_submit_items(struct call *call, const struct resource *resource,
    const json_t *items, struct verr *errors, void (*passed)(struct call *),
    void (*then)(struct change *))
{
	struct change *c = change_new(call, resource);

	c->items = json_incref((json_t *)(uintptr_t)items);
	if (errors != NULL) {
		verr_free(c->errors);
		c->errors = errors;
	}
	c->passed = passed;
	c->committed = then;
	serial_enter(start_items, c);
}
