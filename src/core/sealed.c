/*
 * Secrets sealed in the store's file: see sealed.h.
 *
 * In place of a secret stands a string: seal_at()'s of its JSON text.  What it
 * is authenticated with is its place: the part of the store, the resource, the
 * entry's id, and the path within the document; so whoever can write the file
 * but has no key cannot make one entry's password another's, nor one of an old
 * revision today's.  "" and null are no secrets and stay.
 */
#include "core/sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/resource.h"
#include "core/schema.h"
#include "core/seal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* A value of the store, sealed itself: is this the key of this store? */
#define CHECK_NAME "seal_check"
#define CHECK_TEXT "holdfast"

/* Nothing is sealed yet: an older Holdfast's store, being opened. */
static bool plain;
/* What does not open is given up, at the administrator's word. */
static bool forgetting;

struct context {
	enum store_part part;
	const char *resource;
	int64_t id;
	const json_t *now; /* secrets that stay, by their place */
	const uint8_t *key; /* another one than the store's */
	bool foreign; /* not ours: what has no row is for others to refuse */
	bool lose; /* what does not open */
	char *why;
};

static char *
place_text(const struct context *c, const struct schema_place *at)
{
	static const char *const parts[] = { "entry", "revision" };
	json_t *place = json_pack("[s, s, I, o]", parts[c->part], c->resource,
	    (json_int_t)c->id, schema_place_path(at));
	char *text = json_text(place);

	json_decref(place);
	return text;
}

static char *
path_text(const struct schema_place *at)
{
	json_t *path = schema_place_path(at);
	char *text = json_text(path);

	json_decref(path);
	return text;
}

static bool
is_empty(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == 0;
}

static bool
is_text(const json_t *value, const char *text)
{
	return json_is_string(value) &&
	    strcmp(json_string_value(value), text) == 0;
}

static bool
is_erased(const json_t *value)
{
	return json_object_get(value, SEALED_ERASED_MEMBER) != NULL;
}

static json_t *
erased(void)
{
	return json_pack("{s:b}", SEALED_ERASED_MEMBER, 1);
}

/* A secret's value that is lost: what a new entry would have. */
static json_t *
blank(const struct field *row)
{
	if (row == NULL || (row->flags & FF_NULL))
		return json_null();
	if (row->def != NULL)
		return json_parse(row->def, strlen(row->def), NULL);
	switch (row->type) {
	case F_BOOL:
		return json_false();
	case F_INT:
		return json_integer(row->min);
	case F_STRV:
	case F_ENUMV:
	case F_ARRAY:
		return json_array();
	case F_OBJECT:
	case F_DICT:
	case F_UNION:
		return json_object();
	default:
		return json_string("");
	}
}

static json_t *
seal_value(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	char *place, *text, *sealed;
	json_t *result;

	(void)row;
	if (is_empty(value))
		return json_incref((json_t *)(uintptr_t)value);
	if (is_erased(value))
		return json_string(SEALED_ERASED);
	place = place_text(arg, at);
	text = json_text(value);
	sealed = seal_at(place, text);
	result = json_string(sealed);
	free(place);
	freezero_str(text);
	free(sealed);
	return result;
}

/* The secret, or NULL when it does not open. */
static json_t *
open_value(
    const struct context *c, const struct schema_place *at, const json_t *value)
{
	json_t *result = NULL;
	char *place, *text = NULL;
	size_t len;

	if (is_empty(value))
		return json_incref((json_t *)(uintptr_t)value);
	if (is_text(value, SEALED_ERASED))
		return erased();
	place = place_text(c, at);
	if (json_is_string(value) && c->key != NULL)
		text =
		    unseal_with(c->key, place, json_string_value(value), &len);
	else if (json_is_string(value))
		text = unseal_at(place, json_string_value(value));
	if (text != NULL)
		result = json_parse(text, strlen(text), NULL);
	freezero_str(text);
	free(place);
	return result;
}

static json_t *
unseal_value(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	struct context *c = arg;
	json_t *result = open_value(c, at, value);
	char *path;

	if (result == NULL && row == NULL && c->foreign)
		return json_incref((json_t *)(uintptr_t)value);
	if (result == NULL && (forgetting || c->lose))
		result = c->part == STORE_REVISION ? erased() : blank(row);
	if (result != NULL)
		return result;
	if (c->why == NULL) {
		path = path_text(at);
		c->why = xasprintf("the secret %s of %s %lld does not open "
				   "with seal.key",
		    path, c->resource, (long long)c->id);
		free(path);
	}
	return json_null();
}

static const struct field *
fields_of(const char *resource)
{
	const struct resource *r = resource_find(resource);

	return r != NULL ? r->fields : NULL;
}

static json_t *
map(struct context *c, const json_t *document, schema_map *function)
{
	const struct field *fields = fields_of(c->resource);

	if (fields == NULL)
		return json_incref((json_t *)(uintptr_t)document);
	return schema_map_secrets(fields, document, function, c);
}

static json_t *
to_disk(enum store_part part, const char *resource, int64_t id,
    const json_t *document)
{
	struct context c = { .part = part, .resource = resource, .id = id };

	return map(&c, document, seal_value);
}

