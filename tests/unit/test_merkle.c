/*
 * Merkle trees: against the definition of RFC 9162 written down as it reads,
 * the values that Certificate Transparency's logs agree on, and proofs that
 * were tampered with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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

/* What a proof puts, and between it the leaves in question, as count 1. */
struct proof {
	struct merkle_subtree parts[2 * LEAVES];
	size_t count;
	size_t put; /* of these */
};

static int
take_subtree(const struct merkle_subtree *tree, void *arg)
{
	struct proof *proof = arg;

	proof->parts[proof->count++] = *tree;
	proof->put++;
	return 0;
}

/* Of leaves from least on, one of so many, from a generator of fixed start. */
static void
make_proof(
    struct proof *proof, uint64_t size, uint64_t least, unsigned int one_of)
{
	static uint32_t x = 1;
	struct merkle before = { 0 };
	struct merkle_proof made;
	uint64_t i;

	memset(proof, 0, sizeof(*proof));
	for (i = 0; i < least; i++)
		merkle_add(&before, &leaves[i]);
	merkle_proof_begin(&made, &before);
	for (i = least; i < size; i++) {
		x = x * 1103515245u + 12345u;
		if (i + 1 < size && (x >> 16) % one_of != 0) {
			merkle_proof_pass(&made, &leaves[i]);
			continue;
		}
		assert_int_equal(
		    merkle_proof_take(&made, take_subtree, proof), 0);
		proof->parts[proof->count++] =
		    (struct merkle_subtree){ i, 1, leaves[i] };
	}
}

static bool
proves(const struct proof *proof, uint64_t size)
{
	struct merkle_hash root, expected;
	struct merkle tree = { 0 };
	size_t i;

	defined(leaves, size, &expected);
	for (i = 0; i < proof->count; i++)
		if (proof->parts[i].first != tree.size ||
		    merkle_add_tree(&tree, &proof->parts[i].hash,
			proof->parts[i].count) == -1)
			return false;
	merkle_root(&tree, &root);
	return tree.size == size && memcmp(&root, &expected, sizeof(root)) == 0;
}

static void
test_proofs(void **state)
{
	struct proof proof;
	uint64_t size, least;
	unsigned int one_of;

	(void)state;
	for (size = 1; size <= LEAVES; size++)
		for (least = 0; least < size; least += 3)
			for (one_of = 1; one_of < 9; one_of += 3) {
				make_proof(&proof, size, least, one_of);
				assert_true(proves(&proof, size));
				assert_true(
				    one_of > 1 || least > 0 || proof.put == 0);
			}
	make_proof(&proof, 70, 0, 1000000);
	assert_int_equal(proof.put, 3); /* 64, 4 and 1 of 69 */
}

/* Any bit of any part changed, anything left out, added or moved is found. */
static void
test_tampered(void **state)
{
	struct proof proof, wrong;
	size_t i;

	(void)state;
	make_proof(&proof, 53, 7, 4);
	assert_true(proof.count > 6 && proof.put > 3);
	assert_true(proves(&proof, 53));
	assert_false(proves(&proof, 54));
	for (i = 0; i < proof.count * MERKLE_HASH * 8; i++) {
		wrong = proof;
		wrong.parts[i / 256].hash.bytes[i / 8 % 32] ^=
		    (unsigned char)(1 << i % 8);
		assert_false(proves(&wrong, 53));
	}
	for (i = 0; i < proof.count; i++) {
		wrong = proof;
		wrong.parts[i].first++;
		assert_false(proves(&wrong, 53));
		wrong = proof;
		wrong.parts[i].count *= 2;
		assert_false(proves(&wrong, 53));
		wrong = proof;
		memmove(&wrong.parts[i], &wrong.parts[i + 1],
		    (--wrong.count - i) * sizeof(wrong.parts[0]));
		assert_false(proves(&wrong, 53));
	}
	wrong = proof;
	wrong.parts[wrong.count++] =
	    (struct merkle_subtree){ 53, 1, leaves[0] };
	assert_false(proves(&wrong, 53));
}

static void
test_where_no_subtree_stands(void **state)
{
	struct merkle tree = { 0 };

	(void)state;
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], 0), -1);
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], 3), -1);
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], 2), 0);
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], 4), -1);
	assert_int_equal(tree.size, 2);
	tree.size = UINT64_C(1) << 63;
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], tree.size), -1);
	tree.size = UINT64_MAX;
	assert_int_equal(merkle_add_tree(&tree, &leaves[0], 1), -1);
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
		cmocka_unit_test(test_where_no_subtree_stands),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, make_leaves, NULL);
}
