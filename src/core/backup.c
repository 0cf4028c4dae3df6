/*
 * The configuration as a file: see backup.h.  One is
 *
 *	{"holdfast_configuration": 1, "version": "0.1.0", "schema": 2,
 *	 "time": ..., "key": base64 or null,
 *	 "entries": [{"resource": "ssh", "entry": 1, "document": {...}}, ...]}
 *
 * or, with a passphrase, sealed:
 *
 *	{"holdfast_configuration": 1, "salt": base64, "sealed": "1:..."}
 */
#include "core/backup.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/resource.h"
#include "core/schema.h"
#include "core/seal.h"
#include "core/sealed.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define FORMAT_MEMBER "holdfast_configuration"
#define PLACE "backup"
#define FILE_ATTRIBUTE "file"
#define SALT_LEN 16
/* RFC 7914: 32 MiB; never what a file says, which could ask for all there is. */
#define SCRYPT_N (1 << 15)
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_MEMORY (64 << 20)

static json_t *
base64(const uint8_t *data, size_t len)
{
	char *text = base64_encode(data, len);
	json_t *value = json_string(text);

	freezero_str(text);
	return value;
}

/* Exactly len bytes, into data. */
static bool
from_base64(const json_t *value, uint8_t *data, size_t len)
{
	return json_is_string(value) &&
	    base64_decode_exact(json_string_value(value), data, len) == 0;
}

static void
derive(const char *passphrase, const uint8_t salt[static SALT_LEN],
    uint8_t key[static SEAL_KEY_LEN])
{
	if (EVP_PBE_scrypt(passphrase, strlen(passphrase), salt, SALT_LEN,
		SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, key,
		SEAL_KEY_LEN) != 1)
		fatal("backup: scrypt failed");
}

/* Is it kept in the store, and of a table? */
static bool
is_kept(const struct resource *r)
{
	return r->fields != NULL && r->kind != RESOURCE_SERVICE &&
	    r->apply == NULL;
}

struct listing {
	const struct resource *resource;
	json_t *entries;
};

static void
add_entry(int64_t id, const json_t *document, void *arg)
{
	struct listing *l = arg;

	json_array_append_new(l->entries,
	    json_pack("{s:s, s:I, s:o}", "resource", l->resource->name, "entry",
		(json_int_t)id, "document",
		sealed_form.to_disk(
		    STORE_ENTRY, l->resource->name, id, document)));
}

static json_t *
content(const struct store *s, bool with_key)
{
	struct listing listing = { .entries = json_array() };
	const struct resource *const *r;
	json_t *key = json_null();

	for (r = resources; *r != NULL; r++) {
		listing.resource = *r;
		if (is_kept(*r))
			store_each(s, (*r)->name, add_entry, &listing);
	}
	if (with_key && seal_key() != NULL)
		key = base64(seal_key(), SEAL_KEY_LEN);
	return json_pack("{s:i, s:s, s:i, s:o, s:o, s:o}", FORMAT_MEMBER,
	    BACKUP_FORMAT, "version", HF_VERSION, "schema", STORE_SCHEMA,
	    "time", json_date(time(NULL)), "key", key, "entries",
	    listing.entries);
}

static json_t *
under_passphrase(const json_t *whole, const char *passphrase)
{
	uint8_t salt[SALT_LEN], key[SEAL_KEY_LEN];
	char *text = json_text(whole), *sealed;
	json_t *envelope;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		fatal("backup: no randomness");
	derive(passphrase, salt, key);
	sealed = seal_with(key, PLACE, text, strlen(text));
	envelope = json_pack("{s:i, s:o, s:s}", FORMAT_MEMBER, BACKUP_FORMAT,
	    "salt", base64(salt, sizeof(salt)), "sealed", sealed);
	explicit_bzero(key, sizeof(key));
	freezero_str(text);
	free(sealed);
	return envelope;
}

char *
backup_write(const struct store *s, bool with_key, const char *passphrase)
{
	json_t *whole = content(s, with_key || passphrase != NULL), *envelope;
	char *text;

	if (passphrase != NULL) {
		envelope = under_passphrase(whole, passphrase);
		json_decref(whole);
		whole = envelope;
	}
	text = json_text(whole);
	json_decref(whole);
	return text;
}

/* A reading in progress. */
struct reading {
	const struct store *store;
	struct verr *errors;
	bool lose_secrets;
	bool have_key;
	uint8_t key[SEAL_KEY_LEN]; /* the file's own */
	json_t *entries;
	json_t *seen; /* "ssh/1" */
};

static json_t *
parse(const char *text, size_t len, struct verr *errors)
{
	const char *why = NULL;
	json_t *whole = NULL;

	if (len > BACKUP_MAX)
		why = "it is too large";
	else
		whole = json_parse(text, len, &why);
	if (whole != NULL &&
	    json_is_integer(json_object_get(whole, FORMAT_MEMBER)))
		return whole;
	verr_add(errors, FILE_ATTRIBUTE,
	    "This is not a configuration that Holdfast saved (%s)",
	    why != NULL ? why : "it says nothing of it");
	json_decref(whole);
	return NULL;
}

