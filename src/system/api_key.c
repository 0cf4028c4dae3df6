/*
 * api_key.*: keys that let programs in.  What is stored are the SCRAM-SHA-512
 * data of a secret (core/api_key.h); the secret itself is shown once, in the
 * answer to the call that made it.
 *
 * Whoever may use the API at all has keys of his own; those of others need
 * API_KEY_WRITE, and every right that the other one has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/alert.h"
#include "core/api_key.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/entry.h"
#include "core/limits.h"
#include "core/query.h"
#include "core/resource.h"
#include "core/rights.h"
#include "core/security.h"
#include "core/sessions.h"
#include "core/turn.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define NAME_MAX_LENGTH 200
#define BY_REQUEST "It was revoked together with the login that made it"
#define CAME_BACK "It came back with a saved configuration"

/* clang-format off */
#define NAME_ROW { .name = "name", .type = F_STR,			\
	.flags = FF_REQUIRED | FF_UNIQUE, .min = 1, .max = NAME_MAX_LENGTH, \
	.label = "Name", .doc = "What it is for." }
#define EXPIRES_ROW { .name = "expires_at", .type = F_ANY, .def = "null", \
	.flags = FF_NULL | FF_DATE, .label = "Expires",			\
	.doc = "From when on it is refused; null: never." }
/* Nobody's to set, and part of a saved configuration. */
#define KEPT (FF_READONLY | FF_KEPT)
#define SECRET_ROW(id, text) { .name = id, .type = F_STR,		\
	.flags = KEPT | FF_SECRET, .doc = text }
#define ENTRY_ROWS							\
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,		\
	  .doc = "Id of the entry, and the beginning of the key." },	\
	NAME_ROW,							\
	{ .name = "username", .type = F_STR,				\
	  .flags = FF_NULL | FF_READONLY, .doc = "Whose it is." },	\
	{ .name = "user_identifier", .type = F_INT_OR_STR,		\
	  .flags = KEPT | FF_FOLLOWS, .refers = "user",			\
	  .doc = "Id of that user's entry." },				\
	{ .name = "iterations", .type = F_INT, .flags = KEPT,		\
	  .doc = "How often the secret was hashed." },			\
	SECRET_ROW("salt", "What it was hashed with, base64."),		\
	SECRET_ROW("stored_key", "StoredKey of RFC 5802, base64."),	\
	SECRET_ROW("server_key", "ServerKey of RFC 5802, base64."),	\
	{ .name = "created_at", .type = F_ANY,				\
	  .flags = KEPT | FF_DATE, .doc = "When it was made." },	\
	EXPIRES_ROW,							\
	{ .name = "local", .type = F_BOOL, .flags = FF_READONLY,	\
	  .doc = "Is the user this machine's, not a directory's?" },	\
	{ .name = "revoked", .type = F_BOOL, .def = "false",		\
	  .flags = KEPT,						\
	  .doc = "Is it refused for ever, unless it is reset?" },	\
	{ .name = "revoked_reason", .type = F_STR, .def = "null",	\
	  .flags = KEPT | FF_NULL, .doc = "Why." },			\
	{ .name = "made_in", .type = F_STR, .def = "null",		\
	  .flags = KEPT | FF_NULL | FF_OWN,				\
	  .doc = "login_id of the session that made it." }

static const struct field key_fields[] = {
	ENTRY_ROWS, IF_REVISION_ROW, FIELD_END
};

/* The only answer that has the key itself. */
static const struct field made_fields[] = {
	ENTRY_ROWS,
	{ .name = "key", .type = F_STR, .flags = FF_READONLY,
	  .doc = "The key; never shown again." },
	{ .name = "client_key", .type = F_STR, .flags = FF_READONLY,
	  .doc = "ClientKey of RFC 5802, base64, to log in by SCRAM with." },
	FIELD_END
};

static const struct field create_fields[] = {
	NAME_ROW,
	{ .name = "username", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .label = "Username", .doc = "Whose it shall be." },
	EXPIRES_ROW, FIELD_END
};

