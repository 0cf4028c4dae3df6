/*
 * Whoever sends the revision that he read (if_revision) is told when somebody
 * else was faster: who, when, and both values of what he would have set.
 */
#include "core/change_internal.h"
#include "core/core.h"
#include "core/resource.h"
#include "core/schema_internal.h"
#include "lib/json.h"

struct finding {
	int64_t number;
	json_t *extra;
};

static bool
find_revision(const struct revision *r, void *arg)
{
	struct finding *f = arg;

	if (r->number != f->number)
		return false;
	json_object_set_new(f->extra, "user", json_string(r->who));
	json_object_set_new(f->extra, "origin", json_string(r->origin));
	json_object_set_new(f->extra, "time", json_date(r->time));
	return false;
}

/* {member: {"yours": ..., "theirs": ...}}; secrets are not shown. */
static json_t *
both_values(const struct change *c)
{
	json_t *yours = schema_redact(c->resource->fields, c->data);
	json_t *theirs = schema_redact(c->resource->fields, c->before);
	json_t *both = json_object(), *mine, *other;
	const struct field *f;

	for (f = c->resource->fields; f->name != NULL; f++) {
		mine = json_object_get(yours, f->name);
		if (mine == NULL || (f->flags & FF_UNSTORED))
			continue;
		other = json_object_get(theirs, f->name);
		json_object_set_new(both, f->name,
		    json_pack("{s:O, s:O?}", "yours", mine, "theirs", other));
	}
	json_decref(yours);
	json_decref(theirs);
	return both;
}

json_t *
change_lost(const struct change *c)
{
	struct finding f;

	if (c->if_revision < 0)
		return NULL;
	f.number = store_revision(core_store(), c->resource->name, c->id);
	if (f.number == c->if_revision)
		return NULL;
	f.extra = json_pack("{s:I, s:n, s:n, s:n, s:o}", "revision",
	    (json_int_t)f.number, "user", "origin", "time", "values",
	    both_values(c));
	/* One that is not kept any more is somebody's all the same. */
	store_history(core_store(), f.number, find_revision, &f);
	return f.extra;
}
