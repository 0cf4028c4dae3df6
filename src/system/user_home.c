/*
 * The home of an account and the SSH keys in it: where it may be, and how it
 * is made, changed and given keys along with a change of the account.
 *
 *	check	the path, the mode, the keys, as text
 *	lookup	the monitor looks at the folders
 *	do	after the files are in effect: a new home is made beside its
 *		place, whole; one that is there gets keys and mode
 *	keep	the change is stored: the new home gets its name
 *	undo	it is not: the new home goes, the former keys come back
 *
 * What may be half done is noted in the store before it begins, so that the
 * next start ends it, one way or the other (user_home_recover).
 *
 * A new home begins as a copy of the skeleton, or of the account's home until
 * then; that one stays where it is, as does the home of a removed account.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/transfer.h"
#include "lib/xalloc.h"
#include "lib/ssh_key.h"
#include "system/system.h"
#include "system/user_internal.h"

#define NO_HOME "/var/empty"
#define NOTE "user.homes" /* in the store: what is being done */

/* --- What is asked for ---------------------------------------------------- */

static bool
differs(const json_t *before, const json_t *after, const char *member)
{
	return before == NULL ||
	    !json_equal(json_object_get(before, member),
		json_object_get(after, member));
}

static bool
has_home(const json_t *user)
{
	return strcmp(json_str(user, "home", NO_HOME), NO_HOME) != 0;
}

/* Is it to be made?  user: the entry as it will be; given: what was sent. */
static bool
is_wanted(const json_t *given, const json_t *user)
{
	return json_bool(given, "home_create", false) && has_home(user);
}

/* "/home/x", not "/home", "/homes" or "/home/../x". */
static bool
is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && path[len] == '/' &&
	    path[len + 1] != '\0' && path[strlen(path) - 1] != '/' &&
	    strstr(path, "//") == NULL && strstr(path, "/./") == NULL &&
	    strstr(path, "/../") == NULL &&
	    strcmp(strrchr(path, '/'), "/..") != 0 &&
	    strcmp(strrchr(path, '/'), "/.") != 0;
}

/*
 * The home is made in the folder that is given, under the account's name;
 * one that ends with it already is the home itself.
 */
static void
append_name(struct change *c)
{
	const char *name = json_str(c->after, "username", "");
	const char *home = json_str(c->after, "home", ""), *last;
	char *longer;

	last = strrchr(home, '/');
	if (last == NULL || strcmp(last + 1, name) == 0)
		return;
	longer = xasprintf("%s/%s", home, name);
	json_object_set_new(c->after, "home", json_string(longer));
	free(longer);
}

static void
check_path(struct change *c)
{
	const char *home = json_str(c->after, "home", ""), *at;

	for (at = home; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127) {
			verr_add(c->errors, "home",
			    "Control characters are not allowed.");
			return;
		}
	if (home[0] != '/')
		verr_add(c->errors, "home",
		    "\"Home Directory\" must be an absolute path.");
	else if (strchr(home, ':') != NULL)
		verr_add(c->errors, "home",
		    "\"Home Directory\" cannot contain colons (:).");
	else if (strlen(home) > USER_LINE_MAX)
		verr_add(c->errors, "home", "At most %d bytes are possible",
		    USER_LINE_MAX);
	else if (!is_below(home, "/home") && !is_below(home, "/mnt"))
		verr_add(c->errors, "home",
		    "\"Home Directory\" is " NO_HOME ", or a path below /home "
		    "or /mnt without \".\", \"..\" and \"/\" at its end.");
}

/* What others may write to holds programs of theirs that its user runs. */
static void
check_mode(struct change *c)
{
	const char *text = json_str(c->data, "home_mode", NULL);
	unsigned long mode;

	if (text == NULL)
		return;
	mode = strtoul(text, NULL, 8);
	if ((mode & 0700) != 0700 || (mode & 0022) != 0)
		verr_add(c->errors, "home_mode",
		    "A home can be read, written and entered by its user and "
		    "written by nobody else");
}

static void
check_keys(struct change *c)
{
	const char *keys = json_str(c->after, "sshpubkey", "");
	char *problem;

	if (keys[0] == '\0')
		return;
	if (!has_home(c->after)) {
		verr_add(c->errors, "sshpubkey",
		    "Keys are kept in the home directory: set one that can be "
		    "written to, " NO_HOME " cannot");
		return;
	}
	problem = ssh_keys_problem(keys);
	if (problem != NULL && differs(c->before, c->after, "sshpubkey"))
		verr_add(c->errors, "sshpubkey", "%s", problem);
	free(problem);
}

