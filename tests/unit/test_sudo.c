/*
 * Rules of sudo against a golden file that visudo accepts; commands that are
 * refused, and what speaks against others.
 *
 * HF_UPDATE_GOLDEN=1 writes the golden file anew; look at the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "golden.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/xalloc.h"
#include "system/sudo.h"

#define FOLDER "sudo"
#define FILE_NAME "rules"

/* clang-format off */
static const struct {
	const char *id, *name, *asked, *free;
} accounts[] = {
	{ "#3000", "bea", "[\"/usr/bin/id\"]", "[]" },
	{ "#3001", "none", "[]", "[]" },
	{ "#3002", "both", "[\"ALL\"]", "[\"/usr/bin/id -u\", \"/bin/ls\"]" },
	{ "#3003", "special",
	  "[\"/bin/a,b /x:y=z,u#1 \\\\* [a-z] ^x$ \\\"\\\"\","
	  " \"/opt/a=b:c#d x\"]", "[]" },
	{ "#3004", "a\nroot ALL=(ALL) ALL", "[\"/usr/bin/id \\\"\\\"\"]",
	  "[]" },
	{ "%#3005", "crew", "[]", "[\"/usr/sbin/\", \"/usr/bin/l*\"]" },
};
/* clang-format on */

static char *
render(void)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);
	json_t *entry;

	assert_non_null(out);
	for (i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		entry = json_object();
		json_object_set_new(entry, "sudo_commands",
		    json_loads(accounts[i].asked, 0, NULL));
		json_object_set_new(entry, "sudo_commands_nopasswd",
		    json_loads(accounts[i].free, 0, NULL));
		sudo_put_rules(out, accounts[i].id, accounts[i].name, entry);
		json_decref(entry);
	}
	fclose(out);
	return text;
}

static void
test_golden(void **state)
{
	int dir = golden_folder(FOLDER);
	char *text = render(), *wanted;
	size_t len;

	(void)state;
	if (getenv("HF_UPDATE_GOLDEN") != NULL)
		assert_int_equal(
		    file_install(dir, FILE_NAME, text, strlen(text), 0644,
			geteuid(), getegid(), NULL),
		    0);
	wanted = golden_read(FOLDER, FILE_NAME, &len);
	assert_string_equal(text, wanted);
	free(wanted);
	free(text);
	close(dir);
}

static void
test_visudo_accepts(void **state)
{
	char path[] = "/tmp/holdfast-sudo-XXXXXX", *text = render();
	const char *argv[] = { "/usr/sbin/visudo", "-c", "-f", path, NULL };
	struct process_result result;
	int fd;

	(void)state;
	if (access(argv[0], X_OK) == -1)
		skip();
	fd = mkstemp(path);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	close(fd);
	assert_int_equal(
	    process_run(argv, -1, NULL, 65536, 20, NULL, NULL, &result), 0);
	unlink(path);
	if (result.status != 0)
		fail_msg("%s", result.output);
	free(result.output);
	free(text);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", "id", "all", "ALL ", " /bin/id",
		"!/bin/id", "sudoedit /etc/motd", "sha256:abc /bin/id",
		"/bin/id\nroot ALL=(ALL) ALL", "/bin/id\t-u", "/bin/id \177",
		"/bin/id \\", "/bin/id \\x", "/bin/i\\*", "/bin/a\\ b", NULL };
	static const char *const good[] = { "ALL", "/bin/id", "/bin/id -u a",
		"/bin/id \\*", "/bin/", "/bin/l*", "/bin/\xc3\xa4", NULL };
	char *longest = xcalloc(1, 1030);
	size_t i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++)
		if (sudo_command_problem(bad[i]) == NULL)
			fail_msg("accepted: %s", bad[i]);
	for (i = 0; good[i] != NULL; i++)
		if (sudo_command_problem(good[i]) != NULL)
			fail_msg("refused: %s", good[i]);
	memset(longest, '/', 1025);
	assert_non_null(sudo_command_problem(longest));
	free(longest);
}

static void
test_risks(void **state)
{
	static const struct {
		const char *command, *finding;
	} rows[] = {
		{ "ALL", "ALL" },
		{ "/usr/bin/id", NULL },
		{ "/usr/bin/id -u", NULL },
		{ "/usr/bin/vi /etc/motd", "SHELL" },
		{ "/usr/bin/vim.basic", "SHELL" },
		{ "/usr/bin/python3.11", "SHELL" },
		{ "/bin/sh", "SHELL" },
		{ "/opt/push", NULL },
		{ "/usr/bin/", "FOLDER" },
		{ "/usr/bin/l*", "WILDCARD" },
		{ "/usr/bin/cat /var/log/*", "WILDCARD" },
		{ "/usr/bin/cat ^/var/log/[a-z]+$", "WILDCARD" },
		{ "/usr/bin/cat ^/var/log/.+$", "EXPRESSION" },
	};
	struct sudo_risk risk;
	bool any;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		any = sudo_command_risk(rows[i].command, &risk);
		if (any != (rows[i].finding != NULL))
			fail_msg("%s: %d", rows[i].command, any);
		if (any)
			assert_string_equal(risk.finding, rows[i].finding);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_visudo_accepts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_risks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
