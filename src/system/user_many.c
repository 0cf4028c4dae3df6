/*
 * Many accounts in one change, all or none: user.import makes them,
 * user.update_many locks them or says until when something holds.
 *
 * An import first looks at all accounts as a change would, without making one,
 * then hashes the passwords while other changes go on, and then is one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/job.h"
#include "core/password.h"
#include "core/pipe.h"
#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/group.h"
#include "system/system.h"
#include "system/user_internal.h"

#define IMPORT_ACCOUNTS 20000
#define UPDATE_ACCOUNTS 1000 /* whose processes may have to end */
#define NAMES_MAX ((size_t)256 * 1024) /* of an audit record's text */

struct import {
	struct call *call;
	json_t *items; /* as of change_submit_items, with made: a password */
	size_t at; /* the next one to be hashed */
	size_t running, done, passwords;
	char *failed; /* why one could not be hashed */
	bool aborted;
};

struct hashing {
	struct import *import;
	json_t *data; /* of the account */
};

/* clang-format off */
static const struct field import_account = { .name = "account",
	.type = F_OBJECT, .fields = user_fields, .model = "UserCreate",
	.flags = FF_REQUIRED, .doc = "One account, as of user.create." };

static const struct field import_options[] = {
	{ .name = "dry_run", .type = F_BOOL, .def = "false",
	  .doc = "Only tell what is wrong." },
	FIELD_END
};

const struct field user_import_params[] = {
	{ .name = "user_import", .type = F_ARRAY, .fields = &import_account,
	  .def = "[]", .max = IMPORT_ACCOUNTS,
	  .doc = "The accounts; none when a file comes along, which holds "
	  "such an array as JSON." },
	{ .name = "options", .type = F_OBJECT, .fields = import_options,
	  .def = "{}", .model = "UserImportOptions", .doc = "How." },
	FIELD_END
};

static const struct field imported_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Its id; null: it was not made." },
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Its name." },
	{ .name = "uid", .type = F_INT, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Its number." },
	{ .name = "password", .type = F_STR,
	  .flags = FF_REQUIRED | FF_NULL | FF_SECRET,
	  .doc = "The password that was made for it." },
	FIELD_END
};
static const struct field imported = { .name = "item", .type = F_OBJECT,
	.fields = imported_fields, .doc = "An account." };
const struct field user_import_result = { .name = "result",
	.type = F_ARRAY, .fields = &imported, .flags = FF_REQUIRED,
	.doc = "The accounts." };

#define UNTIL(id, text)							\
	{ .name = id, .type = F_ANY, .flags = FF_NULL | FF_DATE, .doc = text }

static const struct field many_id[] = {
	{ .name = "id", .type = F_INT }, FIELD_END
};
static const struct field many_fields[] = {
	{ .name = "locked", .type = F_BOOL,
	  .doc = "Is every way in closed to them?" },
	UNTIL("locked_until", "When the lock ends by itself."),
	{ .name = "password_disabled", .type = F_BOOL,
	  .doc = "Can nobody log in with their passwords?" },
	UNTIL("password_until",
	    "When logging in with the password ends by itself."),
	{ .name = "ssh_password_enabled", .type = F_BOOL,
	  .doc = "May they log in by SSH with a password?" },
	UNTIL("ssh_password_until",
	    "When logging in by SSH with the password ends by itself."),
	FIELD_END
};

const struct field user_update_many_params[] = {
	{ .name = "ids", .type = F_ARRAY, .fields = many_id,
	  .flags = FF_REQUIRED, .min = 1, .max = UPDATE_ACCOUNTS,
	  .doc = "Ids of the accounts." },
	{ .name = "user_update_many", .type = F_OBJECT,
	  .fields = many_fields, .flags = FF_REQUIRED,
	  .model = "UserUpdateMany", .doc = "What to change of each." },
	FIELD_END
};
/* clang-format on */

/* --- What is to be made --------------------------------------------------- */

/* One after the other: it costs nothing to wait. */
char *
user_import_lock(const json_t *params)
{
	(void)params;
	return xstrdup("user.import");
}