/* The content of a sealed one (stolen), or NULL. */
static json_t *
open_envelope(json_t *envelope, const char *passphrase, struct verr *errors)
{
	const char *sealed = json_str(envelope, "sealed", NULL);
	uint8_t salt[SALT_LEN], key[SEAL_KEY_LEN];
	json_t *whole = NULL;
	char *text = NULL;
	size_t len;

	if (passphrase == NULL)
		verr_add(errors, "options.passphrase",
		    "This configuration was saved with a passphrase");
	else if (sealed == NULL ||
	    !from_base64(json_object_get(envelope, "salt"), salt, SALT_LEN))
		verr_add(errors, FILE_ATTRIBUTE, "It is damaged");
	else {
		derive(passphrase, salt, key);
		text = unseal_with(key, PLACE, sealed, &len);
		explicit_bzero(key, sizeof(key));
		if (text == NULL)
			verr_add(errors, "options.passphrase",
			    "It is not the one that the configuration was "
			    "saved with, or the file is damaged");
		else
			whole = parse(text, len, errors);
		freezero(text, text != NULL ? len : 0);
	}
	json_decref(envelope);
	return whole;
}

static bool
check_versions(const json_t *whole, struct verr *errors)
{
	json_int_t format = json_int(whole, FORMAT_MEMBER, 0);
	json_int_t schema = json_int(whole, "schema", 0);

	if (format >= 1 && format <= BACKUP_FORMAT && schema >= 1 &&
	    schema <= STORE_SCHEMA)
		return true;
	verr_add(errors, FILE_ATTRIBUTE,
	    "It was saved by another Holdfast (%s: format %lld, schema %lld), "
	    "this one (" HF_VERSION ") knows format %d and schema %d",
	    json_str(whole, "version", "?"), (long long)format,
	    (long long)schema, BACKUP_FORMAT, STORE_SCHEMA);
	return false;
}

/*
 * The document as it is stored: what steers calls is not in it, what nobody
 * may set is as in the store, or by default; and its id.
 */
static void
complete(const struct reading *in, const struct resource *r, int64_t id,
    json_t *document)
{
	const json_t *stored = store_get(in->store, r->name, id);
	json_t *defaults = schema_defaults(r->fields), *value;
	const struct field *f;

	for (f = r->fields; f->name != NULL; f++) {
		if (f->flags & FF_UNSTORED)
			json_object_del(document, f->name);
		if ((f->flags & (FF_UNSTORED | FF_KEPT)) ||
		    !(f->flags & FF_READONLY))
			continue;
		value = json_object_get(stored, f->name);
		if (value == NULL)
			value = json_object_get(defaults, f->name);
		if (strcmp(f->name, "id") == 0)
			json_object_set_new(
			    document, "id", json_integer((json_int_t)id));
		else if (value != NULL)
			json_object_set_new(
			    document, f->name, json_deep_copy(value));
	}
	json_decref(defaults);
}

static json_t *
settable(const struct resource *r, const json_t *document)
{
	json_t *object = json_copy((json_t *)(uintptr_t)document);
	const struct field *f;

	for (f = r->fields; f->name != NULL; f++)
		if ((f->flags & FF_UNSTORED) ||
		    (f->flags & (FF_READONLY | FF_KEPT)) == FF_READONLY)
			json_object_del(object, f->name);
	return object;
}

/* A document (secrets sealed) as it can be stored; NULL with an error. */
static json_t *
read_document(struct reading *in, const struct resource *r, int64_t id,
    const char *attribute, const json_t *sealed)
{
	const struct field whole = { .name = "",
		.type = F_OBJECT,
		.fields = r->fields,
		.model = r->name };
	json_t *object = settable(r, sealed), *plain, *valid;
	char *why = NULL;

	plain = sealed_open_with(in->have_key ? in->key : seal_key(), r->name,
	    id, object, in->lose_secrets, &why);
	json_decref(object);
	if (plain == NULL) {
		verr_add(in->errors, attribute,
		    "%s: save it with the key (secretseed) or a passphrase",
		    why);
		free(why);
		return NULL;
	}
	valid =
	    schema_value(&whole, attribute, plain, SCHEMA_STORED, in->errors);
	json_decref(plain);
	if (valid != NULL)
		complete(in, r, id, valid);
	return valid;
}

/* True the first time. */
static bool
is_new(struct reading *in, const char *resource, json_int_t id)
{
	char *key = xasprintf("%s/%lld", resource, (long long)id);
	bool fresh = json_object_get(in->seen, key) == NULL;

	json_object_set_new(in->seen, key, json_true());
	free(key);
	return fresh;
}

