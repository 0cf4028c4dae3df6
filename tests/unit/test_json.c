/*
 * json: parsing within limits, error texts, memory zeroed when freed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/json.h"
#include "lib/xalloc.h"

static json_t *
parse(const char *text, const char **why)
{
	return json_parse(text, strlen(text), why);
}

static char *
nested(size_t depth)
{
	char *text = xmalloc(2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	return text;
}

static void
test_depth(void **state)
{
	const char *why = "unset";
	char *text;
	json_t *value;

	(void)state;
	text = nested(JSON_DEPTH_MAX);
	value = parse(text, &why);
	assert_non_null(value);
	assert_null(why);
	json_decref(value);
	free(text);
	text = nested(JSON_DEPTH_MAX + 1);
	assert_null(parse(text, &why));
	assert_string_equal(why, "Nested too deeply");
	free(text);
	/* Far beyond what recursion could bear. */
	text = nested(200000);
	assert_null(parse(text, NULL));
	free(text);
	/* Brackets in strings do not count, not even after an escape. */
	text = xmalloc(1000);
	memset(text, '[', 999);
	text[999] = '\0';
	memcpy(text, "\"\\\"", 3);
	text[998] = '"';
	value = parse(text, NULL);
	assert_true(json_is_string(value));
	json_decref(value);
	free(text);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[1,]", "{\"a\":}",
		"nul", "[1] x", "\"\\u0000\"", "\"\xff\"", "\"\xc0\x80\"",
		"{\"a\\u0000\":1}", "\"a\nb\"", "NaN", "[Infinity]", "01",
		"99999999999999999999", "'a'", "\"\\ud800\"", "[1 2]" };
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		assert_null(parse(bad[i], &why));
		assert_non_null(why);
	}
	assert_null(json_parse("\"a\0b\"", 5, &why));
	assert_null(json_parse("1\0", 2, &why));
}

static void
test_error_quotes_nothing(void **state)
{
	const char *why;

	(void)state;
	assert_null(parse("{\"password\": hunter2}", &why));
	assert_null(strstr(why, "hunter"));
	assert_non_null(strstr(why, "line 1 column"));
	assert_null(parse("[\n \"hunter2\" x]", &why));
	assert_null(strstr(why, "hunter"));
	assert_non_null(strstr(why, "line 2"));
}

static void
test_text(void **state)
{
	json_t *value = parse(
		   "{\"b\":1,\"a\":[true,null,\"\\u00e9\"],\"b\":2}", NULL),
	       *again;
	char *text;

	(void)state;
	text = json_text(value);
	assert_string_equal(text, "{\"b\":2,\"a\":[true,null,\"\xc3\xa9\"]}");
	again = parse(text, NULL);
	assert_true(json_equal(value, again));
	json_decref(again);
	freezero_str(text);
	text = json_text_sorted(value);
	assert_string_equal(text, "{\"a\":[true,null,\"\xc3\xa9\"],\"b\":2}");
	freezero_str(text);
	json_decref(value);
	value = parse("7", NULL);
	text = json_text(value);
	assert_string_equal(text, "7");
	freezero_str(text);
	json_decref(value);
}

static void
test_readers(void **state)
{
	json_t *o = parse("{\"s\":\"x\",\"i\":5,\"b\":true,\"n\":null}", NULL);

	(void)state;
	assert_string_equal(json_str(o, "s", "d"), "x");
	assert_string_equal(json_str(o, "i", "d"), "d");
	assert_null(json_str(o, "none", NULL));
	assert_int_equal(json_int(o, "i", 1), 5);
	assert_int_equal(json_int(o, "b", 1), 1);
	assert_true(json_bool(o, "b", false));
	assert_true(json_bool(o, "n", true));
	assert_string_equal(json_str(NULL, "s", "d"), "d");
	json_decref(o);
}

static void
test_extended(void **state)
{
	json_t *date = json_date(1735689600), *set = json_set(json_array());
	char *text = json_text(date);

	(void)state;
	assert_string_equal(text, "{\"$date\":1735689600000}");
	free(text);
	text = json_text(set);
	assert_string_equal(text, "{\"$set\":[]}");
	free(text);
	json_decref(date);
	json_decref(set);
}

#ifndef HF_SANITIZERS
/* How often the bytes are on the heap. */
static size_t
count_on_heap(const char *what, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long start = 0, end = 0;
	size_t found = 0;
	char line[256], *copy, *at;
	ssize_t n;

	assert_non_null(maps);
	assert_int_not_equal(memory, -1);
	while (fgets(line, sizeof line, maps) != NULL)
		if (strstr(line, "[heap]") != NULL)
			sscanf(line, "%lx-%lx", &start, &end);
	fclose(maps);
	/* A mapping of its own, so that the copy is not found. */
	copy = mmap(NULL, end - start, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(copy, MAP_FAILED);
	n = pread(memory, copy, end - start, (off_t)start);
	assert_int_equal(n, end - start);
	for (at = copy;
	     (at = memmem(at, (size_t)(copy + n - at), what, len)) != NULL;
	     at++)
		found++;
	munmap(copy, end - start);
	close(memory);
	return found;
}

static void
test_zeroed(void **state)
{
	char text[200];
	json_t *value;
	char *copy;

	(void)state;
	snprintf(text, sizeof text, "{\"a\":[\"%s%d\"]}",
	    "a secret of a length that tells it apart ", getpid());
	value = parse(text, NULL);
	assert_int_not_equal(count_on_heap(text + 7, 40), 0);
	copy = json_text(value);
	freezero_str(copy);
	json_decref(value);
	assert_int_equal(count_on_heap(text + 7, 40), 0);
	/* Nor is what a refused text held. */
	text[strlen(text) - 1] = 'x';
	assert_null(parse(text, NULL));
	assert_int_equal(count_on_heap(text + 7, 40), 0);
}
#endif

static int
setup(void **state)
{
	(void)state;
	json_secure();
	json_secure(); /* twice is no different */
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_error_quotes_nothing),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_extended),
#ifndef HF_SANITIZERS
		cmocka_unit_test(test_zeroed),
#endif
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