static const struct field update_fields[] = {
	NAME_ROW, EXPIRES_ROW,
	{ .name = "reset", .type = F_BOOL, .flags = FF_UNSTORED,
	  .label = "Reset",
	  .doc = "Make a new secret; the old one is void at once." },
	IF_REVISION_ROW, FIELD_END
};

static const struct field create_params[] = {
	{ .name = "api_key_create", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = create_fields, .model = "ApiKeyCreate",
	  .doc = "The new key." },
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the key." },
	{ .name = "api_key_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = update_fields, .model = "ApiKeyUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};

static const struct field convert_params[] = {
	{ .name = "raw_key", .type = F_STR, .flags = FF_REQUIRED | FF_SECRET,
	  .min = 1, .doc = "A key as it was shown." },
	FIELD_END
};

static const struct field revoke_params[] = {
	{ .name = "login_id", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .max = UUID_LEN - 1, .doc = "The login, as auth.sessions has it." },
	FIELD_END
};

static const struct field data_fields[] = {
	{ .name = "api_key_id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the key." },
	{ .name = "iterations", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "How often the secret was hashed." },
	{ .name = "salt", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "What it was hashed with, base64." },
	{ .name = "client_key", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "ClientKey of RFC 5802, base64." },
	{ .name = "stored_key", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "StoredKey, base64." },
	{ .name = "server_key", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "ServerKey, base64." },
	FIELD_END
};

static const struct field entry = { .name = "result", .type = F_OBJECT,
	.fields = key_fields, .model = "ApiKeyEntry", .doc = "The key." };
static const struct field made = { .name = "result", .type = F_OBJECT,
	.fields = made_fields, .model = "ApiKeyEntryWithKey",
	.doc = "The key, with its secret." };
static const struct field updated = { .name = "result", .type = F_OBJECT,
	.flags = FF_OPEN, .fields = key_fields, .model = "ApiKeyEntry",
	.doc = "The key; after a reset with its secret." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &entry, .doc = "The keys." };
static const struct field data = { .name = "result", .type = F_OBJECT,
	.fields = data_fields, .model = "ApiKeyScramData",
	.doc = "What SCRAM needs of it." };
static const struct field always_true = { .name = "result", .type = F_CONST,
	.def = "true", .flags = FF_REQUIRED, .doc = "Always true." };
static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Were there any?" };
/* clang-format on */

static void create_run(struct call *);
static void update_run(struct call *);
static void revoke_run(struct call *);

static void
extend(json_t *key)
{
	const json_t *account = api_key_account(key);
	const char *name = json_str(account, "username", NULL);

	json_object_set_new(
	    key, "username", name != NULL ? json_string(name) : json_null());
	json_object_set_new(key, "local", json_true());
}

/* --- What a change may do ------------------------------------------------- */

static int64_t
now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

/* As errors on the attribute. */
static void
check_rights(const struct session *s, const struct change *c,
    const json_t *account, struct verr *errors, const char *attribute)
{
	static const char *const write[] = { "API_KEY_WRITE", NULL };
	char *missing;

	if (s == NULL ||
	    (json_int(account, "uid", -1) != (json_int_t)s->uid &&
		!session_has_any(s, write))) {
		verr_add_errno(errors, EPERM, attribute,
		    "Keys of others need the role API_KEY_WRITE");
		return;
	}
	missing = rights_missing(s, c, account);
	if (missing != NULL)
		verr_add_errno(errors, EPERM, attribute,
		    "That user may do what you may not: %s", missing);
	free(missing);
}

static void
check_expiry(const json_t *given, struct verr *errors)
{
	const json_t *date = json_object_get(given, "expires_at");

	if (json_int(date, "$date", INT64_MAX) <= now_ms())
		verr_add(
		    errors, "expires_at", "Expiration date is in the past");
}

static bool
is_ours(const struct change *c)
{
	return resource_of_method(c->call->method->name) == c->resource;
}

/* Both documents' members of these names, as equal JSON. */
static bool
same_secret(const json_t *a, const json_t *b)
{
	static const char *const members[] = { "salt", "stored_key",
		"server_key", "iterations", "user_identifier" };
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!json_equal(json_object_get(a, members[i]),
			json_object_get(b, members[i])))
			return false;
	return true;
}

