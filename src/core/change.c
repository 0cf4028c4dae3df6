/*
 * The apply pipeline, its beginning and its end: see change.h and design
 * section 2.  Each step is a function that ends by starting the next; the
 * table of what may fail where:
 *
 *	before store PENDING	nothing was touched: validation errors, done
 *	install .. verify	undo.c: previous files, previous state, UNDONE
 *	commit			undo.c as well: the store could not keep it
 */
#include "core/change.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/call.h"
#include "core/change_internal.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/disk.h"
#include "core/entry.h"
#include "core/event.h"
#include "core/installed.h"
#include "core/job.h"
#include "core/outside.h"
#include "core/resource.h"
#include "core/serial.h"
#include "core/undo.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

void
change_forget_structs(struct change *c)
{
	if (c->old != NULL)
		schema_struct_free(c->resource->fields, c->old);
	if (c->new != NULL)
		schema_struct_free(c->resource->fields, c->new);
	free(c->old);
	free(c->new);
	c->old = NULL;
	c->new = NULL;
}

static void
change_free(struct change *c)
{
	size_t i;
	int output;

	change_forget_structs(c);
	for (i = 0; i < c->nedits; i++) {
		json_decref(c->edits[i].before);
		json_decref(c->edits[i].after);
	}
	free(c->edits);
	for (output = 0; output < output_count; output++) {
		freezero_str(c->steps[output].content);
		freezero_str(c->steps[output].previous);
		json_decref(c->steps[output].replaces);
	}
	json_decref(c->given);
	json_decref(c->index);
	json_decref(c->all);
	json_decref(c->items);
	json_decref(c->values);
	json_decref(c->gathered);
	json_decref(c->result);
	json_decref(c->answer);
	verr_free(c->errors);
	free(c->problem);
	free(c);
}

/* The end: the next one's turn before the answer's way. */
void
change_finish(struct change *c)
{
	bool alone = c->alone;

	change_free(c);
	if (!alone)
		serial_leave();
}

void
change_invalid(struct change *c)
{
	struct verr *errors = c->errors;

	c->errors = NULL;
	call_fail_invalid(c->call, errors);
	change_finish(c);
}

void
change_refuse(struct change *c, int error, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	call_fail(c->call, error, "%s", text);
	free(text);
	change_finish(c);
}

/* --- Edits ---------------------------------------------------------------- */

static char *
edit_key(const struct resource *resource, int64_t id)
{
	return xasprintf("%s.%lld", resource->name, (long long)id);
}

/* Where it is among thousands; "name." says the id behind the last one's. */
static void
index_edit(struct change *c, size_t at)
{
	const struct edit *e = &c->edits[at];
	char *key = edit_key(e->resource, e->id);
	char *top = xasprintf("%s.", e->resource->name);

	json_object_set_new(c->index, key, json_integer((json_int_t)at));
	if (json_int(c->index, top, 0) <= e->id)
		json_object_set_new(c->index, top, json_integer(e->id + 1));
	free(key);
	free(top);
}

struct edit *
change_find(const struct change *c, const struct resource *resource, int64_t id)
{
	int64_t at;
	char *key;

	if (c == NULL)
		return NULL;
	key = edit_key(resource, id);
	at = json_int(c->index, key, -1);
	free(key);
	return at != -1 ? &c->edits[at] : NULL;
}

/* The id of the next new one. */
static int64_t
next_id(const struct change *c, const struct resource *resource)
{
	int64_t next = store_next_id(core_store(), resource->name), behind;
	char *top = xasprintf("%s.", resource->name);

	behind = json_int(c->index, top, 0);
	free(top);
	return behind > next ? behind : next;
}

struct edit *
change_new_edit(struct change *c, const struct resource *resource, int64_t id)
{
	struct edit *e;

	if (c->edits == NULL || c->nedits == c->room) {
		c->room = c->room == 0 ? 4 : 2 * c->room;
		c->edits = xreallocarray(c->edits, c->room, sizeof(*c->edits));
	}
	e = &c->edits[c->nedits++];
	*e = (struct edit){ .resource = resource, .id = id };
	index_edit(c, c->nedits - 1);
	return e;
}

