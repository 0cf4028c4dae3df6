/*
 * Entries as the API shows them, and as the text of an answer: each is made
 * when somebody asks for it and kept until it, or what follows from others in
 * it, is changed.  So ten thousand entries cost nothing until they are read,
 * and reading one again costs a copy of its text.
 */
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/entry.h"
#include "core/resource.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct kept {
	int64_t id;
	json_t *stored; /* what it was made of */
	json_t *shown; /* NULL: not yet */
	char *text; /* NULL: not yet; may hold secrets */
	size_t len;
};

/* Of one resource, for those who see its secrets or for the others. */
struct shelf {
	bool filled;
	uint64_t own, others; /* generations */
	int64_t until; /* by boottime_ms(); 0: for good */
	struct kept *kept; /* by id */
	size_t count;
	json_t *all; /* of shown, NULL: not yet */
};

static struct shelf *
shelf_of(const struct resource *r, bool secrets)
{
	static struct shelf(*shelves)[2];

	if (shelves == NULL)
		shelves = xcalloc(resource_count(), sizeof(*shelves));
	return &shelves[resource_index(r)][secrets];
}

static uint64_t
others_of(const struct resource *r)
{
	const struct resource *const *from;
	uint64_t generation = 0;

	for (from = r->extended_from; from != NULL && *from != NULL; from++)
		generation += store_generation(core_store(), (*from)->name);
	return generation;
}

/* Nothing that was made of the entries counts any more. */
static bool
is_over(const struct shelf *shelf, uint64_t others)
{
	return !shelf->filled || shelf->others != others ||
	    (shelf->until != 0 && boottime_ms() >= shelf->until);
}

static void
kept_forget(struct kept *kept)
{
	json_decref(kept->shown);
	freezero_str(kept->text);
	kept->shown = NULL;
	kept->text = NULL;
}

/* What is being filled, and how far what it was before is looked at. */
struct refill {
	const struct shelf *before;
	size_t at;
	struct kept *kept;
	size_t count, room;
};

/* In the order of ids, as before: what is the same stays. */
static void
take_over(int64_t id, const json_t *stored, void *arg)
{
	struct refill *to = arg;
	struct kept *kept, *old;

	if (to->count == to->room) {
		to->room = to->room == 0 ? 16 : 2 * to->room;
		to->kept = xreallocarray(to->kept, to->room, sizeof(*kept));
	}
	kept = &to->kept[to->count++];
	*kept = (struct kept){ .id = id };
	while (to->at < to->before->count && to->before->kept[to->at].id < id)
		to->at++;
	if (to->at < to->before->count) {
		old = &to->before->kept[to->at];
		if (old->stored == stored) {
			*kept = *old;
			*old = (struct kept){ .id = id };
			return;
		}
	}
	kept->stored = json_incref((json_t *)(uintptr_t)stored);
}

static void
refill(struct shelf *shelf, const struct resource *r)
{
	struct refill to = { .before = shelf };
	size_t i;

	store_each(core_store(), r->name, take_over, &to);
	for (i = 0; i < shelf->count; i++) {
		kept_forget(&shelf->kept[i]);
		json_decref(shelf->kept[i].stored);
	}
	free(shelf->kept);
	shelf->kept = to.kept;
	shelf->count = to.count;
	json_decref(shelf->all);
	shelf->all = NULL;
}

static void
shelf_forget(struct shelf *shelf)
{
	size_t i;

	for (i = 0; i < shelf->count; i++)
		kept_forget(&shelf->kept[i]);
	json_decref(shelf->all);
	shelf->all = NULL;
}

/* The resource's, with nothing on it that is no longer true. */
static struct shelf *
current(const struct resource *r, bool secrets)
{
	struct shelf *shelf =
	    shelf_of(r, secrets || !schema_secrets(r->fields));
	uint64_t own = store_generation(core_store(), r->name);
	uint64_t others = others_of(r);

	if (shelf->filled && shelf->own == own && !is_over(shelf, others))
		return shelf;
	if (is_over(shelf, others)) {
		shelf_forget(shelf);
		shelf->until = r->shown_seconds != 0 ?
		    boottime_ms() + 1000 * (int64_t)r->shown_seconds :
		    0;
	}
	if (!shelf->filled || shelf->own != own)
		refill(shelf, r);
	shelf->filled = true;
	shelf->own = own;
	shelf->others = others;
	return shelf;
}

void
entry_extend_again(const struct resource *r)
{
	shelf_forget(shelf_of(r, false));
	shelf_forget(shelf_of(r, true));
}

static int
compare_id(const void *key, const void *row)
{
	const int64_t *id = key;
	const struct kept *kept = row;

	return *id == kept->id ? 0 : *id < kept->id ? -1 : 1;
}

static struct kept *
find(const struct shelf *shelf, int64_t id)
{
	if (shelf->count == 0)
		return NULL;
	return bsearch(
	    &id, shelf->kept, shelf->count, sizeof(*shelf->kept), compare_id);
}

static json_t *
make(const struct resource *r, json_t *stored, bool secrets)
{
	json_t *entry, *redacted;

	if (r->kind == RESOURCE_CONFIG) {
		/* What an older version stored may lack members. */
		entry = schema_defaults(r->fields);
		json_object_update(entry, stored);
	} else
		entry = json_copy(stored);
	if (r->extend != NULL)
		r->extend(entry);
	if (secrets || !schema_secrets(r->fields))
		return entry;
	redacted = schema_redact(r->fields, entry);
	json_decref(entry);
	return redacted;
}

/* Borrowed. */
static json_t *
shown(const struct resource *r, struct kept *kept, bool secrets)
{
	if (kept->shown == NULL)
		kept->shown = make(r, kept->stored, secrets);
	return kept->shown;
}

static const char *
text_of(struct kept *kept, size_t *lenp)
{
	if (kept->text == NULL) {
		kept->text = json_text(kept->shown);
		kept->len = kept->text != NULL ? strlen(kept->text) : 0;
	}
	*lenp = kept->len;
	return kept->text;
}

json_t *
entry_shown(const struct resource *r, int64_t id, bool secrets)
{
	struct kept *kept = find(current(r, secrets), id);

	return kept != NULL ? json_incref(shown(r, kept, secrets)) : NULL;
}

json_t *
entry_shown_all(const struct resource *r, bool secrets)
{
	struct shelf *shelf = current(r, secrets);
	size_t i;

	if (shelf->all == NULL) {
		shelf->all = json_array();
		for (i = 0; i < shelf->count; i++)
			json_array_append(
			    shelf->all, shown(r, &shelf->kept[i], secrets));
	}
	return json_incref(shelf->all);
}

const char *
entry_shown_text(
    const struct resource *r, const json_t *entry, bool secrets, size_t *lenp)
{
	struct kept *kept =
	    find(current(r, secrets), json_int(entry, "id", -1));

	if (kept == NULL || kept->shown != entry)
		return NULL;
	return text_of(kept, lenp);
}

const char *
entry_text(const struct resource *r, bool secrets)
{
	struct kept *kept = find(current(r, secrets), r->entry);
	size_t len;

	if (kept == NULL)
		return NULL;
	shown(r, kept, secrets);
	return text_of(kept, &len);
}
