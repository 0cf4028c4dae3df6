/*
 * The tables of messages and of roles: no type without a row, no row that
 * contradicts what the roles are for.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/ipc.h"
#include "lib/message.h"

#define BIT(role) ROLE_BIT(ROLE_##role)

/* A type that is added and not listed here does not compile (-Wswitch). */
static bool
is_type(enum message_type type)
{
	switch (type) {
	case MSG_HELLO:
	case MSG_PEER:
	case MSG_START:
	case MSG_READY:
	case MSG_STOP:
	case MSG_LISTEN:
	case MSG_TLS:
	case MSG_FACTS:
	case MSG_BOOT:
	case MSG_UNLISTEN:
	case MSG_ACCESS:
	case MSG_CERTIFICATE:
	case MSG_CERTIFICATE_USED:
	case MSG_OP_LISTEN:
	case MSG_SHELL_BEGIN:
	case MSG_SHELL_OPEN:
	case MSG_SHELL_USED:
	case MSG_PAGE:
	case MSG_CLIENT_OPEN:
	case MSG_CLIENT_CALL:
	case MSG_CLIENT_LEGACY:
	case MSG_TRANSFER_BEGIN:
	case MSG_TRANSFER_FILE:
	case MSG_TRANSFER_NEXT:
	case MSG_TRANSFER_STATUS:
	case MSG_CLIENT_GONE:
	case MSG_END_POINT:
	case MSG_CLIENT_FRAME:
	case MSG_CLIENT_LIMIT:
	case MSG_CLIENT_CLOSE:
	case MSG_CLIENT_EVENT:
	case MSG_CLIENT_TAKEN:
	case MSG_AUDIT_APPEND:
	case MSG_AUDIT_APPENDED:
	case MSG_AUDIT_QUERY:
	case MSG_AUDIT_RESULT:
	case MSG_AUDIT_LIMITS:
	case MSG_AUDIT_STATE:
	case MSG_AUDIT_PRUNE:
	case MSG_AUDIT_HEAD:
	case MSG_AUDIT_REIDENTIFY:
	case MSG_AUDIT_PROBE:
	case MSG_AUDIT_VERIFY:
	case MSG_AUDIT_CONSOLE:
	case MSG_AUDIT_EXPORT:
	case MSG_AUDIT_PROGRESS:
	case MSG_AUDIT_ABORT:
	case MSG_AUDIT_REPORT:
	case MSG_JOURNAL_READ:
	case MSG_JOURNAL_LINES:
	case MSG_KERNEL_LOST:
	case MSG_OP_DONE:
	case MSG_OP_PEER_IDENTITY:
	case MSG_OP_VERIFY_PASSWORD:
	case MSG_OP_INSTALL_ACCOUNTS:
	case MSG_OP_READ_ACCOUNTS:
	case MSG_OP_CHECK_OUTPUT:
	case MSG_OP_INSTALL_OUTPUT:
	case MSG_OP_RESTORE_OUTPUT:
	case MSG_OP_READ_OUTPUT:
	case MSG_OP_EFFECTIVE:
	case MSG_OP_SERVICE_CONTROL:
	case MSG_OP_SERVICE_STATUS:
	case MSG_OP_INTERFACES:
	case MSG_OP_WORKER:
	case MSG_OP_STATUS:
	case MSG_OP_ADMIN_READY:
	case MSG_OP_SSH_SESSIONS:
	case MSG_OP_END_SSH:
	case MSG_OP_CHECK_HOME:
	case MSG_OP_STAGE_HOME:
	case MSG_OP_SETTLE_HOME:
	case MSG_OP_UPDATE_HOME:
	case MSG_OP_END_PROCESSES:
	case MSG_OP_CHECK_COMMANDS:
	case MSG_OP_HOOKS:
	case MSG_OP_SEAL:
	case MSG_OP_KERNEL_AUDIT:
	case MSG_OP_FILES_OF:
	case MSG_OP_SSH_INSTALLED:
	case MSG_OP_SSH_FILES:
	case MSG_OP_SSH_HOST_KEYS:
	case MSG_OP_SSH_HOST_KEY:
	case MSG_OP_SSH_PAM:
	case MSG_OP_EFFECTIVE_OF:
	case MSG_OP_HOLD:
	case MSG_OP_HOLD_RUN:
	case MSG_OP_HELD:
	case MSG_OP_RELEASE:
	case MSG_OP_TAKE_BACK:
	case MSG_OP_TERMINAL:
	case MSG_OP_TERMINAL_SIZE:
	case MSG_OP_TERMINAL_END:
	case MSG_TERMINAL_OVER:
	case MSG_HELD_OVER:
	case MSG_INTERFACES_CHANGED:
	case MSG_SERVICE_CHANGED:
	case MSG_TASK:
	case MSG_TASK_DONE:
		return true;
	case MSG_TYPE_COUNT:
		return false;
	}
	return false;
}

