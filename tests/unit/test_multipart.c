/*
 * multipart/form-data: every form is read in pieces of every size, and must
 * say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/xalloc.h"
#include "web/multipart.h"

/* What was read, as "[name|content][...]" and "." for the end, "!" for bad. */
static void
add(char *out, size_t size, const char *text, size_t len)
{
	size_t at = strlen(out);

	assert_true(at + len + 1 < size);
	memcpy(out + at, text, len);
	out[at + len] = '\0';
}

static void
run(const char *boundary, const char *text, size_t len, size_t piece, char *out,
    size_t size)
{
	enum multipart_event event;
	struct multipart m;
	const uint8_t *data;
	size_t at, n;
	uint8_t *copy;

	out[0] = '\0';
	multipart_init(&m, boundary);
	for (at = 0; at < len; at += piece) {
		n = len - at < piece ? len - at : piece;
		copy = xmemdup(text + at, n);
		data = copy;
		while (
		    (event = multipart_next(&m, &data, &n)) != MULTIPART_MORE) {
			if (event == MULTIPART_PART) {
				add(out, size, "[", 1);
				add(out, size, m.name, strlen(m.name));
				add(out, size, "|", 1);
			} else if (event == MULTIPART_DATA) {
				assert_true(m.len > 0);
				add(out, size, (const char *)m.data, m.len);
			} else if (event == MULTIPART_PART_END)
				add(out, size, "]", 1);
			else if (event == MULTIPART_END)
				add(out, size, ".", 1);
			else {
				add(out, size, "!", 1);
				free(copy);
				return;
			}
		}
		assert_int_equal(n, 0);
		free(copy);
	}
}

static void
expect(const char *text, const char *expected)
{
	char out[1024];
	size_t piece;

	for (piece = 1; piece <= strlen(text); piece++) {
		run("XX", text, strlen(text), piece, out, sizeof(out));
		if (strcmp(out, expected) != 0)
			fail_msg("in pieces of %zu: %s, not %s", piece, out,
			    expected);
	}
}

#define PART(n) "Content-Disposition: form-data; name=\"" n "\"\r\n\r\n"
#define END "\r\n--XX--\r\n"

static void
test_parts(void **state)
{
	(void)state;
	expect("--XX\r\n" PART("data") "{}" END, "[data|{}].");
	expect(
	    "--XX\r\n" PART("data") "{}\r\n--XX\r\n" PART("file") "hello" END,
	    "[data|{}][file|hello].");
	expect("--XX\r\n" PART("data") END, "[data|].");
	/* Without the line that an empty content need not have. */
	expect("--XX\r\n" PART("data") "--XX--", "[data|].");
	expect(
	    "\r\n--XX \t\r\n" PART("a") "b" END "ignored --XX\r\n", "[a|b].");
	expect(
	    "preamble\r\nof two lines\r\n--XX\r\n" PART("a") "b" END, "[a|b].");
}

/* Content that looks like a delimiter for a while. */
static void
test_alike(void **state)
{
	(void)state;
	expect("--XX\r\n" PART("a") "\r\n--X\r\n--XY\r\r\n\r\n--" END,
	    "[a|\r\n--X\r\n--XY\r\r\n\r\n--].");
	expect("--XX\r\n" PART("a") "-" END, "[a|-].");
	expect("--XX\r\n" PART("a") "--X" END, "[a|--X].");
	expect("--XX\r\n" PART("a") "\r\n" END, "[a|\r\n].");
	expect("--XX\r\n" PART("a") "\r\n\r\n-" END, "[a|\r\n\r\n-].");
	expect(
	    "--XX\r\n" PART("a") "x--XX--\n--XX\r" END, "[a|x--XX--\n--XX\r].");
}

static void
test_headers(void **state)
{
	(void)state;
	expect("--XX\r\nContent-Type: text/plain\r\n"
	       "content-disposition: FORM-DATA; filename=\"a;b\\\"c\"; "
	       "NAME=file\r\n\r\nx" END,
	    "[file|x].");
	expect("--XX\r\n" PART("") "x" END, "!");
	expect("--XX\r\n\r\nx" END, "!");
	expect("--XX\r\nContent-Type: text/plain\r\n\r\nx" END, "!");
	expect(
	    "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n", "!");
	expect("--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\n", "!");
	expect("--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n",
	    "!");
	expect("--XX\r\n" PART("a\"\r\nContent-Disposition: form-data; "
			       "name=\"b") "x" END,
	    "!");
	expect("--XX\r\nno header\r\n\r\n", "!");
	expect("--XX\r\n: a\r\n\r\n", "!");
	expect("--XXx\r\n", "!");
	expect("--XX-x\r\n", "!");
	expect("--XX\rx", "!");
	expect("--XX\r\n" PART("0123456789012345678901234567890123456789"
			       "012345678901234567890123") "x" END,
	    "!");
}

static void
test_headers_without_end(void **state)
{
	char text[4000], out[100];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "--XX\r\n", 6);
	run("XX", text, sizeof(text), 100, out, sizeof(out));
	assert_string_equal(out, "!");
	text[20] = '\0';
	run("XX", text, 25, 25, out, sizeof(out));
	assert_string_equal(out, "!");
}

static void
test_boundary(void **state)
{
	static const char *const bad[] = { "", "text/plain",
		"multipart/mixed; boundary=XX", "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; x=y",
		"multipart/form-data; boundary=\"X", "multipart/form-data;",
		"multipart/form-data; boundary=a\\b",
		"multipart/form-data; boundary=\"a\r\nb\"",
		"multipart/form-data; boundary=\"a \"",
		"multipart/form-data; boundary=a; boundary=b",
		"multipart/form-data; boundary=a b",
		"multipart/form-data; boundary="
		"01234567890123456789012345678901234567890123456789"
		"012345678901234567890" };
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	size_t i;

	(void)state;
	assert_int_equal(
	    multipart_boundary("multipart/form-data; boundary=XX", boundary),
	    0);
	assert_string_equal(boundary, "XX");
	assert_int_equal(
	    multipart_boundary("Multipart/Form-Data ; charset=utf-8 ; "
			       "Boundary=\"a b:=?\"",
		boundary),
	    0);
	assert_string_equal(boundary, "a b:=?");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (multipart_boundary(bad[i], boundary) == 0)
			fail_msg("%s was taken", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_headers_without_end),
		cmocka_unit_test(test_boundary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