/* What a login by SSH needs; who has it already may keep it. */
static void
check_ssh_password(struct change *c)
{
	if (!json_bool(c->after, "ssh_password_enabled", false) ||
	    (!differs(c->before, c->after, "ssh_password_enabled") &&
		!differs(c->before, c->after, "home") &&
		!differs(c->before, c->after, "shell")))
		return;
	if (!has_home(c->after))
		verr_add(c->errors, "home",
		    "SSH password login requires a valid home path.");
	if (!has_home(c->after) || !account_has_shell(c->after))
		verr_add(c->errors, "ssh_password_enabled",
		    "Cannot be enabled without a valid home path and login "
		    "shell.");
}

/* What sshd would take for more than a path, in ChrootDirectory, is refused. */
static void
check_rooted(struct change *c)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+-";
	const char *home = json_str(c->after, "home", "");

	if (!json_bool(c->after, "sftp_chroot", false))
		return;
	if (strcmp(json_str(c->after, "shell", ""), TRANSFER_SHELL) != 0)
		verr_add(c->errors, "sftp_chroot",
		    "It takes the shell " TRANSFER_SHELL ": other users "
		    "need more than one folder.");
	if (!is_below(home, "/home") && !is_below(home, "/mnt"))
		verr_add(c->errors, "sftp_chroot",
		    "It takes a home below /home or /mnt.");
	else if (home[strspn(home, plain)] != '\0')
		verr_add(c->errors, "sftp_chroot",
		    "It takes a home whose path has letters, digits, \".\", "
		    "\"_\", \"+\" and \"-\" alone.");
}

/* Where an immutable one's home is, is said elsewhere, and not here. */
static void
check_place(struct change *c)
{
	if (c->before != NULL && user_is_immutable(c->before))
		return;
	if (c->all == NULL && is_wanted(c->data, c->after))
		append_name(c);
	if (has_home(c->after) && differs(c->before, c->after, "home"))
		check_path(c);
	if (c->all == NULL)
		check_mode(c);
}

void
user_home_check(struct change *c)
{
	check_place(c);
	/* Neither is stored: a change may be of the home alone. */
	c->beside_wanted = c->verb == CHANGE_UPDATE && c->all == NULL &&
	    (json_object_get(c->data, "home_mode") != NULL ||
		json_bool(c->data, "home_create", false));
	if (differs(c->before, c->after, "sshpubkey") ||
	    differs(c->before, c->after, "home"))
		check_keys(c);
	check_ssh_password(c);
	check_rooted(c);
}

/* --- What the monitor says of it ------------------------------------------ */

static int64_t
gid_of(const struct change *c, const json_t *user)
{
	return json_int(
	    change_view(c, &group_resource, json_int(user, "group", -1)), "gid",
	    0);
}

/* What every operation on homes begins with. */
static void
put_home(struct wire_out *out, const char *home, int64_t uid, int64_t gid)
{
	wire_put_str(out, home);
	wire_put_u32(out, (uint32_t)uid);
	wire_put_u32(out, (uint32_t)gid);
}

static struct {
	struct change *change;
	void (*then)(struct change *);
} looking; /* changes are serialised */

static void
looked_at(const struct op_reply *reply, void *arg)
{
	struct change *c = looking.change;

	(void)arg;
	if (reply->error != 0 && is_wanted(c->data, c->after) &&
	    c->id == ID_ADMIN && c->verb == CHANGE_CREATE) {
		/* The first administrator is needed more than a home. */
		log_warn("user.home", "%s", reply->text);
		json_object_del(c->given, "home_create");
	} else if (reply->error != 0)
		verr_add(c->errors, "home", "%s", reply->text);
	looking.then(c);
}

void
user_home_lookup(struct change *c, void (*then)(struct change *))
{
	struct wire_out out = { 0 };

	bool rooted = json_bool(c->after, "sftp_chroot", false);

	if (change_is_faulty(c) || c->all != NULL || c->after == NULL ||
	    !has_home(c->after) || json_int(c->after, "uid", -1) == 0 ||
	    (!is_wanted(c->data, c->after) &&
		!differs(c->before, c->after, "home") &&
		!(rooted && differs(c->before, c->after, "sftp_chroot")))) {
		then(c);
		return;
	}
	looking.change = c;
	looking.then = then;
	put_home(&out, json_str(c->after, "home", ""),
	    json_int(c->after, "uid", -1), gid_of(c, c->after));
	wire_put_u8(&out, is_wanted(c->data, c->after));
	wire_put_u8(&out, rooted);
	op_request(MSG_OP_CHECK_HOME, &out, -1, looked_at, NULL);
	wire_free(&out);
}

