/*
 * The monitor's account files: what is refused, what a merge changes, and
 * that it changes nothing else.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "monitor/accounts.h"

#define DAYS "20000:2:91:8:3:20500"

static const char hash[] = "$6$abcdefgh$ltjgWl6579NluT";

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n"
			     "bob:x:3001:3001:Old Bob:/home/bob:/bin/sh\n"
			     "eve:x:4000:4000:Eve:/home/eve:/bin/sh\n";
static const char group[] = "root:x:0:\n"
			    "sudo:x:27:eve\n"
			    "builtin_users:x:545:eve\n";
static const char shadow[] = "root:$y$old:19000:1:90:7:::\n"
			     "daemon:*:19000:0:99999:7:::\n"
			     "bob:!:19001:2:91:8:3:20500:\n";

struct one {
	const char *name;
	uint32_t uid, gid;
	const char *gecos, *home, *shell, *hash;
};

static const struct one good = { "bob", 3001, 545, "Bob", "/home/bob",
	"/bin/bash", hash };

static char *
user_line(const struct one *user)
{
	return xasprintf("user:%s:%u:%u:%s:%s:%s:%s:" DAYS "\n", user->name,
	    user->uid, user->gid, user->gecos, user->home, user->shell,
	    user->hash);
}

static int
parse(const char *text, struct accounts *accounts)
{
	char why[256] = "";
	int rc = accounts_parse(text, accounts, why, sizeof(why));

	assert_int_equal(rc == 0, why[0] == '\0');
	/* A complaint is logged and shown: never with the hash. */
	assert_null(strstr(why, hash));
	return rc;
}

/* One user, one group with one member; whether they are taken. */
static int
get(const struct one *user, const char *group_name, uint32_t gid,
    const char *member, struct accounts *accounts)
{
	char *line = user_line(user), *text;
	int rc;

	text = xasprintf("%sgroup:%s:%u:%s\n", line, group_name, gid, member);
	rc = parse(text, accounts);
	free(text);
	free(line);
	return rc;
}

static int
taken(const struct one *user)
{
	struct accounts accounts;
	int rc = get(user, "builtin_users", 545, "bob", &accounts);

	accounts_free(&accounts);
	return rc == 0;
}

static int
group_taken(const char *name, uint32_t gid, const char *member)
{
	struct accounts accounts;
	int rc = get(&good, name, gid, member, &accounts);

	accounts_free(&accounts);
	return rc == 0;
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", "-bob", ".bob", "bo b", "bob:x",
		"bob\nroot",
		"b\xc3\xb6"
		"b",
		"bob/", "0", "a23456789012345678901234567890123", NULL };
	struct one user = good;
	size_t i;

	(void)state;
	assert_true(taken(&user));
	for (i = 0; bad[i] != NULL; i++) {
		user.name = bad[i];
		assert_false(taken(&user));
		/* A group may begin with a dot, and be longer. */
		assert_int_equal(group_taken(bad[i], 3001, "bob"),
		    bad[i][0] == '.' || strlen(bad[i]) == 33);
		/* Nothing there is no member. */
		assert_int_equal(
		    group_taken("friends", 3001, bad[i]), bad[i][0] == '\0');
	}
	user.name = "a2345678901234567890123456789012";
	assert_true(taken(&user));
}

static void
test_ids(void **state)
{
	static const uint32_t bad[] = { 0, 1, 102, 471, 475, 999, 65534, 65535,
		0x80000000U, UINT32_MAX };
	struct one user = good;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		user = good;
		user.uid = bad[i];
		assert_false(taken(&user));
		user = good;
		user.gid = bad[i];
		/* nogroup: whose own group was removed */
		assert_int_equal(taken(&user), bad[i] == 65534);
		assert_false(group_taken("friends", bad[i], "bob"));
	}
	user = good;
	user.name = "root";
	assert_false(taken(&user));
	user.uid = user.gid = 0;
	assert_true(taken(&user));
	user = good;
	user.name = "truenas_admin";
	user.uid = user.gid = 950;
	assert_true(taken(&user));
}

