/*
 * The reader of what an SSH server offers, with a recorded server, its
 * mutations, and servers that misbehave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "golden.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_offer.h"

static uint8_t *recorded;
static size_t recorded_len;

static int
load(void **state)
{
	(void)state;
	recorded = (uint8_t *)golden_read(
	    "ssh", "offer-openssh-9.2.bin", &recorded_len);
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	free(recorded);
	return 0;
}

static void
expect_recorded(const struct ssh_offer *offer)
{
	assert_string_equal(
	    offer->banner, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10");
	assert_string_equal(offer->lists[LIST_CIPHER_OUT],
	    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com");
	assert_string_equal(
	    offer->lists[LIST_MAC_IN], "hmac-sha2-256-etm@openssh.com");
	assert_string_equal(
	    offer->lists[LIST_COMPRESSION_IN], "none,zlib@openssh.com");
	assert_string_equal(offer->lists[LIST_LANGUAGE_OUT], "");
	assert_non_null(strstr(offer->lists[LIST_KEX], "curve25519-sha256,"));
	assert_string_equal(offer->lists[LIST_HOST_KEY],
	    "ssh-ed25519,"
	    "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256");
}

static void
test_recorded(void **state)
{
	struct ssh_offer offer;
	const char *why;

	(void)state;
	assert_int_equal(
	    ssh_offer_parse(recorded, recorded_len, &offer, &why), OFFER_DONE);
	expect_recorded(&offer);
	ssh_offer_free(&offer);
}

static void
test_every_prefix(void **state)
{
	struct ssh_offer offer;
	const char *why;
	uint8_t *copy;
	size_t i;

	(void)state;
	for (i = 0; i < recorded_len; i++) {
		copy = xmemdup(recorded, i == 0 ? 1 : i);
		assert_int_equal(
		    ssh_offer_parse(copy, i, &offer, &why), OFFER_MORE);
		assert_null(offer.banner);
		free(copy);
	}
}

/* Whatever changes: an answer, and no memory touched that is not ours. */
static void
test_mutations(void **state)
{
	struct ssh_offer offer;
	const char *why;
	uint32_t random = 4711;
	uint8_t *copy;
	size_t i, j, bad = 0;

	(void)state;
	for (i = 0; i < 20000; i++) {
		copy = xmemdup(recorded, recorded_len);
		for (j = 0; j <= i % 4; j++) {
			random = random * 1103515245 + 12345;
			copy[(random >> 8) % recorded_len] =
			    (uint8_t)(random >> 3);
		}
		bad += ssh_offer_parse(copy, recorded_len, &offer, &why) ==
		    OFFER_BAD;
		ssh_offer_free(&offer);
		free(copy);
	}
	assert_true(bad > 100);
}

static void
put_number(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

static void
expect_bad(const uint8_t *data, size_t len, const char *wanted)
{
	struct ssh_offer offer;
	const char *why = NULL;

	assert_int_equal(ssh_offer_parse(data, len, &offer, &why), OFFER_BAD);
	assert_non_null(strstr(why, wanted));
	assert_null(offer.banner);
}

static void
test_lengths(void **state)
{
	size_t version =
	    (size_t)((uint8_t *)memchr(recorded, '\n', recorded_len) -
		recorded) +
	    1;
	static const uint32_t lengths[] = { 0, 1, 11, 35001, 0xffffffff,
		0x7fffffff, 653 };
	uint8_t *copy = xmemdup(recorded, recorded_len);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		put_number(copy + version, lengths[i]);
		expect_bad(copy, recorded_len, "length is wrong");
	}
	memcpy(copy, recorded, recorded_len);
	copy[version + 4] = 3;
	expect_bad(copy, recorded_len, "padding is wrong");
	copy[version + 4] = 255;
	put_number(copy + version, 252);
	expect_bad(copy, recorded_len, "padding is wrong");
	memcpy(copy, recorded, recorded_len);
	put_number(copy + version + 5 + 17, 0xffffffff);
	expect_bad(copy, recorded_len, "too short");
	memcpy(copy, recorded, recorded_len);
	copy[version + 5 + 17 + 4] = '\n';
	expect_bad(copy, recorded_len, "malformed");
	memcpy(copy, recorded, recorded_len);
	copy[version + 5] = 21;
	expect_bad(copy, recorded_len, "something else");
	copy[version + 5] = 1;
	expect_bad(copy, recorded_len, "ended the connection");
	free(copy);
}

static void
test_versions(void **state)
{
	static uint8_t many[SSH_OFFER_MAX];
	struct ssh_offer offer;
	const char *why;
	char *text;

	(void)state;
#define BAD(text, why)                                                         \
	expect_bad((const uint8_t *)(text), sizeof(text) - 1, why)
	BAD("SSH-1.5-old\r\n", "does not speak SSH 2");
	BAD("SSH-2.0-a\tb\r\n", "malformed");
	BAD("SSH-\n", "does not speak SSH 2");
	memset(many, 'x', sizeof(many));
	expect_bad(many, sizeof(many), "too long");
	memset(many, '\n', sizeof(many));
	expect_bad(many, sizeof(many), "too many lines");
	/* Lines before the version are allowed, and no CR. */
	text = xasprintf("hello\r\nSSX\nSSH-2.0-x\n");
	assert_int_equal(
	    ssh_offer_parse((uint8_t *)text, strlen(text), &offer, &why),
	    OFFER_MORE);
	free(text);
}

/* A server that answers with data, in pieces; its port. */
static uint16_t
serve(const void *data, size_t len, pid_t *pidp)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t in_len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	size_t half = len / 2;
	char buffer[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&in, in_len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &in_len), 0);
	assert_int_equal(listen(fd, 4), 0);
	*pidp = fork();
	assert_int_not_equal(*pidp, -1);
	if (*pidp == 0) {
		alarm(20);
		client = accept(fd, NULL, NULL);
		if (send(client, data, half, 0) == -1)
			_exit(1);
		usleep(20000);
		if (send(client, (const char *)data + half, len - half, 0) ==
			-1 ||
		    recv(client, buffer, sizeof(buffer), 0) <= 0)
			_exit(1);
		_exit(0);
	}
	close(fd);
	return ntohs(in.sin_port);
}

static int
ask(const void *data, size_t len, struct ssh_offer *offer, const char **why)
{
	pid_t pid;
	uint16_t port = serve(data, len, &pid);
	int r = ssh_offer_ask("127.0.0.1", port, 2000, offer, why), status;

	waitpid(pid, &status, 0);
	return r;
}

static void
test_ask(void **state)
{
	struct ssh_offer offer;
	const char *why;

	(void)state;
	assert_int_equal(ask(recorded, recorded_len, &offer, &why), 1);
	expect_recorded(&offer);
	ssh_offer_free(&offer);
	assert_int_equal(ask("SSH-1.5-x\r\n", 11, &offer, &why), -1);
	assert_string_equal(why, "it does not speak SSH 2");
	assert_int_equal(ssh_offer_ask("example", 22, 100, &offer, &why), -1);
	assert_int_equal(
	    ssh_offer_ask("::1%nosuch", 22, 100, &offer, &why), -1);
}

static void
test_nobody(void **state)
{
	struct ssh_offer offer;
	const char *why;
	struct timespec before, after;
	long long ms;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(ssh_offer_ask("127.0.0.1", 1, 200, &offer, &why), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (after.tv_sec - before.tv_sec) * 1000LL +
	    (after.tv_nsec - before.tv_nsec) / 1000000;
	/* It tried for the time given, and not much longer. */
	assert_in_range(ms, 120, 2000);
	assert_string_equal(why, "nobody answers");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
