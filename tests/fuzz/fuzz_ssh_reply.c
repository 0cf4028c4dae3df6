/*
 * libFuzzer target: what an SSH server sends after its KEXINIT.  The first
 * byte says what it is read as; encrypted packets are under keys of zeros.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_cipher.h"
#include "services/ssh/ssh_kex.h"
#include "services/ssh/ssh_reply.h"
#include "services/ssh/ssh_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		expect(*text >= ' ' && *text <= '~');
}

static void
read_key(const uint8_t *data, size_t len)
{
	struct ssh_key_facts facts;

	if (ssh_key_describe(data, len, &facts) == -1)
		return;
	check_printable(facts.type);
	expect(strlen(facts.type) <= SSH_KEY_TYPE_MAX);
}

static void
read_reply(const uint8_t *data, size_t len)
{
	static const char *const algorithms[] = { "ssh-ed25519",
		"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "rsa-sha2-256" };
	struct ssh_bytes key, value, signature;
	size_t i;

	if (ssh_reply_parse(data, len, &key, &value, &signature) == -1)
		return;
	expect(key.data >= data && key.data + key.len <= data + len);
	expect(value.len == 0 ||
	    (value.data >= data && value.data + value.len <= data + len));
	read_key(key.data, key.len);
	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		(void)ssh_signature_good(
		    algorithms[i], &key, &signature, &value);
}

static void
read_methods(const uint8_t *data, size_t len)
{
	char *methods = ssh_reply_methods(data, len);

	if (methods != NULL)
		check_printable(methods);
	free(methods);
}

/* A server's value against each kind of exchange. */
static void
finish(const uint8_t *data, size_t len, uint8_t which)
{
	static const char *const names[] = { "curve25519-sha256",
		"ecdh-sha2-nistp256", "diffie-hellman-group14-sha256",
		"mlkem768x25519-sha256" };
	struct ssh_bytes theirs = { data, len };
	struct ssh_kex *kex = ssh_kex_begin(names[which % 4]);
	size_t secret_len = 0;
	uint8_t *secret;

	if (kex == NULL)
		return;
	secret = ssh_kex_finish(kex, &theirs, &secret_len);
	freezero(secret, secret_len);
	ssh_kex_free(kex);
}

static void
open_packets(const uint8_t *data, size_t len, uint8_t which)
{
	static const char *const pairs[][2] = { { "aes256-gcm@openssh.com",
						    "hmac-sha2-256" },
		{ "aes128-ctr", "hmac-sha2-256-etm@openssh.com" },
		{ "aes128-ctr", "hmac-sha1" } };
	static const uint8_t zeros[64];
	struct ssh_cipher_choice choice =
	    ssh_cipher_choose(pairs[which % 3][0], pairs[which % 3][1]);
	struct ssh_cipher *c =
	    ssh_cipher_new(&choice, false, zeros, zeros, zeros);
	uint8_t *payload;
	const char *why;
	size_t payload_len, used;

	expect(c != NULL);
	while (ssh_cipher_open(c, 0, data, len, &payload, &payload_len, &used,
		   &why) == OFFER_DONE) {
		expect(payload_len > 0 && used <= len);
		free(payload);
		data += used;
		len -= used;
	}
	ssh_cipher_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t kind;

	if (len == 0)
		return 0;
	kind = *data++;
	len--;
	switch (kind % 6) {
	case 0:
		read_key(data, len);
		break;
	case 1:
		read_reply(data, len);
		break;
	case 2:
		expect(ssh_reply_group_bits(data, len) <= 8 * len);
		break;
	case 3:
		read_methods(data, len);
		break;
	case 4:
		finish(data, len, kind / 6);
		break;
	case 5:
		open_packets(data, len, kind / 6);
		break;
	}
	return 0;
}
