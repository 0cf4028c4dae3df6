/*
 * holdfast status: what people read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output.h"
#include "cli/status.h"

static char *
printed(const char *json, const char *instance, bool *attention)
{
	json_t *status = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *file;

	assert_non_null(status);
	assert_non_null(file = open_memstream(&text, &len));
	status_print(file, status, instance);
	fclose(file);
	*attention = status_needs_attention(status);
	json_decref(status);
	return text;
}

static void
test_ready(void **state)
{
	static const char expected[] =
	    "Holdfast 1.2.3, ready\n"
	    "\n"
	    "ROLE    PID  RESTARTS  SINCE\n"
	    "web       7         0\n"
	    "core  12345        10  1970-01-02 00:00:00\n"
	    "\n"
	    "SERVICE  STATE    AT START  PIDS  LISTENING       LAST EXIT\n"
	    "ssh      RUNNING  yes       8, 9  127.0.0.1:2222\n"
	    "nfs      STOPPED  no                              exit code 1\n"
	    "\n"
	    "Listening on 127.0.0.1:8443\n"
	    "\n"
	    "No problems.\n";
	bool attention;
	char *text;

	(void)state;
	text = printed(
	    "{\"version\": \"1.2.3\", \"ready\": true, \"roles\": ["
	    "{\"role\": \"web\", \"pid\": 7, \"restarts\": 0}, "
	    "{\"role\": \"core\", \"pid\": 12345, \"restarts\": 10, "
	    "\"since\": {\"$date\": 86400000}}], \"services\": ["
	    "{\"service\": \"ssh\", \"state\": \"RUNNING\", \"enable\": true, "
	    "\"pids\": [8, 9], \"listening\": [\"127.0.0.1:2222\"], "
	    "\"last_exit\": \"\"}, {\"service\": \"nfs\", "
	    "\"state\": \"STOPPED\", \"enable\": false, \"pids\": [], "
	    "\"listening\": [], \"last_exit\": \"exit code 1\"}], "
	    "\"listening\": [\"127.0.0.1:8443\"], \"administrator\": true, "
	    "\"setup_code\": null, \"problems\": [], "
	    "\"sandbox_missing\": [], \"audit\": {\"waiting\": 0}}",
	    "/i", &attention);
	assert_string_equal(text, expected);
	assert_false(attention);
	free(text);
}

static void
test_problems(void **state)
{
	static const char expected[] =
	    "Holdfast 1, not ready\n"
	    "\n"
	    "ROLE  PID  RESTARTS  SINCE\n"
	    "\n"
	    "SERVICE  STATE  AT START  PIDS  LISTENING  LAST EXIT\n"
	    "\n"
	    "Not listening on the network.\n"
	    "Audit records not yet written: 3\n"
	    "Note, missing in this kernel: Landlock ABI 3\n"
	    "\n"
	    "There is no administrator yet.  Set the first password:\n"
	    "    holdfast -i /some/where setup-admin truenas_admin\n"
	    "Over the network it needs the code AB\\u001bC\n"
	    "\n"
	    "ALERT     SINCE\n"
	    "CRITICAL  1970-01-02 00:00:00  disk\\u001b full\n"
	    "NOTICE                         by the way\n"
	    "\n"
	    "Start the machine anew, so that it takes effect:\n"
	    "    because\n"
	    "\n"
	    "Problems:\n"
	    "    one\n"
	    "    two\n";
	bool attention;
	char *text;

	(void)state;
	text =
	    printed("{\"version\": \"1\", \"ready\": false, "
		    "\"administrator\": false, \"setup_code\": \"AB\\u001bC\", "
		    "\"alerts\": [{\"level\": \"CRITICAL\", "
		    "\"formatted\": \"disk\\u001b full\", "
		    "\"datetime\": {\"$date\": 86400000}}, "
		    "{\"level\": \"NOTICE\", "
		    "\"formatted\": \"by the way\"}], "
		    "\"reboot_required\": [{\"code\": \"X\", "
		    "\"reason\": \"because\"}], "
		    "\"problems\": [\"one\", \"two\"], "
		    "\"sandbox_missing\": [\"Landlock ABI 3\"], "
		    "\"audit\": {\"waiting\": 3}}",
		"/some/where", &attention);
	assert_string_equal(text, expected);
	assert_true(attention);
	free(text);
}

/* From a warning on somebody should look. */
static void
test_levels(void **state)
{
	/* clang-format off */
	static const struct { const char *level; bool urgent; } levels[] = {
		{ "INFO", false }, { "NOTICE", false }, { "WARNING", true },
		{ "ERROR", true }, { "CRITICAL", true }, { "ALERT", true },
		{ "EMERGENCY", true }, { "OF A LATER VERSION", true }
	};
	/* clang-format on */
	bool attention;
	char *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		assert_true(asprintf(&json,
				"{\"ready\": true, \"administrator\": true, "
				"\"alerts\": [{\"level\": \"%s\"}], "
				"\"problems\": []}",
				levels[i].level) != -1);
		free(printed(json, NULL, &attention));
		free(json);
		assert_int_equal(attention, levels[i].urgent);
	}
}

static void
test_no_administrator(void **state)
{
	bool attention;
	char *text;

	(void)state;
	text = printed("{\"ready\": true, \"administrator\": false, "
		       "\"problems\": []}",
	    NULL, &attention);
	assert_true(attention);
	assert_non_null(strstr(text, "There is no administrator yet."));
	assert_null(strstr(text, "No problems."));
	free(text);
}

/* Whatever the server answers, it is printed somehow. */
static void
test_strange(void **state)
{
	bool attention;
	char *text;

	(void)state;
	text = printed("{\"roles\": [1, null], \"services\": {\"a\": 1}, "
		       "\"problems\": 7, \"audit\": [], \"listening\": [null], "
		       "\"administrator\": false}",
	    NULL, &attention);
	assert_true(attention);
	assert_non_null(strstr(text, "    holdfast setup-admin truenas_admin"));
	free(text);
}

static void
test_text(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *file;

	(void)state;
	assert_non_null(file = open_memstream(&text, &len));
	print_text(file, "a\tb\n\x1b[2J\r\x7f \xc2\x9b \xc3\xa4");
	fclose(file);
	assert_string_equal(
	    text, "a\tb\n\\u001b[2J\\u000d\\u007f \\u009b \xc3\xa4");
	free(text);
}

static void
test_import(void **state)
{
	json_t *report = json_loads(
	    "{\"differences\": [{\"match\": \"\", \"directive\": \"X\", "
	    "\"before\": \"1\", \"after\": \"2\"}, {\"match\": \"Match User "
	    "a\", \"directive\": \"Y\", \"before\": \"3\", \"after\": "
	    "\"\"}], \"not_taken\": [{\"file\": \"/f\", \"line\": 7, "
	    "\"text\": \"Z\\u001b\", \"reason\": \"why\"}, 1], "
	    "\"not_compared\": [\"Match Group g\"]}",
	    0, NULL);
	char *text = NULL;
	size_t len;
	FILE *file;

	(void)state;
	assert_non_null(file = open_memstream(&text, &len));
	status_print_import(file, report);
	fclose(file);
	assert_non_null(strstr(text, "    X is now 2, was 1\n"));
	assert_non_null(
	    strstr(text, "    Y is not set any more, was 3 (Match User a)\n"));
	assert_non_null(
	    strstr(text, "    left out, /f line 7: Z\\u001b (why)\n"));
	assert_non_null(strstr(text, "    not compared: Match Group g\n"));
	free(text);
	json_decref(report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_no_administrator),
		cmocka_unit_test(test_strange),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_import),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
