/*
 * What an SSH server sends after its KEXINIT, and packets under keys: read
 * back what was made, whole and cut short, and refuse what was altered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_cipher.h"
#include "services/ssh/ssh_kex.h"
#include "services/ssh/ssh_reply.h"

struct made {
	uint8_t data[4096];
	size_t len;
};

static void
put_string(struct made *m, const void *data, size_t len)
{
	m->data[m->len++] = 0;
	m->data[m->len++] = 0;
	m->data[m->len++] = (uint8_t)(len >> 8);
	m->data[m->len++] = (uint8_t)len;
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void
put_number(struct made *m, size_t bits)
{
	uint8_t number[1024] = { 0, 0x80 };

	put_string(m, number, 1 + bits / 8);
}

/* A key of the type, with a nonce where it is a certificate. */
static struct made
make_key(const char *type, bool nonce, size_t exponent, size_t bits)
{
	struct made m = { .len = 0 };

	put_string(&m, type, strlen(type));
	if (nonce)
		put_string(&m, "nonce", 5);
	if (exponent > 0)
		put_string(&m, "\1\0\1", 3);
	put_number(&m, bits);
	return m;
}

static void
expect_bits(const struct made *m, unsigned int bits)
{
	struct ssh_key_facts facts;

	assert_int_equal(ssh_key_describe(m->data, m->len, &facts), 0);
	assert_int_equal(facts.bits, bits);
}

static void
test_keys(void **state)
{
	struct ssh_key_facts facts;
	struct made m;

	(void)state;
	m = make_key("ssh-rsa", false, 1, 2048);
	expect_bits(&m, 2048);
	m = make_key("ssh-rsa-cert-v01@openssh.com", true, 1, 3072);
	expect_bits(&m, 3072);
	m = make_key("ssh-dss", false, 0, 1024);
	expect_bits(&m, 1024);
	m = make_key("ssh-ed25519", false, 0, 256);
	expect_bits(&m, 256);
	m = make_key("sk-ssh-ed25519@openssh.com", false, 0, 256);
	expect_bits(&m, 256);
	m = make_key("ssh-ed25519-cert-v01@openssh.com", true, 0, 256);
	expect_bits(&m, 256);
	m = make_key("ecdsa-sha2-nistp521", false, 0, 256);
	expect_bits(&m, 521);
	m = make_key("x-unheard-of", false, 0, 256);
	expect_bits(&m, 0);
	m = make_key("ssh-rsax", false, 1, 256);
	expect_bits(&m, 0);
	m = make_key("ssh-rsa", false, 1, 2048);
	m.len -= 1;
	assert_int_equal(ssh_key_describe(m.data, m.len, &facts), -1);
	m = make_key("ssh-\x1b[2J", false, 0, 256);
	assert_int_equal(ssh_key_describe(m.data, m.len, &facts), -1);
	assert_int_equal(ssh_key_describe(m.data, 0, &facts), -1);
	assert_int_equal(
	    ssh_key_describe((const uint8_t *)"\0\0\0\0", 4, &facts), -1);
}

static void
test_reply(void **state)
{
	struct made m = { .data = { SSH_MSG_KEX_REPLY }, .len = 1 };
	struct ssh_bytes key, value, signature;
	uint8_t *cut;
	size_t i;

	(void)state;
	put_string(&m, "key", 3);
	put_string(&m, "value", 5);
	put_string(&m, "signature", 9);
	assert_int_equal(
	    ssh_reply_parse(m.data, m.len, &key, &value, &signature), 0);
	assert_int_equal(key.len, 3);
	assert_memory_equal(value.data, "value", 5);
	assert_memory_equal(signature.data, "signature", 9);
	for (i = 1; i < m.len; i++) {
		cut = xmemdup(m.data, i);
		assert_int_equal(
		    ssh_reply_parse(cut, i, &key, &value, &signature), -1);
		free(cut);
	}
	/* Nothing may follow. */
	assert_int_equal(
	    ssh_reply_parse(m.data, m.len + 1, &key, &value, &signature), -1);
	m.data[0] = SSH_MSG_KEXINIT;
	assert_int_equal(
	    ssh_reply_parse(m.data, m.len, &key, &value, &signature), -1);
}

static void
test_group(void **state)
{
	struct made m = { .data = { SSH_MSG_GEX_GROUP }, .len = 1 };

	(void)state;
	put_number(&m, 3072);
	put_string(&m, "\2", 1);
	assert_int_equal(ssh_reply_group_bits(m.data, m.len), 3072);
	assert_int_equal(ssh_reply_group_bits(m.data, m.len - 1), 0);
	assert_int_equal(ssh_reply_group_bits(m.data, m.len + 1), 0);
}

