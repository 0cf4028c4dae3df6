/*
 * Signatures that ssh-keygen made with keys of each kind (golden/ssh/
 * signatures: algorithm, key, signature and message of each, as strings of
 * RFC 4251), and the same with anything else in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "golden.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_signature.h"

struct sample {
	char *algorithm;
	struct ssh_bytes key, signature, message;
};

static size_t
read_samples(const char *data, size_t len, struct sample *samples, size_t max)
{
	struct ssh_in in = { .data = (const uint8_t *)data, .len = len };
	struct ssh_bytes *to[3];
	const uint8_t *name;
	size_t n, i, name_len;

	for (n = 0; in.at < in.len; n++) {
		assert_true(n < max);
		name = ssh_get_string(&in, &name_len);
		samples[n].algorithm = xstrndup((const char *)name, name_len);
		to[0] = &samples[n].key;
		to[1] = &samples[n].signature;
		to[2] = &samples[n].message;
		for (i = 0; i < 3; i++)
			to[i]->data = ssh_get_string(&in, &to[i]->len);
		assert_false(in.bad);
	}
	return n;
}

static bool
good(const struct sample *s)
{
	return ssh_signature_good(
	    s->algorithm, &s->key, &s->signature, &s->message);
}

/* A bit of every third byte of one part, and as many shorter ones. */
static void
try_others(const struct sample *s, struct sample *with, struct ssh_bytes *part)
{
	const struct ssh_bytes whole = *part;
	uint8_t *copy;
	size_t i;

	for (i = 0; i < whole.len; i += 3) {
		copy = xmemdup(whole.data, whole.len);
		copy[i] ^= (uint8_t)(1u << i % 8);
		part->data = copy;
		if (good(with))
			fail_msg(
			    "%s: byte %zu does not matter", s->algorithm, i);
		free(copy);
	}
	for (i = 0; i < whole.len; i += 3) {
		copy = xmemdup(whole.data, i > 0 ? i : 1);
		part->data = copy;
		part->len = i;
		if (good(with))
			fail_msg("%s: %zu bytes are enough", s->algorithm, i);
		free(copy);
	}
	*part = whole;
}

static void
test_samples(void **state)
{
	struct sample samples[8], with;
	size_t len, n, i, k;
	char *data = golden_read("ssh", "signatures", &len);

	(void)state;
	n = read_samples(data, len, samples, 8);
	assert_int_equal(n, 5);
	for (i = 0; i < n; i++) {
		if (!good(&samples[i]))
			fail_msg("%s is refused", samples[i].algorithm);
		with = samples[i];
		try_others(&samples[i], &with, &with.key);
		try_others(&samples[i], &with, &with.signature);
		try_others(&samples[i], &with, &with.message);
		/* Agreed was another one. */
		for (k = 0; k < n; k++) {
			with.algorithm = samples[k].algorithm;
			assert_int_equal(good(&with), k == i);
		}
	}
	samples[0].algorithm[0] = 'x';
	assert_false(good(&samples[0]));
	for (i = 0; i < n; i++)
		free(samples[i].algorithm);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