/* --- What is done --------------------------------------------------------- */

/* One after the other; changes are serialised. */
static struct {
	struct change *change;
	json_t *items; /* see item_of() */
	size_t at;
	enum beside step;
	char *problem;
} doing;

static void do_next(void);

static json_t *
keys_of(const json_t *user)
{
	const char *keys = json_str(user, "sshpubkey", "");

	return json_string(keys);
}

/*
 * What an edit asks of the home: {home, uid, gid, make, mode, from, keys},
 * mode -1 and keys null: as they are; old_home and old_keys take it back.
 */
static json_t *
item_of(const struct change *c, const struct edit *e)
{
	bool make = is_wanted(e->given, e->after);
	bool moved = differs(e->before, e->after, "home");
	bool keys = differs(e->before, e->after, "sshpubkey") || moved;
	const char *mode = make || e->before != NULL ?
	    json_str(e->given, "home_mode", NULL) :
	    NULL;
	const char *text = json_str(e->after, "sshpubkey", "");

	/* A new account without keys leaves those that it finds. */
	if (e->before == NULL && text[0] == '\0')
		keys = false;
	if (!has_home(e->after) || !(make || moved || keys || mode != NULL))
		return NULL;
	/* clang-format off */
	return json_pack("{s:I, s:s, s:O, s:I, s:b, s:i, s:s, s:o, s:s, s:o}",
	    "user", (json_int_t)e->id, "home", json_str(e->after, "home", ""),
	    "uid", json_object_get(e->after, "uid"),
	    "gid", (json_int_t)gid_of(c, e->after), "make", make,
	    "mode", mode != NULL ? (int)strtoul(mode, NULL, 8) : -1,
	    "from", moved && e->before != NULL && has_home(e->before) ?
	    json_str(e->before, "home", "") : "",
	    "keys", keys ? keys_of(e->after) : json_null(),
	    "old_home", e->before != NULL ? json_str(e->before, "home", "") :
	    json_str(e->after, "home", ""),
	    "old_keys", keys_of(e->before));
	/* clang-format on */
}

/* Written first, {user, home, uid, gid, make} of each; 0 or -1. */
static int
take_note(const json_t *items)
{
	json_t *note = json_array(), *item;
	char *text;
	size_t i;
	int rc;

	json_array_foreach(items, i, item)
		json_array_append_new(note,
		    json_pack("{s:O, s:O, s:O, s:O, s:O}", "user",
			json_object_get(item, "user"), "home",
			json_object_get(item, "home"), "uid",
			json_object_get(item, "uid"), "gid",
			json_object_get(item, "gid"), "make",
			json_object_get(item, "make")));
	text = json_text(note);
	rc = store_set_value(core_store(), NOTE, text);
	free(text);
	json_decref(note);
	return rc;
}

static void
forget_note(void)
{
	if (store_set_value(core_store(), NOTE, NULL) == -1)
		log_warn("user.home", "%s", strerror(errno));
}

static void
finish(void)
{
	struct change *c = doing.change;
	char *problem = doing.problem;
	enum beside step = doing.step;

	doing.problem = NULL;
	if (step != BESIDE_DO) {
		forget_note();
		json_decref(doing.items);
		doing.items = NULL;
	}
	change_beside_done(c, problem);
	free(problem);
}

static void
item_done(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0) {
		log_warn("user.home", "%s", reply->text);
		free(doing.problem);
		doing.problem = xasprintf("the home: %s", reply->text);
	}
	doing.at++;
	do_next();
}

