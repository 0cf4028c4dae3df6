/*
 * The JSON-RPC envelope, case by case as the real server answered (the
 * recorded exchanges), and the bounds of a message while it is assembled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/assembly.h"
#include "web/envelope.h"

#define CALL_JSONRPC                                                           \
	"'jsonrpc' member must be of type string and must be exactly '2.0'"
#define CALL_ID "'id' member must be of type null, string or number"
#define CALL_METHOD "'method' member must be of type string"
#define CALL_PARAMS "'params' member must be of type array"
#define BATCH "Batch messages are not supported at this time"

struct envelope_case {
	const char *text;
	enum envelope_verdict verdict;
	const char *id;
	const char *method;
	const char *params;
	int code;
	const char *message; /* NULL: any */
};

#define RPC "{\"jsonrpc\":\"2.0\","
#define IS_CALL(i, p)                                                          \
	.verdict = ENVELOPE_CALL, .id = i, .method = "core.ping", .params = p
#define IS_ERROR(c, i, m)                                                      \
	.verdict = ENVELOPE_ERROR, .code = c, .id = i, .message = m

static const struct envelope_case cases[] = {
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[]}",
	    IS_CALL("1", "[]") },
	{ RPC "\"id\":1,\"method\":\"core.ping\"}", IS_CALL("1", "[]") },
	{ RPC "\"id\":\"a-b\",\"method\":\"core.ping\",\"params\":[]}",
	    IS_CALL("\"a-b\"", "[]") },
	{ RPC "\"id\":null,\"method\":\"core.ping\",\"params\":[]}",
	    IS_CALL("null", "[]") },
	{ RPC "\"id\":true,\"method\":\"core.ping\",\"params\":[]}",
	    IS_CALL("true", "[]") },
	{ RPC "\"id\":\"\\\"\\u00e9\\n\",\"method\":\"core.ping\"}",
	    IS_CALL("\"\\\"\xc3\xa9\\n\"", "[]") },
	{ RPC "\"id\":-9223372036854775808,\"method\":\"core.ping\"}",
	    IS_CALL("-9223372036854775808", "[]") },
	{ RPC "\"method\":\"core.ping\",\"params\":[]}", IS_CALL("", "[]") },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[],\"extra\":1}",
	    IS_CALL("1", "[]") },
	{ RPC "\"id\":1,\"id\":2,\"method\":\"core.ping\",\"params\":[]}",
	    IS_CALL("2", "[]") },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[ 1, {\"a\": [2.5]"
	      ", \"b\":null }, \"\xc3\xa9\" ]}",
	    IS_CALL("1", "[1,{\"a\":[2.5],\"b\":null},\"\xc3\xa9\"]") },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[{\"$date\":1}]}",
	    IS_CALL("1", "[{\"$date\":1}]") },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[{\"$date\":[]}]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"\"}", .verdict = ENVELOPE_CALL, .id = "1",
	    .method = "", .params = "[]" },

	{ RPC "\"id\":1.5,\"method\":\"core.ping\",\"params\":[]}",
	    IS_ERROR(-32600, "1.5", CALL_ID) },
	{ RPC "\"id\":{\"a\":1},\"method\":\"core.ping\",\"params\":[]}",
	    IS_ERROR(-32600, "{\"a\":1}", CALL_ID) },
	{ RPC "\"id\":[],\"method\":\"core.ping\",\"params\":[]}",
	    IS_ERROR(-32600, "[]", CALL_ID) },
	{ "{\"id\":1,\"method\":\"core.ping\",\"params\":[]}",
	    IS_ERROR(-32600, "1", "Missing 'jsonrpc' member") },
	{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"core.ping\"}",
	    IS_ERROR(-32600, "1", CALL_JSONRPC) },
	{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"core.ping\"}",
	    IS_ERROR(-32600, "1", CALL_JSONRPC) },
	{ "{\"jsonrpc\":null,\"id\":1,\"method\":\"core.ping\"}",
	    IS_ERROR(-32600, "1", CALL_JSONRPC) },
	{ RPC "\"id\":1,\"params\":[]}",
	    IS_ERROR(-32600, "1", "Missing 'method' member") },
	{ RPC "\"id\":1,\"method\":5,\"params\":[]}",
	    IS_ERROR(-32600, "1", CALL_METHOD) },
	{ RPC "\"id\":1,\"method\":null,\"params\":[]}",
	    IS_ERROR(-32600, "1", CALL_METHOD) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":{}}",
	    IS_ERROR(-32600, "1", CALL_PARAMS) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":\"x\"}",
	    IS_ERROR(-32600, "1", CALL_PARAMS) },
	{ RPC "\"id\":null,\"method\":\"core.ping\",\"params\":null}",
	    IS_ERROR(-32600, "null", CALL_PARAMS) },

	/* The first fault counts: jsonrpc, id, method, params. */
	{ "{\"jsonrpc\":1,\"id\":1.5,\"method\":1,\"params\":1}",
	    IS_ERROR(-32600, "1.5", CALL_JSONRPC) },
	{ RPC "\"id\":1.5,\"method\":1,\"params\":1}",
	    IS_ERROR(-32600, "1.5", CALL_ID) },
	{ RPC "\"id\":1,\"method\":1,\"params\":1}",
	    IS_ERROR(-32600, "1", CALL_METHOD) },
	{ "{\"id\":1}", IS_ERROR(-32600, "1", "Missing 'jsonrpc' member") },

	/* Wrong, and nobody waits for an answer. */
	{ "{}", .verdict = ENVELOPE_SILENT },
	{ "{\"method\":\"core.ping\"}", .verdict = ENVELOPE_SILENT },
	{ RPC "\"method\":5}", .verdict = ENVELOPE_SILENT },
	{ RPC "\"method\":\"core.ping\",\"params\":{}}",
	    .verdict = ENVELOPE_SILENT },

	{ "5", IS_ERROR(-32700, "null", "Invalid Message Format") },
	{ "\"x\"", IS_ERROR(-32700, "null", "Invalid Message Format") },
	{ "null", IS_ERROR(-32700, "null", "Invalid Message Format") },
	{ "true", IS_ERROR(-32700, "null", "Invalid Message Format") },
	{ "[]", IS_ERROR(-32700, "null", BATCH) },
	{ "[" RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[]}]",
	    IS_ERROR(-32700, "null", BATCH) },

	{ "", IS_ERROR(-32700, "null", NULL) },
	{ " ", IS_ERROR(-32700, "null", NULL) },
	{ "{\"jsonrpc\":", IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\"} x",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[NaN]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[Infinity]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[1e999]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[\"\\u0000\"]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core.ping\",\"params\":[\"\xff\"]}",
	    IS_ERROR(-32700, "null", NULL) },
	{ RPC "\"id\":1,\"method\":\"core\nping\"}",
	    IS_ERROR(-32700, "null", NULL) },
};

static void
assert_text(const char *expected, const char *got)
{
	if (expected == NULL)
		assert_null(got);
	else {
		assert_non_null(got);
		assert_string_equal(expected, got);
	}
}

/* An answer has to be JSON itself, and to say what the verdict says. */
static void
check_answer(const struct envelope *e)
{
	const char *error;
	json_t *answer, *id;
	char *text;

	text = envelope_answer(e);
	answer = json_parse(text, strlen(text), &error);
	assert_non_null(answer);
	assert_int_equal(json_object_size(answer), 3);
	assert_string_equal(json_str(answer, "jsonrpc", ""), "2.0");
	assert_int_equal(
	    json_int(json_object_get(answer, "error"), "code", 0), e->code);
	assert_string_equal(
	    json_str(json_object_get(answer, "error"), "message", ""),
	    e->message);
	id = json_object_get(answer, "id");
	assert_non_null(id);
	json_decref(answer);
	freezero_str(text);
}

static void
test_cases(void **state)
{
	const struct envelope_case *c;
	struct envelope e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = &cases[i];
		envelope_check(c->text, strlen(c->text), &e);
		if (e.verdict != c->verdict)
			print_error("case %zu: %s\n", i, c->text);
		assert_int_equal(e.verdict, c->verdict);
		assert_text(c->id, e.id);
		assert_text(c->method, e.method);
		assert_text(c->params, e.params);
		if (c->verdict == ENVELOPE_ERROR) {
			assert_int_equal(e.code, c->code);
			if (c->message != NULL)
				assert_string_equal(e.message, c->message);
			assert_true(strlen(e.message) > 0);
			check_answer(&e);
		}
		envelope_free(&e);
	}
}

