/* The rules of the kernel's audit, as texts and as the kernel takes them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/kernel_audit.h"
#include "monitor/kernel_rules.h"

static size_t count;
static struct audit_rule_data last;

static void
counts(struct audit_rule_data *rule, void *arg)
{
	char *key = kernel_rule_key(rule);

	(void)arg;
	count++;
	last = *rule;
	assert_true(
	    strncmp(key, KERNEL_RULES_KEY, strlen(KERNEL_RULES_KEY)) == 0);
	assert_int_equal(rule->action, AUDIT_ALWAYS);
	assert_int_equal(rule->flags, AUDIT_FILTER_EXIT);
	free(key);
}

static int
read_text(const char *text)
{
	char why[256];

	count = 0;
	return kernel_rules_each(
	    text, strlen(text), counts, NULL, why, sizeof(why));
}

static void
test_own(void **state)
{
	char why[256];

	(void)state;
	count = 0;
	assert_int_equal(kernel_rules_each(kernel_rules_text, kernel_rules_size,
			     counts, NULL, why, sizeof(why)),
	    0);
	assert_true(count > 40);
}

static bool
asks_for(const struct audit_rule_data *rule, const char *name)
{
	int number =
	    audit_name_to_syscall(name, audit_determine_machine("b64"));

	assert_true(number >= 0);
	return (rule->mask[number / 32] & (UINT32_C(1) << (number % 32))) != 0;
}

static void
test_calls(void **state)
{
	(void)state;
	assert_int_equal(read_text("# a comment\n\n-a always,exit -F arch=b64 "
				   "-S mount,fchmodat2,nothing "
				   "-F auid!=unset -k holdfast-x\n"),
	    0);
	assert_int_equal(count, 1);
	assert_true(asks_for(&last, "mount"));
	assert_false(asks_for(&last, "open"));
	assert_int_equal(last.mask[452 / 32], UINT32_C(1) << (452 % 32));
	assert_int_equal(last.field_count, 3);
	assert_int_equal(last.fields[1], AUDIT_LOGINUID);
	assert_int_equal(last.values[1], UINT32_MAX);
	/* None of them is here: no rule, rather than one about all. */
	assert_int_equal(
	    read_text("-a always,exit -F arch=b64 -S nothing -k holdfast-x\n"),
	    0);
	assert_int_equal(count, 0);
}

static void
test_path(void **state)
{
	(void)state;
	assert_int_equal(read_text("-a always,exit -F path=/etc/passwd "
				   "-F perm=wa -k holdfast-identity"),
	    0);
	assert_int_equal(count, 1);
	assert_true(asks_for(&last, "open") && asks_for(&last, "mount"));
	assert_int_equal(last.fields[0], AUDIT_WATCH);
	assert_int_equal(last.fields[1], AUDIT_PERM);
	assert_int_equal(last.values[1], AUDIT_PERM_WRITE | AUDIT_PERM_ATTR);
}

static void
test_refused(void **state)
{
	/* clang-format off */
	static const char *const lines[] = {
		"-w /etc/passwd -p wa -k holdfast-x",
		"-a always,exit -F arch=b64 -S open",	/* no key */
		"-a always,exit -F arch=b64 -S open -k theirs",
		"-a always -F arch=b64 -S open -k holdfast-x",
		"-a perhaps,exit -F arch=b64 -S open -k holdfast-x",
		"-a always,exit -F colour=red -k holdfast-x",
		"-a always,exit -F auid -k holdfast-x",
		"-a always,exit -C uid!=colour -k holdfast-x",
		"-F arch=b64 -S open -k holdfast-x",
		"-a always,exit -k",
		NULL
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; lines[i] != NULL; i++) {
		assert_int_equal(read_text(lines[i]), -1);
		assert_int_equal(count, 0);
	}
}

static void
test_note(void **state)
{
	struct audit_rule_data *rule = kernel_rule_note("holdfast-owner pid=7");
	char *key = kernel_rule_key(rule);
	size_t i;

	(void)state;
	assert_string_equal(key, "holdfast-owner pid=7");
	for (i = 0; i < AUDIT_BITMASK_SIZE; i++)
		assert_int_equal(rule->mask[i], 0);
	free(key);
	/* A length that leads out of its texts. */
	rule->values[0] = UINT32_MAX;
	key = kernel_rule_key(rule);
	assert_string_equal(key, "");
	free(key);
	audit_rule_free_data(rule);
}

/* The kernel's counter grows, until somebody has it begin again. */
static void
test_more_lost(void **state)
{
	(void)state;
	assert_int_equal(kernel_audit_more_lost(0, 0), 0);
	assert_int_equal(kernel_audit_more_lost(7, 7), 0);
	assert_int_equal(kernel_audit_more_lost(7, 9), 2);
	assert_int_equal(kernel_audit_more_lost(7, 0), 0);
	assert_int_equal(kernel_audit_more_lost(7, 3), 3);
	assert_int_equal(kernel_audit_more_lost(0, UINT32_MAX), UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_lost),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
