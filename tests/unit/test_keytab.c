/*
 * Keytabs as ktutil writes them, and cut, mended or made up; krb5.conf, and
 * what the monitor does not take for one of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "golden.h"
#include "lib/keytab.h"
#include "lib/xalloc.h"
#include "services/kerberos/krb5_conf.h"

static void
test_real_one(void **state)
{
	size_t len;
	char *data = golden_read("keytab", "mit.keytab", &len);
	struct keytab keytab;
	const char *why;

	(void)state;
	assert_int_equal(
	    keytab_parse((const uint8_t *)data, len, &keytab, &why), 0);
	assert_int_equal(keytab.count, 3);
	assert_string_equal(
	    keytab.entries[1].principal, "host/nas.example@EXAMPLE");
	assert_int_equal(keytab.entries[1].version, 3);
	assert_string_equal(
	    keytab.entries[1].encryption, "aes128-cts-hmac-sha256-128");
	assert_true(keytab.entries[1].strong);
	/* More than the eight bits of the first form. */
	assert_int_equal(keytab.entries[2].version, 300);
	assert_string_equal(keytab.entries[2].encryption, "arcfour-hmac");
	assert_false(keytab.entries[2].strong);
	assert_ptr_equal(keytab.entries[2].record + keytab.entries[2].len,
	    (const uint8_t *)data + len);
	keytab_free(&keytab);
	free(data);
}

/* Only where a record ends can it end. */
static void
test_cut(void **state)
{
	size_t len, n, whole = 0;
	char *data = golden_read("keytab", "mit.keytab", &len);
	struct keytab keytab;
	const char *why;
	uint8_t *copy;

	(void)state;
	for (n = 0; n <= len; n++) {
		copy = xmemdup(data, n); /* so that a byte too far is seen */
		if (keytab_parse(copy, n, &keytab, &why) == 0)
			whole++;
		else
			assert_non_null(why);
		keytab_free(&keytab);
		free(copy);
	}
	assert_int_equal(whole, 3);
	free(data);
}

static int
parse(const void *data, size_t len, size_t *countp)
{
	struct keytab keytab;
	const char *why = NULL;
	int rc = keytab_parse(data, len, &keytab, &why);

	*countp = keytab.count;
	keytab_free(&keytab);
	return rc;
}

/* An entry of AES128 whose realm is one letter, its name two. */
#define ENTRY                                                                  \
	"\x00\x00\x00\x26\x00\x01\x00\x01R\x00\x02"                            \
	"ab"                                                                   \
	"\x00\x00\x00\x01\x00\x00\x00\x00\x07\x00\x11\x00\x10"                 \
	"0123456789abcdef"
#define BYTES(text) (text), sizeof(text) - 1

static void
test_made_up(void **state)
{
	static const uint8_t bad_name[] = KEYTAB_VERSION
	    "\x00\x00\x00\x26\x00\x01\x00\x01R\x00\x02"
	    "a/"
	    "\x00\x00\x00\x01\x00\x00\x00\x00\x07\x00\x11\x00\x10"
	    "0123456789abcdef";
	size_t n;

	(void)state;
	assert_int_equal(parse(BYTES(KEYTAB_VERSION ENTRY), &n), 0);
	assert_int_equal(n, 1);
	/* Our own mark is a hole to others. */
	assert_int_equal(parse(BYTES(KEYTAB_MARK ENTRY ENTRY), &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(parse(BYTES(KEYTAB_MARK), &n), -1);
	assert_int_equal(parse(BYTES(KEYTAB_VERSION), &n), -1);
	assert_int_equal(parse(BYTES("\x05\x01" ENTRY), &n), -1);
	assert_int_equal(parse(BYTES(KEYTAB_VERSION "\0\0\0\0" ENTRY), &n), -1);
	assert_int_equal(
	    parse(BYTES(KEYTAB_VERSION "\x80\0\0\0" ENTRY), &n), -1);
	assert_int_equal(
	    parse(BYTES(KEYTAB_VERSION "\x7f\xff\xff\xff" ENTRY), &n), -1);
	assert_int_equal(parse(bad_name, sizeof(bad_name) - 1, &n), -1);
}

/* --- krb5.conf ------------------------------------------------------------ */

static json_t *
realms(void)
{
	json_t *list = json_pack("[{s:s, s:s, s:[ss], s:[s], s:[]}, {s:s}]",
	    "realm", "EXAMPLE", "primary_kdc", "kdc1.example", "kdc",
	    "kdc1.example", "[2001:db8::1]:88", "admin_server",
	    "kdc1.example:749", "kpasswd_server", "realm", "B.EXAMPLE");

	assert_non_null(list);
	return list;
}

static int
vet(const char *text)
{
	char *why = NULL;
	int rc = krb5_conf_vet(text, strlen(text), &why);

	assert_int_equal(rc == 0, why == NULL);
	free(why);
	return rc;
}

static void
test_rendered_is_accepted(void **state)
{
	json_t *list = realms(), *none = json_array();
	char *text = krb5_conf_render(list), *empty = krb5_conf_render(none);

	(void)state;
	assert_non_null(strstr(text, "\tdefault_realm = EXAMPLE\n"));
	assert_non_null(strstr(text,
	    "\tEXAMPLE = {\n\t\tprimary_kdc = kdc1.example\n"
	    "\t\tkdc = kdc1.example\n\t\tkdc = [2001:db8::1]:88\n"
	    "\t\tadmin_server = kdc1.example:749\n\t}\n"
	    "\tB.EXAMPLE = {\n\t}\n"));
	assert_int_equal(vet(text), 0);
	assert_string_equal(empty, "");
	assert_int_equal(vet(empty), 0);
	free(text);
	free(empty);
	json_decref(list);
	json_decref(none);
}

/* Every line once more with something else behind it. */
static void
test_other_lines_are_refused(void **state)
{
	static const char *const others[] = {
		"include /etc/passwd\n",
		"includedir /tmp\n",
		"module /tmp/evil.so:x\n",
		"[plugins]\n",
		"\tplugin_base_dir = /tmp\n",
		"\tdefault_keytab_name = /tmp/keytab\n",
		"\t\tauth_to_local = DEFAULT\n",
		"\t\tauth_to_local_names = {\n",
		"\tdefault_realm = A B\n",
		"\tk5login_directory = /home\n",
		"\t\tkdc = \n",
		"[realms]\n[libdefaults]\n",
	};
	json_t *list = realms();
	char *text = krb5_conf_render(list), *at, *with;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		for (at = text; (at = strchr(at, '\n')) != NULL; at++) {
			with = xasprintf("%.*s%s%s", (int)(at + 1 - text), text,
			    others[i], at + 1);
			if (vet(with) == 0)
				fail_msg("accepted: %s", with);
			free(with);
		}
	text[strlen(text) - 1] = '\0';
	assert_int_equal(vet(text), -1);
	assert_int_equal(vet(KRB5_CONF_MARK "\n"), -1);
	free(text);
	json_decref(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_one),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_rendered_is_accepted),
		cmocka_unit_test(test_other_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
