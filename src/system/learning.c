/* What is learnt of the system at start: see learning.h. */
#include "system/learning.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/core.h"
#include "core/method.h"
#include "lib/xalloc.h"

void
learning_begin(struct learning *l, const struct resource *resource)
{
	*l = (struct learning){ .resource = resource,
		.next = store_next_id(core_store(), resource->name),
		.present = json_object() };
}

void
learning_add(
    struct learning *l, int64_t entry, const json_t *before, json_t *after)
{
	struct revision *r;

	l->list = xreallocarray(l->list, l->count + 1, sizeof(*l->list));
	r = &l->list[l->count++];
	*r = (struct revision){ .time = time(NULL), .entry = entry };
	r->who = (char *)(uintptr_t) "root";
	r->origin = (char *)(uintptr_t) "";
	r->resource = (char *)(uintptr_t)l->resource->name;
	r->before = json_deep_copy(before);
	r->after = after; /* transferred */
}

void
learning_end(struct learning *l)
{
	size_t i;

	if (l->count > 0 &&
	    store_change(core_store(), l->list, l->count, NULL, NULL) == -1)
		core_problem(l->resource->name,
		    "The system's own ones could not be stored: %s",
		    strerror(errno));
	for (i = 0; i < l->count; i++) {
		json_decref(l->list[i].before);
		json_decref(l->list[i].after);
	}
	free(l->list);
	json_decref(l->present);
}