static json_t *
from_disk(enum store_part part, const char *resource, int64_t id,
    const json_t *disk, char **whyp)
{
	struct context c = { .part = part, .resource = resource, .id = id };
	json_t *document;

	if (plain)
		return json_incref((json_t *)(uintptr_t)disk);
	document = map(&c, disk, unseal_value);
	if (c.why != NULL) {
		json_decref(document);
		document = NULL;
		*whyp = c.why;
	}
	return document;
}

json_t *
sealed_open_with(const uint8_t *key, const char *resource, int64_t id,
    const json_t *disk, bool lose, char **whyp)
{
	struct context c = { .part = STORE_ENTRY,
		.resource = resource,
		.id = id,
		.key = key,
		.foreign = true,
		.lose = lose };
	json_t *document = map(&c, disk, unseal_value);

	*whyp = c.why;
	if (c.why == NULL)
		return document;
	json_decref(document);
	return NULL;
}

static json_t *
collect(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	struct context *c = arg;
	char *path = path_text(at);

	(void)row;
	if (!is_empty(value))
		json_object_set((json_t *)(uintptr_t)c->now, path,
		    (json_t *)(uintptr_t)value);
	free(path);
	return json_null();
}

/* The secrets of a document by their paths; NULL: of none. */
static json_t *
secrets_of(const char *resource, const json_t *document)
{
	struct context c = { .resource = resource, .now = json_object() };

	if (document != NULL)
		json_decref(map(&c, document, collect));
	return (json_t *)(uintptr_t)c.now;
}

static bool
secret_gone(const char *resource, const json_t *before, const json_t *after)
{
	json_t *old, *new, *value, *other;
	const char *path;
	bool gone = false;

	if (before == NULL || fields_of(resource) == NULL)
		return false;
	old = secrets_of(resource, before);
	new = secrets_of(resource, after);
	json_object_foreach(old, path, value) {
		other = json_object_get(new, path);
		if (other == NULL || !json_equal(value, other))
			gone = true;
	}
	json_decref(old);
	json_decref(new);
	return gone;
}

static json_t *
erase_value(const struct schema_place *at, const struct field *row,
    const json_t *value, void *arg)
{
	struct context *c = arg;
	json_t *secret, *kept;
	char *path;
	bool stays;

	(void)row;
	if (is_empty(value))
		return json_incref((json_t *)(uintptr_t)value);
	path = path_text(at);
	kept = json_object_get(c->now, path);
	secret = open_value(c, at, value);
	stays = secret != NULL && kept != NULL && json_equal(secret, kept);
	free(path);
	json_decref(secret);
	return stays ? json_incref((json_t *)(uintptr_t)value) :
		       json_string(SEALED_ERASED);
}

static json_t *
without(
    const char *resource, int64_t id, const json_t *disk, const json_t *entry)
{
	struct context c = { .part = STORE_REVISION,
		.resource = resource,
		.id = id,
		.now = secrets_of(resource, entry) };
	json_t *rest = map(&c, disk, erase_value);

	json_decref((json_t *)(uintptr_t)c.now);
	return rest;
}

/* 0 when the key that was read is that of the store. */
static int
check_key(const char *path, const char *check, bool have, char **whyp)
{
	char *text;

	if (!have) {
		*whyp = xasprintf("%s/seal.key is missing: put it back, or "
				  "begin anew without the secrets "
				  "(config.forget_secrets)",
		    path);
		return -1;
	}
	text = unseal_at(CHECK_NAME, check);
	if (text == NULL) {
		*whyp = xasprintf("%s/seal.key is not the key of this "
				  "configuration: put the right one back, or "
				  "begin anew without the secrets "
				  "(config.forget_secrets)",
		    path);
		return -1;
	}
	freezero_str(text);
	return 0;
}

static int
opening(struct store *s, const char *path, char **whyp)
{
	char *check = store_value(s, CHECK_NAME);
	int have, rc = 0;

	seal_forget();
	plain = check == NULL;
	have = seal_open(path, whyp);
	if (forgetting)
		rc = seal_make(path, whyp);
	else if (have == -1)
		rc = -1;
	else if (check != NULL)
		rc = check_key(path, check, have == 1, whyp);
	else if (have == 0)
		rc = seal_make(path, whyp);
	free(check);
	return rc;
}

static int
opened(struct store *s, char **whyp)
{
	char *check;
	int rc;

	if (!plain && !forgetting)
		return 0;
	check = seal_at(CHECK_NAME, CHECK_TEXT);
	rc = store_rewrite(s, CHECK_NAME, check);
	plain = false;
	free(check);
	if (rc == -1)
		*whyp = xasprintf(
		    "The secrets cannot be sealed: %s", strerror(errno));
	return rc;
}

int
sealed_forget_all(const char *path, char **whyp)
{
	struct store *s;

	forgetting = true;
	s = store_open(path, &sealed_form, whyp);
	forgetting = false;
	store_close(s);
	return s != NULL ? 0 : -1;
}

/* clang-format off */
const struct store_form sealed_form = {
	.opening = opening, .opened = opened,
	.to_disk = to_disk, .from_disk = from_disk,
	.secret_gone = secret_gone, .without = without
};
/* clang-format on */