static void
check_nested(size_t depth, enum envelope_verdict verdict)
{
	struct envelope e;
	char *text, *open, *close;

	open = xcalloc(1, depth + 1);
	close = xcalloc(1, depth + 1);
	memset(open, '[', depth);
	memset(close, ']', depth);
	text = xasprintf(RPC "\"id\":1,\"method\":\"core.ping\","
			     "\"params\":[%s%s]}",
	    open, close);
	envelope_check(text, strlen(text), &e);
	assert_int_equal(e.verdict, verdict);
	if (verdict == ENVELOPE_ERROR) {
		assert_int_equal(e.code, -32700);
		assert_string_equal(e.id, "null");
		check_answer(&e);
	}
	envelope_free(&e);
	free(text);
	free(open);
	free(close);
}

static void
test_depth(void **state)
{
	(void)state;
	check_nested(JSON_DEPTH_MAX - 2, ENVELOPE_CALL);
	check_nested(JSON_DEPTH_MAX - 1, ENVELOPE_ERROR);
	check_nested(2000, ENVELOPE_ERROR);
	check_nested(100000, ENVELOPE_ERROR);
}

static void
test_long_method(void **state)
{
	struct envelope e;
	char method[ENVELOPE_METHOD_MAX + 2], *text;

	(void)state;
	memset(method, 'm', sizeof(method));
	method[ENVELOPE_METHOD_MAX + 1] = '\0';
	text = xasprintf(RPC "\"id\":7,\"method\":\"%s\"}", method);
	envelope_check(text, strlen(text), &e);
	assert_int_equal(e.verdict, ENVELOPE_ERROR);
	assert_int_equal(e.code, -32601);
	assert_string_equal(e.message, "Method does not exist");
	assert_string_equal(e.id, "7");
	envelope_free(&e);
	free(text);

	text = xasprintf(RPC "\"id\":7,\"method\":\"%s\"}", method + 1);
	envelope_check(text, strlen(text), &e);
	assert_int_equal(e.verdict, ENVELOPE_CALL);
	assert_string_equal(e.method, method + 1);
	envelope_free(&e);
	free(text);

	text = xasprintf(RPC "\"method\":\"%s\"}", method);
	envelope_check(text, strlen(text), &e);
	assert_int_equal(e.verdict, ENVELOPE_SILENT);
	envelope_free(&e);
	free(text);
}

