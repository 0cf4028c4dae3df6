/*
 * Changes of what the store does not hold: see outside.h.
 */
#include "core/outside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/change_internal.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define NOTE "outside:" /* before the audit id, in the store's values */
#define ALERT "ChangeInterrupted"

/* clang-format off */
static const char *const verbs[] = {
	[CHANGE_CREATE] = "create", [CHANGE_UPDATE] = "update",
	[CHANGE_DELETE] = "delete"
};
/* clang-format on */

/* That entry of what was asked for; a new reference, or NULL. */
static json_t *
entry_of(const json_t *entries, int64_t id)
{
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
		if (json_int(entry, "id", -1) == id)
			return json_incref(entry);
	return NULL;
}

/* --- The beginning -------------------------------------------------------- */

/* What is to be: what there is, or the defaults, with what was sent. */
static void
make_edit(struct change *c, json_t *before)
{
	struct edit *e = change_new_edit(c, c->resource, c->id);

	e->before = before;
	if (c->verb == CHANGE_CREATE)
		e->after = schema_defaults(c->resource->fields);
	else if (c->verb == CHANGE_UPDATE)
		e->after = json_deep_copy(before);
	if (e->after != NULL)
		change_overlay(c, e->after);
	c->before = e->before;
	c->after = e->after;
}

static void
before_known(json_t *entries, int error, const char *text, void *arg)
{
	struct change *c = arg;
	json_t *before;

	if (entries == NULL) {
		change_refuse(c, error, "%s", text);
		return;
	}
	before = entry_of(entries, c->id);
	json_decref(entries);
	if (before == NULL && c->verb != CHANGE_CREATE) {
		change_absent(c);
		return;
	}
	make_edit(c, before);
	change_checks(c);
}

void
outside_start(struct change *c)
{
	c->resource->ask(before_known, c);
}

/* --- What is under way ---------------------------------------------------- */

/* The note is no place for secrets: what was sent without them. */
static json_t *
without_secrets(const struct change *c)
{
	json_t *redacted = schema_redact(c->resource->fields, c->given);
	json_t *kept = json_object(), *value;
	const char *name;

	json_object_foreach(redacted, name, value)
		if (json_equal(value, json_object_get(c->after, name)))
			json_object_set(kept, name, value);
	json_decref(redacted);
	return kept;
}

static char *
note_name(const struct change *c)
{
	return xasprintf("%s%s", NOTE, c->audit_id);
}

static int
note(const struct change *c)
{
	json_t *o = json_pack("{s:s, s:i, s:I, s:o}", "resource",
	    c->resource->name, "verb", (int)c->verb, "id", (json_int_t)c->id,
	    "given", without_secrets(c));
	char *name = note_name(c), *text = json_text(o);
	int rc = store_set_value(core_store(), name, text);

	json_decref(o);
	free(name);
	free(text);
	return rc;
}

/* One that stays is told of at the next start: true, if late. */
static void
unnote(const struct change *c)
{
	char *name = note_name(c);

	if (store_set_value(core_store(), name, NULL) == -1)
		log_warn("outside.note", "%s", strerror(errno));
	free(name);
}

void
outside_apply(struct change *c)
{
	if (note(c) == -1)
		change_refuse(c, errno,
		    "The change could not be noted, nothing was changed: %s",
		    strerror(errno));
	else
		c->resource->apply(c);
}

/* --- The end -------------------------------------------------------------- */

static json_t *
known_entry(const struct change *c)
{
	if (change_shows_secrets(c))
		return json_deep_copy(c->after);
	return schema_redact(c->resource->fields, c->after);
}

