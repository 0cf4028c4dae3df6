/*
 * A resource made up for the tests with every kind of field there is: there is
 * nothing of it but tables, all that the tests find is made of them.  And one
 * that it refers to, which can be told to edit others along with itself.
 */
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/query.h"
#include "lib/json.h"
#include "made_up.h"

/* clang-format off */
static const char *const colours[] = { "RED", "GREEN", "BLUE", NULL };
static const char *const weekdays[] = { "MON", "TUE", "WED", NULL };

static const struct field place[] = {
	{ .name = "x", .type = F_INT, .flags = FF_REQUIRED, .min = -100,
	  .max = 100, .doc = "Across." },
	{ .name = "y", .type = F_INT, .def = "0", .min = -100, .max = 100,
	  .doc = "Along." },
	{ .name = "key", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .doc = "Opens it." },
	FIELD_END
};
static const struct field part[] = {
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .max = 10, .doc = "Its name." },
	{ .name = "password", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .doc = "Its password." },
	FIELD_END
};
static const struct field parts[] = {
	{ .name = "part", .type = F_OBJECT, .fields = part,
	  .model = "MadeUpPart", .doc = "A part." },
	FIELD_END
};
static const struct field label[] = {
	{ .name = "label", .type = F_STR, .max = 10, .doc = "A label." },
	FIELD_END
};
static const struct field of_file[] = {
	{ .name = "path", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .doc = "Where it is." },
	FIELD_END
};
static const struct field of_net[] = {
	{ .name = "host", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .doc = "Its name." },
	{ .name = "password", .type = F_STR, .flags = FF_REQUIRED | FF_SECRET,
	  .doc = "Its password." },
	FIELD_END
};
static const struct variant sources[] = {
	{ "FILE", of_file }, { "NET", of_net }, { .value = NULL }
};
static const struct field shelf_id[] = {
	{ .name = "id", .type = F_INT, .doc = "Id of a shelf." }, FIELD_END
};

static const struct field thing_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED | FF_UNIQUE,
	  .min = 1, .max = 20, .pattern = "[a-z0-9]+", .doc = "Its name." },
	{ .name = "number", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_UNIQUE, .min = 1, .max = 1000,
	  .doc = "Its number." },
	{ .name = "flag", .type = F_BOOL, .def = "false", .doc = "Is it?" },
	{ .name = "colour", .type = F_ENUM, .def = "\"RED\"",
	  .choices = colours, .doc = "Its colour." },
	{ .name = "words", .type = F_STRV, .def = "[]", .max = 3,
	  .doc = "What is said of it." },
	{ .name = "days", .type = F_ENUMV, .def = "[\"MON\"]",
	  .choices = weekdays, .doc = "When it is there." },
	{ .name = "place", .type = F_OBJECT, .def = "null", .flags = FF_NULL,
	  .fields = place, .model = "MadeUpPlace", .doc = "Where it is." },
	{ .name = "parts", .type = F_ARRAY, .def = "[]", .fields = parts,
	  .max = 3, .doc = "What it is made of." },
	{ .name = "labels", .type = F_DICT, .def = "{}", .fields = label,
	  .doc = "What is on it." },
	{ .name = "source", .type = F_UNION, .tag = "type",
	  .variants = sources, .def = "null", .flags = FF_NULL,
	  .doc = "Where it comes from." },
	{ .name = "extra", .type = F_ANY, .def = "null", .doc = "Anything." },
	{ .name = "owner", .type = F_INT_OR_STR, .def = "null",
	  .flags = FF_NULL, .doc = "Whose it is." },
	{ .name = "kind", .type = F_CONST, .def = "\"thing\"",
	  .doc = "What it is." },
	{ .name = "password", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .doc = "Its password." },
	{ .name = "serial", .type = F_STR, .def = "\"\"",
	  .flags = FF_CREATE, .doc = "Cannot be changed." },
	{ .name = "later", .type = F_BOOL, .def = "false",
	  .flags = FF_UNBUILT, .doc = "Has no effect." },
	{ .name = "made", .type = F_ANY, .def = "{\"$date\": 86400000}",
	  .flags = FF_READONLY | FF_DATE, .doc = "When it was made." },
	{ .name = "shelf", .type = F_INT, .def = "null", .flags = FF_NULL,
	  .refers = "made_up.shelf", .doc = "The shelf that it stands on." },
	{ .name = "spare", .type = F_INT, .def = "null",
	  .flags = FF_NULL | FF_RELEASES, .refers = "made_up.shelf",
	  .doc = "The shelf for want of a better." },
	{ .name = "shelves", .type = F_ARRAY, .def = "[]", .fields = shelf_id,
	  .flags = FF_RELEASES, .refers = "made_up.shelf",
	  .doc = "Shelves that it was seen on." },
	IF_REVISION_ROW,
	FIELD_END
};
static const struct field thing = { .name = "result", .type = F_OBJECT,
	.fields = thing_fields, .model = "MadeUpThing", .doc = "The thing." };
static const struct field things = { .name = "result", .type = F_ARRAY,
	.fields = &thing, .doc = "The things." };
static const struct field done = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "It is done." };
static const struct field thing_create[] = {
	{ .name = "thing_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = thing_fields, .model = "MadeUpThingCreate",
	  .doc = "The new one." },
	FIELD_END
};
static const struct field thing_update[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED, .doc = "Its id." },
	{ .name = "thing_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = thing_fields, .model = "MadeUpThingUpdate",
	  .doc = "What to change." },
	FIELD_END
};

/* REMAKE: removed and made again; PASSING: made and removed; TAKE: its name. */
static const char *const along[] = { "NOTHING", "REMOVE", "REMAKE",
	"PASSING", "TAKE", "TWICE", "SAME", NULL };