/*
 * A saved configuration brings no key back that was given up here since: one
 * that was removed, revoked or replaced comes as a revoked one.  Keys of
 * another machine are new here.
 */
static void
check_upload(struct change *c)
{
	bool known = c->id < store_next_id(core_store(), c->resource->name);

	if (c->before == NULL ? !known :
				!json_bool(c->before, "revoked", true) &&
		    same_secret(c->before, c->after)) {
		if (api_key_expires(c->before) < api_key_expires(c->after))
			json_object_set(c->after, "expires_at",
			    json_object_get(c->before, "expires_at"));
		return;
	}
	if (json_bool(c->after, "revoked", false))
		return;
	json_object_set_new(c->after, "revoked", json_true());
	json_object_set_new(c->after, "revoked_reason", json_string(CAME_BACK));
}

/* Nor does a rollback; it tells so instead. */
static void
check_rollback(struct change *c)
{
	if (c->before == NULL)
		verr_add(c->errors, "id", "A removed key does not come back");
	else if (json_bool(c->before, "revoked", true) &&
	    !json_bool(c->after, "revoked", false))
		verr_add(c->errors, "revoked",
		    "A revoked key is used again by resetting it only");
	else if (api_key_expires(c->after) > api_key_expires(c->before))
		verr_add(c->errors, "expires_at",
		    "An end is put off by api_key.update only");
}

/* The others that were made in the same login; edited along with the first. */
static void
revoke_all(struct change *c, const char *login)
{
	json_t *ids = api_keys_made_in(login), *id;
	const json_t *key;
	struct edit *e;
	size_t i;

	json_array_foreach(ids, i, id) {
		e = change_edit(c, c->resource, json_integer_value(id));
		if (e == NULL || json_bool(e->after, "revoked", true))
			continue;
		key = e->before;
		check_rights(c->call->session, c, api_key_account(key),
		    c->errors, "login_id");
		e = change_edit(c, c->resource, json_integer_value(id));
		json_object_set_new(e->after, "revoked", json_true());
		json_object_set_new(
		    e->after, "revoked_reason", json_string(BY_REQUEST));
	}
	json_decref(ids);
}

static void
check(struct change *c)
{
	const json_t *account =
	    api_key_account(c->before != NULL ? c->before : c->after);

	if (c->all != NULL) {
		if (c->verb != CHANGE_DELETE)
			check_upload(c);
		return;
	}
	if (!is_ours(c)) {
		check_rollback(c);
		return;
	}
	if (c->call->method->run == revoke_run) {
		revoke_all(c, json_string_value(call_param(c->call, 0)));
		return;
	}
	if (account == NULL)
		verr_add(c->errors, "username", "User does not exist.");
	else
		check_rights(c->call->session, c, account, c->errors,
		    c->verb == CHANGE_CREATE ? "username" : "id");
	if (c->verb != CHANGE_DELETE)
		check_expiry(c->given, c->errors);
}

/* Hashing for those who are logged in; logins have turns of their own. */
static struct turns turns = { .at_once = LIMIT_LOGINS_RUNNING };

/* --- Making one ----------------------------------------------------------- */

/* What create and update keep while a worker derives the keys. */
struct making {
	struct call *call;
	char *secret;
	json_t *fields; /* what will be stored */
	char *client_key;
};

static void
making_free(void *arg)
{
	struct making *m = arg;

	freezero_str(m->secret);
	freezero_str(m->client_key);
	json_decref(m->fields);
	free(m);
}