/* Bytes beyond len do not count, and none need follow them. */
static void
test_length(void **state)
{
	static const char text[] = RPC "\"id\":1,\"method\":\"core.ping\"}";
	struct envelope e;
	size_t len;
	char *copy;

	(void)state;
	for (len = 0; len < strlen(text); len++) {
		copy = xmemdup(text, len == 0 ? 1 : len);
		envelope_check(copy, len, &e);
		assert_int_equal(e.verdict, ENVELOPE_ERROR);
		assert_int_equal(e.code, -32700);
		envelope_free(&e);
		free(copy);
	}
}

/* Adds text in pieces of each size: the verdict must not depend on them. */
static void
check_assembly(
    const char *text, size_t len, size_t limit, enum assembly_result expected)
{
	enum assembly_result result;
	struct assembly a;
	size_t at, piece, n;

	for (piece = 1; piece <= len + 1; piece += piece < 20 ? 1 : 97) {
		assembly_init(&a, limit);
		result = ASSEMBLY_OK;
		for (at = 0; at < len && result == ASSEMBLY_OK; at += n) {
			n = len - at < piece ? len - at : piece;
			result = assembly_add(&a, text + at, n);
		}
		if (result == ASSEMBLY_OK)
			result = assembly_end(&a);
		assert_int_equal(result, expected);
		if (result == ASSEMBLY_OK) {
			assert_int_equal(a.len, len);
			if (len > 0)
				assert_memory_equal(a.data, text, len);
		}
		assembly_clear(&a);
		assert_null(a.data);
	}
}