static const struct field shelf_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED | FF_UNIQUE,
	  .doc = "Its name." },
	{ .name = "along", .type = F_ENUM, .def = "\"NOTHING\"",
	  .choices = along, .flags = FF_UNSTORED,
	  .doc = "What to do with the other one." },
	{ .name = "other", .type = F_INT, .def = "0", .flags = FF_UNSTORED,
	  .doc = "Its id." },
	{ .name = "keeping", .type = F_INT, .def = "0", .flags = FF_UNSTORED,
	  .max = 600000, .doc = "Milliseconds from when it is stored on." },
	FIELD_END
};
static const struct field shelf = { .name = "result", .type = F_OBJECT,
	.fields = shelf_fields, .model = "MadeUpShelf", .doc = "The shelf." };
static const struct field shelves = { .name = "result", .type = F_ARRAY,
	.fields = &shelf, .doc = "The shelves." };
static const struct field shelf_create[] = {
	{ .name = "shelf_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = shelf_fields, .model = "MadeUpShelfCreate",
	  .doc = "The new one." },
	FIELD_END
};

#define CREATE(of, params_, result_)					\
	{ .name = "made_up." of ".create", .kind = KIND_CREATE,		\
	  .auth = AUTH_ROLE, .params = params_, .result = result_,	\
	  .audit = "Make", .doc = "Makes one.", .run = resource_create_run }
#define DELETE(of)							\
	{ .name = "made_up." of ".delete", .kind = KIND_DELETE,		\
	  .auth = AUTH_ROLE, .params = id_params, .result = &done,	\
	  .audit = "Remove", .doc = "Removes one.",			\
	  .run = resource_delete_run }
#define INSTANCE(of, result_)						\
	{ .name = "made_up." of ".get_instance", .kind = KIND_INSTANCE,	\
	  .auth = AUTH_ROLE, .params = instance_params,			\
	  .result = result_, .doc = "One.", .run = resource_instance_run }
#define QUERY(of, result_)						\
	{ .name = "made_up." of ".query", .kind = KIND_QUERY,		\
	  .auth = AUTH_ROLE, .params = query_params, .result = result_,	\
	  .doc = "All.", .run = resource_query_run }
#define UPDATE(of, params_, result_)					\
	{ .name = "made_up." of ".update", .kind = KIND_UPDATE,		\
	  .auth = AUTH_ROLE, .params = params_, .result = result_,	\
	  .audit = "Change", .doc = "Changes one.",			\
	  .run = resource_update_run }

static const struct method thing_methods[] = {
	CREATE("thing", thing_create, &thing),
	DELETE("thing"),
	INSTANCE("thing", &thing),
	QUERY("thing", &things),
	UPDATE("thing", thing_update, &thing),
	METHOD_END
};
/* clang-format on */

static void
set_name(struct edit *e, const char *name)
{
	if (e != NULL)
		json_object_set_new(e->after, "name", json_string(name));
}

/* Two edits of one entry are one, which says what the last one said. */
static void
edit_twice(struct change *c, int64_t other)
{
	set_name(change_edit(c, &made_up_shelf, other), "once");
	set_name(change_edit(c, &made_up_shelf, other), "twice");
}

static void
remake(struct change *c, int64_t other)
{
	change_remove(c, &made_up_shelf, other);
	if (change_edit(c, &made_up_shelf, other) != NULL)
		verr_add(c->errors, "along", "It is still there");
	set_name(change_add(c, &made_up_shelf, other), "remade");
	if (change_add(c, &made_up_shelf, other) != NULL)
		verr_add(c->errors, "along", "It was made twice");
}

static void
check(struct change *c)
{
	const char *what = json_str(c->data, "along", "");
	int64_t other = json_int(c->data, "other", 0);
	struct edit *e;

	if (strcmp(what, "REMOVE") == 0)
		change_remove(c, &made_up_shelf, other);
	else if (strcmp(what, "REMAKE") == 0)
		remake(c, other);
	else if (strcmp(what, "TWICE") == 0)
		edit_twice(c, other);
	else if (strcmp(what, "TAKE") == 0)
		set_name(change_edit(c, &made_up_shelf, other), "bereft");
	else if (strcmp(what, "PASSING") == 0) {
		e = change_add(c, &made_up_shelf, -1);
		set_name(e, "passing");
		change_remove(c, &made_up_shelf, e->id);
	} else if (strcmp(what, "SAME") == 0)
		set_name(change_add(c, &made_up_shelf, -1),
		    json_str(c->after, "name", ""));
}

static void
beside_done(void *arg)
{
	change_beside_done(arg, NULL);
}

static void
beside(struct change *c, enum beside step)
{
	int64_t ms = step == BESIDE_KEEP ? json_int(c->data, "keeping", 0) : 0;

	core_after((unsigned int)ms, beside_done, c);
}

/* clang-format off */
static const struct method shelf_methods[] = {
	CREATE("shelf", shelf_create, &shelf),
	DELETE("shelf"),
	INSTANCE("shelf", &shelf),
	QUERY("shelf", &shelves),
	METHOD_END
};

const struct resource made_up_thing = {
	.name = "made_up.thing", .doc = "Things.", .kind = RESOURCE_CRUD,
	.verbose_name = "Thing", .methods = thing_methods,
	.fields = thing_fields
};
const struct resource made_up_shelf = {
	.name = "made_up.shelf", .doc = "Shelves.", .kind = RESOURCE_CRUD,
	.verbose_name = "Shelf", .methods = shelf_methods,
	.fields = shelf_fields, .check = check, .beside = beside
};
/* clang-format on */