/* Shown in this answer and never again. */
static void
show_key(struct change *c)
{
	const struct making *m = c->call->data;
	char id[24], *key;

	snprintf(id, sizeof(id), "%lld", (long long)c->id);
	alert_clear("ApiKeyRevoked", id);
	key = xasprintf("%s-%s", id, m->secret);
	c->answer =
	    json_pack("{s:s, s:s}", "key", key, "client_key", m->client_key);
	freezero_str(key);
}

static void
set_base64(json_t *object, const char *member, const void *bytes, size_t len)
{
	char *text = base64_encode(bytes, len);

	json_object_set_new(object, member, json_string(text));
	freezero_str(text);
}

static void
derived(const struct api_key_derived *d, int error, const char *text, void *arg)
{
	struct call *call = arg;
	struct making *m = call->data;
	bool create = call->method->run == create_run;

	turn_leave(&turns);
	if (d == NULL) {
		call_fail(call, error, "The key could not be made: %s", text);
		return;
	}
	json_object_set_new(m->fields, "salt", json_string(d->keys.salt));
	json_object_set_new(
	    m->fields, "iterations", json_integer(SCRAM_ITERATIONS));
	set_base64(m->fields, "stored_key", d->keys.stored_key, SCRAM_KEY_LEN);
	set_base64(m->fields, "server_key", d->keys.server_key, SCRAM_KEY_LEN);
	m->client_key = base64_encode(d->client_key, SCRAM_KEY_LEN);
	change_submit(call, resource_of_method(call->method->name),
	    create ? CHANGE_CREATE : CHANGE_UPDATE,
	    create ? -1 : json_integer_value(call_param(call, 0)), m->fields,
	    show_key);
}

static void
make_begin(void *arg)
{
	struct call *call = arg;
	const struct making *m = call->data;

	api_key_derive(m->secret, NULL, SCRAM_ITERATIONS, derived, call);
}

/* In its turn; of one user only so many wait. */
static void
hash(struct call *call, void (*begin)(void *))
{
	if (turn_enter(&turns, NULL, call_user(call), begin, call) == -1)
		call_fail(call, EBUSY, "Too many keys at the same time");
}

/* Steals the fields. */
static void
make(struct call *call, json_t *fields)
{
	struct making *m = xcalloc(1, sizeof(*m));

	m->call = call;
	m->secret = api_key_secret();
	m->fields = fields;
	call->data = m;
	call->free_data = making_free;
	hash(call, make_begin);
}

/* False: it was answered. */
static bool
is_usable(struct call *call)
{
	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return false;
	}
	return true;
}

/* No key is made or changed in STIG mode (stig.json). */
static bool
is_permitted(struct call *call)
{
	if (!is_usable(call))
		return false;
	if (security_stig()) {
		call_fail(call, EACCES,
		    "API keys are not available in GPOS STIG mode");
		return false;
	}
	return true;
}

/* Wrong calls are told so before half a second of hashing. */
static bool
is_right(struct call *call, const char *prefix, const json_t *account,
    const json_t *given, int64_t id)
{
	struct verr *errors = verr_new();
	const json_t *name = json_object_get(given, "name");
	int64_t other = -1;

	verr_prefix(errors, prefix);
	if (name != NULL)
		other = entry_by(
		    resource_of_method(call->method->name), "name", name);
	if (other != -1 && other != id)
		verr_add_errno(
		    errors, EEXIST, "name", "The name is another key's");
	if (account == NULL)
		verr_add(errors, "username", "User does not exist.");
	else
		check_rights(call->session, NULL, account, errors,
		    id == -1 ? "username" : "id");
	check_expiry(given, errors);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return false;
	}
	verr_free(errors);
	return true;
}

static void
create_run(struct call *call)
{
	const json_t *given = call_param(call, 0), *account;
	json_t *fields;

	if (!is_permitted(call))
		return;
	account = account_by_name(json_str(given, "username", ""));
	if (!is_right(call, "api_key_create", account, given, -1))
		return;
	fields = json_pack("{s:O, s:O, s:O, s:o, s:s}", "name",
	    json_object_get(given, "name"), "expires_at",
	    json_object_get(given, "expires_at"), "user_identifier",
	    json_object_get(account, "id"), "created_at", json_date(time(NULL)),
	    "made_in", session_login(call->session)->login_id);
	make(call, fields);
}