static void
check_characters(const char *character, size_t limit)
{
	size_t one = strlen(character), i;
	char *text;

	text = xmalloc(one * (limit + 1));
	for (i = 0; i <= limit; i++)
		memcpy(text + i * one, character, one);
	check_assembly(text, one * limit, limit, ASSEMBLY_OK);
	check_assembly(text, one * (limit + 1), limit, ASSEMBLY_TOO_LONG);
	/* A character begun is one too many already, or a wrong end. */
	if (one > 1)
		check_assembly(text, one * limit - 1, limit, ASSEMBLY_NOT_UTF8);
	free(text);
}

static void
test_characters(void **state)
{
	(void)state;
	check_characters("x", 100);
	check_characters("\xc3\xa9", 100);
	check_characters("\xe2\x82\xac", 100);
	check_characters("\xf0\x9f\x98\x80", 100);
	check_characters("x", ASSEMBLY_ANONYMOUS);
	check_characters("\xf0\x9f\x98\x80", 1);
	check_assembly("", 0, 1, ASSEMBLY_OK);
}

static void
test_utf8(void **state)
{
	static const char *const good[] = { "\x7f", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
		"12345678\xc3\xa9_2345678" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80",
		"\xc1\xbf", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff", "\xfe", "\xe2\x82", "\xf0\x9f\x98",
		"\xe2\x82\x28", "\xc3\xc3\xa9", "12345678\xff_2345678" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_assembly(good[i], strlen(good[i]), 100, ASSEMBLY_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_assembly(bad[i], strlen(bad[i]), 100, ASSEMBLY_NOT_UTF8);
}

/* One message must leave nothing behind for the next, nor in memory. */
static void
test_reset(void **state)
{
	static const char secret[] = "a password";
	struct assembly a;
	size_t i;

	(void)state;
	assembly_init(&a, 100);
	for (i = 0; i < 5; i++) {
		assert_int_equal(
		    assembly_add(&a, secret, strlen(secret)), ASSEMBLY_OK);
		assert_int_equal(a.len, strlen(secret));
		assembly_reset(&a);
		assert_int_equal(a.len, 0);
		assert_int_equal(a.characters, 0);
		assert_int_equal(a.data[0], 0);
		assert_int_equal(a.data[strlen(secret) - 1], 0);
	}
	assembly_clear(&a);
	assert_int_equal(a.limit, 100);

	/* A limit that is lowered counts at once. */
	assert_int_equal(assembly_add(&a, secret, 8), ASSEMBLY_OK);
	a.limit = 4;
	assert_int_equal(assembly_add(&a, "x", 1), ASSEMBLY_TOO_LONG);
	assert_null(a.data);
	assembly_clear(&a);
}

static int
setup(void **state)
{
	(void)state;
	json_secure();
	return 0;
}

/*
 * The protocol before JSON-RPC.
 */
struct legacy_case {
	const char *text;
	enum envelope_verdict verdict;
	int verb; /* -1: none */
	const char *id, *method, *params, *message;
};

/* clang-format off */
static const struct legacy_case legacy_cases[] = {
	{ "{\"msg\":\"method\",\"id\":1,\"method\":\"core.ping\"}",
	  ENVELOPE_CALL, -1, "1", "core.ping", "[]", NULL },
	{ "{\"msg\":\"method\",\"id\":\"a\",\"method\":\"m\",\"params\":[1]}",
	  ENVELOPE_CALL, -1, "\"a\"", "m", "[1]", NULL },
	{ "{\"msg\":\"method\",\"method\":\"core.ping\"}",
	  ENVELOPE_SILENT, -1, NULL, NULL, NULL, NULL },
	{ "{\"msg\":\"method\",\"id\":1,\"method\":5}",
	  ENVELOPE_ERROR, -1, "1", NULL, NULL,
	  "'method' member must be the name of a method" },
	{ "{\"msg\":\"method\",\"id\":1,\"method\":\"m\",\"params\":{}}",
	  ENVELOPE_ERROR, -1, "1", NULL, NULL,
	  "'params' member must be of type array" },
	{ "{\"msg\":\"sub\",\"id\":\"s\",\"name\":\"a.query\"}",
	  ENVELOPE_LEGACY, LEGACY_SUBSCRIBE, "\"s\"", "a.query", NULL, NULL },
	{ "{\"msg\":\"sub\",\"id\":\"s\"}",
	  ENVELOPE_ERROR, -1, "\"s\"", NULL, NULL,
	  "'name' member must be the name of an event" },
	{ "{\"msg\":\"unsub\",\"id\":\"s\"}",
	  ENVELOPE_LEGACY, LEGACY_UNSUBSCRIBE, "\"s\"", "", NULL, NULL },
	{ "{\"msg\":\"connect\",\"version\":\"1\"}",
	  ENVELOPE_LEGACY, LEGACY_CONNECT, "", "", NULL, NULL },
	{ "{\"msg\":\"ping\",\"id\":\"x\"}",
	  ENVELOPE_SILENT, -1, NULL, NULL, NULL, NULL },
	{ "{\"msg\":5,\"id\":1}",
	  ENVELOPE_SILENT, -1, NULL, NULL, NULL, NULL },
	{ "{}", ENVELOPE_SILENT, -1, NULL, NULL, NULL, NULL },
	{ "[]", ENVELOPE_CLOSE, -1, NULL, NULL, NULL,
	  "Invalid Message Format" },
	{ "{\"msg\":", ENVELOPE_CLOSE, -1, NULL, NULL, NULL,
	  "Invalid Message Format" },
	{ "{\"msg\":\"method\",\"id\":1,\"method\":\"m\","
	  "\"params\":[{\"$date\":\"x\"}]}",
	  ENVELOPE_CLOSE, -1, NULL, NULL, NULL, "Invalid Message Format" },
};
/* clang-format on */

static void
same(const char *text, const char *a, const char *b)
{
	if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
		fail_msg("%s: %s, not %s", text, a != NULL ? a : "nothing",
		    b != NULL ? b : "nothing");
}

static void
test_legacy(void **state)
{
	const struct legacy_case *c;
	struct envelope e;
	bool greeted;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(legacy_cases) / sizeof(*c); i++) {
		c = &legacy_cases[i];
		greeted = true;
		legacy_check(c->text, strlen(c->text), &greeted, &e);
		if (e.verdict != c->verdict)
			fail_msg("%s: verdict %d", c->text, (int)e.verdict);
		if (c->verb != -1)
			assert_int_equal(e.verb, c->verb);
		same(c->text, e.id, c->id);
		same(c->text, e.method, c->method);
		same(c->text, e.params, c->params);
		same(c->text, e.message, c->message);
		envelope_free(&e);
	}
}

/* Before its greeting, and after a wrong one, nothing is heard. */
static void
test_legacy_greeting(void **state)
{
	static const char *const deaf[] = { "{\"msg\":\"ping\"}",
		"{\"msg\":\"method\",\"id\":1,\"method\":\"core.ping\"}",
		"{\"msg\":\"connect\",\"version\":\"2\"}",
		"{\"msg\":\"connect\"}" };
	static const char hello[] = "{\"msg\":\"connect\",\"version\":\"1\"}";
	bool greeted = false;
	struct envelope e;
	char *answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++) {
		legacy_check(deaf[i], strlen(deaf[i]), &greeted, &e);
		assert_int_equal(e.verdict, ENVELOPE_ERROR);
		answer = legacy_answer(&e);
		assert_string_equal(
		    answer, "{\"msg\":\"failed\",\"version\":\"1\"}");
		free(answer);
		envelope_free(&e);
		assert_false(greeted);
	}
	legacy_check(hello, strlen(hello), &greeted, &e);
	assert_int_equal(e.verdict, ENVELOPE_LEGACY);
	assert_true(greeted);
	envelope_free(&e);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_long_method),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_legacy_greeting),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