static void
import_free(void *arg)
{
	struct import *im = arg;

	json_decref(im->items);
	free(im->failed);
	free(im);
}

/* Every account that is right by itself; the others' errors. */
static json_t *
items_of(const json_t *accounts, struct verr *errors)
{
	json_t *items = json_array(), *account, *data;
	char attribute[40];
	size_t i;

	json_array_foreach(accounts, i, account) {
		snprintf(attribute, sizeof(attribute), "user_import.%zu", i);
		data = schema_value(&import_account, attribute, account,
		    SCHEMA_ARGUMENT, errors);
		if (data != NULL)
			json_array_append_new(items,
			    json_pack("{s:I, s:o}", "at", (json_int_t)i, "data",
				data));
	}
	return items;
}

static json_t *
answer_of(const json_t *item, const json_t *user)
{
	json_t *data = json_object_get(item, "data");

	return json_pack("{s:O?, s:O, s:O?, s:O?}", "id",
	    json_object_get(user, "id"), "username",
	    json_object_get(data, "username"), "uid",
	    json_object_get(user, "uid"), "password",
	    json_object_get(item, "made"));
}

/* The record of it names them all, as far as one may be so long. */
static void
describe(struct call *call, const json_t *items)
{
	size_t i, count = json_array_size(items), size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		abort();
	fprintf(out, "%s", call->method->audit);
	for (i = 0; i < count && ftell(out) < (long)NAMES_MAX; i++)
		fprintf(out, "%s %s", i > 0 ? "," : "",
		    json_str(json_object_get(json_array_get(items, i), "data"),
			"username", ""));
	if (i < count)
		fprintf(out, " and %zu more", count - i);
	if (fclose(out) != 0)
		abort();
	free(call->description);
	call->description = text;
}

/* --- Made ----------------------------------------------------------------- */

/* The first edits are the items', in their order. */
static void
made(struct change *c)
{
	size_t i, at = 0;

	c->result = json_array();
	for (i = 0; i < c->nedits; i++)
		if (c->edits[i].given != NULL)
			json_array_append_new(c->result,
			    answer_of(json_array_get(c->items, at++),
				c->edits[i].after));
	group_members_changed(c);
}

static void
make(struct import *im)
{
	struct call *call = im->call;

	if (im->aborted)
		job_stopped(call, NULL);
	else if (im->failed != NULL)
		call_fail(call, EAGAIN,
		    "Nothing was changed: a password could not be hashed: %s",
		    im->failed);
	else
		change_submit_items(
		    call, &user_resource, im->items, NULL, NULL, made);
}

/* --- Passwords ------------------------------------------------------------ */

static void hash_some(struct import *);

static void
hashed(int error, const char *text, const char *hash, bool reused, void *arg)
{
	struct hashing *h = arg;
	struct import *im = h->import;
	char *said;

	(void)reused; /* these are their first ones */
	if (error == 0)
		json_object_update_new(h->data,
		    json_pack("{s:s, s:I}", "unixhash", hash,
			"last_password_change", (json_int_t)time(NULL)));
	else if (im->failed == NULL)
		im->failed = xstrdup(text);
	free(h);
	im->running--;
	im->done++;
	said = xasprintf("Password %zu of %zu", im->done, im->passwords);
	job_progress(im->call->job, (int)(im->done * 95 / im->passwords), said);
	free(said);
	hash_some(im);
}

/* Logins need a processor, too. */
static size_t
at_once(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors > 2 ? (size_t)processors - 1 : 1;
}

static void
begin_hash(struct import *im, const json_t *item)
{
	json_t *data = json_object_get(item, "data");
	const char *password = json_str(data, "password", NULL);
	struct hashing *h;

	if (password == NULL)
		return;
	h = xcalloc(1, sizeof(*h));
	h->import = im;
	h->data = data;
	im->running++;
	password_hash(password, NULL, hashed, h);
}

