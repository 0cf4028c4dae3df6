/*
 * The groups as the group file has them: one that is asked for, those of the
 * system, learnt at start, and what somebody else added since.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/account_lines.h"
#include "system/account_number.h"
#include "system/group_internal.h"
#include "system/learning.h"
#include "system/system.h"

/* Calls each for one line after the other until it says false. */
static int
each_line(const struct op_reply *reply,
    bool (*each)(const struct group_line *, void *), void *arg)
{
	return account_lines(
	    reply, &(struct line_readers){ .group = each }, arg);
}

/* --- One group of the file ------------------------------------------------ */

struct search {
	const char *name; /* NULL: look for the number */
	int64_t gid;
	json_t *found;
};

static bool
obj_line(const struct group_line *line, void *arg)
{
	struct search *s = arg;

	if (s->name != NULL ? strcmp(s->name, line->name) != 0 :
			      s->gid != (int64_t)line->gid)
		return true;
	s->found = json_pack("{s:s, s:I, s:O, s:n, s:s, s:b}", "gr_name",
	    line->name, "gr_gid", (json_int_t)line->gid, "gr_mem",
	    line->members, "sid", "source", "LOCAL", "local", 1);
	return false;
}

static void
obj_known(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	const json_t *o = call_param(call, 0);
	struct search s = { .name = json_str(o, "groupname", NULL),
		.gid = json_int(o, "gid", -1) };
	int rc = each_line(reply, obj_line, &s);

	if (s.found != NULL)
		call_reply(call, s.found);
	else if (rc == -1)
		call_fail(call, reply->error != 0 ? reply->error : EPROTO,
		    "The groups cannot be read: %s", reply->text);
	else if (s.name != NULL)
		call_fail(call, ENOENT, "%s: there is no such group", s.name);
	else
		call_fail(call, ENOENT, "%lld: there is no such group",
		    (long long)s.gid);
}

void
group_obj_run(struct call *call)
{
	const json_t *o = call_param(call, 0);
	bool named = !json_is_null(json_object_get(o, "groupname"));
	bool numbered = !json_is_null(json_object_get(o, "gid"));
	struct verr *errors;

	if (named != numbered) {
		op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, obj_known, call);
		return;
	}
	errors = verr_new();
	verr_add(
	    errors, "get_group_obj.groupname", "Give either a name or a gid");
	call_fail_invalid(call, errors);
}

/* --- The system's own groups ---------------------------------------------- */

static json_t *
builtin_entry(const json_t *known, int64_t id, const struct group_line *line)
{
	json_t *entry = json_pack("{s:I}", "id", (json_int_t)id), *rest;

	rest = known != NULL ? json_deep_copy(known) :
			       schema_defaults(group_resource.fields);
	json_object_del(rest, "users");
	json_object_del(rest, "id");
	json_object_update(entry, rest);
	json_decref(rest);
	json_object_set_new(entry, "gid", json_integer(line->gid));
	json_object_set_new(entry, "name", json_string(line->name));
	json_object_set_new(entry, "builtin", json_true());
	json_object_set_new(entry, "smb", json_false());
	return entry;
}

/* What the file says of a group that Holdfast does not write. */
static bool
learn(const struct group_line *line, void *arg)
{
	struct learning *l = arg;
	int64_t id = group_of_name(line->name);
	const json_t *known = store_get(core_store(), "group", id);

	if (json_object_get(l->present, line->name) != NULL)
		return true;
	json_object_set_new(l->present, line->name, json_true());
	/* What a crash left of a change is going to be taken out. */
	if (known == NULL && line->managed && line->gid >= NUMBER_LEAST)
		return true;
	if (known != NULL &&
	    (!json_bool(known, "builtin", false) ||
		json_int(known, "gid", -1) == (int64_t)line->gid))
		return true;
	if (known == NULL)
		id = l->next++;
	learning_add(l, id, known, builtin_entry(known, id, line));
	return true;
}

/* A built-in one that the file no longer has; own ones are put back. */
static void
forget(struct learning *l)
{
	json_t *all = store_list(core_store(), "group"), *group;
	size_t i;

	json_array_foreach(all, i, group)
		if (group_is_immutable(group) &&
		    json_object_get(l->present, json_str(group, "name", "")) ==
			NULL)
			learning_add(l, json_int(group, "id", -1), group, NULL);
	json_decref(all);
}

static void
groups_known(const struct op_reply *reply, void *arg)
{
	void (**done)(void) = arg;
	struct learning l;

	learning_begin(&l, &group_resource);
	if (each_line(reply, learn, &l) == -1)
		core_problem("groups", "The groups cannot be read: %s",
		    reply->error != 0 ? reply->text : "malformed answer");
	else
		forget(&l);
	learning_end(&l);
	(*done)();
}

void
group_gather(void (*done)(void))
{
	static void (*then)(void);

	then = done;
	op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, groups_known, &then);
}

/* --- Groups that somebody else made since --------------------------------- */

struct strangers {
	struct change *change;
	json_t *held; /* number: name */
};

static bool
note_stranger(const struct group_line *line, void *arg)
{
	struct strangers *s = arg;
	const char *wanted = json_str(s->change->after, "name", "");
	char gid[16];

	if (strcmp(line->name, wanted) == 0 && group_of_name(wanted) == -1)
		verr_add_errno(s->change->errors, EEXIST, "name",
		    "The system has a group with the name \"%s\".", wanted);
	if (group_of_gid(line->gid) == -1) {
		snprintf(gid, sizeof(gid), "%u", line->gid);
		json_object_set_new(s->held, gid, json_string(line->name));
	}
	return true;
}

static const char *
holder_of(const json_t *held, int64_t gid)
{
	char key[24];

	snprintf(key, sizeof(key), "%lld", (long long)gid);
	return json_str(held, key, NULL);
}

/* What cannot be read now is found out by the monitor, which checks again. */
static void
strangers_known(const struct op_reply *reply, void *arg)
{
	struct strangers s = { .change = arg, .held = json_object() };
	json_t *after = s.change->after;
	int64_t gid = json_int(after, "gid", -1);
	const char *holder;

	each_line(reply, note_stranger, &s);
	holder = holder_of(s.held, gid);
	if (gid == -1) {
		do
			gid = group_next_gid(gid);
		while (holder_of(s.held, gid) != NULL);
		json_object_set_new(after, "gid", json_integer(gid));
	} else if (holder != NULL && s.change->verb == CHANGE_CREATE)
		verr_add_errno(s.change->errors, EEXIST, "gid",
		    "Gid %lld is already used (group %s has it)",
		    (long long)gid, holder);
	json_decref(s.held);
	change_continue(s.change);
}

/* Of many at once, as a stored configuration has them, none is looked up. */
void
group_lookup(struct change *c)
{
	bool renamed = c->verb == CHANGE_UPDATE &&
	    !json_equal(json_object_get(c->before, "name"),
		json_object_get(c->after, "name"));
	bool numbered = json_int(c->after, "gid", -1) != -1;

	if (verr_any(c->errors) || (c->verb != CHANGE_CREATE && !renamed) ||
	    (c->all != NULL && numbered))
		change_continue(c);
	else
		op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, strangers_known, c);
}