static void
test_methods(void **state)
{
	struct made m = { .data = { SSH_MSG_USERAUTH_FAILURE }, .len = 1 };
	char *methods;

	(void)state;
	put_string(&m, "publickey,password", 18);
	m.data[m.len++] = 0;
	methods = ssh_reply_methods(m.data, m.len);
	assert_string_equal(methods, "publickey,password");
	free(methods);
	assert_null(ssh_reply_methods(m.data, m.len - 1));
	m.data[8] = '\n';
	assert_null(ssh_reply_methods(m.data, m.len));
}

/* Both ends of each pair, several packets, each also bit by bit altered. */
static void
test_packets(void **state)
{
	static const char *const pairs[][2] = {
		{ "aes256-gcm@openssh.com", "umac-64@openssh.com" },
		{ "aes128-gcm@openssh.com", "hmac-sha2-256" },
		{ "aes256-ctr", "hmac-sha2-256-etm@openssh.com" },
		{ "aes192-ctr", "hmac-sha2-512-etm@openssh.com" },
		{ "aes128-ctr", "hmac-sha2-512" }, { "aes128-ctr", "hmac-sha1" }
	};
	uint8_t secret[64], *packet, *payload, *altered;
	struct ssh_cipher_choice choice;
	struct ssh_cipher *out, *in, *other;
	size_t i, len, payload_len, used, at;
	uint32_t n;
	const char *why;

	(void)state;
	memset(secret, 7, sizeof(secret));
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		choice = ssh_cipher_choose(pairs[i][0], pairs[i][1]);
		assert_string_equal(choice.cipher, pairs[i][0]);
		out = ssh_cipher_new(&choice, true, secret, secret, secret);
		in = ssh_cipher_new(&choice, false, secret, secret, secret);
		for (n = 3; n < 40; n++) {
			packet = ssh_cipher_seal(out, n,
			    (const uint8_t *)"a payload of some length", n - 2,
			    &len);
			for (at = 0; at < len; at++)
				assert_int_equal(
				    ssh_cipher_open(in, n, packet, at, &payload,
					&payload_len, &used, &why),
				    OFFER_MORE);
			assert_int_equal(
			    ssh_cipher_open(in, n, packet, len, &payload,
				&payload_len, &used, &why),
			    OFFER_DONE);
			assert_int_equal(used, len);
			assert_int_equal(payload_len, n - 2);
			free(payload);
			freezero(packet, len);
			if (n == 24)
				break;
		}
		packet =
		    ssh_cipher_seal(out, 0, (const uint8_t *)"abc", 3, &len);
		for (at = 4; at < len; at++) {
			other = ssh_cipher_new(
			    &choice, false, secret, secret, secret);
			altered = xmemdup(packet, len);
			altered[at] ^= 1;
			assert_int_not_equal(
			    ssh_cipher_open(other, 0, altered, len, &payload,
				&payload_len, &used, &why),
			    OFFER_DONE);
			free(altered);
			ssh_cipher_free(other);
		}
		free(packet);
		ssh_cipher_free(out);
		ssh_cipher_free(in);
	}
	choice = ssh_cipher_choose("chacha20-poly1305@openssh.com", "hmac-md5");
	assert_null(choice.cipher);
	choice = ssh_cipher_choose("aes128-ctr", "hmac-md5");
	assert_null(choice.cipher);
}

/* Two of ours agree; values that are none are refused. */
static void
test_exchanges(void **state)
{
	static const char *const names[] = { "curve25519-sha256",
		"ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
		"ecdh-sha2-nistp521", "diffie-hellman-group14-sha256",
		"diffie-hellman-group16-sha512" };
	static const uint8_t zeros[2048], one[] = { 1 };
	struct ssh_bytes value, none;
	struct ssh_kex *a, *b;
	uint8_t *x, *y;
	size_t i, x_len, y_len;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(ssh_kex_choose(names[i]), names[i]);
		a = ssh_kex_begin(names[i]);
		b = ssh_kex_begin(names[i]);
		value = ssh_kex_value(b);
		x = ssh_kex_finish(a, &value, &x_len);
		value = ssh_kex_value(a);
		y = ssh_kex_finish(b, &value, &y_len);
		assert_int_equal(x_len, y_len);
		assert_memory_equal(x, y, x_len);
		freezero(x, x_len);
		freezero(y, y_len);
		none.data = zeros;
		for (none.len = 0; none.len < sizeof(zeros);
		     none.len = none.len * 2 + 1)
			assert_null(ssh_kex_finish(a, &none, &x_len));
		none.data = one;
		none.len = 1;
		assert_null(ssh_kex_finish(a, &none, &x_len));
		ssh_kex_free(a);
		ssh_kex_free(b);
	}
	assert_null(ssh_kex_choose("sntrup761x25519-sha512,curve25519"));
	assert_null(ssh_kex_choose(""));
	assert_null(ssh_kex_begin("curve25519"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_exchanges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
