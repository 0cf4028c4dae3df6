/*
 * What is kept of accounts beside their configuration: durable, sealed to its
 * place, gone with the account.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/account_state.h"
#include "core/core.h"
#include "core/seal.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static char folder[] = "/tmp/hf-account-state-XXXXXX";
static struct store *store;

struct store *__wrap_core_store(void);

struct store *
__wrap_core_store(void)
{
	return store;
}

static void
set_user(int64_t id, json_t *entry)
{
	struct revision r = { .resource = (char *)(uintptr_t) "user",
		.who = (char *)(uintptr_t) "root",
		.origin = (char *)(uintptr_t) "pid:1",
		.entry = id,
		.after = entry };

	assert_int_not_equal(store_change(store, &r, 1, NULL, NULL), -1);
	json_decref(entry);
}

static void
open_store(void)
{
	char *why;

	store = store_open(folder, NULL, &why);
	assert_non_null(store);
}

/* As after a restart: what was in memory is forgotten. */
static void
open_again(void)
{
	store_close(store);
	store = NULL;
	assert_null(account_state_get(1, "failures"));
	open_store();
}

static int
setup(void **state)
{
	char *why;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(seal_make(folder, &why), 0);
	open_store();
	set_user(1, json_pack("{s:s}", "username", "ann"));
	set_user(2, json_pack("{s:s}", "username", "bob"));
	return 0;
}

static int
teardown(void **state)
{
	char *command = xasprintf("rm -r %s", folder);

	(void)state;
	store_close(store);
	store = NULL;
	account_state_review();
	assert_int_equal(system(command), 0);
	free(command);
	return 0;
}

static json_int_t
number(int64_t id, const char *member)
{
	json_t *value = account_state_get(id, member);
	json_int_t n = value != NULL ? json_integer_value(value) : -1;

	json_decref(value);
	return n;
}

static void
test_durable(void **state)
{
	(void)state;
	assert_null(account_state_get(1, "failures"));
	assert_int_equal(account_state_set(1, "failures", json_integer(3)), 0);
	assert_int_equal(account_state_set(2, "failures", json_integer(4)), 0);
	assert_int_equal(account_state_set(1, "other", json_integer(5)), 0);
	open_again();
	assert_int_equal(number(1, "failures"), 3);
	assert_int_equal(number(1, "other"), 5);
	assert_int_equal(number(2, "failures"), 4);
	assert_int_equal(number(2, "other"), -1);
	assert_int_equal(account_state_set(1, "failures", NULL), 0);
	open_again();
	assert_int_equal(number(1, "failures"), -1);
	assert_int_equal(number(1, "other"), 5);
}

static void
test_of_nobody(void **state)
{
	(void)state;
	assert_int_equal(account_state_set(3, "failures", json_integer(1)), -1);
	assert_null(account_state_get(3, "failures"));
}

static void
add(int64_t id, const json_t *value, void *arg)
{
	*(json_int_t *)arg += id * 100 + json_integer_value(value);
}

static void
test_each(void **state)
{
	json_int_t sum = 0;

	(void)state;
	account_state_set(1, "each", json_integer(7));
	account_state_set(2, "each", json_integer(8));
	account_state_each("each", add, &sum);
	assert_int_equal(sum, 107 + 208);
}

/* Nobody with the file alone makes one account's state another's. */
static void
test_sealed_to_its_place(void **state)
{
	char *one, *other;

	(void)state;
	account_state_set(1, "sealed", json_string("a secret"));
	account_state_set(2, "sealed", json_string("another"));
	one = store_value(store, "account/1/sealed");
	other = store_value(store, "account/2/sealed");
	assert_null(strstr(one, "secret"));
	store_set_value(store, "account/1/sealed", other);
	store_set_value(store, "account/2/failures", one);
	free(one);
	free(other);
	open_again();
	assert_null(account_state_get(1, "sealed"));
	assert_null(account_state_get(2, "failures"));
	assert_int_equal(number(1, "other"), 5);
}

static void
test_gone_with_the_account(void **state)
{
	(void)state;
	account_state_set(1, "kept", json_integer(1));
	account_state_set(2, "kept", json_integer(2));
	set_user(2, NULL);
	account_state_review();
	assert_int_equal(number(1, "kept"), 1);
	assert_int_equal(number(2, "kept"), -1);
	set_user(2, json_pack("{s:s}", "username", "bob"));
	open_again();
	assert_int_equal(number(1, "kept"), 1);
	assert_int_equal(number(2, "kept"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durable),
		cmocka_unit_test(test_of_nobody),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_sealed_to_its_place),
		cmocka_unit_test(test_gone_with_the_account),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
