/*
 * Merkle trees: against the definition of RFC 9162 written down as it reads,
 * the values that Certificate Transparency's logs agree on, and proofs that
 * were tampered with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/merkle.h"

#define LEAVES 70

static struct merkle_hash leaves[LEAVES];

static int
make_leaves(void **state)
{
	unsigned char i;

	(void)state;
	for (i = 0; i < LEAVES; i++)
		merkle_leaf(&i, 1, &leaves[i]);
	return 0;
}

/* MTH() of RFC 9162 section 2.1.1, over leaves that are hashed already. */
static void
defined(const struct merkle_hash *list, uint64_t n, struct merkle_hash *out)
{
	struct merkle_hash left, right;
	uint64_t k = 1;

	if (n == 1) {
		*out = list[0];
		return;
	}
	while (2 * k < n)
		k *= 2;
	defined(list, k, &left);
	defined(list + k, n - k, &right);
	merkle_node(&left, &right, out);
}

static void
assert_hash(const struct merkle_hash *h, const char *expected)
{
	char text[MERKLE_TEXT];

	merkle_text(h, text);
	assert_string_equal(text, expected);
}

static void
test_empty(void **state)
{
	struct merkle tree = { 0 };
	struct merkle_hash root;

	(void)state;
	merkle_root(&tree, &root);
	assert_hash(&root,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

static void
test_known(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *root; /* with those before it */
	} known[] = {
		{ "", 0,
		    "6e340b9cffb37a989ca544e6bb780a2c"
		    "78901d3fb33738768511a30617afa01d" },
		{ "\x00", 1,
		    "fac54203e7cc696cf0dfcb42c92a1d9d"
		    "baf70ad9e621f4bd8d98662f00e3c125" },
		{ "\x10", 1,
		    "aeb6bcfe274b70a14fb067a5e5578264"
		    "db0fa9b51af5e0ba159158f329e06e77" },
		{ "\x20\x21", 2,
		    "d37ee418976dd95753c1c73862b9398f"
		    "a2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "\x30\x31", 2,
		    "4e3bbb1f7b478dcfe71fb631631519a3"
		    "bca12c9aefca1612bfce4c13a86264d4" },
		{ "\x40\x41\x42\x43", 4,
		    "76e67dadbcdf1e10e1b74ddc608abd2f"
		    "98dfb16fbce75277b5232a127f2087ef" },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		    "ddb89be403809e325750d3d263cd7892"
		    "9c2942b7942a34b77e122c9594a74c8c" },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67"
		  "\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
		    16,
		    "5dc9da79a70659a9ad559cb701ded9a2"
		    "ab9d823aad2f4960cfe370eff4604328" },
	};
	struct merkle tree = { 0 };
	struct merkle_hash hash;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		merkle_leaf(known[i].data, known[i].len, &hash);
		merkle_add(&tree, &hash);
		merkle_root(&tree, &hash);
		assert_hash(&hash, known[i].root);
	}
}

static void
test_every_size(void **state)
{
	struct merkle tree = { 0 };
	struct merkle_hash grown, expected;
	uint64_t n;

	(void)state;
	for (n = 1; n <= LEAVES; n++) {
		merkle_add(&tree, &leaves[n - 1]);
		merkle_root(&tree, &grown);
		defined(leaves, n, &expected);
		assert_memory_equal(&grown, &expected, sizeof(grown));
	}
}

struct proof {
	struct merkle_hash hashes[2 * LEAVES];
	size_t count;
	uint64_t least; /* leaves below are forgotten */
};

static int
give_leaf(uint64_t index, struct merkle_hash *out, void *arg)
{
	const struct proof *proof = arg;

	assert_true(index < LEAVES && index >= proof->least);
	*out = leaves[index];
	return 0;
}

static int
take_hash(const struct merkle_hash *hash, void *arg)
{
	struct proof *proof = arg;

	proof->hashes[proof->count++] = *hash;
	return 0;
}

struct asked {
	uint64_t size, indexes[LEAVES];
	struct merkle_hash leaves[LEAVES];
	size_t count;
};

