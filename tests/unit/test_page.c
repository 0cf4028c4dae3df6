/*
 * The table of the web interface's files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/wire.h"
#include "lib/xalloc.h"
#include "web/page.h"

static void
put_file(struct wire_out *out, const char *name, const char *plain,
    const char *gzip, const char *brotli)
{
	wire_put_str(out, name);
	wire_put_str(out, "0123abcd");
	wire_put_str(out, plain);
	wire_put_str(out, gzip);
	wire_put_str(out, brotli);
}

static void
put_pack(struct wire_out *out)
{
	wire_put_u32(out, PAGE_MAGIC);
	wire_put_u32(out, 3);
	put_file(out, "assets/a-1.js", "plain", "gz", "b");
	put_file(out, "icon.svg", "<svg/>", "", "");
	put_file(out, "index.html", "<html>", "gz", "");
}

static int
setup(void **state)
{
	static struct page page;
	static struct wire_out out;

	wire_free(&out);
	put_pack(&out);
	assert_int_equal(page_read(&page, out.data, out.len), 0);
	*state = &page;
	return 0;
}

static int
teardown(void **state)
{
	page_free(*state);
	return 0;
}

static const char *
found(void **state, const char *path)
{
	const struct page_file *file = page_find(*state, path);

	return file != NULL ? file->name : NULL;
}

static void
test_names(void **state)
{
	static const char *const none[] = { "assets/a-1.jsx", "assets/",
		"assets/x", "..", "../etc/passwd", "x/../index.html",
		"icon.svg/", "/icon.svg", "%69con.svg", "icon.svg\n", "a b",
		"index.html?", "\xc3\xa4", "assets/..", "icon.SVG", "a.b" };
	static const char *const routes[] = { "", "index.html", "system",
		"system/services/ssh", "credentials/users/12-x_Y", "system/",
		"//", "asset", "xassets/y" };
	size_t i;

	assert_string_equal(found(state, "assets/a-1.js"), "assets/a-1.js");
	assert_string_equal(found(state, "icon.svg"), "icon.svg");
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_null(found(state, none[i]));
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		assert_string_equal(found(state, routes[i]), "index.html");
}

static void
test_what_a_file_is(void **state)
{
	const struct page_file *file = page_find(*state, "assets/a-1.js");

	assert_true(file->immutable);
	assert_string_equal(file->type, "text/javascript; charset=utf-8");
	assert_memory_equal(file->content[PAGE_PLAIN].data, "plain", 5);
	assert_int_equal(file->content[PAGE_BROTLI].len, 1);
	file = page_find(*state, "");
	assert_false(file->immutable);
	assert_string_equal(file->type, "text/html; charset=utf-8");
}

static void
test_encodings(void **state)
{
	static const struct {
		const char *accept;
		enum page_encoding script, index, icon;
	} cases[] = {
		{ NULL, PAGE_PLAIN, PAGE_PLAIN, PAGE_PLAIN },
		{ "", PAGE_PLAIN, PAGE_PLAIN, PAGE_PLAIN },
		{ "gzip, deflate, br", PAGE_BROTLI, PAGE_GZIP, PAGE_PLAIN },
		{ "GZIP", PAGE_GZIP, PAGE_GZIP, PAGE_PLAIN },
		{ "br;q=0.0, gzip;q=0.5", PAGE_GZIP, PAGE_GZIP, PAGE_PLAIN },
		{ "br;q=0,gzip;q=0", PAGE_PLAIN, PAGE_PLAIN, PAGE_PLAIN },
		{ " ,, br ; q=1 ,", PAGE_BROTLI, PAGE_PLAIN, PAGE_PLAIN },
		{ "xbr, brx, x-gzip", PAGE_PLAIN, PAGE_PLAIN, PAGE_PLAIN },
		{ "identity", PAGE_PLAIN, PAGE_PLAIN, PAGE_PLAIN },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    page_encoding(
			page_find(*state, "assets/a-1.js"), cases[i].accept),
		    cases[i].script);
		assert_int_equal(
		    page_encoding(page_find(*state, ""), cases[i].accept),
		    cases[i].index);
		assert_int_equal(page_encoding(page_find(*state, "icon.svg"),
				     cases[i].accept),
		    cases[i].icon);
	}
}

static void
test_tags(void **state)
{
	const struct page_file *file = page_find(*state, "");

	assert_true(page_matches(file, "\"0123abcd\""));
	assert_true(page_matches(file, "\"x\", W/\"0123abcd\" "));
	assert_false(page_matches(file, "0123abcd"));
	assert_false(page_matches(file, "\"0123abc\""));
	assert_false(page_matches(file, "\"0123abcd"));
	assert_false(page_matches(file, ""));
	assert_false(page_matches(file, "W/"));
}

/* What is cut or altered is refused as a whole. */
static void
test_wrong_packs(void **state)
{
	static const struct {
		const char *first, *second;
	} wrong[] = {
		{ "index.html", "index.html" }, /* twice */
		{ "index.html", "a.js" }, /* not in order */
		{ "a.exe", "index.html" }, /* of no type that is served */
		{ "a", "index.html" }, { "a b.js", "index.html" },
		{ "a.js", "b.js" }, /* without a beginning */
	};
	struct wire_out out = { 0 };
	struct page page;
	size_t i;

	(void)state;
	put_pack(&out);
	for (i = 0; i < out.len; i++) {
		assert_int_equal(page_read(&page, out.data, i), -1);
		page_free(&page);
	}
	wire_put_u8(&out, 0);
	assert_int_equal(page_read(&page, out.data, out.len), -1);
	page_free(&page);
	wire_free(&out);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		wire_put_u32(&out, PAGE_MAGIC);
		wire_put_u32(&out, 2);
		put_file(&out, wrong[i].first, "x", "", "");
		put_file(&out, wrong[i].second, "x", "", "");
		assert_int_equal(page_read(&page, out.data, out.len), -1);
		page_free(&page);
		wire_free(&out);
	}
}

static void
test_no_page(void **state)
{
	const struct page none = { 0 };

	(void)state;
	assert_null(page_find(&none, ""));
	assert_null(page_find(&none, "index.html"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_a_file_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_encodings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
		cmocka_unit_test(test_wrong_packs),
		cmocka_unit_test(test_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
