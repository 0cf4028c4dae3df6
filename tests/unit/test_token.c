/*
 * Tokens and the age of sessions: what lets in, from where, for how long, and
 * what it goes back to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/limits.h"
#include "core/token.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static const char *const roles[] = { "READONLY_ADMIN", NULL };
static const struct token_origin here = { .address = "192.0.2.1" };
static const struct token_origin there = { .address = "192.0.2.10" };
static const struct token_origin socket_1000 = { .uid = 1000 };
static const struct token_origin socket_1001 = { .uid = 1001 };

static struct session *
session_of(uid_t uid, enum credential credential)
{
	return session_new("somebody", uid, "origin", credential, roles);
}

/* Whether it lets in there; nobody else's session must come back. */
static bool
lets_in(const char *token, const struct token_origin *origin,
    const struct session *maker)
{
	unsigned char hash[TOKEN_HASH];
	struct session *s = token_use(token, origin, NULL, hash);

	if (s == NULL)
		return false;
	assert_ptr_equal(s, maker);
	session_release(s);
	return true;
}

static int
setup(void **state)
{
	session_limits = (struct session_limits){ .age = 2592000 };
	*state = session_of(1000, CREDENTIAL_PASSWORD);
	return 0;
}

static int
teardown(void **state)
{
	struct session *s = *state;

	token_end_of(s);
	assert_int_equal(s->references, 1);
	session_release(s);
	return 0;
}

static void
test_text(void **state)
{
	const struct token_options o = { .ttl = 60 };
	char *one = token_new(*state, &o), *two = token_new(*state, &o);

	assert_int_equal(strlen(one), TOKEN_LENGTH);
	assert_string_not_equal(one, two);
	assert_true(lets_in(one, &here, *state));
	assert_true(lets_in(one, &there, *state));
	assert_true(lets_in(two, &socket_1000, *state));
	one[TOKEN_LENGTH - 1] ^= 1;
	assert_false(lets_in(one, &here, *state));
	two[TOKEN_LENGTH - 1] = '\0';
	assert_false(lets_in(two, &here, *state));
	assert_false(lets_in("", &here, *state));
	freezero_str(one);
	freezero_str(two);
}

static void
test_origin(void **state)
{
	static const struct token_origin *const origins[] = { &here, &there,
		&socket_1000, &socket_1001 };
	struct token_options o = { .ttl = 60 };
	size_t i, j;
	char *token;

	for (i = 0; i < 4; i++) {
		o.origin = origins[i];
		token = token_new(*state, &o);
		for (j = 0; j < 4; j++)
			assert_int_equal(
			    lets_in(token, origins[j], *state), i == j);
		freezero_str(token);
	}
}

/* From elsewhere it is not even used up. */
static void
test_single_use(void **state)
{
	const struct token_options o = {
		.origin = &here, .ttl = 60, .single_use = true
	};
	char *token = token_new(*state, &o);

	assert_false(lets_in(token, &there, *state));
	assert_true(lets_in(token, &here, *state));
	assert_false(lets_in(token, &here, *state));
	freezero_str(token);
}

static void
test_attributes(void **state)
{
	json_t *job = json_pack("{s:i}", "job", 1);
	json_t *other = json_pack("{s:i}", "job", 2), *none = json_object();
	struct token_options o = { .ttl = 60, .attributes = job };
	char *token = token_new(*state, &o);
	struct session *s;

	assert_false(lets_in(token, &here, *state));
	assert_null(token_use(token, &here, other, NULL));
	assert_null(token_use(token, &here, none, NULL));
	s = token_use(token, &here, job, NULL);
	assert_ptr_equal(s, *state);
	session_release(s);
	freezero_str(token);
	o.attributes = none;
	token = token_new(*state, &o);
	assert_null(token_use(token, &here, job, NULL));
	assert_true(lets_in(token, &here, *state));
	freezero_str(token);
	json_decref(job);
	json_decref(other);
	json_decref(none);
}

static void
test_ends(void **state)
{
	const struct token_options o = { .ttl = 60 };
	struct session *other = session_of(1000, CREDENTIAL_PASSWORD), *s;
	char *one = token_new(*state, &o), *two = token_new(*state, &o);
	char *third = token_new(other, &o);
	unsigned char hash[TOKEN_HASH];

	s = token_use(one, &here, NULL, hash);
	session_release(s);
	token_end(hash);
	assert_false(lets_in(one, &here, *state));
	assert_true(lets_in(two, &here, *state));
	token_end_of(*state);
	assert_false(lets_in(two, &here, *state));
	assert_true(lets_in(third, &here, other));
	token_end_of(other);
	session_release(other);
	freezero_str(one);
	freezero_str(two);
	freezero_str(third);
}

static void
test_too_many(void **state)
{
	const struct token_options o = { .ttl = 60 };
	struct session *same = session_of(1000, CREDENTIAL_PASSWORD);
	struct session *other = session_of(1001, CREDENTIAL_PASSWORD);
	char *token;
	unsigned int i;

	for (i = 0; i < LIMIT_TOKENS; i++) {
		token = token_new(i % 2 == 0 ? *state : same, &o);
		assert_non_null(token);
		freezero_str(token);
	}
	assert_null(token_new(*state, &o));
	assert_null(token_new(same, &o));
	token = token_new(other, &o);
	assert_non_null(token);
	freezero_str(token);
	token_end_of(same);
	token_end_of(other);
	session_release(same);
	session_release(other);
}

/* A session of a token is as old as the login, however often it is renewed. */
static void
test_age(void **state)
{
	const struct token_options o = { .ttl = INT64_MAX };
	static const unsigned char hash[TOKEN_HASH];
	struct session *login = *state, *derived, *again;
	char *token;

	derived = session_of(1000, CREDENTIAL_PASSWORD);
	session_of_token(derived, login, hash);
	again = session_of(1000, CREDENTIAL_PASSWORD);
	session_of_token(again, derived, hash);
	assert_ptr_equal(again->parent, login);
	assert_string_equal(session_class(again), "TOKEN");
	token = token_new(again, &o);
	assert_true(lets_in(token, &here, again));
	assert_false(session_expired(again));

	login->authenticated -= 2592000 * INT64_C(1000);
	again->authenticated = derived->authenticated = login->authenticated;
	assert_true(session_expired(login));
	assert_true(session_expired(again));
	assert_false(lets_in(token, &here, again));
	freezero_str(token);
	session_release(derived);
	session_release(again);
}

static void
test_idle(void **state)
{
	struct session *s = *state;

	s->used -= 3600 * 1000;
	assert_false(session_expired(s));
	session_limits.idle = 3601;
	assert_false(session_expired(s));
	session_limits.idle = 3600;
	assert_true(session_expired(s));
}

static void
test_root_on_the_socket_does_not_expire(void **state)
{
	static const unsigned char hash[TOKEN_HASH];
	struct session *s = session_of(0, CREDENTIAL_UNIX_SOCKET), *derived;

	(void)state;
	derived = session_of(0, CREDENTIAL_UNIX_SOCKET);
	session_of_token(derived, s, hash);
	s->authenticated = derived->authenticated = INT64_MIN / 2;
	assert_false(session_expired(s));
	assert_true(session_internal(s));
	assert_true(session_expired(derived));
	assert_false(session_internal(derived));
	session_release(derived);
	session_release(s);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_text),
		TEST(test_origin),
		TEST(test_single_use),
		TEST(test_attributes),
		TEST(test_ends),
		TEST(test_too_many),
		TEST(test_age),
		TEST(test_idle),
		TEST(test_root_on_the_socket_does_not_expire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