/* Where it cannot be asked for any more, what was to be is what is told. */
static void
after_known(json_t *entries, int error, const char *text, void *arg)
{
	struct change *c = arg;
	json_t *after = entry_of(entries, c->id);

	if (entries == NULL)
		log_warn("outside.ask", "%s: %s (%s)", c->resource->name, text,
		    strerror(error));
	if (after != NULL) {
		json_decref(c->edits[0].after);
		c->after = c->edits[0].after = after;
	}
	json_decref(entries);
	entry_changed(c->resource, c->id, c->before, c->after);
	log_info("change.applied", "%s %lld by %s", c->resource->name,
	    (long long)c->id, call_user(c->call));
	call_reply(c->call, change_result(c, known_entry));
	change_finish(c);
}

void
change_applied(struct change *c, int error, const char *text)
{
	unnote(c);
	if (error != 0)
		change_refuse(c, error, "%s", text);
	else
		c->resource->ask(after_known, c);
}

/* --- After a crash -------------------------------------------------------- */

struct interrupted {
	char *name; /* of the note */
	json_t *note;
};

static bool
has_all(const json_t *entry, const json_t *given)
{
	json_t *value;
	const char *name;

	json_object_foreach((json_t *)(uintptr_t)given, name, value)
		if (!json_equal(json_object_get(entry, name), value))
			return false;
	return true;
}

/* Is what there is now what was asked for? */
static bool
was_done(const json_t *note, const json_t *entries)
{
	const json_t *given = json_object_get(note, "given");
	int64_t id = json_int(note, "id", -1);
	json_t *entry;
	bool found = false;
	size_t i;

	if (json_int(note, "verb", -1) == CHANGE_CREATE) {
		json_array_foreach(entries, i, entry)
			found = found || has_all(entry, given);
		return found;
	}
	entry = entry_of(entries, id);
	if (json_int(note, "verb", -1) == CHANGE_DELETE)
		found = entry == NULL;
	else
		found = entry != NULL && has_all(entry, given);
	json_decref(entry);
	return found;
}

static void
tell(const struct interrupted *t, const char *outcome)
{
	const struct resource *r =
	    resource_find(json_str(t->note, "resource", ""));
	int64_t verb = json_int(t->note, "verb", 0);
	json_t *what;

	/* What was to be made may have no number yet. */
	if (verb == CHANGE_CREATE)
		what = json_sprintf("%s %s", verbs[verb], r->verbose_name);
	else
		what = json_sprintf("%s %s %lld", verbs[verb], r->verbose_name,
		    (long long)json_int(t->note, "id", -1));
	log_warn(
	    "outside.interrupted", "%s: %s", json_string_value(what), outcome);
	alert_raise(ALERT, t->name + strlen(NOTE),
	    json_pack("{s:o, s:s}", "what", what, "outcome", outcome));
	if (store_set_value(core_store(), t->name, NULL) == -1)
		log_warn("outside.note", "%s", strerror(errno));
}

static void
truth_known(json_t *entries, int error, const char *text, void *arg)
{
	struct interrupted *t = arg;

	(void)error;
	if (entries == NULL) {
		log_warn("outside.ask", "%s", text);
		tell(t, "whether it was done is not known");
	} else if (was_done(t->note, entries))
		tell(t, "it was done");
	else
		tell(t, "it was not done");
	json_decref(entries);
	json_decref(t->note);
	free(t->name);
	free(t);
}

void
outside_recover(void)
{
	json_t *notes = store_values(core_store(), NOTE), *text, *o;
	const struct resource *r;
	struct interrupted *t;
	const char *id;

	json_object_foreach(notes, id, text) {
		o = json_parse(
		    json_string_value(text), json_string_length(text), NULL);
		r = resource_find(json_str(o, "resource", ""));
		/* Of a version that had it. */
		if (r == NULL || r->ask == NULL ||
		    json_int(o, "verb", -1) < CHANGE_CREATE ||
		    json_int(o, "verb", -1) > CHANGE_DELETE) {
			json_decref(o);
			continue;
		}
		t = xcalloc(1, sizeof(*t));
		t->name = xasprintf("%s%s", NOTE, id);
		t->note = o;
		r->ask(truth_known, t);
	}
	json_decref(notes);
}