static void
test_fields(void **state)
{
	static const char *const bad_hashes[] = { "", "x", "secret", "$6$a:b$c",
		"$6$abc\n$def", "$6$abc def$", "==", "!=", NULL };
	static const char *const locks[] = { "*", "!", "!*", "!$6$abc$def", "=",
		NULL };
	struct one user = good;
	size_t i;

	(void)state;
	for (i = 0; bad_hashes[i] != NULL; i++) {
		user.hash = bad_hashes[i];
		assert_false(taken(&user));
	}
	for (i = 0; locks[i] != NULL; i++) {
		user.hash = locks[i];
		assert_true(taken(&user));
	}
	user = good;
	user.gecos = "a:0:0";
	assert_false(taken(&user));
	user.gecos = "a\nevil::0:0:::";
	assert_false(taken(&user));
	user = good;
	user.home = "/home/../etc";
	assert_false(taken(&user));
	user.home = "home";
	assert_false(taken(&user));
	user = good;
	user.shell = "bash";
	assert_false(taken(&user));
}

static bool
parses(const char *text)
{
	struct accounts accounts;
	int rc = parse(text, &accounts);

	accounts_free(&accounts);
	return rc == 0;
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = { "\n", "user:\n", "group:\n",
		"group:friends\n", "group:friends:3001\n",
		"group:friends:3001:bob:\n", "group:friends:3001:bob,\n",
		"group:friends:3001:,bob\n", "group:friends:+3001:\n",
		"group:friends:99999999999999999999:\n", "group:friends::\n",
		"group:friends:3001:\ngroup:friends:3002:\n",
		"group:friends:3001:\ngroup:others:3001:\n",
		" group:friends:3001:\n", "groups:friends:3001:\n", NULL };
	char *line = user_line(&good), *twice, *begin, *end, *last;
	size_t len, i;

	(void)state;
	assert_true(parses(""));
	assert_true(parses(line));
	assert_true(parses("group:friends:3001:\n"));
	for (i = 0; bad[i] != NULL; i++)
		assert_false(parses(bad[i]));
	twice = xasprintf("%s%s", line, line);
	assert_false(parses(twice));
	free(twice);
	/* Cut before its hash, or among its days; an older one ends between. */
	begin = strstr(line, hash);
	end = begin + strlen(hash);
	last = strrchr(line, ':');
	for (len = strlen(line) - 1; len > 0; len--) {
		line[len] = '\0';
		if (line + len < begin ||
		    (line + len > end && line + len <= last))
			assert_false(parses(line));
		if (line + len == end)
			assert_true(parses(line));
	}
	free(line);
}

static void
check_merge(enum account_file file, const char *old, const char *expected)
{
	struct accounts accounts;
	char *text, *again;

	assert_int_equal(get(&good, "builtin_users", 545, "bob", &accounts), 0);
	text = accounts_merge(file, old, &accounts, NULL);
	assert_string_equal(text, expected);
	again = accounts_merge(file, text, &accounts, NULL);
	assert_string_equal(again, text);
	freezero_str(again);
	freezero_str(text);
	accounts_free(&accounts);
}