struct edit *
change_edit(struct change *c, const struct resource *resource, int64_t id)
{
	struct edit *e = change_find(c, resource, id);
	const json_t *stored;

	if (e != NULL)
		return e->after != NULL ? e : NULL;
	stored = store_get(core_store(), resource->name, id);
	if (stored == NULL)
		return NULL;
	e = change_new_edit(c, resource, id);
	e->before = json_deep_copy(stored);
	e->after = json_deep_copy(stored);
	return e;
}

struct edit *
change_add(struct change *c, const struct resource *resource, int64_t id)
{
	struct edit *e = NULL;
	json_t *defaults;

	if (id != -1 && change_view(c, resource, id) != NULL)
		return NULL;
	/* One that was removed in this change may be made again. */
	if (id != -1)
		e = change_find(c, resource, id);
	if (e == NULL)
		e = change_new_edit(
		    c, resource, id == -1 ? next_id(c, resource) : id);
	defaults = schema_defaults(resource->fields);
	e->after = json_pack("{s:I}", "id", (json_int_t)e->id);
	json_object_update(e->after, defaults);
	json_decref(defaults);
	return e;
}

void
change_remove(struct change *c, const struct resource *resource, int64_t id)
{
	struct edit *e = change_edit(c, resource, id);

	if (e == NULL)
		return;
	json_decref(e->after);
	e->after = NULL;
}

const json_t *
change_view(const struct change *c, const struct resource *resource, int64_t id)
{
	const struct edit *e = change_find(c, resource, id);

	if (e != NULL)
		return e->after;
	return store_get(core_store(), resource->name, id);
}

json_t *
change_view_all(const struct change *c, const struct resource *resource)
{
	return entry_all_with(
	    resource, c != NULL ? c->edits : NULL, c != NULL ? c->nedits : 0);
}

/* --- The end -------------------------------------------------------------- */

/* A record for the outbox: which this change's end will be. */
static json_t *
record_of(struct change *c, bool success)
{
	json_t *record =
	    audit_method_call(c->call, c->call->session != NULL, true, success);

	json_object_set_new(record, "audit_id", json_string(c->audit_id));
	return record;
}

json_t *
change_result(const struct change *c, json_t *(*entry)(const struct change *))
{
	const struct field *result = c->call->method->result;

	if (c->result != NULL)
		return json_incref(c->result);
	if (result == NULL || c->all != NULL)
		return json_null();
	if (result->type == F_INT)
		return json_integer(c->id);
	if (result->type == F_BOOL || result->type == F_CONST)
		return json_true();
	return entry(c);
}

bool
change_shows_secrets(const struct change *c)
{
	return c->call->session != NULL &&
	    resource_shows_secrets(c->resource, c->call->session);
}

static json_t *
stored_entry(const struct change *c)
{
	json_t *shown, *whole;

	if (c->resource->answer != NULL)
		return c->resource->answer(c);
	shown = entry_shown(c->resource, c->id, change_shows_secrets(c));
	if (c->answer == NULL)
		return shown;
	whole = json_copy(shown);
	json_object_update(whole, c->answer);
	json_decref(shown);
	return whole;
}

/* What the method says that it answers with. */
static json_t *
result_of(const struct change *c)
{
	return change_result(c, stored_entry);
}

struct ending {
	struct call *call;
	json_t *result; /* NULL: it was undone */
	char *reason;
};

static void
ended(int error, void *arg)
{
	struct ending *e = arg;

	(void)error; /* the record is in the outbox: durable either way */
	call_audited(e->call);
	if (e->result != NULL)
		call_reply(e->call, e->result);
	else
		call_fail(e->call, EFAULT, "%s", e->reason);
	free(e->reason);
	free(e);
}

