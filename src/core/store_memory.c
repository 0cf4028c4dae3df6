/*
 * The store's entries in memory: for each resource an array by id, which is
 * what reads look at.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store_internal.h"
#include "lib/xalloc.h"

struct slot {
	int64_t id;
	int64_t revision;
	json_t *entry; /* NULL: removed; its id is not used again */
};

struct store_table {
	char *resource;
	struct slot *slots;
	size_t count, room;
	size_t present;
	uint64_t generation;
};

static struct store_table *
find_table(const struct store *s, const char *resource)
{
	size_t i;

	for (i = 0; i < s->ntables; i++)
		if (strcmp(s->tables[i].resource, resource) == 0)
			return &s->tables[i];
	return NULL;
}

static struct store_table *
make_table(struct store *s, const char *resource)
{
	struct store_table *t = find_table(s, resource);

	if (t != NULL)
		return t;
	s->tables =
	    xreallocarray(s->tables, s->ntables + 1, sizeof(*s->tables));
	t = &s->tables[s->ntables++];
	memset(t, 0, sizeof(*t));
	t->resource = xstrdup(resource);
	return t;
}

/* Where the id is, or where it belongs. */
static size_t
position(const struct store_table *t, int64_t id)
{
	size_t low = 0, high = t->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (t->slots[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct slot *
find(const struct store *s, const char *resource, int64_t id)
{
	const struct store_table *t = find_table(s, resource);
	size_t at;

	if (t == NULL)
		return NULL;
	at = position(t, id);
	return at < t->count && t->slots[at].id == id ? &t->slots[at] : NULL;
}

void
store_remember(struct store *s, const char *resource, int64_t id,
    int64_t revision, json_t *entry)
{
	struct store_table *t = make_table(s, resource);
	size_t at = position(t, id);
	struct slot *slot;

	if (at == t->count || t->slots[at].id != id) {
		if (t->count == t->room) {
			t->room = t->room == 0 ? 8 : 2 * t->room;
			t->slots =
			    xreallocarray(t->slots, t->room, sizeof(*t->slots));
		}
		memmove(&t->slots[at + 1], &t->slots[at],
		    (t->count - at) * sizeof(*t->slots));
		t->slots[at] = (struct slot){ .id = id };
		t->count++;
	}
	slot = &t->slots[at];
	t->present -= slot->entry != NULL;
	t->present += entry != NULL;
	json_decref(slot->entry);
	slot->entry = entry;
	slot->revision = revision;
	t->generation++;
}

void
store_forget(struct store *s)
{
	struct store_table *t;
	size_t i, j;

	for (i = 0; i < s->ntables; i++) {
		t = &s->tables[i];
		for (j = 0; j < t->count; j++)
			json_decref(t->slots[j].entry);
		free(t->slots);
		free(t->resource);
	}
	free(s->tables);
	s->tables = NULL;
	s->ntables = 0;
}

const json_t *
store_get(const struct store *s, const char *resource, int64_t id)
{
	const struct slot *slot = find(s, resource, id);

	return slot != NULL ? slot->entry : NULL;
}

int64_t
store_revision(const struct store *s, const char *resource, int64_t id)
{
	const struct slot *slot = find(s, resource, id);

	return slot != NULL ? slot->revision : 0;
}

size_t
store_count(const struct store *s, const char *resource)
{
	const struct store_table *t = find_table(s, resource);

	return t != NULL ? t->present : 0;
}

uint64_t
store_generation(const struct store *s, const char *resource)
{
	const struct store_table *t = find_table(s, resource);

	return t != NULL ? t->generation : 0;
}

int64_t
store_next_id(const struct store *s, const char *resource)
{
	const struct store_table *t = find_table(s, resource);

	return t != NULL && t->count > 0 ? t->slots[t->count - 1].id + 1 : 1;
}

json_t *
store_list(const struct store *s, const char *resource)
{
	const struct store_table *t = find_table(s, resource);
	json_t *list = json_array();
	size_t i;

	for (i = 0; t != NULL && i < t->count; i++)
		if (t->slots[i].entry != NULL)
			json_array_append(list, t->slots[i].entry);
	return list;
}

void
store_each(const struct store *s, const char *resource,
    void (*each)(int64_t, const json_t *, void *), void *arg)
{
	const struct store_table *t = find_table(s, resource);
	size_t i;

	for (i = 0; t != NULL && i < t->count; i++)
		if (t->slots[i].entry != NULL)
			each(t->slots[i].id, t->slots[i].entry, arg);
}

int
store_write_entries(const struct store *s)
{
	const struct store_table *t;
	const struct slot *slot;

	for (t = s->tables; t < s->tables + s->ntables; t++)
		for (slot = t->slots; slot < t->slots + t->count; slot++)
			if (sql_set_entry(s, t->resource, slot->id,
				slot->revision, slot->entry) == -1)
				return -1;
	return 0;
}