static void
test_merge(void **state)
{
	(void)state;
	check_merge(FILE_PASSWD, passwd,
	    "root:x:0:0:root:/root:/bin/bash\n"
	    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
	    "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n"
	    "bob:x:3001:545:Bob:/home/bob:/bin/bash\n"
	    "eve:x:4000:4000:Eve:/home/eve:/bin/sh\n");
	check_merge(FILE_GROUP, group,
	    "root:x:0:\n"
	    "sudo:x:27:eve\n"
	    "builtin_users:x:545:bob\n");
	check_merge(FILE_GSHADOW, "sudo:*::eve",
	    "sudo:*::eve\n"
	    "builtin_users:!::bob\n");
	check_merge(FILE_SHADOW, shadow,
	    "root:$y$old:19000:1:90:7:::\n"
	    "daemon:*:19000:0:99999:7:::\n"
	    "bob:$6$abcdefgh$ltjgWl6579NluT:20000:2:91:8:3:20500:\n");
	check_merge(FILE_SHADOW, "",
	    "bob:$6$abcdefgh$ltjgWl6579NluT:20000:2:91:8:3:20500:\n");
	/* A name that only begins alike is another's; a second line goes. */
	check_merge(FILE_PASSWD,
	    "bobby:x:5:5:::\nbob:x:3001:1:::\n"
	    "bob:x:0:0:::\n",
	    "bobby:x:5:5:::\n"
	    "bob:x:3001:545:Bob:/home/bob:/bin/bash\n");
}

/* A hash that is in the file alone stays, and with it all but its expiry. */
static void
check_kept(const char *list, const char *old, const char *expected)
{
	struct accounts accounts;
	char *text;

	assert_int_equal(parse(list, &accounts), 0);
	text = accounts_merge(FILE_SHADOW, old, &accounts, NULL);
	assert_string_equal(text, expected);
	freezero_str(text);
	accounts_free(&accounts);
}

static void
test_kept(void **state)
{
	(void)state;
	check_kept("user:bob:3001:545::/:/bin/sh:=::::::\n", shadow,
	    "root:$y$old:19000:1:90:7:::\n"
	    "daemon:*:19000:0:99999:7:::\n"
	    "bob:!:19001:2:91:8:3::\n");
	check_kept("user:bob:3001:545::/:/bin/sh:=:::60:::1\n",
	    "bob:$6$x$y:19001:2:91:8:3:20500:\n",
	    "bob:$6$x$y:19001:2:60:8:3:1:\n");
	/* Nothing is kept of nothing. */
	check_kept(
	    "user:bob:3001:545::/:/bin/sh:=::::::\n", "", "bob:*:::::::\n");
	/* A hash of ours takes the place of all of it. */
	check_kept("user:bob:3001:545::/:/bin/sh:*::::::\n",
	    "bob:$6$x$y:19001:2:91:8:3:20500:\n", "bob:*:::::::\n");
	assert_false(parses("user:bob:3001:545::/:/bin/sh:=:x:::::\n"));
	assert_false(parses("user:bob:3001:545::/:/bin/sh:=:-1:::::\n"));
	assert_false(parses("user:bob:3001:545::/:/bin/sh:=:::::::\n"));
}

/* What was ours and is no longer wanted is left out, and nothing else. */
static void
test_gone(void **state)
{
	struct accounts accounts, gone;
	char *text;

	(void)state;
	assert_int_equal(parse("group:kept:5001:\n", &accounts), 0);
	assert_int_equal(parse("group:kept:5001:\ngroup:lost:5002:\n"
			       "user:eve:4000:5001::/:/bin/sh:*\n",
			     &gone),
	    0);
	text = accounts_merge(FILE_GROUP,
	    "root:x:0:\nlost:x:5002:\nloster:x:5003:\nkept:x:5001:bob\n",
	    &accounts, &gone);
	assert_string_equal(text, "root:x:0:\nloster:x:5003:\nkept:x:5001:\n");
	freezero_str(text);
	text = accounts_merge(FILE_PASSWD, passwd, &accounts, &gone);
	assert_null(strstr(text, "eve"));
	assert_non_null(strstr(text, "bob:x:3001:3001"));
	freezero_str(text);
	accounts_free(&accounts);
	accounts_free(&gone);
}