static void
update_run(struct call *call)
{
	int64_t id = json_integer_value(call_param(call, 0));
	const json_t *given = call_param(call, 1), *key;
	json_t *fields;

	if (!is_permitted(call))
		return;
	key = api_key_get(id);
	if (key == NULL || !json_bool(given, "reset", false)) {
		fields = json_copy((json_t *)(uintptr_t)given);
		json_object_del(fields, "reset");
		change_submit(call, resource_of_method(call->method->name),
		    CHANGE_UPDATE, id, fields, NULL);
		json_decref(fields);
		return;
	}
	if (!is_right(call, "api_key_update", api_key_account(key), given, id))
		return;
	fields = json_copy((json_t *)(uintptr_t)given);
	json_object_del(fields, "reset");
	json_object_set_new(fields, "revoked", json_false());
	json_object_set_new(fields, "revoked_reason", json_null());
	json_object_set_new(fields, "made_in",
	    json_string(session_login(call->session)->login_id));
	make(call, fields);
}

/* --- Others --------------------------------------------------------------- */

static void
removed(struct change *c)
{
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)c->id);
	alert_clear("ApiKeyRevoked", id);
}

static void
delete_run(struct call *call)
{
	change_submit(call, resource_of_method(call->method->name),
	    CHANGE_DELETE, json_integer_value(call_param(call, 0)), NULL,
	    removed);
}

static void
my_keys_run(struct call *call)
{
	const struct resource *r = resource_of_method(call->method->name);
	bool secrets = resource_shows_secrets(r, call->session);
	const json_t *account;
	json_t *keys = json_array(), *ids, *id;
	size_t i;

	if (!is_usable(call)) {
		json_decref(keys);
		return;
	}
	account = account_by_uid(call->session->uid);
	ids = api_keys_of(json_int(account, "id", -1));
	json_array_foreach(ids, i, id)
		json_array_append_new(
		    keys, entry_shown(r, json_integer_value(id), secrets));
	json_decref(ids);
	call_reply(call, keys);
}

static void
converted(
    const struct api_key_derived *d, int error, const char *text, void *arg)
{
	struct call *call = arg;
	json_t *result;
	int64_t id;
	const char *secret;

	turn_leave(&turns);
	if (d == NULL) {
		call_fail(
		    call, error, "The key could not be converted: %s", text);
		return;
	}
	api_key_split(json_string_value(call_param(call, 0)), &id, &secret);
	result = json_pack("{s:I, s:i, s:s}", "api_key_id", (json_int_t)id,
	    "iterations", SCRAM_ITERATIONS, "salt", d->keys.salt);
	set_base64(result, "client_key", d->client_key, SCRAM_KEY_LEN);
	set_base64(result, "stored_key", d->keys.stored_key, SCRAM_KEY_LEN);
	set_base64(result, "server_key", d->keys.server_key, SCRAM_KEY_LEN);
	call_reply(call, result);
}

static void
convert_begin(void *arg)
{
	struct call *call = arg;
	const char *secret;
	int64_t id;

	api_key_split(json_string_value(call_param(call, 0)), &id, &secret);
	api_key_derive(secret, json_str(api_key_get(id), "salt", NULL),
	    SCRAM_ITERATIONS, converted, call);
}

static void
convert_run(struct call *call)
{
	const char *secret;
	struct verr *errors;
	int64_t id;

	if (!is_usable(call))
		return;
	if (!api_key_split(
		json_string_value(call_param(call, 0)), &id, &secret)) {
		errors = verr_new();
		verr_add(errors, "raw_key",
		    "A key is an id, a dash, and %d letters and digits",
		    API_KEY_SECRET_LEN);
		call_fail_invalid(call, errors);
	} else if (api_key_get(id) == NULL)
		call_fail_absent(
		    call, "ApiKey %lld does not exist", (long long)id);
	else
		hash(call, convert_begin);
}