/* What is so now that it was taken back. */
static char *
what_is(const struct change *c, const char *failed)
{
	const struct output *o = c->edited;

	if (failed != NULL)
		return xstrdup(failed);
	if (o == NULL)
		return xstrdup("The previous settings are in effect");
	return xasprintf("The previous settings are in effect, and what "
			 "somebody else wrote into %s/%s meanwhile is kept",
	    o->dir, o->file);
}

/*
 * Answers once the record, which the outbox holds, was delivered.  failed:
 * why not all is as before; NULL.
 */
static void
deliver(struct change *c, bool success, const char *failed)
{
	struct ending *e = xcalloc(1, sizeof(*e));
	json_t *record = record_of(c, success);
	char *what;

	e->call = c->call;
	if (success)
		e->result = result_of(c);
	else {
		what = what_is(c, failed);
		e->reason = xasprintf("%s. %s", c->problem, what);
		free(what);
	}
	audit_send_outbox(record, ended, e);
	json_decref(record);
	change_finish(c);
}

static void
dropped(void *arg)
{
	deliver(arg, false, NULL);
}

static void
undone(const char *failed, void *arg)
{
	struct change *c = arg;

	log_warn("change.undone", "%s: %s", c->resource->name, c->problem);
	/* Else the monitor does what is left, when the time is over. */
	if (c->held && failed == NULL)
		confirm_drop(dropped, c);
	else
		deliver(c, false, failed);
}

void
change_take_back(struct change *c, const char *fmt, ...)
{
	va_list ap;

	if (fmt != NULL) {
		free(c->problem);
		va_start(ap, fmt);
		if (vasprintf(&c->problem, fmt, ap) == -1)
			abort();
		va_end(ap);
	}
	if (c->beside_begun)
		change_beside(c, BESIDE_UNDO);
	else
		change_undo(c);
}

void
change_undo(struct change *c)
{
	json_t *record = record_of(c, false);

	undo_change(c, record, undone, c);
	json_decref(record);
}

void
change_committed(struct change *c)
{
	const struct step *step;
	size_t i;
	int output;

	for (output = 0; output < output_count; output++) {
		step = &c->steps[output];
		if (!step->installed)
			continue;
		installed_remember(
		    output, step->content, strlen(step->content));
		core_problem_clear(outputs[output].name);
	}
	event_hold();
	for (i = 0; i < c->nedits; i++)
		entry_changed(c->edits[i].resource, c->edits[i].id,
		    c->edits[i].before, c->edits[i].after);
	if (c->committed != NULL)
		c->committed(c);
	if (c->held)
		confirm_waits();
	event_release();
	log_info("change.committed", "%s: revision %lld by %s",
	    c->resource->name, (long long)c->revision, call_user(c->call));
	deliver(c, true, NULL);
}

void
change_commit(struct change *c)
{
	if (c->held)
		confirm_run(c);
	else
		change_store(c);
}

void
change_store(struct change *c)
{
	json_t *record = record_of(c, true);
	int rc =
	    store_end(core_store(), c->revision, REVISION_COMMITTED, record);

	json_decref(record);
	if (rc == -1)
		change_take_back(
		    c, "The settings could not be stored: %s", strerror(errno));
	else
		change_beside(c, BESIDE_KEEP);
}

void
change_answer(struct change *c, json_t *result, const char *why)
{
	if (result != NULL)
		call_reply(c->call, result);
	else
		call_fail(c->call, EFAULT, "%s", why);
	change_finish(c);
}

/* --- The beginning -------------------------------------------------------- */

/* As revisions; the documents stay the edits'. */
static struct revision *
revisions_of(const struct change *c)
{
	struct revision *list = xcalloc(c->nedits, sizeof(*list));
	size_t i;

	for (i = 0; i < c->nedits; i++) {
		list[i].time = time(NULL);
		list[i].who = (char *)(uintptr_t)call_user(c->call);
		list[i].origin = (char *)(uintptr_t)call_origin(c->call);
		list[i].resource =
		    (char *)(uintptr_t)c->edits[i].resource->name;
		list[i].entry = c->edits[i].id;
		list[i].before = c->edits[i].before;
		list[i].after = c->edits[i].after;
	}
	return list;
}

