/*
 * backup: a configuration is read back as it was saved, here and on another
 * machine; what does not fit is refused whole, each fault with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/backup.h"
#include "core/method.h"
#include "core/scheduler.h"
#include "core/seal.h"
#include "core/sealed.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* In place of the registry: one entry of settings, and a list. */
static const struct field settings[] = {
	{ .name = "id", .type = F_INT, .def = "1", .flags = FF_READONLY },
	{ .name = "port", .type = F_INT, .def = "22", .min = 1, .max = 65535 },
	{ .name = "key", .type = F_STR, .def = "\"\"", .flags = FF_SECRET },
	{ .name = "dry_run",
	    .type = F_BOOL,
	    .def = "false",
	    .flags = FF_UNSTORED },
	FIELD_END
};
static const struct field person[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY },
	{ .name = "builtin",
	    .type = F_BOOL,
	    .def = "false",
	    .flags = FF_READONLY },
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED }, FIELD_END
};
static const struct method no_methods[] = { METHOD_END };
static const struct resource config = { .name = "thing",
	.kind = RESOURCE_CONFIG,
	.methods = no_methods,
	.fields = settings,
	.entry = 1 };
static const struct resource crud = { .name = "person",
	.kind = RESOURCE_CRUD,
	.methods = no_methods,
	.fields = person };
static const struct resource service = {
	.name = "other", .kind = RESOURCE_SERVICE, .methods = no_methods
};
const struct resource *const resources[] = { &config, &crud, &service, NULL };
const struct renderer renderers[] = { { .output = -1 } };
const struct scheduled_task scheduled_tasks[] = { { .name = NULL } };
const struct daemon_rule daemon_rules[] = { { .daemon = -1 } };

static char folder[64];
static struct store *store;

static void
put(const char *resource, int64_t id, json_t *after)
{
	struct revision r = { .time = 1000,
		.who = (char *)"root",
		.origin = (char *)"",
		.resource = (char *)(uintptr_t)resource,
		.entry = id,
		.after = after };

	assert_true(store_change(store, &r, 1, NULL, NULL) > 0);
	json_decref(after);
}

static int
set_up(void **state)
{
	char *why;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_backup.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	store = store_open(folder, &sealed_form, &why);
	assert_non_null(store);
	put("thing", 1,
	    json_pack(
		"{s:i, s:i, s:s}", "id", 1, "port", 2222, "key", "a secret"));
	put("person", 1,
	    json_pack(
		"{s:i, s:b, s:s}", "id", 1, "builtin", 1, "name", "root"));
	put("person", 7,
	    json_pack("{s:i, s:b, s:s}", "id", 7, "builtin", 0, "name", "eve"));
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "config.db", "config.db-wal",
		"seal.key", "seal.key.old" };
	char *file;
	size_t i;

	(void)state;
	store_close(store);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		file = xasprintf("%s/%s", folder, names[i]);
		unlink(file);
		free(file);
	}
	seal_forget();
	return rmdir(folder);
}

/* As on another machine: a key of its own. */
static void
other_key(void)
{
	char *why;

	assert_int_equal(seal_make(folder, &why), 0);
}

static void
assert_differences(
    const char *text, const char *passphrase, bool lose, const char *expected)
{
	struct verr *errors = verr_new();
	json_t *entries, *list;
	char *found;

	entries =
	    backup_read(store, text, strlen(text), passphrase, lose, errors);
	if (entries == NULL)
		fail_msg("%s", verr_reason(errors));
	list = backup_differences(store, entries);
	found = json_text(list);
	assert_string_equal(found, expected);
	free(found);
	json_decref(list);
	json_decref(entries);
	verr_free(errors);
}

static void
assert_refused(const char *text, const char *passphrase, const char *attribute,
    const char *expected)
{
	struct verr *errors = verr_new();
	char *reason;

	assert_null(
	    backup_read(store, text, strlen(text), passphrase, false, errors));
	reason = verr_reason(errors);
	if (strstr(reason, expected) == NULL ||
	    strstr(reason, attribute) == NULL)
		fail_msg(
		    "\"%s\" without \"%s: %s\"", reason, attribute, expected);
	free(reason);
	verr_free(errors);
}

static void
test_here(void **state)
{
	char *text = backup_write(store, false, NULL);

	(void)state;
	assert_null(strstr(text, "a secret"));
	assert_non_null(strstr(text, "\"key\":null"));
	assert_differences(text, NULL, false, "[]");
	put("person", 8, json_pack("{s:i, s:s}", "id", 8, "name", "new"));
	put("person", 7, NULL);
	put("thing", 1, json_pack("{s:i, s:i}", "id", 1, "port", 1));
	assert_differences(text, NULL, false,
	    "[{\"resource\":\"thing\",\"entry\":1,"
	    "\"before\":{\"id\":1,\"port\":1,\"key\":\"\"},"
	    "\"after\":{\"port\":2222,\"key\":\"a secret\",\"id\":1}},"
	    "{\"resource\":\"person\",\"entry\":8,"
	    "\"before\":{\"builtin\":false,\"id\":8,\"name\":\"new\"},"
	    "\"after\":null},"
	    "{\"resource\":\"person\",\"entry\":7,\"before\":null,"
	    "\"after\":{\"name\":\"eve\",\"id\":7,\"builtin\":false}}]");
	freezero_str(text);
}

