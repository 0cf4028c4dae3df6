/*
 * Workers as core sees them: a task in, an answer out, each in a process of
 * its own with its sandbox.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base64.h"
#include "lib/ipc.h"
#include "lib/startup.h"
#include "roles.h"
#include "services/catalog.h"

/*
 * Runs the worker of that name on a message for that task; its exit status,
 * and the answer in body when it gave one (free *to_free).
 */
static int
run_worker(const char *name, uint32_t task, const struct wire_out *members,
    struct wire_in *body, void **to_free)
{
	struct wire_out out = { 0 };
	struct ipc_msg msg;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(ipc_pair(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		alarm(60);
		if (dup2(fds[1], STARTUP_FD) == -1)
			_exit(100);
		if (fds[0] != STARTUP_FD)
			close(fds[0]);
		if (fds[1] != STARTUP_FD)
			close(fds[1]);
		_exit(worker_main(name));
	}
	close(fds[1]);
	wire_put_u32(&out, task);
	wire_put_raw(&out, members->data, members->len);
	assert_int_equal(ipc_send_blocking(fds[0], ROLE_CORE, ROLE_WORKER,
			     MSG_TASK, 7, &out, NULL, 0),
	    0);
	wire_free(&out);
	memset(body, 0, sizeof(*body));
	*to_free = NULL;
	if (ipc_recv_blocking(fds[0], ROLE_CORE, ROLE_WORKER, &msg, to_free) ==
	    0) {
		assert_int_equal(msg.type, MSG_TASK_DONE);
		assert_int_equal(msg.id, 7);
		*body = msg.body;
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
expect_done(struct wire_in *body)
{
	char *text;
	uint32_t error = wire_get_u32(body);

	text = wire_get_str(body, 1000);
	if (text == NULL || error != 0)
		fail_msg("error %u: %s", error, text == NULL ? "-" : text);
	free(text);
}

static void
put_hashing(struct wire_out *members, enum hash_scheme scheme,
    const char *password, const char *kept)
{
	wire_put_u8(members, (uint8_t)scheme);
	wire_put_str(members, password);
	wire_put_u32(members, kept != NULL ? 3 : 0);
	if (kept != NULL) {
		wire_put_str(members, "!");
		wire_put_str(members, "$y$j9T$5PGBIQMSWr8KXpBZ2hzkB.$x");
		wire_put_str(members, kept);
	}
}

/* The hash of a password, "" when it is the kept one; caller frees. */
static char *
hash_of(enum hash_scheme scheme, const char *password, const char *kept)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;
	char *hash;
	uint8_t reused;

	put_hashing(&members, scheme, password, kept);
	assert_int_equal(run_worker("hash-password", TASK_HASH_PASSWORD,
			     &members, &body, &to_free),
	    0);
	expect_done(&body);
	reused = wire_get_u8(&body);
	hash = wire_get_str(&body, 1000);
	assert_int_equal(wire_end(&body), 0);
	assert_int_equal(reused, hash[0] == '\0');
	free(to_free);
	wire_free(&members);
	return hash;
}

static void
test_hash(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	struct crypt_data data = { 0 };
	void *to_free;
	char *hash;

	(void)state;
	if (geteuid() != 0)
		skip();
	put_hashing(&members, HASH_YESCRYPT, "p\xc3\xa4ssword", NULL);
	assert_int_equal(run_worker("hash-password", TASK_HASH_PASSWORD,
			     &members, &body, &to_free),
	    0);
	expect_done(&body);
	assert_int_equal(wire_get_u8(&body), 0);
	hash = wire_get_str(&body, 1000);
	assert_int_equal(wire_end(&body), 0);
	assert_memory_equal(hash, "$y$", 3);
	assert_string_equal(
	    crypt_rn("p\xc3\xa4ssword", hash, &data, sizeof(data)), hash);
	free(hash);
	free(to_free);
	wire_free(&members);
}

/* Some bytes of the answer as base64; to be freed. */
static char *
encoded(struct wire_in *body)
{
	size_t len;
	const void *data = wire_get_bytes(body, &len);

	assert_non_null(data);
	return base64_encode(data, len);
}

static void
expect_encoded(struct wire_in *body, const char *expected)
{
	char *text = encoded(body);

	assert_string_equal(text, expected);
	free(text);
}

/* As the real server derived it, api_key.jsonl "create". */
static void
test_derive(void **state)
{
	static const char salt[] = "SPr4cBSw0rS4Wsey";
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;

	(void)state;
	if (geteuid() != 0)
		skip();
	wire_put_str(&members,
	    "EVmk28CjjOWqj5QwaDCXu0nLIYrylJMdHiWKhXxVy3XDU9"
	    "nK9C9mh708jZfHnORm");
	wire_put_bytes(&members, salt, strlen(salt));
	wire_put_u32(&members, 500000);
	assert_int_equal(run_worker("derive-keys", TASK_DERIVE_KEYS, &members,
			     &body, &to_free),
	    0);
	expect_done(&body);
	expect_encoded(&body, "U1ByNGNCU3cwclM0V3NleQ==");
	expect_encoded(&body,
	    "sMkuIjEkee+4hPzoBfBcWWfwqsU4L+Zz26rLDFhwZVbV5DaRGntlrqHuZAqdcN7Tn3"
	    "1FOPqnZ/g2DraU5BN9sg==");
	expect_encoded(&body,
	    "dSynYIcew1gQeQAvD6ga3dUQguahKWY5fyNbzPPjEbBkHRAUZmQD4+gk/hTz1yKZ6p"
	    "eA3fc1EoRglQg/O39rcA==");
	expect_encoded(&body,
	    "kAAKiLVd0ilftZuAefQ9j7k7glilgQRJK5CcARZATJbn2oivG0X5kOVpa2Mrq0aGsy"
	    "gWFUraDeplnskD2obwbg==");
	assert_int_equal(wire_end(&body), 0);
	free(to_free);
	wire_free(&members);
}

/* Without a salt each time a new one. */
static void
test_derive_salt(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;
	char *salts[2];
	int i;

	(void)state;
	if (geteuid() != 0)
		skip();
	wire_put_str(&members, "secret");
	wire_put_bytes(&members, NULL, 0);
	wire_put_u32(&members, 1);
	for (i = 0; i < 2; i++) {
		assert_int_equal(run_worker("derive-keys", TASK_DERIVE_KEYS,
				     &members, &body, &to_free),
		    0);
		expect_done(&body);
		salts[i] = encoded(&body);
		assert_int_equal(strlen(salts[i]), BASE64_LEN(16));
		free(to_free);
	}
	assert_string_not_equal(salts[0], salts[1]);
	free(salts[0]);
	free(salts[1]);
	wire_free(&members);
}

static void
test_hash_long(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	char password[CRYPT_MAX_PASSPHRASE_SIZE + 1];
	void *to_free;

	(void)state;
	if (geteuid() != 0)
		skip();
	memset(password, 'x', sizeof(password));
	password[sizeof(password) - 1] = '\0';
	put_hashing(&members, HASH_YESCRYPT, password, NULL);
	assert_int_equal(run_worker("hash-password", TASK_HASH_PASSWORD,
			     &members, &body, &to_free),
	    0);
	assert_int_equal(wire_get_u32(&body), E2BIG);
	free(to_free);
	wire_free(&members);
}

/* One that was had before is known again, whatever it was hashed by. */
static void
test_hash_reused(void **state)
{
	char *first, *hash;

	(void)state;
	if (geteuid() != 0)
		skip();
	first = hash_of(HASH_SHA512, "one", NULL);
	assert_memory_equal(first, "$6$rounds=656000$", 17);
	hash = hash_of(HASH_YESCRYPT, "two", first);
	assert_memory_equal(hash, "$y$", 3);
	free(hash);
	hash = hash_of(HASH_YESCRYPT, "one", first);
	assert_string_equal(hash, "");
	free(hash);
	free(first);
}

static void
test_groups(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;

	(void)state;
	if (geteuid() != 0)
		skip();
	wire_put_u32(&members, 3);
	wire_put_str(&members, "root");
	wire_put_str(&members, "no such group");
	wire_put_str(&members, "adm");
	assert_int_equal(run_worker("lookup-groups", TASK_LOOKUP_GROUPS,
			     &members, &body, &to_free),
	    0);
	expect_done(&body);
	assert_int_equal(wire_get_u32(&body), 3);
	assert_int_equal(wire_get_u8(&body), 1);
	assert_int_equal(wire_get_u8(&body), 0);
	assert_int_equal(wire_get_u8(&body), 1);
	assert_int_equal(wire_end(&body), 0);
	free(to_free);
	wire_free(&members);
}

static void
test_offer_nobody(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;

	(void)state;
	if (geteuid() != 0)
		skip();
	wire_put_str(&members, "127.0.0.1");
	wire_put_u16(&members, 1);
	wire_put_u32(&members, 50);
	assert_int_equal(
	    run_worker("ssh-offer", TASK_SSH_OFFER, &members, &body, &to_free),
	    0);
	expect_done(&body);
	assert_int_equal(wire_get_u8(&body), 0);
	free(to_free);
	wire_free(&members);
}

/* Malformed members cost an error; another task's message the process. */
static void
test_wrong(void **state)
{
	struct wire_out members = { 0 };
	struct wire_in body;
	void *to_free;
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	wire_put_u32(&members, 0xffffffff);
	assert_int_equal(run_worker("hash-password", TASK_HASH_PASSWORD,
			     &members, &body, &to_free),
	    0);
	assert_int_equal(wire_get_u32(&body), EPROTO);
	free(to_free);
	status = run_worker(
	    "hash-password", TASK_SSH_OFFER, &members, &body, &to_free);
	assert_int_not_equal(status, 0);
	assert_int_equal(body.len, 0);
	free(to_free);
	status = run_worker("nosuch", 0, &members, &body, &to_free);
	assert_int_not_equal(status, 0);
	assert_int_equal(body.len, 0);
	free(to_free);
	wire_free(&members);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_derive_salt),
		cmocka_unit_test(test_hash_long),
		cmocka_unit_test(test_hash_reused),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_offer_nobody),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