static void
not_begun(struct change *c, int error)
{
	if (error == EBUSY)
		change_refuse(c, EBUSY,
		    "Nothing was changed: an earlier change is still being "
		    "taken back");
	else if (error == ESTALE)
		change_refuse(c, ESTALE,
		    "Nothing was changed: somebody else changed it since "
		    "revision %lld",
		    (long long)c->if_revision);
	else
		change_refuse(c, error,
		    "The change could not be stored, nothing was changed: %s",
		    strerror(error));
}

void
change_begin(struct change *c)
{
	struct revision *list = revisions_of(c);
	json_t *record = record_of(c, true);
	bool own =
	    c->edits[0].resource == c->resource && c->edits[0].id == c->id;
	int error;

	do
		c->revision = store_begin(core_store(), list, c->nedits,
		    own ? c->if_revision : -1, c->audit_id, record);
	while (c->revision == -1 && errno == ENOSPC &&
	    c->call->method->repairs && disk_draw());
	error = errno;
	json_decref(record);
	free(list);
	if (c->revision == -1)
		not_begun(c, error);
	else if (c->rollback_seconds > 0)
		confirm_hold(c);
	else
		apply_run(c);
}

/* Made and removed in one change, or as it was, also beside files. */
bool
change_is_idle(const struct change *c, const struct edit *e)
{
	if (c->beside_wanted && e == c->edits)
		return false;
	if (e->before == NULL || e->after == NULL)
		return e->before == e->after;
	return json_equal(e->before, e->after);
}

bool
change_drop_idle(struct change *c)
{
	size_t i, kept = 0;

	for (i = 0; i < c->nedits; i++) {
		if (change_is_idle(c, &c->edits[i])) {
			json_decref(c->edits[i].before);
			json_decref(c->edits[i].after);
		} else
			c->edits[kept++] = c->edits[i];
	}
	c->nedits = kept;
	json_object_clear(c->index);
	for (i = 0; i < kept; i++)
		index_edit(c, i);
	c->before = NULL;
	c->after = NULL;
	return kept > 0;
}

void
change_continue(struct change *c)
{
	if (c->looking) {
		c->looked = true;
		return;
	}
	if (change_is_checking(c)) {
		change_check_next(c);
		return;
	}
	change_check_along(c);
	change_check_rights(c);
	if (verr_any(c->errors)) {
		change_invalid(c);
		return;
	}
	if (c->passed != NULL) {
		change_passed(c);
		return;
	}
	if (c->resource->apply != NULL) {
		outside_apply(c);
		return;
	}
	if (!change_drop_idle(c) && c->dry) {
		c->resource->dry_run(c);
		return;
	}
	if (c->nedits == 0) {
		if (c->unchanged != NULL)
			c->unchanged(c);
		call_reply(c->call, result_of(c));
		change_finish(c);
	} else
		apply_prepare(c);
}

static void
make_structs(struct change *c)
{
	if (c->resource->size == 0)
		return;
	c->old = xcalloc(1, c->resource->size);
	c->new = xcalloc(1, c->resource->size);
	if (c->before != NULL)
		schema_to_struct(c->resource->fields, c->before, c->old);
	if (c->after != NULL)
		schema_to_struct(c->resource->fields, c->after, c->new);
}

/* What steers the call is taken out of what is kept. */
void
change_overlay(struct change *c, json_t *after)
{
	const struct field *f;

	json_object_update(after, c->given);
	for (f = c->resource->fields; f->name != NULL; f++)
		if (f->flags & FF_UNSTORED)
			json_object_del(after, f->name);
	c->if_revision = json_int(c->given, "if_revision", -1);
	c->rollback_seconds =
	    (uint32_t)json_int(c->given, "rollback_timeout", 0);
	c->dry = c->resource->dry_run != NULL &&
	    json_bool(c->given, "dry_run", false);
}