static void
test_elsewhere(void **state)
{
	char *without = backup_write(store, false, NULL);
	char *with = backup_write(store, true, NULL);

	(void)state;
	other_key();
	assert_refused(without, NULL, "file.thing.1",
	    "the secret [\"key\"] of thing 1 does not open");
	assert_differences(without, NULL, true,
	    "[{\"resource\":\"thing\",\"entry\":1,"
	    "\"before\":{\"id\":1,\"port\":2222,\"key\":\"a secret\"},"
	    "\"after\":{\"port\":2222,\"key\":\"\",\"id\":1}}]");
	assert_differences(with, NULL, false, "[]");
	freezero_str(without);
	freezero_str(with);
}

static void
test_passphrase(void **state)
{
	char *text = backup_write(store, false, "open sesame"), *at;

	(void)state;
	assert_null(strstr(text, "person"));
	other_key();
	assert_differences(text, "open sesame", false, "[]");
	assert_refused(text, NULL, "options.passphrase", "with a passphrase");
	assert_refused(
	    text, "open sesame ", "options.passphrase", "It is not the one");
	at = strstr(text, "\"1:") + 20;
	*at = *at == 'A' ? 'B' : 'A';
	assert_refused(text, "open sesame", "options.passphrase", "damaged");
	freezero_str(text);
}

/* Cut anywhere, it is refused. */
static void
test_cut(void **state)
{
	char *text = backup_write(store, true, NULL);
	size_t len = strlen(text);

	(void)state;
	while (len-- > 0) {
		text[len] = '\0';
		assert_refused(text, NULL, "file", "not a configuration");
	}
	freezero_str(text);
}

#define HEAD "{\"holdfast_configuration\":1,\"schema\":1,\"entries\":["

static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *attribute, *expected;
	} cases[] = {
		{ "[]", "file", "not a configuration" },
		{ "{\"holdfast_configuration\":2,\"schema\":1,"
		  "\"version\":\"9.0\"}",
		    "file", "9.0: format 2, schema 1), this one" },
		{ "{\"holdfast_configuration\":1,\"schema\":99}", "file",
		    "schema 99), this one" },
		{ HEAD "]}", "file", "nothing in it" },
		{ HEAD "5]}", "file.entries.0", "no such resource" },
		{ HEAD "{\"resource\":\"other\",\"entry\":1,\"document\":{}}]}",
		    "file.entries.0", "no such resource" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":2,\"document\":{}}]}",
		    "file.entries.0", "no entry of thing" },
		{ HEAD "{\"resource\":\"person\",\"entry\":0,"
		       "\"document\":{}}]}",
		    "file.entries.0", "no entry of person" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":1,\"document\":5}]}",
		    "file.entries.0", "no entry of thing" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":1,\"document\":{}},"
		       "{\"resource\":\"thing\",\"entry\":1,\"document\":{}}]}",
		    "file.entries.1", "twice" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":1,\"document\":"
		       "{\"port\":0}}]}",
		    "file.thing.1.port", "greater than or equal to 1" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":1,\"document\":"
		       "{\"unheard\":0}}]}",
		    "file.thing.1.unheard", "Extra inputs" },
		{ HEAD "{\"resource\":\"thing\",\"entry\":1,\"document\":"
		       "{\"key\":\"plain\"}}]}",
		    "file.thing.1", "does not open" },
		{ HEAD "{\"resource\":\"person\",\"entry\":1,"
		       "\"document\":{}}]}",
		    "file.person.1.name", "Field required" },
		{ "{\"holdfast_configuration\":1,\"schema\":1,\"key\":\"x\","
		  "\"entries\":[1]}",
		    "file", "Its key is none" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(
		    cases[i].text, NULL, cases[i].attribute, cases[i].expected);
}

/* Nobody makes himself one that is built in, nor the other way round. */
static void
test_read_only(void **state)
{
	(void)state;
	assert_differences(HEAD
	    "{\"resource\":\"person\",\"entry\":1,\"document\":"
	    "{\"id\":5,\"builtin\":false,\"name\":\"root\"}},"
	    "{\"resource\":\"person\",\"entry\":7,\"document\":"
	    "{\"builtin\":true,\"name\":\"eve\"}}]}",
	    NULL, false, "[]");
}

int
main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ONE(test_here),
		ONE(test_elsewhere),
		ONE(test_passphrase),
		ONE(test_cut),
		ONE(test_wrong),
		ONE(test_read_only),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