static void
put_update(struct wire_out *out, const json_t *item, const char *home,
    int64_t mode, const json_t *keys)
{
	const char *text = json_string_value(keys);

	put_home(out, json_str(item, home, ""), json_int(item, "uid", -1),
	    json_int(item, "gid", 0));
	wire_put_u16(out, mode == -1 ? HOME_MODE_KEEP : (uint16_t)mode);
	wire_put_u8(out, text != NULL);
	wire_put_bytes(
	    out, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void
put_stage(struct wire_out *out, const json_t *item)
{
	const char *keys = json_str(item, "keys", "");
	int64_t mode = json_int(item, "mode", -1);

	put_home(out, json_str(item, "home", ""), json_int(item, "uid", -1),
	    json_int(item, "gid", 0));
	wire_put_u16(out, mode == -1 ? 0700 : (uint16_t)mode);
	wire_put_str(out, json_str(item, "from", ""));
	wire_put_bytes(out, keys, strlen(keys));
}

/* What the step asks of the item; MSG_OP_DONE: nothing. */
static enum message_type
request_of(const json_t *item, struct wire_out *out)
{
	bool make = json_bool(item, "make", false);
	const json_t *keys = json_object_get(item, "keys");

	if (make && doing.step == BESIDE_DO) {
		put_stage(out, item);
		return MSG_OP_STAGE_HOME;
	}
	if (make) {
		put_home(out, json_str(item, "home", ""),
		    json_int(item, "uid", -1), json_int(item, "gid", 0));
		wire_put_u8(out, doing.step == BESIDE_KEEP);
		return MSG_OP_SETTLE_HOME;
	}
	if (doing.step == BESIDE_DO) {
		put_update(out, item, "home", json_int(item, "mode", -1), keys);
		return MSG_OP_UPDATE_HOME;
	}
	if (doing.step == BESIDE_KEEP || json_is_null(keys) ||
	    strcmp(json_str(item, "old_home", ""), NO_HOME) == 0)
		return MSG_OP_DONE;
	put_update(
	    out, item, "old_home", -1, json_object_get(item, "old_keys"));
	return MSG_OP_UPDATE_HOME;
}

static void
do_next(void)
{
	enum message_type type = MSG_OP_DONE;
	struct wire_out out = { 0 };

	/* The first failure ends what is taken back anyway. */
	if (doing.step == BESIDE_DO && doing.problem != NULL)
		doing.at = json_array_size(doing.items);
	for (; doing.at < json_array_size(doing.items); doing.at++) {
		type = request_of(json_array_get(doing.items, doing.at), &out);
		if (type != MSG_OP_DONE)
			break;
	}
	if (type == MSG_OP_DONE || doing.at == json_array_size(doing.items))
		finish();
	else
		op_request(type, &out, -1, item_done, NULL);
	wire_free(&out);
}

/* The first step: what there is to do at all. */
static void
collect(struct change *c)
{
	json_t *item;
	size_t i;

	doing.items = json_array();
	for (i = 0; i < c->nedits; i++) {
		if (c->edits[i].resource != &user_resource ||
		    c->edits[i].after == NULL ||
		    user_is_foreign(c->edits[i].after))
			continue;
		item = item_of(c, &c->edits[i]);
		if (item != NULL)
			json_array_append_new(doing.items, item);
	}
}

void
user_home_beside(struct change *c, enum beside step)
{
	doing.change = c;
	doing.step = step;
	doing.at = 0;
	if (step == BESIDE_DO)
		collect(c);
	if (json_array_size(doing.items) == 0) {
		json_decref(doing.items);
		doing.items = NULL;
		change_beside_done(c, NULL);
	} else if (step == BESIDE_DO && take_note(doing.items) == -1)
		change_beside_done(c, "the store cannot be written");
	else
		do_next();
}

/* --- After a crash -------------------------------------------------------- */

static struct {
	json_t *note;
	size_t at;
	bool settled; /* of the one at hand, the home is */
	void (*done)(void);
} recovery;

static void recover_next(void);

static void
recovered(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("user.home", "%s", reply->text);
	if (recovery.settled)
		recovery.at++;
	recovery.settled = !recovery.settled;
	recover_next();
}

/* Was the change stored that this home is of? */
static bool
is_stored(const json_t *user, const json_t *item)
{
	return user != NULL &&
	    strcmp(json_str(user, "home", ""), json_str(item, "home", "")) == 0;
}

static void
recover_next(void)
{
	const json_t *item = json_array_get(recovery.note, recovery.at), *user;
	struct wire_out out = { 0 };
	json_t *keys;

	if (item == NULL) {
		json_decref(recovery.note);
		forget_note();
		recovery.done();
		return;
	}
	user = store_get(core_store(), "user", json_int(item, "user", -1));
	if (!recovery.settled) {
		put_home(&out, json_str(item, "home", ""),
		    json_int(item, "uid", -1), json_int(item, "gid", 0));
		wire_put_u8(&out, is_stored(user, item));
		op_request(MSG_OP_SETTLE_HOME, &out, -1, recovered, NULL);
	} else {
		/* As stored; in one that is no account's, none of ours. */
		keys = keys_of(is_stored(user, item) ? user : NULL);
		put_update(&out, item, "home", -1, keys);
		op_request(MSG_OP_UPDATE_HOME, &out, -1, recovered, NULL);
		json_decref(keys);
	}
	wire_free(&out);
}

void
user_home_recover(void (*done)(void))
{
	char *text = store_value(core_store(), NOTE);

	recovery.note =
	    text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
	free(text);
	recovery.at = 0;
	recovery.settled = false;
	recovery.done = done;
	if (recovery.note == NULL)
		done();
	else
		recover_next();
}