/* Each leaf from least on, one of so many, from a generator of fixed start. */
static void
ask(struct asked *asked, uint64_t size, uint64_t least, unsigned int one_of)
{
	static uint32_t x = 1;
	uint64_t i;

	asked->size = size;
	asked->count = 0;
	for (i = least; i < size; i++) {
		x = x * 1103515245u + 12345u;
		if ((x >> 16) % one_of != 0)
			continue;
		asked->indexes[asked->count] = i;
		asked->leaves[asked->count++] = leaves[i];
	}
}

static int
computed(
    const struct asked *a, const struct proof *proof, struct merkle_hash *root)
{
	return merkle_root_of(a->size, a->indexes, a->leaves, a->count,
	    proof->hashes, proof->count, root);
}

static bool
proves(const struct asked *a, const struct proof *proof)
{
	struct merkle_hash root, expected;

	defined(leaves, a->size, &expected);
	return computed(a, proof, &root) == 0 &&
	    memcmp(&root, &expected, sizeof(root)) == 0;
}

static void
make_proof(const struct asked *a, uint64_t least, struct proof *proof)
{
	struct merkle before = { 0 };
	uint64_t i;

	for (i = 0; i < least; i++)
		merkle_add(&before, &leaves[i]);
	proof->count = 0;
	proof->least = least;
	assert_int_equal(merkle_prove(a->size, &before, a->indexes, a->count,
			     give_leaf, take_hash, proof),
	    0);
}

static void
test_proofs(void **state)
{
	struct asked asked;
	struct proof proof;
	uint64_t size, least;
	unsigned int one_of;

	(void)state;
	for (size = 1; size <= LEAVES; size++)
		for (least = 0; least <= size; least += 3)
			for (one_of = 1; one_of < 9; one_of += 3) {
				ask(&asked, size, least, one_of);
				make_proof(&asked, least, &proof);
				assert_true(proves(&asked, &proof));
			}
}

/* Any bit of any part changed, anything left out, added or moved is found. */
static void
test_tampered(void **state)
{
	struct asked asked, wrong;
	struct proof proof, other;
	size_t i;

	(void)state;
	ask(&asked, 53, 7, 4);
	make_proof(&asked, 7, &proof);
	assert_true(asked.count > 3 && proof.count > 3);
	for (i = 0; i < asked.count * MERKLE_HASH * 8; i++) {
		wrong = asked;
		wrong.leaves[i / 256].bytes[i / 8 % 32] ^=
		    (unsigned char)(1 << i % 8);
		assert_false(proves(&wrong, &proof));
	}
	for (i = 0; i < proof.count * MERKLE_HASH * 8; i++) {
		other = proof;
		other.hashes[i / 256].bytes[i / 8 % 32] ^=
		    (unsigned char)(1 << i % 8);
		assert_false(proves(&asked, &other));
	}
	for (i = 0; i < asked.count; i++) {
		wrong = asked;
		wrong.indexes[i]++;
		assert_false(proves(&wrong, &proof));
	}
	wrong = asked;
	wrong.count--;
	assert_false(proves(&wrong, &proof));
	wrong = asked;
	wrong.size++;
	assert_false(proves(&wrong, &proof));
	other = proof;
	other.count--;
	assert_false(proves(&asked, &other));
	other = proof;
	other.hashes[other.count++] = leaves[0];
	assert_false(proves(&asked, &other));
}

static void
test_refused(void **state)
{
	struct asked asked = { .size = 4, .indexes = { 2, 1 }, .count = 2 };
	struct proof proof = { .count = 0 };
	struct merkle_hash root;

	(void)state;
	assert_int_equal(computed(&asked, &proof, &root), -1);
	asked.indexes[1] = 2;
	assert_int_equal(computed(&asked, &proof, &root), -1);
	asked.indexes[1] = 4;
	assert_int_equal(computed(&asked, &proof, &root), -1);
	asked.size = 0;
	assert_int_equal(computed(&asked, &proof, &root), -1);
}

static void
test_text(void **state)
{
	struct merkle_hash again;
	char text[MERKLE_TEXT];

	(void)state;
	merkle_text(&leaves[5], text);
	assert_int_equal(merkle_parse(text, &again), 0);
	assert_memory_equal(&again, &leaves[5], sizeof(again));
	text[3] = 'A';
	assert_int_equal(merkle_parse(text, &again), -1);
	assert_int_equal(merkle_parse("", &again), -1);
	merkle_text(&leaves[5], text);
	text[63] = '\0';
	assert_int_equal(merkle_parse(text, &again), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, make_leaves, NULL);
}