/* The call's own edit; false: there is no such entry, or one already. */
bool
change_own_edit(struct change *c)
{
	struct edit *e;

	if (c->verb == CHANGE_CREATE)
		e = change_add(c, c->resource, c->id);
	else
		e = change_edit(c, c->resource, c->id);
	if (e == NULL)
		return false;
	if (c->verb == CHANGE_DELETE) {
		json_decref(e->after);
		e->after = NULL;
	} else
		change_overlay(c, e->after);
	e->given = c->given;
	c->id = e->id;
	c->before = e->before;
	c->after = e->after;
	return true;
}

void
change_absent(struct change *c)
{
	call_fail_absent(c->call, "%s %lld does not exist",
	    c->resource->verbose_name, (long long)c->id);
	change_finish(c);
}

void
change_run_check(struct change *c)
{
	make_structs(c);
	if (c->resource->check != NULL)
		c->resource->check(c);
}

void
change_checks(struct change *c)
{
	change_run_check(c);
	change_check(c);
	if (c->resource->lookup != NULL)
		c->resource->lookup(c);
	else
		change_continue(c);
}

/* True: somebody else was faster, and the call was told so. */
static bool
lost(struct change *c)
{
	json_t *extra = change_lost(c);

	if (extra == NULL)
		return false;
	call_fail_extra(c->call, ESTALE, extra,
	    "Nothing was changed: it is of revision %lld by now, not %lld",
	    (long long)json_int(extra, "revision", 0),
	    (long long)c->if_revision);
	change_finish(c);
	return true;
}

static void
start(void *arg)
{
	struct change *c = arg;

	if (core_store() == NULL)
		change_refuse(c, EIO, "%s", core_store_refused());
	else if (c->resource->apply != NULL)
		outside_start(c);
	else if (change_own_edit(c)) {
		if (!lost(c))
			change_checks(c);
	} else if (c->verb == CHANGE_CREATE)
		change_refuse(c, EEXIST, "%s %lld already exists",
		    c->resource->verbose_name, (long long)c->id);
	else
		change_absent(c);
}

/* "ssh_update", "system_advanced_update". */
static char *
prefix_of(const struct resource *resource, enum change_verb verb)
{
	static const char *const verbs[] = { [CHANGE_CREATE] = "create",
		[CHANGE_UPDATE] = "update",
		[CHANGE_DELETE] = "delete" };
	char *prefix = xasprintf("%s_%s", resource->name, verbs[verb]), *dot;

	while ((dot = strchr(prefix, '.')) != NULL)
		*dot = '_';
	return prefix;
}

/* A job has one record, whether its change or a crash ends it. */
static void
choose_audit_id(struct change *c)
{
	if (c->call->job != NULL)
		memcpy(c->audit_id, job_audit_id(c->call->job),
		    sizeof(c->audit_id));
	else
		uuid_new(c->audit_id);
}

struct change *
change_new(struct call *call, const struct resource *resource)
{
	struct change *c = xcalloc(1, sizeof(*c));

	c->call = call;
	c->resource = resource;
	c->errors = verr_new();
	c->index = json_object();
	c->if_revision = -1;
	c->full_admin = call_full_admin(call);
	choose_audit_id(c);
	return c;
}

void
change_submit(struct call *call, const struct resource *resource,
    enum change_verb verb, int64_t id, const json_t *data,
    void (*then)(struct change *))
{
	struct change *c = change_new(call, resource);
	char *prefix = prefix_of(resource, verb);

	c->verb = verb;
	c->id = id;
	c->given = data != NULL ? json_deep_copy(data) : json_object();
	c->data = c->given;
	c->committed = then;
	verr_prefix(c->errors, prefix);
	free(prefix);
	/* What is long and elsewhere keeps no other change waiting. */
	c->alone = resource->apply != NULL && call->method->job;
	if (c->alone)
		start(c);
	else
		serial_enter(start, c);
}
