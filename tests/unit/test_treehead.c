/*
 * Signed tree heads: written and read again, every bit of them changed, and
 * which one may follow which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/treehead.h"

static EVP_PKEY *key, *next_key;

static EVP_PKEY *
new_key(unsigned char public[static TREE_HEAD_KEY])
{
	EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t len = TREE_HEAD_KEY;

	assert_non_null(made);
	assert_int_equal(EVP_PKEY_get_raw_public_key(made, public, &len), 1);
	return made;
}

static struct tree_head first = {
	.log = "2b6c1f0e-7d43-4c55-9f0a-0d1b2c3d4e5f",
	.epoch = 1,
	.size = 1000,
	.time_us = 1795248223000001,
};
static unsigned char next_public[TREE_HEAD_KEY];

static int
setup(void **state)
{
	(void)state;
	key = new_key(first.key);
	next_key = new_key(next_public);
	merkle_leaf("a", 1, &first.root);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(next_key);
	return 0;
}

static void
assert_reads_back(const struct tree_head *head)
{
	char *line = tree_head_sign(head, key);
	struct tree_head again;
	const char *why;

	assert_non_null(line);
	assert_true(strlen(line) <= TREE_HEAD_MAX);
	assert_int_equal(tree_head_read(line, strlen(line), &again, &why), 0);
	assert_memory_equal(&again, head, sizeof(again));
	free(line);
}

static void
test_round_trip(void **state)
{
	struct tree_head head = first;

	(void)state;
	assert_reads_back(&head);
	head.seals = true;
	memcpy(head.next, next_public, sizeof(head.next));
	assert_reads_back(&head);
	memcpy(head.parent.log, first.log, sizeof(first.log));
	head.parent.log[0] = 'a';
	head.parent.number = 7;
	head.parent.head = first.root;
	assert_reads_back(&head);
}

static void
test_any_bit(void **state)
{
	char *line = tree_head_sign(&first, key);
	size_t len = strlen(line), i;
	struct tree_head head;
	const char *why;

	(void)state;
	for (i = 0; i < 8 * len; i++) {
		line[i / 8] = (char)(line[i / 8] ^ 1 << i % 8);
		assert_int_equal(tree_head_read(line, len, &head, &why), -1);
		assert_non_null(why);
		line[i / 8] = (char)(line[i / 8] ^ 1 << i % 8);
	}
	for (i = 0; i < len; i++)
		assert_int_equal(tree_head_read(line, i, &head, &why), -1);
	assert_int_equal(tree_head_read(line, len, &head, &why), 0);
	free(line);
}

/* Signed, but by a key that is not the one it names. */
static void
test_other_key(void **state)
{
	char *line = tree_head_sign(&first, next_key);
	struct tree_head head;
	const char *why;

	(void)state;
	assert_int_equal(tree_head_read(line, strlen(line), &head, &why), -1);
	assert_string_equal(why, "its signature is not that of its key");
	free(line);
}

static void
test_other_text(void **state)
{
	static const char *const texts[] = { "", "{}", "[]", "null",
		"{\"log\":1}", "{\"signature\":\"\"}", "{\"log\":\"\"" };
	struct tree_head head;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
		    tree_head_read(texts[i], strlen(texts[i]), &head, &why),
		    -1);
}

/* The line of a head, and the one after it in the same epoch. */
static char *
follow(const struct tree_head *a, struct tree_head *b)
{
	char *line = tree_head_sign(a, key);

	*b = *a;
	b->number = a->number + 1;
	b->size = a->size + 5;
	tree_head_hash(line, strlen(line), &b->previous);
	return line;
}

static void
assert_follows(const struct tree_head *a, const char *line,
    const struct tree_head *b, const char *why)
{
	const char *found = tree_head_follows(a, line, strlen(line), b);

	if (why == NULL)
		assert_null(found);
	else
		assert_string_equal(found, why);
}

static void
test_follows(void **state)
{
	struct tree_head b, wrong;
	char *line = follow(&first, &b);

	(void)state;
	assert_follows(&first, line, &b, NULL);
	wrong = b;
	wrong.log[0] = 'a';
	assert_follows(&first, line, &wrong, "it is of another log");
	wrong = b;
	wrong.number = first.number;
	assert_follows(
	    &first, line, &wrong, "its number is not above the one before");
	wrong = b;
	wrong.size = first.size - 1;
	assert_follows(
	    &first, line, &wrong, "it has fewer records than the one before");
	wrong = b;
	wrong.key[0] ^= 1;
	assert_follows(&first, line, &wrong,
	    "it is signed by another key than its epoch's");
	wrong = b;
	wrong.previous.bytes[31] ^= 1;
	assert_follows(&first, line, &wrong, "it names another head before it");
	wrong = b;
	wrong.sealed.bytes[31] ^= 1;
	assert_follows(
	    &first, line, &wrong, "it names another end of the epoch before");
	wrong = b;
	wrong.number++;
	assert_follows(&first, line, &wrong, "a head is missing before it");
	wrong = b;
	wrong.epoch++;
	assert_follows(&first, line, &wrong, "an epoch is missing before it");
	free(line);
}

static void
test_next_epoch(void **state)
{
	struct tree_head a = first, b, wrong;
	char *line;

	(void)state;
	a.seals = true;
	memcpy(a.next, next_public, sizeof(a.next));
	line = follow(&a, &b);
	assert_follows(&a, line, &b, "its epoch had ended before");
	b.epoch = a.epoch + 1;
	b.seals = false;
	memset(b.next, 0, sizeof(b.next));
	memcpy(b.key, next_public, sizeof(b.key));
	b.sealed = b.previous;
	assert_follows(&a, line, &b, NULL);
	/* Heads between the ends of epochs need not be there. */
	b.number += 10;
	assert_follows(&a, line, &b, NULL);
	wrong = b;
	wrong.key[0] ^= 1;
	assert_follows(&a, line, &wrong,
	    "its key is not the one that the epoch before named");
	wrong = b;
	wrong.sealed.bytes[0] ^= 1;
	assert_follows(
	    &a, line, &wrong, "it names another end of the epoch before");
	wrong = b;
	wrong.epoch++;
	assert_follows(&a, line, &wrong, "an epoch is missing before it");
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_any_bit),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_other_text),
		cmocka_unit_test(test_follows),
		cmocka_unit_test(test_next_epoch),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
