/*
 * Sort keys of values: a byte for the kind, then what orders values of that
 * kind.  No key is the beginning of another one that continues with 0, so
 * that the keys of an array's elements, ended by 0, sort as the array does.
 */
#include <stdint.h>
#include <string.h>

#include "lib/filter_value.h"
#include "lib/value_key.h"

static void
put_big_endian(struct wire_out *out, uint64_t value, int bytes)
{
	while (bytes-- > 0)
		wire_put_u8(out, (uint8_t)(value >> (8 * bytes)));
}

/* The bits of a double sort as unsigned once those below 0 are turned over. */
static void
put_double(struct wire_out *out, double d)
{
	uint64_t bits;

	d += 0.0; /* -0.0 equals 0.0 */
	memcpy(&bits, &d, sizeof bits);
	bits ^= (bits >> 63) != 0 ? UINT64_MAX : UINT64_C(1) << 63;
	put_big_endian(out, bits, 8);
}

/*
 * The nearest double, then what an integer is above or below it (at most 512
 * in 64 bits): rounding keeps the order, and the rest decides among equals.
 */
static void
put_integer(struct wire_out *out, json_int_t i)
{
	double d = (double)i;
	int64_t rest;

	rest = d >= 0x1p63 ? i - INT64_MAX - 1 : i - (int64_t)d;
	put_double(out, d);
	put_big_endian(out, (uint64_t)(rest + 0x8000), 2);
}

static void
put_number(struct wire_out *out, const json_t *value)
{
	if (!json_is_real(value)) {
		put_integer(out,
		    json_is_integer(value) ? json_integer_value(value) :
					     json_is_true(value));
		return;
	}
	put_double(out, json_real_value(value));
	put_big_endian(out, 0x8000, 2);
}

void
value_key(const json_t *value, struct wire_out *out)
{
	enum value_kind kind = value_kind(value);
	const json_t *element;
	size_t i;

	/* 0 is the end of an array. */
	wire_put_u8(out, (uint8_t)(kind + 1));
	switch (kind) {
	case KIND_NUMBER:
		put_number(out, value);
		break;
	case KIND_TEXT:
		/* No string has a NUL inside. */
		wire_put_raw(out, json_string_value(value),
		    json_string_length(value) + 1);
		break;
	case KIND_DATE:
		put_number(out, date_value(value));
		break;
	case KIND_ARRAY:
		json_array_foreach(value, i, element)
			value_key(element, out);
		wire_put_u8(out, 0);
		break;
	case KIND_NULL:
	case KIND_OBJECT:
		break;
	}
}
