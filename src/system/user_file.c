/*
 * The accounts as the account files have them: one that is asked for, those
 * of the system, learnt at start, what somebody else added since, and the
 * shells.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/account_state.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/transfer.h"
#include "lib/xalloc.h"
#include "system/account_lines.h"
#include "system/account_number.h"
#include "system/group.h"
#include "system/learning.h"
#include "system/sudo.h"
#include "system/system.h"
#include "system/user.h"
#include "system/user_internal.h"

/* Those that are not in shells(5): nologin(8), our own. */
static const char *const unlisted[] = { "/usr/sbin/nologin", TRANSFER_SHELL };

/* --- One account of the file ---------------------------------------------- */

struct search {
	const char *name; /* NULL: look for the number */
	int64_t uid;
	bool groups; /* whether its groups are asked for */
	json_t *found;
	json_t *gids;
};

static bool
obj_user(const struct user_line *line, void *arg)
{
	struct search *s = arg;

	if (s->name != NULL ? strcmp(s->name, line->name) != 0 :
			      s->uid != (int64_t)line->uid)
		return true;
	s->found = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:n, s:n, s:s, "
			     "s:b}",
	    "pw_name", line->name, "pw_gecos", line->gecos, "pw_dir",
	    line->home, "pw_shell", line->shell, "pw_uid",
	    (json_int_t)line->uid, "pw_gid", (json_int_t)line->gid, "grouplist",
	    "sid", "source", "LOCAL", "local", 1);
	json_array_append_new(s->gids, json_integer(line->gid));
	return false;
}

static bool
obj_group(const struct group_line *line, void *arg)
{
	struct search *s = arg;
	const char *name = json_str(s->found, "pw_name", NULL);
	json_t *member;
	size_t i;

	if (name == NULL || !s->groups)
		return false;
	json_array_foreach(line->members, i, member)
		if (strcmp(json_string_value(member), name) == 0 &&
		    line->gid != json_int(s->found, "pw_gid", -1))
			json_array_append_new(s->gids, json_integer(line->gid));
	return true;
}

static void
obj_known(const struct op_reply *reply, void *arg)
{
	static const struct line_readers readers = { .user = obj_user,
		.group = obj_group };
	struct call *call = arg;
	const json_t *o = call_param(call, 0);
	struct search s = { .name = json_str(o, "username", NULL),
		.uid = json_int(o, "uid", -1),
		.groups = json_bool(o, "get_groups", false),
		.gids = json_array() };
	int rc = account_lines(reply, &readers, &s);

	if (s.found != NULL && s.groups)
		json_object_set(s.found, "grouplist", s.gids);
	json_decref(s.gids);
	if (s.found != NULL && rc == 0)
		call_reply(call, s.found);
	else if (rc == -1)
		call_fail(call, reply->error != 0 ? reply->error : EPROTO,
		    "The accounts cannot be read: %s", reply->text);
	else if (s.name != NULL)
		call_fail(call, ENOENT,
		    "%s: user with this name does not exist", s.name);
	else
		call_fail(call, ENOENT,
		    "%lld: user with this id does not exist", (long long)s.uid);
}

void
user_obj_run(struct call *call)
{
	const json_t *o = call_param(call, 0);
	bool named = !json_is_null(json_object_get(o, "username"));
	bool numbered = !json_is_null(json_object_get(o, "uid"));
	struct verr *errors;

	if (named != numbered) {
		op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, obj_known, call);
		return;
	}
	errors = verr_new();
	verr_add(errors, "get_user_obj.username",
	    "Either \"username\" or \"uid\" must be specified, not both");
	call_fail_invalid(call, errors);
}

/* --- Shells --------------------------------------------------------------- */

static bool
add_shell(const char *path, void *arg)
{
	const char *name = strrchr(path, '/');

	json_object_set_new(
	    arg, path, json_string(name != NULL ? name + 1 : path));
	return true;
}

static void
add_unlisted(json_t *shells)
{
	size_t i;

	for (i = 0; i < sizeof(unlisted) / sizeof(unlisted[0]); i++)
		add_shell(unlisted[i], shells);
}

/* {path: name} of all there are, or NULL. */
static json_t *
shells_of(const struct op_reply *reply)
{
	static const struct line_readers readers = { .shell = add_shell };
	json_t *shells = json_object();

	add_unlisted(shells);
	if (account_lines(reply, &readers, shells) == 0)
		return shells;
	json_decref(shells);
	return NULL;
}

static void
shells_known(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	json_t *shells = shells_of(reply);

	if (shells != NULL)
		call_reply(call, shells);
	else
		call_fail(call, reply->error != 0 ? reply->error : EPROTO,
		    "The shells cannot be read: %s", reply->text);
}

/* No shell is for some groups only. */
void
user_shells_run(struct call *call)
{
	op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, shells_known, call);
}

/* --- The system's own accounts -------------------------------------------- */

