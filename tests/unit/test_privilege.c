/*
 * privilege: what the roles of the API include, as its own server says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/privilege.h"
#include "lib/json.h"

static void
assert_json(json_t *value, const char *expected)
{
	char *text = json_text(value);

	assert_string_equal(text, expected);
	free(text);
	json_decref(value);
}

static size_t
count_of(const char *name)
{
	const char *const names[] = { name, NULL };
	struct role_set set;
	json_t *list;
	size_t count;

	assert_int_equal(role_set_of(names, &set), 0);
	list = role_set_json(&set);
	count = json_array_size(list);
	json_decref(list);
	return count;
}

static void
test_table(void **state)
{
	const char *const *included;
	size_t i;

	(void)state;
	assert_int_equal(role_count, 146);
	for (i = 0; i < role_count; i++) {
		if (i > 0)
			assert_true(strcmp(role_table[i - 1].name,
					role_table[i].name) < 0);
		assert_ptr_equal(role_find(role_table[i].name), &role_table[i]);
		included = role_table[i].includes;
		for (; included != NULL && *included != NULL; included++)
			assert_non_null(role_find(*included));
	}
	assert_null(role_find("NOSUCH"));
	assert_null(role_find(""));
}

static void
test_expanded(void **state)
{
	static const char *const replication[] = { "REPLICATION_ADMIN", NULL };
	struct role_set set;

	(void)state;
	assert_int_equal(count_of("READONLY_ADMIN"), 69);
	assert_int_equal(count_of("SHARING_ADMIN"), 88);
	assert_int_equal(count_of("REPLICATION_ADMIN"), 11);
	assert_int_equal(count_of("FULL_ADMIN"), 146);
	assert_int_equal(count_of("SSH_READ"), 1);
	assert_int_equal(count_of("SSH_WRITE"), 2);
	/* A quirk of the API: one that includes but itself. */
	assert_int_equal(count_of("SYSTEM_PRODUCT_WRITE"), 1);
	assert_int_equal(count_of("SERVICE_WRITE"), 1);

	assert_int_equal(role_set_of(replication, &set), 0);
	assert_json(role_set_json(&set),
	    "[\"KEYCHAIN_CREDENTIAL_READ\",\"KEYCHAIN_CREDENTIAL_WRITE\","
	    "\"REPLICATION_ADMIN\",\"REPLICATION_TASK_CONFIG_READ\","
	    "\"REPLICATION_TASK_CONFIG_WRITE\",\"REPLICATION_TASK_READ\","
	    "\"REPLICATION_TASK_WRITE\",\"SNAPSHOT_READ\","
	    "\"SNAPSHOT_TASK_READ\",\"SNAPSHOT_TASK_WRITE\","
	    "\"SNAPSHOT_WRITE\"]");
}

static void
test_set(void **state)
{
	static const char *const names[] = { "SSH_WRITE", "NOSUCH",
		"AUTH_SESSIONS_READ", NULL };
	struct role_set set;

	(void)state;
	assert_int_equal(role_set_of(names, &set), -1);
	assert_true(role_set_has(&set, "SSH_READ"));
	assert_true(role_set_has(&set, "AUTH_SESSIONS_READ"));
	assert_false(role_set_has(&set, "AUTH_SESSIONS_WRITE"));
	assert_false(role_set_has(&set, "FULL_ADMIN"));
	assert_false(role_set_has(&set, "NOSUCH"));
	assert_int_equal(role_set_of(NULL, &set), 0);
	assert_json(role_set_json(&set), "[]");
}

/* As the API's own server has them in STIG mode. */
static void
test_stig(void **state)
{
	static const struct {
		const char *role;
		size_t left;
	} known[] = { { "FULL_ADMIN", 134 }, { "READONLY_ADMIN", 69 },
		{ "SHARING_ADMIN", 88 }, { "REPLICATION_ADMIN", 11 },
		{ "VM_WRITE", 1 } };
	const char *names[] = { NULL, NULL };
	struct role_set set;
	json_t *left;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		names[0] = known[i].role;
		role_set_of(names, &set);
		role_set_keep_stig(&set);
		left = role_set_json(&set);
		assert_int_equal(json_array_size(left), known[i].left);
		json_decref(left);
	}
	assert_false(role_set_has(&set, "VM_WRITE"));
	assert_true(role_set_has(&set, "VM_READ"));
}

/* A role is not what it includes, by whatever way; but see the quirk above. */
static void
test_no_circle(void **state)
{
	const char *names[] = { NULL, NULL };
	const char *const *included;
	struct role_set set;
	size_t i;

	(void)state;
	for (i = 0; i < role_count; i++) {
		included = role_table[i].includes;
		for (; included != NULL && *included != NULL; included++) {
			if (strcmp(*included, "SYSTEM_PRODUCT_WRITE") == 0)
				continue;
			names[0] = *included;
			role_set_of(names, &set);
			assert_false(role_set_has(&set, role_table[i].name));
		}
	}
}

static bool
opens_webui(const char *name)
{
	const char *const names[] = { name, NULL };
	struct role_set set;

	role_set_of(names, &set);
	return role_set_webui(&set);
}

static void
test_webui(void **state)
{
	(void)state;
	assert_true(opens_webui("FULL_ADMIN"));
	assert_true(opens_webui("READONLY_ADMIN"));
	assert_true(opens_webui("REPLICATION_ADMIN"));
	assert_false(opens_webui("SSH_WRITE"));
	assert_false(opens_webui("NOSUCH"));
}

/* As core.get_methods of the real server lists them. */
static void
test_that_grant(void **state)
{
	static const char *const choices[] = { "NETWORK_INTERFACE_READ",
		"READONLY_ADMIN", "SSH_READ", NULL };
	static const char *const read[] = { "SSH_READ", NULL };
	static const char *const write[] = { "SSH_WRITE", NULL };
	static const char *const nosuch[] = { "NOSUCH", NULL };

	(void)state;
	assert_json(roles_that_grant(choices),
	    "[\"NETWORK_INTERFACE_READ\",\"NETWORK_INTERFACE_WRITE\","
	    "\"READONLY_ADMIN\",\"SHARING_ADMIN\",\"SSH_READ\","
	    "\"SSH_WRITE\"]");
	assert_json(roles_that_grant(read),
	    "[\"READONLY_ADMIN\",\"SHARING_ADMIN\",\"SSH_READ\","
	    "\"SSH_WRITE\"]");
	assert_json(roles_that_grant(write), "[\"SSH_WRITE\"]");
	assert_json(roles_that_grant(nosuch), "[]");
	assert_json(roles_that_grant(NULL), "[]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_expanded),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_stig),
		cmocka_unit_test(test_no_circle),
		cmocka_unit_test(test_webui),
		cmocka_unit_test(test_that_grant),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