static void
test_rows(void **state)
{
	const struct message_info *info;
	unsigned int type;

	(void)state;
	for (type = 0; type <= UINT16_MAX; type++) {
		info = message_info((uint16_t)type);
		if (type >= MSG_TYPE_COUNT ||
		    !is_type((enum message_type)type)) {
			assert_null(info);
			continue;
		}
		assert_non_null(info);
		assert_int_equal(info->type, type);
		assert_true(info->from != 0 && info->to != 0);
		assert_int_equal(info->from & info->to, 0);
		assert_true((info->from | info->to) < ROLE_BIT(ROLE_COUNT));
		assert_true(info->min <= info->max);
		assert_true(info->max <= MESSAGE_BODY_MAX);
		assert_true(info->nfds_min <= info->nfds_max);
		assert_true(info->nfds_max <= IPC_FDS_MAX);
	}
}

/* What each role may say, from the design. */
static void
test_who(void **state)
{
	const struct message_info *info;
	unsigned int type;

	(void)state;
	for (type = 0; type < MSG_TYPE_COUNT; type++) {
		if ((info = message_info((uint16_t)type)) == NULL)
			continue;
		/* Fronts never reach the monitor but for their life cycle. */
		if ((info->from & (BIT(WEB) | BIT(LOCAL))) &&
		    (info->to & BIT(MONITOR)))
			assert_true(type == MSG_HELLO || type == MSG_READY);
		/* Only core asks for operations, nobody else. */
		if (type > MSG_OP_DONE && type < MSG_SERVICE_CHANGED) {
			assert_int_equal(info->from, BIT(CORE));
			assert_int_equal(info->to, BIT(MONITOR));
		}
		/* The journal role speaks with the audit role and no other. */
		if ((info->from | info->to) == (BIT(JOURNAL) | BIT(AUDIT))) {
			assert_true(type == MSG_JOURNAL_READ ||
			    type == MSG_JOURNAL_LINES);
			continue;
		}
		if (!(info->to & BIT(MONITOR)) && !(info->from & BIT(MONITOR)))
			assert_false((info->from | info->to) & BIT(JOURNAL));
		/* The audit role hears of records from core alone. */
		if ((info->to & BIT(AUDIT)) && !(info->from & BIT(MONITOR)))
			assert_int_equal(info->from, BIT(CORE));
		/* Fronts, audit and workers never speak to each other. */
		if (!((info->from | info->to) & (BIT(CORE) | BIT(MONITOR))))
			fail_msg("%s passes core by", info->name);
	}
	assert_int_equal(message_info(MSG_TLS)->to, BIT(WEB));
	assert_int_equal(message_info(MSG_OP_DONE)->from, BIT(MONITOR));
	assert_int_equal(message_info(MSG_TASK_DONE)->from, BIT(WORKER));
}

static void
test_roles(void **state)
{
	enum role a, b;

	(void)state;
	for (a = ROLE_MONITOR; a < ROLE_COUNT; a++) {
		assert_int_equal(role_by_name(role_info(a)->name), a);
		assert_non_null(role_info(a)->doc);
		for (b = ROLE_MONITOR; b < a; b++) {
			assert_int_not_equal(
			    role_info(a)->uid, role_info(b)->uid);
			assert_string_not_equal(
			    role_info(a)->user, role_info(b)->user);
		}
	}
	assert_int_equal(role_info(ROLE_MONITOR)->uid, 0);
	assert_int_equal(role_info(ROLE_WEB)->uid, 471);
	assert_int_equal(role_info(ROLE_AUDIT)->uid, 475);
	assert_int_equal(role_info(ROLE_JOURNAL)->uid, 476);
	assert_int_equal(role_by_name("root"), ROLE_COUNT);
	assert_int_equal(role_by_name(""), ROLE_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