/* What the file says of it; an empty field is what passwd(5) says it is. */
static json_t *
file_members(const struct user_line *line)
{
	int64_t group = group_of_gid(line->gid);
	const char *home = line->home, *shell = line->shell;

	if (home[0] == '\0')
		home = "/";
	if (shell[0] == '\0')
		shell = "/bin/sh";
	return json_pack("{s:I, s:s, s:o, s:s, s:s, s:s, s:b}", "uid",
	    (json_int_t)line->uid, "username", line->name, "group",
	    group != -1 ? json_integer(group) : json_null(), "full_name",
	    line->gecos, "home", home, "shell", shell, "builtin", 1);
}

static json_t *
builtin_entry(int64_t id, const struct user_line *line)
{
	json_t *entry = json_pack("{s:I}", "id", (json_int_t)id);
	json_t *defaults = schema_defaults(user_resource.fields);

	json_object_update(entry, defaults);
	json_decref(defaults);
	json_object_update_new(entry, file_members(line));
	json_object_set_new(entry, "smb", json_false());
	json_object_set_new(entry, "unixhash", json_string(USER_HASH_KEPT));
	return entry;
}

/* Root's entry is made of the file once, and Holdfast's from then on. */
static void
learn_known(
    struct learning *l, const json_t *known, const struct user_line *line)
{
	json_t *after;

	if (!user_is_foreign(known))
		return;
	after = json_deep_copy(known);
	json_object_update_new(after, file_members(line));
	if (json_equal(after, known))
		json_decref(after);
	else
		learning_add(l, json_int(known, "id", -1), known, after);
}

static bool
learn(const struct user_line *line, void *arg)
{
	struct learning *l = arg;
	int64_t id = user_of_name(line->name);
	char uid[16];

	snprintf(uid, sizeof(uid), ":%u", line->uid);
	if (json_object_get(l->present, line->name) != NULL ||
	    json_object_get(l->present, uid) != NULL)
		return true;
	json_object_set_new(l->present, line->name, json_true());
	json_object_set_new(l->present, uid, json_true());
	if (id != -1) {
		learn_known(l, store_get(core_store(), "user", id), line);
		return true;
	}
	/*
	 * Another name for somebody's number; or what a crash left of a
	 * change, which is going to be taken out.
	 */
	if (user_of_uid(line->uid) != -1 || (line->managed && line->uid != 0))
		return true;
	id = line->uid == 0 ? ID_ROOT : l->next++;
	learning_add(l, id, NULL, builtin_entry(id, line));
	return true;
}

/* What the file no longer has; what an older version stored lacks members. */
static void
tidy(struct learning *l)
{
	json_t *all = store_list(core_store(), "user"), *user, *after;
	json_t *defaults = schema_defaults(user_resource.fields);
	size_t i;

	json_array_foreach(all, i, user) {
		if (user_is_foreign(user) &&
		    json_object_get(
			l->present, json_str(user, "username", "")) == NULL) {
			learning_add(l, json_int(user, "id", -1), user, NULL);
			continue;
		}
		after = json_deep_copy(user);
		json_object_update_missing(after, defaults);
		if (json_object_size(after) != json_object_size(user))
			learning_add(l, json_int(user, "id", -1), user, after);
		else
			json_decref(after);
	}
	json_decref(defaults);
	json_decref(all);
}

static void
users_known(const struct op_reply *reply, void *arg)
{
	static const struct line_readers readers = { .user = learn };
	void (**done)(void) = arg;
	struct learning l;

	learning_begin(&l, &user_resource);
	if (l.next <= ID_ADMIN)
		l.next = ID_ADMIN + 1;
	if (account_lines(reply, &readers, &l) == -1)
		core_problem("users", "The accounts cannot be read: %s",
		    reply->error != 0 ? reply->text : "malformed answer");
	else
		tidy(&l);
	learning_end(&l);
	user_setup_finish();
	account_state_review();
	user_until_start();
	user_home_recover(*done);
}

void
user_gather(void (*done)(void))
{
	static void (*then)(void);

	then = done;
	op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, users_known, &then);
}

/* --- Before a change ------------------------------------------------------ */

/*
 * What the files have, and no entry: {uids: {number: name}, gids, users: {name:
 * true}, groups}, and the shells there are; with the numbers that the change
 * gives, which are "taken".  Many accounts are looked up by one reading.
 */
static void
hold(json_t *known, const char *what, uint32_t number, const char *name)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", number);
	json_object_set_new(
	    json_object_get(known, what), key, json_string(name));
}

static const char *
holder_of(const json_t *known, const char *what, int64_t number)
{
	char key[24];

	snprintf(key, sizeof(key), "%lld", (long long)number);
	return json_str(json_object_get(known, what), key, NULL);
}