static void
hash_some(struct import *im)
{
	bool ended = im->aborted || im->failed != NULL || core_stopping();

	while (!ended && im->running < at_once() &&
	    im->at < json_array_size(im->items))
		begin_hash(im, json_array_get(im->items, im->at++));
	/* What is left at core's end is for the next run to call failed. */
	if (im->running == 0 && !core_stopping())
		make(im);
}

/* A random one is made here, as the change has to know its hash. */
static void
choose_passwords(struct import *im)
{
	json_t *item, *data, *password;
	size_t i;

	json_array_foreach(im->items, i, item) {
		data = json_object_get(item, "data");
		if (json_bool(data, "random_password", false)) {
			password = user_random_password();
			json_object_set(item, "made", password);
			json_object_set_new(data, "password", password);
			json_object_set_new(
			    data, "random_password", json_false());
		}
		if (json_str(data, "password", NULL) != NULL)
			im->passwords++;
	}
}

/* --- The call ------------------------------------------------------------- */

/* Nothing is wrong with any of them. */
static void
checked(struct call *call)
{
	struct import *im = call->data;
	json_t *list, *item;
	size_t i;

	if (!json_bool(call_param(call, 1), "dry_run", false)) {
		choose_passwords(im);
		hash_some(im);
		return;
	}
	list = json_array();
	json_array_foreach(im->items, i, item)
		json_array_append_new(list, answer_of(item, NULL));
	call_reply(call, list);
}

static void
begin(struct call *call, const json_t *accounts)
{
	struct import *im = xcalloc(1, sizeof(*im));
	struct verr *errors = verr_new();

	im->call = call;
	im->items = items_of(accounts, errors);
	call->data = im;
	call->free_data = import_free;
	describe(call, im->items);
	if (json_array_size(accounts) == 0)
		verr_add(errors, "user_import", "There are no accounts");
	else if (json_array_size(accounts) > IMPORT_ACCOUNTS)
		verr_add(errors, "user_import",
		    "At most %d accounts are possible", IMPORT_ACCOUNTS);
	if (json_array_size(accounts) > IMPORT_ACCOUNTS ||
	    json_array_size(im->items) == 0)
		call_fail_invalid(call, errors);
	else
		change_submit_items(
		    call, &user_resource, im->items, errors, checked, NULL);
}

static void
collected(struct call *call, int error, void *data, size_t len)
{
	const char *why = "The file is no array";
	json_t *accounts = NULL;

	if (error == EFBIG)
		call_fail(call, EFBIG, "At most %d bytes are possible",
		    USER_IMPORT_BYTES);
	else if (error != 0)
		call_fail(call, error, "The upload was cut short: %s",
		    strerror(error));
	else {
		accounts = json_parse(data, len, &why);
		if (!json_is_array(accounts) ||
		    ejson_check(accounts, &why) == -1)
			call_fail(call, EINVAL, "user_import: %s", why);
		else if (json_array_size(call_param(call, 0)) > 0)
			call_fail(call, EINVAL,
			    "user_import: a list or a file, not both");
		else
			begin(call, accounts);
	}
	json_decref(accounts);
	freezero(data, data != NULL ? len : 0);
}

void
user_import_run(struct call *call)
{
	if (call->pipe != NULL)
		pipe_collect(call, 0, USER_IMPORT_BYTES, collected);
	else
		begin(call, call_param(call, 0));
}

/* Those being hashed are; then it ends. */
void
user_import_abort(struct call *call)
{
	struct import *im = call->data;

	if (im != NULL)
		im->aborted = true;
}

/* --- Those there are ------------------------------------------------------ */

void
user_update_many_run(struct call *call)
{
	json_t *items = json_array(), *id;
	size_t i;

	json_array_foreach(call_param(call, 0), i, id)
		json_array_append_new(items,
		    json_pack("{s:I, s:O, s:O}", "at", (json_int_t)i, "id", id,
			"data", call_param(call, 1)));
	change_submit_items(
	    call, &user_resource, items, NULL, NULL, user_updated);
	json_decref(items);
}