/* was: a user of the record, NULL: the record is empty. */
static bool
collides_with(const char *name, uint32_t uid, const char *kind, const char *was,
    const char *was_hash)
{
	char *const texts[ACCOUNT_FILES] = {
		[FILE_SHADOW] = (char *)(uintptr_t)shadow,
		[FILE_GROUP] = (char *)(uintptr_t)group,
		[FILE_PASSWD] = (char *)(uintptr_t)passwd,
	};
	struct accounts accounts, gone;
	struct one user = good;
	char why[256] = "", *line;
	int rc;

	user.name = name;
	user.uid = uid;
	user.hash = kind;
	assert_int_equal(get(&user, "builtin_users", 545, name, &accounts), 0);
	user.name = was != NULL ? was : "nobody";
	user.uid = 3001;
	user.hash = was_hash;
	line = user_line(&user);
	assert_int_equal(parse(was != NULL ? line : "", &gone), 0);
	rc = accounts_conflict(texts, &accounts, &gone, why, sizeof(why));
	free(line);
	accounts_free(&accounts);
	accounts_free(&gone);
	return rc == -1;
}

static bool
collides(const char *name, uint32_t uid, const char *was)
{
	return collides_with(name, uid, hash, was, hash);
}

static void
test_conflict(void **state)
{
	(void)state;
	assert_false(collides("bob", 3001, "bob"));
	assert_false(collides("new", 3002, NULL));
	assert_false(collides("bob", 3002, "bob")); /* another id for ours */
	assert_false(
	    collides("new", 3001, "bob")); /* ours goes, its id stays */
	assert_true(collides("bob", 3001, NULL)); /* somebody else's bob */
	assert_true(collides("sshd", 3001, "bob")); /* a name of the system */
	assert_true(collides("new", 4000, "bob")); /* the id of another */
}

/* One that keeps its hash is taken over, if it is itself. */
static void
test_adopted(void **state)
{
	struct accounts none, gone;
	char *text;

	(void)state;
	assert_false(collides_with("eve", 4000, "=", NULL, hash));
	assert_true(collides_with("eve", 4001, "=", NULL, hash));
	/* Bob's account ends on a day that somebody else has set. */
	assert_true(collides_with("bob", 3001, "=", NULL, hash));
	assert_false(collides_with("bob", 3001, "=", "bob", "="));
	/* Its number is not free while its line stays. */
	assert_true(collides_with("new", 3001, hash, "bob", "="));
	assert_int_equal(parse("", &none), 0);
	assert_int_equal(parse("user:eve:4000:4000::/:/bin/sh:=::::::\n"
			       "user:bob:3001:3001::/:/bin/sh:*::::::\n",
			     &gone),
	    0);
	text = accounts_merge(FILE_PASSWD, passwd, &none, &gone);
	assert_non_null(strstr(text, "eve:x:4000:4000:Eve:/home/eve:/bin/sh"));
	assert_null(strstr(text, "bob"));
	freezero_str(text);
	accounts_free(&none);
	accounts_free(&gone);
}

static void
test_lock(void **state)
{
	char *text;

	(void)state;
	text = accounts_lock(FILE_SHADOW,
	    "root:$y$x:1:2:3:4:::\n"
	    "open::1::::::\nlocked:!:1::::::\nkept:!$6$x:1::::::\n"
	    "star:*:1::::::\n");
	assert_string_equal(text,
	    "root:*:1:2:3:4:::\n"
	    "open:*:1::::::\nlocked:!:1::::::\nkept:*:1::::::\n"
	    "star:*:1::::::\n");
	freezero_str(text);
	text = accounts_lock(FILE_PASSWD,
	    "root:x:0:0:::\nold:HASH:1:1:::\n"
	    "open::2:2:::\n");
	assert_string_equal(text,
	    "root:x:0:0:::\nold:*:1:1:::\n"
	    "open:*:2:2:::\n");
	freezero_str(text);
}

static void
test_find(void **state)
{
	char *name;

	(void)state;
	assert_int_equal(accounts_find(passwd, "sshd"), 102);
	assert_int_equal(accounts_find(passwd, "ssh"), -1);
	name = accounts_find_id(passwd, 4000);
	assert_string_equal(name, "eve");
	free(name);
	assert_null(accounts_find_id(passwd, 4001));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
