/*
 * A binary heap by due time beside a tree by name: see scheduler_internal.h.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "core/scheduler_internal.h"
#include "lib/xalloc.h"

static struct {
	void *names; /* of tsearch(3) */
	struct scheduled **heap;
	size_t count, size;
} queue;

static int
compare_names(const void *a, const void *b)
{
	const struct scheduled *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct scheduled *
queue_find(const char *name)
{
	struct scheduled wanted = { .name = (char *)(uintptr_t)name };
	struct scheduled **found = tfind(&wanted, &queue.names, compare_names);

	return found != NULL ? *found : NULL;
}

static void
put(size_t place, struct scheduled *e)
{
	queue.heap[place] = e;
	e->place = place;
}

static void
up(struct scheduled *e)
{
	size_t place = e->place, parent;

	for (; place > 0; place = parent) {
		parent = (place - 1) / 2;
		if (queue.heap[parent]->due <= e->due)
			break;
		put(place, queue.heap[parent]);
	}
	put(place, e);
}

static void
down(struct scheduled *e)
{
	size_t place = e->place, child;

	for (; (child = 2 * place + 1) < queue.count; place = child) {
		if (child + 1 < queue.count &&
		    queue.heap[child + 1]->due < queue.heap[child]->due)
			child++;
		if (queue.heap[child]->due >= e->due)
			break;
		put(place, queue.heap[child]);
	}
	put(place, e);
}

void
queue_moved(struct scheduled *e)
{
	up(e);
	down(e);
}

void
queue_rebuild(void)
{
	size_t n;

	for (n = 0; n < queue.count; n++)
		up(queue.heap[n]);
}

void
queue_add(struct scheduled *e)
{
	if (queue.count == queue.size) {
		queue.size = queue.size == 0 ? 16 : 2 * queue.size;
		queue.heap = xreallocarray(
		    queue.heap, queue.size, sizeof(struct scheduled *));
	}
	if (tsearch(e, &queue.names, compare_names) == NULL)
		abort();
	put(queue.count++, e);
	up(e);
}

void
queue_remove(struct scheduled *e)
{
	struct scheduled *last = queue.heap[--queue.count];
	size_t place = e->place;

	tdelete(e, &queue.names, compare_names);
	if (last != e) {
		put(place, last);
		queue_moved(last);
	}
	if (queue.count == 0) {
		free(queue.heap);
		queue.heap = NULL;
		queue.size = 0;
	}
}

struct scheduled *
queue_first(void)
{
	return queue.count > 0 ? queue.heap[0] : NULL;
}

struct scheduled *
queue_at(size_t n)
{
	return queue.heap[n];
}

size_t
queue_count(void)
{
	return queue.count;
}
