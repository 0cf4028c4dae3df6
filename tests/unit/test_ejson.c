/*
 * Extended JSON: what is told apart, what is refused, and that a value comes
 * out of a round as it went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ejson.h"
#include "lib/json.h"
#include "lib/xalloc.h"

static json_t *
parsed(const char *text)
{
	json_t *value = json_parse(text, strlen(text), NULL);

	assert_non_null(value);
	return value;
}

static void
expect(const char *text, enum ejson_kind kind, const char *after)
{
	const char *why = NULL;
	json_t *value = parsed(text);
	char *out;

	assert_int_equal(ejson_kind(value), kind);
	if (ejson_check(value, &why) == -1)
		fail_msg("%s: %s", text, why);
	out = json_text(value);
	assert_string_equal(out, after == NULL ? text : after);
	freezero_str(out);
	json_decref(value);
}

static void
refuse(const char *text)
{
	const char *why = NULL;
	json_t *value = parsed(text);

	if (ejson_check(value, &why) != -1)
		fail_msg("%s was taken", text);
	assert_non_null(why);
	json_decref(value);
}

static void
test_round_trip(void **state)
{
	(void)state;
	expect("{\"$date\":0}", EJSON_DATETIME, NULL);
	expect("{\"$date\":-1}", EJSON_DATETIME, NULL);
	expect("{\"$date\":1735689600123}", EJSON_DATETIME, NULL);
	expect("{\"$date\":253402300799999}", EJSON_DATETIME, NULL);
	expect(
	    "{\"$type\":\"date\",\"$value\":\"2026-01-31\"}", EJSON_DATE, NULL);
	expect(
	    "{\"$value\":\"2024-02-29\",\"$type\":\"date\"}", EJSON_DATE, NULL);
	expect("{\"$time\":\"00:00:00\"}", EJSON_TIME, NULL);
	expect("{\"$time\":\"23:59:59.999999\"}", EJSON_TIME, NULL);
	expect("{\"$time\":\"01:02:03.5\"}", EJSON_TIME, NULL);
	expect("{\"$set\":[]}", EJSON_SET, NULL);
	expect("{\"$set\":[1,\"a\",null,true,2.5,{\"$date\":0}]}", EJSON_SET,
	    NULL);
	expect("{\"$ipv4_interface\":\"192.0.2.1/24\"}", EJSON_IPV4_INTERFACE,
	    NULL);
	expect("{\"$ipv6_interface\":\"2001:db8::1/64\"}", EJSON_IPV6_INTERFACE,
	    NULL);
}

static void
test_one_form(void **state)
{
	(void)state;
	expect("{\"$ipv4_interface\":\"192.0.2.1\"}", EJSON_IPV4_INTERFACE,
	    "{\"$ipv4_interface\":\"192.0.2.1/32\"}");
	expect("{\"$ipv6_interface\":\"2001:DB8:0:0::1\"}",
	    EJSON_IPV6_INTERFACE, "{\"$ipv6_interface\":\"2001:db8::1/128\"}");
	expect("{\"$ipv6_interface\":\"::/0\"}", EJSON_IPV6_INTERFACE, NULL);
}

/* Our own writers make what the reader takes. */
static void
test_own_writers(void **state)
{
	const char *why;
	json_t *date = json_date(1700000000), *set = json_set(json_array());

	(void)state;
	assert_int_equal(ejson_kind(date), EJSON_DATETIME);
	assert_int_equal(ejson_check(date, &why), 0);
	assert_int_equal(ejson_kind(set), EJSON_SET);
	assert_int_equal(ejson_check(set, &why), 0);
	json_decref(date);
	json_decref(set);
}

