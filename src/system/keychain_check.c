/*
 * What a change of the keychain may do: attributes of their type, keys that
 * are some and belong together (a worker reads them), connections to key pairs
 * that are there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"
#include "system/system.h"

/* clang-format off */
static const struct field attributes_of[] = {
	{ .name = KEY_PAIR, .type = F_OBJECT, .fields = key_pair_fields },
	{ .name = CONNECTION, .type = F_OBJECT, .fields = connection_fields },
	FIELD_END
};
/* clang-format on */

/* Not a rollback, or a configuration that is uploaded. */
static bool
is_ours(const struct change *c)
{
	return resource_of_method(c->call->method->name) == c->resource;
}

/* The API's parameters are not called as the namespace is. */
static void
set_prefix(struct change *c)
{
	if (is_ours(c))
		verr_prefix(c->errors,
		    c->verb == CHANGE_CREATE ? CREATE_PREFIX :
					       "keychain_credential_update");
}

/* With the defaults of its type; false: there are errors. */
static bool
check_attributes(struct change *c)
{
	const struct field *row = attributes_of;
	json_t *whole;

	while (row->name != NULL && !keychain_is(c->after, row->name))
		row++;
	if (row->name == NULL) {
		verr_add(c->errors, "type", "There is no such type");
		return false;
	}
	whole = schema_value(row, "attributes",
	    json_object_get(c->after, "attributes"), SCHEMA_ARGUMENT,
	    c->errors);
	if (whole == NULL)
		return false;
	/* Holdfast's own: nobody misses it where it says nothing. */
	if (json_is_null(json_object_get(whole, "passphrase")))
		json_object_del(whole, "passphrase");
	json_object_set_new(c->after, "attributes", whole);
	return true;
}

static const json_t *
attribute(const json_t *entry, const char *name)
{
	return json_object_get(json_object_get(entry, "attributes"), name);
}

/* Its own id again, in whatever way: another key is somebody's decision. */
static void
check_overwrite(struct change *c)
{
	const json_t *before = attribute(c->before, "private_key");
	json_t *users;

	if (!json_is_string(before) || !is_ours(c) ||
	    json_equal(before, attribute(c->after, "private_key")) ||
	    json_bool(c->given, "overwrite", false))
		return;
	users = keychain_users(c, c->id);
	verr_add_errno(c->errors, EEXIST, "attributes.private_key",
	    "There is a private key already, used by %zu connection%s: it "
	    "would be lost; \"overwrite\" replaces it",
	    json_array_size(users), json_array_size(users) == 1 ? "" : "s");
	json_decref(users);
}

static void
check_key_pair(struct change *c)
{
	if (json_string_length(attribute(c->after, "private_key")) == 0 &&
	    json_string_length(attribute(c->after, "public_key")) == 0)
		verr_add(c->errors, "attributes.public_key",
		    "You must specify a key");
	check_overwrite(c);
}

static void
check_connection(struct change *c)
{
	int64_t id = json_integer_value(attribute(c->after, "private_key"));
	const json_t *pair = change_view(c, &keychain_resource, id);

	if (pair == NULL || !keychain_is(pair, KEY_PAIR))
		verr_add(c->errors, "attributes.private_key",
		    "There is no key pair with the id %lld", (long long)id);
	else if (!json_is_string(attribute(pair, "private_key")))
		verr_add(c->errors, "attributes.private_key",
		    "That key pair has no private key");
}

/* What uses it goes with it, where that was said. */
static void
check_removal(struct change *c)
{
	bool cascade = c->call->method->run == keychain_delete_run &&
	    json_bool(call_param(c->call, 1), "cascade", false);
	json_t *users = keychain_users(c, c->id), *user;
	size_t i;

	json_array_foreach(users, i, user)
		if (cascade)
			change_remove(
			    c, &keychain_resource, json_int(user, "id", -1));
		else
			verr_add_errno(c->errors, EBUSY, NULL,
			    "%s %lld is in use by \"%s\"",
			    c->resource->verbose_name, (long long)c->id,
			    json_str(user, "name", ""));
	json_decref(users);
}

void
keychain_check(struct change *c)
{
	set_prefix(c);
	keychain_setup_pair(c);
	if (c->verb == CHANGE_DELETE)
		check_removal(c);
	else if (!check_attributes(c))
		return;
	else if (keychain_is(c->after, KEY_PAIR))
		check_key_pair(c);
	else
		check_connection(c);
}

/* --- The keys themselves -------------------------------------------------- */

/* Of the worker's error: the member that it is about. */
static const char *
attribute_at_fault(int error)
{
	switch (error) {
	case ENOKEY:
		return "attributes.passphrase";
	case EBADMSG:
	case EKEYREJECTED:
		return "attributes.public_key";
	default:
		return "attributes.private_key";
	}
}

/* Type and Base64 as they are right, then what else the line said. */
static char *
with_comment(const char *text, const char *given)
{
	const char *comment = given + strspn(given, " \t\r\n");
	int words;
	char *line;

	for (words = 0; words < 2; words++) {
		comment += strcspn(comment, " \t\r\n");
		comment += strspn(comment, " \t\r\n");
	}
	line = *comment != '\0' ? xasprintf("%s %s", text, comment) :
				  xstrdup(text);
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static void
keys_read(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in in = reply->body;
	char *text, *line;

	if (reply->error != 0) {
		verr_add(c->errors, attribute_at_fault(reply->error), "%s",
		    reply->text);
		change_continue(c);
		return;
	}
	text = wire_get_str(&in, KEY_TEXT_MAX * 2);
	wire_get_u8(&in);
	if (text == NULL || wire_end(&in) == -1) {
		verr_add(c->errors, "attributes.private_key",
		    "The key could not be read");
	} else {
		line = with_comment(text,
		    json_str(json_object_get(c->after, "attributes"),
			"public_key", ""));
		json_object_set_new(json_object_get(c->after, "attributes"),
		    "public_key", json_string(line));
		free(line);
	}
	free(text);
	change_continue(c);
}

void
keychain_lookup(struct change *c)
{
	const json_t *attributes = json_object_get(c->after, "attributes");
	struct wire_out body = { 0 };

	if (c->verb == CHANGE_DELETE || !keychain_is(c->after, KEY_PAIR) ||
	    verr_any(c->errors) ||
	    json_equal(json_object_get(c->before, "attributes"), attributes)) {
		change_continue(c);
		return;
	}
	wire_put_str(&body, json_str(attributes, "private_key", ""));
	wire_put_str(&body, json_str(attributes, "passphrase", ""));
	wire_put_str(&body, json_str(attributes, "public_key", ""));
	op_worker(TASK_KEY_READ, &body, keys_read, c);
	wire_free(&body);
}