static void
read_entry(struct reading *in, size_t i, const json_t *item)
{
	const char *name = json_str(item, "resource", "");
	const struct resource *r = resource_find(name);
	json_t *id = json_object_get(item, "entry"), *document;
	char *attribute = xasprintf("file.entries.%zu", i);

	document = json_object_get(item, "document");
	if (r == NULL || !is_kept(r))
		verr_add(in->errors, attribute,
		    "This Holdfast has no such resource");
	else if (!json_is_integer(id) || json_integer_value(id) < 1 ||
	    !json_is_object(document) ||
	    (r->kind == RESOURCE_CONFIG && json_integer_value(id) != r->entry))
		verr_add(
		    in->errors, attribute, "This is no entry of %s", r->name);
	else if (!is_new(in, r->name, json_integer_value(id)))
		verr_add(in->errors, attribute, "This entry is there twice");
	else {
		free(attribute);
		attribute = xasprintf(
		    "file.%s.%lld", r->name, (long long)json_integer_value(id));
		document = read_document(
		    in, r, json_integer_value(id), attribute, document);
		if (document != NULL)
			json_array_append_new(in->entries,
			    json_pack("{s:s, s:O, s:o}", "resource", r->name,
				"entry", id, "document", document));
	}
	free(attribute);
}

static void
read_entries(struct reading *in, const json_t *whole)
{
	json_t *list = json_object_get(whole, "entries"), *item;
	json_t *key = json_object_get(whole, "key");
	size_t i;

	if (json_array_size(list) == 0) {
		verr_add(in->errors, FILE_ATTRIBUTE, "There is nothing in it");
		return;
	}
	in->have_key = key != NULL && !json_is_null(key);
	if (in->have_key && !from_base64(key, in->key, SEAL_KEY_LEN)) {
		verr_add(in->errors, FILE_ATTRIBUTE, "Its key is none");
		return;
	}
	json_array_foreach(list, i, item)
		read_entry(in, i, item);
}

json_t *
backup_read(const struct store *s, const char *text, size_t len,
    const char *passphrase, bool lose_secrets, struct verr *errors)
{
	struct reading in = {
		.store = s, .errors = errors, .lose_secrets = lose_secrets
	};
	json_t *whole = parse(text, len, errors);

	if (whole != NULL && json_object_get(whole, "sealed") != NULL)
		whole = open_envelope(whole, passphrase, errors);
	if (whole == NULL)
		return NULL;
	in.entries = json_array();
	in.seen = json_object();
	if (check_versions(whole, errors))
		read_entries(&in, whole);
	explicit_bzero(in.key, sizeof(in.key));
	json_decref(whole);
	json_decref(in.seen);
	if (verr_any(errors)) {
		json_decref(in.entries);
		return NULL;
	}
	return in.entries;
}

struct difference {
	const struct store *store;
	const struct resource *resource;
	json_t *now; /* of the file, by id */
	json_t *list;
};

static void
add_difference(
    struct difference *d, json_int_t id, json_t *before, json_t *after)
{
	if (before != NULL && after != NULL && json_equal(before, after))
		return;
	json_array_append_new(d->list,
	    json_pack("{s:s, s:I, s:O?, s:O?}", "resource", d->resource->name,
		"entry", id, "before", before, "after", after));
}

static void
compare_stored(int64_t id, const json_t *document, void *arg)
{
	struct difference *d = arg;
	char *key = xasprintf("%lld", (long long)id);
	json_t *after = json_object_get(d->now, key);
	json_t *before = schema_defaults(d->resource->fields);

	json_object_update(before, (json_t *)(uintptr_t)document);
	add_difference(d, id, before, after);
	json_object_del(d->now, key);
	json_decref(before);
	free(key);
}

/* What is left was not in the store. */
static void
compare_new(struct difference *d)
{
	const char *key;
	json_t *after;

	json_object_foreach(d->now, key, after)
		add_difference(d, strtoll(key, NULL, 10), NULL, after);
}

json_t *
backup_differences(const struct store *s, const json_t *entries)
{
	struct difference d = { .store = s, .list = json_array() };
	const struct resource *const *r;
	json_t *entry;
	char *key;
	size_t i;

	for (r = resources; *r != NULL; r++) {
		d.resource = *r;
		d.now = json_object();
		json_array_foreach(entries, i, entry) {
			if (strcmp(json_str(entry, "resource", ""),
				(*r)->name) != 0)
				continue;
			key = xasprintf(
			    "%lld", (long long)json_int(entry, "entry", 0));
			json_object_set(
			    d.now, key, json_object_get(entry, "document"));
			free(key);
		}
		if (json_object_size(d.now) > 0)
			store_each(s, (*r)->name, compare_stored, &d);
		compare_new(&d);
		json_decref(d.now);
	}
	return d.list;
}
