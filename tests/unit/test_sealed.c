/*
 * seal, sealed: secrets in the store's file are sealed to their place, opened
 * with its key only, and erased from revisions when they are replaced.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "core/method.h"
#include "core/scheduler.h"
#include "core/seal.h"
#include "core/sealed.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* In place of the registry: a resource with secrets at several depths. */
static const struct field server[] = { { .name = "host", .type = F_STR },
	{ .name = "password", .type = F_STR, .flags = FF_SECRET }, FIELD_END };
static const struct field server_row[] = {
	{ .name = "server", .type = F_OBJECT, .fields = server }, FIELD_END
};
static const struct field fields[] = { { .name = "name", .type = F_STR },
	{ .name = "hash", .type = F_STR, .flags = FF_SECRET },
	{ .name = "codes", .type = F_STRV, .flags = FF_SECRET | FF_NULL },
	{ .name = "servers", .type = F_ARRAY, .fields = server_row },
	FIELD_END };
static const struct method no_methods[] = { METHOD_END };
static const struct resource secretive = {
	.name = "secretive", .methods = no_methods, .fields = fields
};
const struct resource *const resources[] = { &secretive, NULL };
const struct renderer renderers[] = { { .output = -1 } };
const struct daemon_rule daemon_rules[] = { { .daemon = -1 } };
const struct scheduled_task scheduled_tasks[] = { { .name = NULL } };

static char folder[64];

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_sealed.XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "config.db", "config.db-wal",
		"seal.key", "seal.key.old", "other" };
	char *file;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		file = xasprintf("%s/%s", folder, names[i]);
		unlink(file);
		free(file);
	}
	seal_forget();
	return rmdir(folder);
}

