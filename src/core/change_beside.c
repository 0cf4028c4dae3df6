/*
 * What a change does to the machine beside files (struct resource's beside),
 * as the last before it is stored; and what follows from its steps.
 */
#include "core/change_internal.h"
#include "core/core.h"
#include "lib/log.h"

/* The one whose entries are edited, or NULL. */
static const struct resource *
resource_of(const struct change *c)
{
	size_t i;

	for (i = 0; i < c->nedits; i++)
		if (c->edits[i].resource->beside != NULL)
			return c->edits[i].resource;
	return NULL;
}

void
change_beside(struct change *c, enum beside step)
{
	const struct resource *resource = resource_of(c);

	c->beside = step;
	if (resource == NULL) {
		change_beside_done(c, NULL);
		return;
	}
	c->beside_begun = step == BESIDE_DO;
	resource->beside(c, step);
}

void
change_beside_done(struct change *c, const char *problem)
{
	switch (c->beside) {
	case BESIDE_DO:
		if (problem != NULL)
			change_take_back(
			    c, "The change did not take effect: %s", problem);
		else
			change_commit(c);
		break;
	case BESIDE_KEEP:
		if (problem != NULL)
			log_error("change.kept", "%s: revision %lld: %s",
			    c->resource->name, (long long)c->revision, problem);
		change_committed(c);
		break;
	case BESIDE_UNDO:
		change_undo(c);
		break;
	}
}