static bool
note_user(const struct user_line *line, void *arg)
{
	if (user_of_name(line->name) == -1)
		json_object_set_new(
		    json_object_get(arg, "users"), line->name, json_true());
	if (user_of_uid(line->uid) == -1)
		hold(arg, "uids", line->uid, line->name);
	return true;
}

static bool
note_group(const struct group_line *line, void *arg)
{
	json_object_set_new(
	    json_object_get(arg, "groups"), line->name, json_true());
	if (group_of_gid(line->gid) == -1)
		hold(arg, "gids", line->gid, line->name);
	return true;
}

static bool
note_shell(const char *path, void *arg)
{
	return add_shell(path, json_object_get(arg, "shells"));
}

/* Numbers that others of the same change ask for. */
static void
note_taken(const struct change *c, json_t *known)
{
	int64_t uid;
	size_t i;

	for (i = 0; i < c->nedits; i++) {
		uid = json_int(c->edits[i].after, "uid", -1);
		if (c->edits[i].resource == &user_resource && uid != -1 &&
		    uid <= UINT32_MAX)
			hold(known, "taken", (uint32_t)uid, "");
	}
}

/* The next free one behind that which was given last. */
static int64_t
next_number(json_t *known, const char *last, const char *held,
    int64_t (*next)(int64_t after))
{
	int64_t number = json_int(known, last, -1);

	do
		number = next(number);
	while (holder_of(known, held, number) != NULL ||
	    (next == user_next_uid &&
		holder_of(known, "taken", number) != NULL));
	json_object_set_new(known, last, json_integer(number));
	return number;
}

static void
number_user(struct change *c)
{
	int64_t uid = json_int(c->after, "uid", -1);
	const char *holder = holder_of(c->gathered, "uids", uid);

	if (uid == -1)
		json_object_set_new(c->after, "uid",
		    json_integer(next_number(
			c->gathered, "last_uid", "uids", user_next_uid)));
	else if (holder != NULL)
		verr_add_errno(c->errors, EEXIST, "uid",
		    "Uid %lld is already used (user %s has it)", (long long)uid,
		    holder);
}

/* The group that is made along with the account. */
static void
look_at_group(struct change *c)
{
	const struct edit *e =
	    change_find(c, &group_resource, json_int(c->after, "group", -1));
	const char *name;

	if (e == NULL || e->before != NULL)
		return;
	name = json_str(e->after, "name", "");
	if (json_object_get(json_object_get(c->gathered, "groups"), name) !=
	    NULL)
		verr_add_errno(c->errors, EEXIST, "group_create",
		    "The system has a group with the name \"%s\".", name);
	json_object_set_new(e->after, "gid",
	    json_integer(
		next_number(c->gathered, "last_gid", "gids", group_next_gid)));
}

static bool
differs(const struct change *c, const char *member)
{
	return c->before == NULL ||
	    !json_equal(json_object_get(c->before, member),
		json_object_get(c->after, member));
}

/* What else has to be asked, once the account has its number. */
static void
look_at_commands(struct change *c)
{
	sudo_lookup(c, user_password_apply);
}

static void
look_up(struct change *c)
{
	const char *name = json_str(c->after, "username", "");
	const char *shell = json_str(c->after, "shell", "");

	if (json_object_get(json_object_get(c->gathered, "users"), name) !=
	    NULL)
		verr_add_errno(c->errors, EEXIST, "username",
		    "The system has an account with the name \"%s\".", name);
	if (differs(c, "shell") &&
	    json_object_get(json_object_get(c->gathered, "shells"), shell) ==
		NULL)
		verr_add(c->errors, "shell", "Please select a valid shell.");
	if (c->verb == CHANGE_CREATE)
		number_user(c);
	look_at_group(c);
	user_home_lookup(c, look_at_commands);
}

static void
strangers_known(const struct op_reply *reply, void *arg)
{
	static const struct line_readers readers = { note_user, note_group,
		note_shell };
	struct change *c = arg;

	c->gathered = json_pack("{s:{}, s:{}, s:{}, s:{}, s:{}, s:{}}", "users",
	    "groups", "uids", "gids", "taken", "shells");
	add_unlisted(json_object_get(c->gathered, "shells"));
	note_taken(c, c->gathered);
	if (account_lines(reply, &readers, c->gathered) == -1) {
		verr_add_errno(c->errors,
		    reply->error != 0 ? reply->error : EIO, NULL,
		    "The account files cannot be read");
		change_continue(c);
	} else
		look_up(c);
}

/* Of many at once, as a stored configuration has them, none is looked up. */
void
user_lookup(struct change *c)
{
	if (change_is_faulty(c) || c->verb == CHANGE_DELETE || c->all != NULL)
		change_continue(c);
	else if (!differs(c, "username") && !differs(c, "shell"))
		user_home_lookup(c, look_at_commands);
	else if (c->gathered == NULL)
		op_request(MSG_OP_READ_ACCOUNTS, NULL, -1, strangers_known, c);
	else
		look_up(c);
}