/* Other objects are left alone, whatever their members' names. */
static void
test_plain(void **state)
{
	(void)state;
	expect("{}", EJSON_PLAIN, NULL);
	expect("5", EJSON_PLAIN, NULL);
	expect("[]", EJSON_PLAIN, NULL);
	expect("{\"$foo\":1}", EJSON_PLAIN, NULL);
	expect("{\"$value\":\"x\"}", EJSON_PLAIN, NULL);
	expect("{\"$type\":\"date\"}", EJSON_PLAIN, NULL);
	expect("{\"$date\":\"x\",\"other\":1}", EJSON_PLAIN, NULL);
	expect("{\"$date\":\"x\",\"$time\":1}", EJSON_PLAIN, NULL);
	expect("{\"$type\":\"time\",\"$value\":\"x\"}", EJSON_PLAIN, NULL);
	expect(
	    "{\"$type\":\"date\",\"$value\":\"x\",\"a\":1}", EJSON_PLAIN, NULL);
	expect("{\"$type\":\"date\",\"$date\":\"x\"}", EJSON_PLAIN, NULL);
	expect("{\"date\":1}", EJSON_PLAIN, NULL);
}

static void
test_refused(void **state)
{
	(void)state;
	refuse("{\"$date\":\"x\"}");
	refuse("{\"$date\":1.5}");
	refuse("{\"$date\":true}");
	refuse("{\"$date\":null}");
	refuse("{\"$date\":253402300800000}");
	refuse("{\"$date\":-62135596800001}");
	refuse("{\"$date\":{\"$date\":1}}");
	refuse("{\"$type\":\"date\",\"$value\":1}");
	refuse("{\"$type\":\"date\",\"$value\":\"2026-1-31\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"2025-02-29\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"1900-02-29\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"2026-13-01\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"2026-00-01\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"2026-01-00\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"0000-01-01\"}");
	refuse("{\"$type\":\"date\",\"$value\":\"2026-01-01 \"}");
	refuse("{\"$time\":12}");
	refuse("{\"$time\":\"24:00:00\"}");
	refuse("{\"$time\":\"12:60:00\"}");
	refuse("{\"$time\":\"12:00\"}");
	refuse("{\"$time\":\"12:00:60\"}");
	refuse("{\"$time\":\"12:00:00.\"}");
	refuse("{\"$time\":\"12:00:00.1234567\"}");
	refuse("{\"$time\":\"12:00:00.-1\"}");
	refuse("{\"$time\":\"-1:00:00\"}");
	refuse("{\"$set\":{}}");
	refuse("{\"$set\":[[]]}");
	refuse("{\"$set\":[{}]}");
	refuse("{\"$set\":[{\"$set\":[]}]}");
	refuse("{\"$set\":[{\"$date\":\"x\"}]}");
	refuse("{\"$ipv4_interface\":\"192.0.2.1/33\"}");
	refuse("{\"$ipv4_interface\":\"192.0.2.1/\"}");
	refuse("{\"$ipv4_interface\":\"192.0.2.1/-1\"}");
	refuse("{\"$ipv4_interface\":\"192.0.2.1/24/1\"}");
	refuse("{\"$ipv4_interface\":\"192.0.2/24\"}");
	refuse("{\"$ipv4_interface\":\"2001:db8::1/64\"}");
	refuse("{\"$ipv4_interface\":5}");
	refuse("{\"$ipv6_interface\":\"2001:db8::1/129\"}");
	refuse("{\"$ipv6_interface\":\"192.0.2.1/24\"}");
	refuse("{\"$ipv6_interface\":"
	       "\"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:1/64\"}");
}

static void
test_inside(void **state)
{
	(void)state;
	refuse("[1,{\"a\":[{\"b\":{\"$date\":\"x\"}}]}]");
	refuse("{\"$foo\":{\"$time\":1}}");
	expect("[{\"a\":{\"$ipv4_interface\":\"192.0.2.1\"}}]", EJSON_PLAIN,
	    "[{\"a\":{\"$ipv4_interface\":\"192.0.2.1/32\"}}]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_one_form),
		cmocka_unit_test(test_own_writers),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_inside),
	};

	json_secure();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