static void
revoke_run(struct call *call)
{
	json_t *ids, *nothing;
	int64_t first;

	if (!is_usable(call))
		return;
	ids = api_keys_made_in(json_string_value(call_param(call, 0)));
	first = json_integer_value(json_array_get(ids, 0));
	if (json_array_size(ids) == 0) {
		call_reply(call, json_false());
	} else {
		nothing = json_object();
		change_submit(call, resource_of_method(call->method->name),
		    CHANGE_UPDATE, first, nothing, NULL);
		json_decref(nothing);
	}
	json_decref(ids);
}

/* Sessions that a key began end with it, or when it will expire. */
static void
keys_changed(void)
{
	sessions_review();
	sessions_look();
}

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

/* The name as it is before the change. */
static char *
id_suffix(const json_t *params)
{
	const json_t *key =
	    api_key_get(json_integer_value(json_array_get(params, 0)));

	return key != NULL ? xstrdup(json_str(key, "name", "")) : NULL;
}

static char *
login_suffix(const json_t *params)
{
	return xstrdup(json_string_value(json_array_get(params, 0)));
}

static const char *const read_roles[] = { "API_KEY_READ", NULL };
static const char *const write_roles[] = { "API_KEY_WRITE", NULL };
static const char *const own_roles[] = { "API_KEY_WRITE", "READONLY_ADMIN",
	NULL };
static const char *const my_roles[] = { "API_KEY_READ", "READONLY_ADMIN",
	NULL };
static const struct resource *const extended_from[] = { &user_resource, NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "api_key.convert_raw_key", .auth = AUTH_ROLE,
	  .roles = read_roles, .params = convert_params, .result = &data,
	  .doc = "What SCRAM needs, from a key as it was shown.",
	  .run = convert_run },
	{ .name = "api_key.create", .kind = KIND_CREATE, .auth = AUTH_ROLE,
	  .roles = own_roles, .params = create_params, .result = &made,
	  .audit = "Create API key", .audit_suffix = name_suffix,
	  .doc = "Makes a key; the answer alone has it.", .run = create_run },
	{ .name = "api_key.delete", .kind = KIND_DELETE, .auth = AUTH_ROLE,
	  .roles = own_roles, .params = id_params, .result = &always_true,
	  .audit = "Delete API key", .audit_suffix = id_suffix,
	  .doc = "Removes a key; sessions that it began end.",
	  .run = delete_run },
	{ .name = "api_key.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &entry, .doc = "One key.", .run = resource_instance_run },
	{ .name = "api_key.my_keys", .auth = AUTH_ROLE, .roles = my_roles,
	  .result = &entries, .doc = "The caller's keys.",
	  .run = my_keys_run },
	{ .name = "api_key.query", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = read_roles, .params = query_params, .result = &entries,
	  .doc = "The keys there are.", .run = resource_query_run },
	{ .name = "api_key.revoke_made_in", .own = true, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = revoke_params, .result = &boolean,
	  .audit = "Revoke API keys made in login",
	  .audit_suffix = login_suffix,
	  .doc = "Revokes the keys that were made in a login, all of them.",
	  .run = revoke_run },
	{ .name = "api_key.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = own_roles, .params = update_params, .result = &updated,
	  .audit = "Update API key", .audit_suffix = id_suffix,
	  .doc = "Changes a key, or gives it a new secret.",
	  .run = update_run },
	METHOD_END
};

const struct resource api_key_resource = {
	.name = "api_key", .doc = "Keys that let programs in.",
	.kind = RESOURCE_CRUD, .role_prefix = "API_KEY",
	.verbose_name = "ApiKey", .methods = methods, .fields = key_fields,
	.check = check, .extend = extend, .extended_from = extended_from,
	.changed = keys_changed
};
/* clang-format on */
