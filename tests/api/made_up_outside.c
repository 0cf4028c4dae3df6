/*
 * A resource made up for the tests whose truth is not in the store: boxes, in a
 * file that anybody may write.  Its changes are jobs that can be held up, before
 * or after it was done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/job.h"
#include "core/query.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/xalloc.h"
#include "made_up.h"

#define FILE_NAME PATH_STATE "/boxes.json"

/* clang-format off */
static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .doc = "Its name." },
	{ .name = "size", .type = F_INT, .def = "1", .doc = "Its size." },
	{ .name = "password", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .doc = "Opens it." },
	{ .name = "before", .type = F_INT, .def = "0", .flags = FF_UNSTORED,
	  .max = 600000, .doc = "Milliseconds until it is done." },
	{ .name = "after", .type = F_INT, .def = "0", .flags = FF_UNSTORED,
	  .max = 600000, .doc = "Milliseconds from then to the end." },
	FIELD_END
};
static const struct field box = { .name = "result", .type = F_OBJECT,
	.fields = fields, .model = "MadeUpBox", .doc = "The box." };
static const struct field boxes = { .name = "result", .type = F_ARRAY,
	.fields = &box, .doc = "The boxes." };
static const struct field done_row = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "It is done." };
static const struct field create_params[] = {
	{ .name = "box_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .doc = "The new one." }, FIELD_END
};
static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED, .doc = "Its id." },
	{ .name = "box_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .doc = "What to change." }, FIELD_END
};
/* clang-format on */

static json_t *
read_boxes(void)
{
	json_t *list = json_load_file(FILE_NAME, 0, NULL);

	return list != NULL ? list : json_array();
}

/* Later, as of another machine. */
struct asking {
	void (*done)(json_t *, int, const char *, void *);
	void *arg;
};

static void
answer(void *arg)
{
	struct asking a = *(struct asking *)arg;
	json_t *list = read_boxes();

	free(arg);
	if (json_is_array(list))
		a.done(list, 0, NULL, a.arg);
	else {
		json_decref(list);
		a.done(NULL, EIO, "The boxes cannot be read", a.arg);
	}
}

static void
ask(void (*done)(json_t *, int, const char *, void *), void *arg)
{
	struct asking *a = xmalloc(sizeof(*a));

	*a = (struct asking){ done, arg };
	core_after(0, answer, a);
}

static size_t
index_of(const json_t *list, int64_t id)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_int(json_array_get(list, i), "id", -1) == id)
			break;
	return i;
}

static void
finished(void *arg)
{
	change_applied(arg, 0, NULL);
}

static void
carry_out(void *arg)
{
	struct change *c = arg;
	json_t *list = read_boxes();
	size_t at = index_of(list, c->id);

	if (c->verb == CHANGE_CREATE) {
		c->id = at == 0 ? 1 : 0;
		for (at = 0; at < json_array_size(list); at++)
			if (json_int(json_array_get(list, at), "id", 0) >=
			    c->id)
				c->id = 1 +
				    json_int(json_array_get(list, at), "id", 0);
		json_object_set_new(c->after, "id", json_integer(c->id));
		json_array_append(list, c->after);
	} else if (c->verb == CHANGE_UPDATE)
		json_array_set(list, at, c->after);
	else
		json_array_remove(list, at);
	if (json_dump_file(list, FILE_NAME, 0) == -1)
		change_applied(c, EIO, "The boxes cannot be written");
	else
		core_after(
		    (unsigned int)json_int(c->data, "after", 0), finished, c);
	json_decref(list);
}

static void
apply(struct change *c)
{
	if (c->call->job != NULL)
		job_progress(c->call->job, 50, "on the way");
	if (strcmp(json_str(c->after, "name", ""), "impossible") == 0)
		change_applied(c, ENOSPC, "There is no room for it");
	else
		core_after(
		    (unsigned int)json_int(c->data, "before", 0), carry_out, c);
}

static void
check(struct change *c)
{
	if (c->verb == CHANGE_UPDATE &&
	    json_int(c->after, "size", 0) < json_int(c->before, "size", 0))
		verr_add(c->errors, "size", "A box does not shrink");
}

static char *
lock(const json_t *params)
{
	return xasprintf("made_up.box.%lld",
	    (long long)json_integer_value(json_array_get(params, 0)));
}

/* clang-format off */
#define ROW(verb_, kind_, params_, result_)				\
	{ .name = "made_up.box." verb_, .kind = kind_, .auth = AUTH_ROLE, \
	  .job = true, .job_lock = lock, .params = params_,		\
	  .result = result_, .audit = verb_, .doc = "Changes a box.",	\
	  .run = resource_##params_##_run }
#define resource_create_params_run resource_create_run
#define resource_update_params_run resource_update_run
#define resource_id_params_run resource_delete_run

static const struct method methods[] = {
	ROW("create", KIND_CREATE, create_params, &box),
	ROW("delete", KIND_DELETE, id_params, &done_row),
	{ .name = "made_up.box.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .params = instance_params, .result = &box,
	  .doc = "One box.", .run = resource_instance_run },
	{ .name = "made_up.box.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .params = query_params, .result = &boxes, .doc = "All boxes.",
	  .run = resource_query_run },
	ROW("update", KIND_UPDATE, update_params, &box),
	METHOD_END
};

const struct resource made_up_outside = {
	.name = "made_up.box", .doc = "Boxes.", .kind = RESOURCE_CRUD,
	.verbose_name = "Box", .methods = methods, .fields = fields,
	.check = check, .ask = ask, .apply = apply
};
/* clang-format on */