static char *
file_name(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static struct store *
open_store(void)
{
	char *why;
	struct store *s = store_open(folder, &sealed_form, &why);

	if (s == NULL)
		fail_msg("%s", why);
	return s;
}

static void
assert_refused(const char *expected)
{
	char *why;

	assert_null(store_open(folder, &sealed_form, &why));
	if (strstr(why, expected) == NULL || strchr(why, '\n') != NULL)
		fail_msg("\"%s\" without \"%s\"", why, expected);
	free(why);
}

static json_t *
document(const char *name, const char *hash)
{
	return json_pack("{s:s, s:s, s:[s, s], s:[{s:s, s:s}, {s:s, s:s}]}",
	    "name", name, "hash", hash, "codes", "code-0", "code-1", "servers",
	    "host", "a", "password", "inner-0", "host", "b", "password", "");
}

/* Makes document (stolen; NULL removes it) the entry; the revision. */
static int64_t
change(struct store *s, int64_t id, json_t *after)
{
	struct revision r = { .time = 1000,
		.who = (char *)"root",
		.origin = (char *)"pid:1",
		.resource = (char *)"secretive",
		.entry = id,
		.after = after };
	int64_t number;

	r.before =
	    json_incref((json_t *)(uintptr_t)store_get(s, "secretive", id));
	number = store_change(s, &r, 1, NULL, NULL);
	assert_true(number > 0);
	json_decref(r.before);
	json_decref(after);
	return number;
}

static void
tamper(const char *sql)
{
	char *file = file_name("config.db");
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(file);
}

/* Is the text anywhere in the store's files? */
static bool
on_disk(const char *text)
{
	static const char *const names[] = { "config.db", "config.db-wal" };
	int dir = open(folder, O_RDONLY | O_DIRECTORY);
	bool found = false;
	char *data;
	size_t len, i;

	for (i = 0; i < 2; i++) {
		if (file_read_at(dir, names[i], 1 << 24, &data, &len) == -1)
			continue;
		found |= memmem(data, len, text, strlen(text)) != NULL;
		free(data);
	}
	close(dir);
	return found;
}

static void
test_text(void **state)
{
	char *why, *one, *two, *plain;

	(void)state;
	assert_int_equal(seal_open(folder, &why), 0);
	assert_null(unseal_text("1:AAAA"));
	assert_int_equal(seal_make(folder, &why), 0);
	one = seal_at("here", "a secret");
	two = seal_at("here", "a secret");
	assert_string_not_equal(one, two);
	plain = unseal_at("here", one);
	assert_string_equal(plain, "a secret");
	free(plain);
	assert_null(unseal_at("there", one));
	assert_null(unseal_at("her", one));
	assert_null(unseal_text(one));
	assert_null(unseal_at("here", one + 1));
	free(two);
	two = seal_text("");
	plain = unseal_text(two);
	assert_string_equal(plain, "");
	free(plain);
	free(two);
	/* Another key; the first one is kept. */
	assert_int_equal(seal_make(folder, &why), 0);
	assert_null(unseal_at("here", one));
	free(one);
}

/* Of a sealed text no bit may change, nor may it be cut. */
static void
test_damaged_text(void **state)
{
	char *sealed, *why;
	size_t i, len;

	(void)state;
	assert_int_equal(seal_make(folder, &why), 0);
	sealed = seal_text("twelve bytes");
	len = strlen(sealed);
	for (i = 0; i < len; i++) {
		sealed[i] ^= 4;
		assert_null(unseal_text(sealed));
		sealed[i] ^= 4;
	}
	while (len-- > 0) {
		sealed[len] = '\0';
		assert_null(unseal_text(sealed));
	}
	free(sealed);
}

static void
test_key_file(void **state)
{
	char *file = file_name("seal.key"), *why, *sealed, *plain;
	struct stat st;

	(void)state;
	assert_int_equal(seal_make(folder, &why), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, SEAL_KEY_LEN);
	sealed = seal_text("x");
	seal_forget();
	assert_null(seal_key());
	assert_null(unseal_text(sealed));
	assert_int_equal(seal_open(folder, &why), 1);
	plain = unseal_text(sealed);
	assert_string_equal(plain, "x");
	free(plain);
	free(sealed);
	assert_int_equal(truncate(file, 31), 0);
	assert_int_equal(seal_open(folder, &why), -1);
	assert_non_null(strstr(why, "is no key"));
	free(why);
	assert_int_equal(truncate(file, 33), 0);
	assert_int_equal(seal_open(folder, &why), -1);
	free(why);
	free(file);
}

static void
test_store(void **state)
{
	json_t *doc = document("n", "hash-0");
	struct store *s = open_store();

	(void)state;
	change(s, 1, json_incref(doc));
	assert_true(json_equal(store_get(s, "secretive", 1), doc));
	store_close(s);
	assert_true(on_disk("\"name\":\"n\""));
	assert_false(on_disk("hash-0"));
	assert_false(on_disk("code-1"));
	assert_false(on_disk("inner-0"));
	s = open_store();
	assert_true(json_equal(store_get(s, "secretive", 1), doc));
	store_close(s);
	json_decref(doc);
}

/* A sealed value opens in its entry only, and an old one nowhere. */
static void
test_moved(void **state)
{
	struct store *s = open_store();

	(void)state;
	change(s, 1, document("n", "hash-1"));
	change(s, 2, document("n", "hash-2"));
	store_close(s);
	tamper("UPDATE entry SET document = (SELECT document FROM entry"
	       " WHERE id = 1) WHERE id = 2");
	assert_refused("of secretive 2 does not open with seal.key");
	tamper("UPDATE entry SET document = (SELECT after FROM revision"
	       " WHERE entry = 2) WHERE id = 2");
	assert_refused("of secretive 2 does not open with seal.key");
	tamper("UPDATE entry SET document = json_set(document, '$.hash',"
	       " json_extract(document, '$.codes')) WHERE id = 1;"
	       "DELETE FROM entry WHERE id = 2");
	assert_refused("the secret [\"hash\"] of secretive 1");
	tamper("UPDATE entry SET document = json_set(document, '$.hash',"
	       " 'planted')");
	assert_refused("the secret [\"hash\"] of secretive 1");
}

static void
test_key_gone(void **state)
{
	char *file = file_name("seal.key"), *other = file_name("other"), *why;
	struct store *s = open_store();

	(void)state;
	change(s, 1, document("n", "hash-0"));
	store_close(s);
	assert_int_equal(rename(file, other), 0);
	assert_refused("seal.key is missing: put it back");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(seal_make(folder, &why), 0);
	assert_refused("seal.key is not the key of this configuration");
	assert_int_equal(rename(other, file), 0);
	store_close(open_store());
	/* Given up: the rest stays. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(sealed_forget_all(folder, &why), 0);
	s = open_store();
	assert_string_equal(
	    json_str(store_get(s, "secretive", 1), "name", ""), "n");
	assert_string_equal(
	    json_str(store_get(s, "secretive", 1), "hash", "?"), "");
	store_close(s);
	free(file);
	free(other);
}

/* What a Holdfast without sealing left is sealed by the first start. */
static void
test_plain(void **state)
{
	json_t *doc = document("n", "hash-0");
	char *why;
	struct store *s = store_open(folder, NULL, &why);

	(void)state;
	assert_non_null(s);
	change(s, 1, json_incref(doc));
	store_close(s);
	assert_true(on_disk("hash-0"));
	s = open_store();
	assert_true(json_equal(store_get(s, "secretive", 1), doc));
	assert_false(on_disk("hash-0"));
	store_close(s);
	assert_false(on_disk("hash-0"));
	s = open_store();
	assert_true(json_equal(store_get(s, "secretive", 1), doc));
	store_close(s);
	json_decref(doc);
}

struct seen {
	struct store *store;
	json_t *hashes; /* of before and after, in order, as revealed */
};

static bool
see(const struct revision *r, void *arg)
{
	struct seen *seen = arg;
	const json_t *documents[] = { r->before, r->after };
	json_t *document;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (documents[i] == NULL)
			continue;
		document = store_reveal(seen->store, r, documents[i]);
		json_array_append(
		    seen->hashes, json_object_get(document, "hash"));
		json_decref(document);
	}
	return true;
}

static void
assert_hashes(struct store *s, const char *expected)
{
	struct seen seen = { s, json_array() };
	char *text;

	assert_int_equal(store_history(s, 0, see, &seen), 0);
	text = json_text(seen.hashes);
	assert_string_equal(text, expected);
	free(text);
	json_decref(seen.hashes);
}

#define ERASED "{\"$erased\":true}"

static void
test_erased(void **state)
{
	struct store *s = open_store();

	(void)state;
	change(s, 1, document("n", "old"));
	change(s, 1, document("m", "old"));
	assert_hashes(s, "[\"old\",\"old\",\"old\"]");
	change(s, 2, document("n", "two"));
	change(s, 1, document("m", "new"));
	assert_hashes(
	    s, "[" ERASED "," ERASED "," ERASED ",\"two\"," ERASED ",\"new\"]");
	change(s, 1, NULL);
	assert_hashes(s,
	    "[" ERASED "," ERASED "," ERASED ",\"two\"," ERASED "," ERASED
	    "," ERASED "]");
	store_close(s);
	s = open_store();
	change(s, 2, document("n", "two"));
	assert_hashes(s,
	    "[" ERASED "," ERASED "," ERASED ",\"two\"," ERASED "," ERASED
	    "," ERASED ",\"two\",\"two\"]");
	store_close(s);
}

/* What a change that was undone would have set is not kept either. */
static void
test_undone(void **state)
{
	struct store *s = open_store();
	struct revision r = { .who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)"secretive",
		.entry = 1 };
	int64_t number;

	(void)state;
	change(s, 1, document("n", "old"));
	r.before =
	    json_incref((json_t *)(uintptr_t)store_get(s, "secretive", 1));
	r.after = document("n", "refused");
	number = store_begin(s, &r, 1, -1, NULL, NULL);
	assert_true(number > 0);
	assert_int_equal(store_end(s, number, REVISION_UNDONE, NULL), 0);
	assert_hashes(s, "[\"old\",\"old\"," ERASED "]");
	assert_string_equal(
	    json_str(store_get(s, "secretive", 1), "hash", ""), "old");
	json_decref(r.before);
	json_decref(r.after);
	store_close(s);
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ONE(test_text),
		ONE(test_damaged_text),
		ONE(test_key_file),
		ONE(test_store),
		ONE(test_moved),
		ONE(test_key_gone),
		ONE(test_plain),
		ONE(test_erased),
		ONE(test_undone),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
