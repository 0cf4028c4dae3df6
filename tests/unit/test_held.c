/*
 * The file of a change that waits for its confirmation: read as it was
 * written, and anything else is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "monitor/held_file.h"

#define FORM 2
#define ID "01234567-89ab-cdef-0123-456789abcdef"

/* A change of every output, and of every daemon. */
static void
fill(struct held *held)
{
	int i;

	memset(held, 0, sizeof(*held));
	held->state = HELD_WAITING;
	memcpy(held->id, ID, UUID_LEN);
	held->seconds = 60;
	held->since = 5000;
	held->deadline = 65000;
	held->boot = xstrdup("boot");
	held->what = xstrdup("{}");
	held->what_len = 2;
	for (i = 0; i < output_count; i++) {
		held->outputs[i].output = i;
		held->outputs[i].content = xmemdup("a\0b", 3);
		held->outputs[i].len = 3;
		held->outputs[i].edited = true;
		output_ours_add(&held->outputs[i].ours, "first");
		output_ours_add(&held->outputs[i].ours, "second");
	}
	held->noutputs = output_count;
	for (i = 0; i < daemon_count; i++)
		held->daemons[i] =
		    (struct held_daemon){ .daemon = i, .verb = VERB_RELOAD };
	held->ndaemons = daemon_count;
}

static int
get(const void *data, size_t len, struct held *held)
{
	struct wire_in in;

	wire_in_init(&in, data, len);
	return held_get(&in, held);
}

/* Of the very size, so that a byte too far is noticed. */
static void
expect_none(const void *data, size_t len)
{
	uint8_t *copy = xmemdup(data, len);
	struct held held;

	assert_int_equal(get(copy, len, &held), -1);
	held_free(&held);
	free(copy);
}

static void
test_as_written(void **state)
{
	struct wire_out out = { 0 };
	struct held held, again;

	(void)state;
	fill(&held);
	held_put(&out, &held);
	assert_int_equal(get(out.data, out.len, &again), 0);
	assert_int_equal(again.state, HELD_WAITING);
	assert_string_equal(again.id, ID);
	assert_int_equal(again.seconds, 60);
	assert_int_equal(again.since, 5000);
	assert_int_equal(again.deadline, 65000);
	assert_string_equal(again.boot, "boot");
	assert_int_equal(again.what_len, 2);
	assert_memory_equal(again.what, "{}", 2);
	assert_int_equal(again.noutputs, output_count);
	assert_int_equal(again.outputs[1].output, 1);
	assert_int_equal(again.outputs[1].len, 3);
	assert_memory_equal(again.outputs[1].content, "a\0b", 3);
	assert_true(again.outputs[1].edited);
	assert_int_equal(again.outputs[1].ours.count, 2);
	assert_string_equal(again.outputs[1].ours.digests[0], "second");
	assert_string_equal(again.outputs[1].ours.digests[1], "first");
	assert_int_equal(again.ndaemons, daemon_count);
	assert_int_equal(again.daemons[0].daemon, 0);
	assert_int_equal(again.daemons[0].verb, VERB_RELOAD);
	held_free(&again);
	held_free(&held);
	wire_free(&out);
}

static void
test_cut_short_or_longer(void **state)
{
	struct wire_out out = { 0 };
	struct held held;
	size_t len;

	(void)state;
	fill(&held);
	held_put(&out, &held);
	for (len = 0; len < out.len; len++)
		expect_none(out.data, len);
	wire_put_u8(&out, 0);
	expect_none(out.data, out.len);
	held_free(&held);
	wire_free(&out);
}

/* What stands after a whole head: outputs, daemons. */
static void
expect_no_rest(const struct wire_out *rest)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, FORM);
	wire_put_u8(&out, HELD_WAITING);
	wire_put_str(&out, ID);
	wire_put_u32(&out, 60);
	wire_put_u64(&out, 5000);
	wire_put_u64(&out, 65000);
	wire_put_str(&out, "boot");
	wire_put_bytes(&out, "{}", 2);
	wire_put_raw(&out, rest->data, rest->len);
	expect_none(out.data, out.len);
	wire_free(&out);
}

static void
expect_no_entry(uint32_t count, const char *output, uint32_t daemons_count,
    const char *daemon, uint8_t verb)
{
	struct wire_out rest = { 0 };
	uint32_t i;

	wire_put_u32(&rest, count);
	for (i = 0; i < count; i++) {
		wire_put_str(&rest, output);
		wire_put_bytes(&rest, "x", 1);
		wire_put_u8(&rest, 0);
		wire_put_u32(&rest, 0);
	}
	wire_put_u32(&rest, daemons_count);
	for (i = 0; i < daemons_count; i++) {
		wire_put_str(&rest, daemon);
		wire_put_u8(&rest, verb);
	}
	expect_no_rest(&rest);
	wire_free(&rest);
}

static void
test_names_and_numbers(void **state)
{
	const char *output = outputs[0].name, *daemon = daemons[0].name;

	(void)state;
	expect_no_entry(1, "/etc/shadow", 0, daemon, 0);
	expect_no_entry(1, "", 0, daemon, 0);
	expect_no_entry(0, output, 1, "nosuch", 0);
	expect_no_entry(0, output, 1, daemon, VERB_COUNT);
	expect_no_entry(OUTPUTS_MAX + 1, output, 0, daemon, 0);
	expect_no_entry(0, output, DAEMONS_MAX + 1, daemon, VERB_START);
}

static void
test_form_and_state(void **state)
{
	struct wire_out out = { 0 };
	struct held held;
	uint8_t byte;

	(void)state;
	fill(&held);
	held_put(&out, &held);
	out.data[0] = FORM - 1; /* a form that is not ours */
	expect_none(out.data, out.len);
	out.data[0] = FORM;
	for (byte = HELD_STATE_COUNT; byte != HELD_APPLYING; byte++) {
		out.data[4] = byte;
		expect_none(out.data, out.len);
	}
	held_free(&held);
	wire_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_written),
		cmocka_unit_test(test_cut_short_or_longer),
		cmocka_unit_test(test_names_and_numbers),
		cmocka_unit_test(test_form_and_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
