/*
 * Encoding of message bodies: what is put comes out, and no cut or wrong byte
 * is ever read past or believed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/wire.h"

static void
fill(struct wire_out *out)
{
	memset(out, 0, sizeof(*out));
	wire_put_u8(out, 0xfe);
	wire_put_u16(out, 0xfedc);
	wire_put_u32(out, 0xfedcba98);
	wire_put_u64(out, 0xfedcba9876543210);
	wire_put_str(out, "text");
	wire_put_str(out, NULL);
	wire_put_bytes(out, "\0\1", 2);
	wire_put_raw(out, "\7", 1);
}

static void
test_round_trip(void **state)
{
	struct wire_out out;
	struct wire_in in;
	const char *data;
	char *text, *empty;
	size_t len;

	(void)state;
	fill(&out);
	wire_in_init(&in, out.data, out.len);
	assert_int_equal(wire_get_u8(&in), 0xfe);
	assert_int_equal(wire_get_u16(&in), 0xfedc);
	assert_int_equal(wire_get_u32(&in), 0xfedcba98);
	assert_true(wire_get_u64(&in) == 0xfedcba9876543210);
	assert_string_equal(text = wire_get_str(&in, 4), "text");
	assert_string_equal(empty = wire_get_str(&in, 0), "");
	data = wire_get_bytes(&in, &len);
	assert_int_equal(len, 2);
	assert_memory_equal(data, "\0\1", 2);
	assert_int_equal(wire_end(&in), -1);
	assert_int_equal(wire_get_u8(&in), 7);
	assert_int_equal(wire_end(&in), 0);
	free(text);
	free(empty);
	wire_free(&out);
	assert_null(out.data);
}

static void
test_little_endian(void **state)
{
	struct wire_out out = { 0 };

	(void)state;
	wire_put_u32(&out, 0x01020304);
	wire_put_str(&out, "x");
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.data, "\4\3\2\1\1\0\0\0x", 9);
	wire_free(&out);
}

/* Every shorter version of a message is bad, however it is read. */
static void
test_cut(void **state)
{
	struct wire_out out;
	struct wire_in in;
	size_t cut, len;
	uint8_t *copy;

	(void)state;
	fill(&out);
	for (cut = 0; cut < out.len; cut++) {
		/* Of exactly that size, so that a sanitizer sees the rest. */
		copy = malloc(cut > 0 ? cut : 1);
		memcpy(copy, out.data, cut);
		wire_in_init(&in, copy, cut);
		wire_get_u8(&in);
		wire_get_u16(&in);
		wire_get_u32(&in);
		wire_get_u64(&in);
		free(wire_get_str(&in, 100));
		free(wire_get_str(&in, 100));
		wire_get_bytes(&in, &len);
		wire_get_u8(&in);
		assert_int_equal(wire_end(&in), -1);
		free(copy);
	}
	wire_free(&out);
}

/* After one failure nothing is read any more, even where it would fit. */
static void
test_bad_stays(void **state)
{
	struct wire_in in;
	size_t len = 99;

	(void)state;
	wire_in_init(&in, "\1\2", 2);
	assert_int_equal(wire_get_u32(&in), 0);
	assert_int_equal(wire_get_u8(&in), 0);
	assert_null(wire_get_bytes(&in, &len));
	assert_int_equal(len, 0);
	assert_null(wire_get_str(&in, 10));
	assert_int_equal(wire_end(&in), -1);
}

static void
test_strings(void **state)
{
	struct wire_out out = { 0 };
	struct wire_in in;

	(void)state;
	wire_put_bytes(&out, "a\0b", 3);
	wire_in_init(&in, out.data, out.len);
	assert_null(wire_get_str(&in, 10));
	assert_int_equal(wire_end(&in), -1);
	wire_free(&out);

	wire_put_str(&out, "12345");
	wire_in_init(&in, out.data, out.len);
	assert_null(wire_get_str(&in, 4));
	assert_int_equal(wire_end(&in), -1);
	wire_free(&out);

	/* A length near the end of the numbers. */
	wire_in_init(&in, "\377\377\377\377abc", 7);
	assert_null(wire_get_str(&in, SIZE_MAX));
	wire_in_init(&in, "\377\377\377\177abc", 7);
	assert_null(wire_get_str(&in, SIZE_MAX));
}

static void
test_empty(void **state)
{
	struct wire_in in;
	size_t len;

	(void)state;
	wire_in_init(&in, NULL, 0);
	assert_int_equal(wire_end(&in), 0);
	wire_in_init(&in, "\0\0\0\0", 4);
	assert_non_null(wire_get_bytes(&in, &len));
	assert_int_equal(len, 0);
	assert_int_equal(wire_end(&in), 0);
}

static void
test_growth(void **state)
{
	struct wire_out out = { 0 };
	struct wire_in in;
	uint32_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		wire_put_u32(&out, i);
	wire_in_init(&in, out.data, out.len);
	for (i = 0; i < 100000; i++)
		assert_int_equal(wire_get_u32(&in), i);
	assert_int_equal(wire_end(&in), 0);
	wire_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_little_endian),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bad_stays),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
