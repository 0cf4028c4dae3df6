/*
 * The table of messages: who may send which to whom, how large, with how many
 * descriptors.  What a body holds stands in message.h.
 */
#include "lib/message.h"

#define MONITOR ROLE_BIT(ROLE_MONITOR)
#define WEB ROLE_BIT(ROLE_WEB)
#define LOCAL ROLE_BIT(ROLE_LOCAL)
#define CORE ROLE_BIT(ROLE_CORE)
#define WORKER ROLE_BIT(ROLE_WORKER)
#define AUDIT ROLE_BIT(ROLE_AUDIT)
#define JOURNAL ROLE_BIT(ROLE_JOURNAL)
#define FRONT (WEB | LOCAL)
#define OTHERS (WEB | LOCAL | CORE | WORKER | AUDIT | JOURNAL)

#define KIB ((size_t)1024)
#define ANY ((size_t)MESSAGE_BODY_MAX)
/* A str or a list: its length or count; and with a short text. */
#define STR ((size_t)4)
#define SHORT (STR + 256)

/* A name of the enum, senders, receivers, body, descriptors. */
/* clang-format off */
#define ROW(id, senders, receivers, least, most, fds_least, fds_most)	\
	[MSG_##id] = { .type = MSG_##id, .name = #id,			\
	  .from = (senders), .to = (receivers),				\
	  .min = (least), .max = (most),				\
	  .nfds_min = (fds_least), .nfds_max = (fds_most) }

static const struct message_info messages[MSG_TYPE_COUNT] = {
	ROW(HELLO,		OTHERS,  MONITOR, 4 + STR, 4 + SHORT,  0, 0),
	ROW(PEER,		MONITOR, OTHERS,  1, 1,		       1, 1),
	ROW(START,		MONITOR, OTHERS,  0, 0,		       0, 0),
	ROW(READY,		OTHERS,  MONITOR, STR, SHORT,	       0, 0),
	ROW(STOP,		MONITOR, OTHERS,  0, 0,		       0, 0),

	ROW(LISTEN,		MONITOR, FRONT | CORE | AUDIT | JOURNAL,
						  STR, STR + 4 * KIB,  1, 1),
	ROW(TLS,		MONITOR, WEB,	  2 * STR, 256 * KIB,  0, 0),
	ROW(FACTS,		MONITOR, CORE,	  STR, 64 * KIB,       0, 0),
	ROW(BOOT,		MONITOR, FRONT,	  STR, SHORT,	       0, 0),
	ROW(PAGE,		MONITOR, WEB,	  0, 0,		       1, 1),

	ROW(UNLISTEN,		MONITOR, WEB,	  STR, SHORT,	       0, 0),
	ROW(ACCESS,		CORE, WEB,	  4 + STR, 64 * KIB,   0, 0),
	ROW(CERTIFICATE,	CORE, WEB,	  2 * STR, 256 * KIB,  0, 0),
	ROW(CERTIFICATE_USED,	WEB, CORE,	  STR, STR + KIB,      0, 0),

	ROW(SHELL_BEGIN,	FRONT, CORE,	  1 + STR, 1 + STR + 4 * KIB,
								       0, 0),
	ROW(SHELL_OPEN,		CORE, FRONT,	  0, 0,		       1, 1),
	ROW(SHELL_USED,		FRONT, CORE,	  0, 0,		       0, 0),

	ROW(CLIENT_OPEN,	FRONT, CORE,	  STR + 4, SHORT + 4,  0, 1),
	ROW(CLIENT_CALL,	FRONT, CORE,	  3 * STR, ANY,	       0, 0),
	ROW(CLIENT_LEGACY,	FRONT, CORE,	  1 + 2 * STR, ANY,    0, 0),
	ROW(TRANSFER_BEGIN,	FRONT, CORE,	  10 + 2 * STR, 512 * KIB, 0, 0),
	ROW(TRANSFER_FILE,	CORE, FRONT,	  1 + STR, 1 + STR + 4 * KIB,
								       1, 1),
	ROW(TRANSFER_NEXT,	FRONT, CORE,	  1, 1,		       0, 0),
	ROW(TRANSFER_STATUS,	CORE, FRONT,	  2 + 2 * STR, ANY,    0, 0),
	ROW(CLIENT_GONE,	FRONT, CORE,	  0, 0,		       0, 0),
	ROW(END_POINT,		WEB, CORE,	  STR, STR + 64,       0, 0),
	ROW(CLIENT_FRAME,	CORE, FRONT,	  4 + STR, ANY,	       0, 0),
	ROW(CLIENT_LIMIT,	CORE, FRONT,	  4, 4,		       0, 0),
	ROW(CLIENT_CLOSE,	CORE, FRONT,	  2 + STR, 2 + SHORT,  0, 0),
	ROW(CLIENT_EVENT,	CORE, FRONT,	  STR, ANY,	       0, 0),
	ROW(CLIENT_TAKEN,	FRONT, CORE,	  4, 4,		       0, 0),

	ROW(AUDIT_APPEND,	CORE, AUDIT,	  1 + STR, ANY,	       0, 0),
	ROW(AUDIT_APPENDED,	AUDIT, CORE,	  8, 8,		       0, 0),
	ROW(AUDIT_QUERY,	CORE, AUDIT,	  STR, ANY,	       0, 0),
	ROW(AUDIT_RESULT,	AUDIT, CORE,	  4 + STR, ANY,	       0, 1),
	ROW(AUDIT_LIMITS,	CORE, AUDIT,	  24, 24,	       0, 0),
	ROW(AUDIT_STATE,	CORE, AUDIT,	  STR, STR,	       0, 0),
	ROW(AUDIT_PRUNE,	CORE, AUDIT,	  STR, 64 * KIB,       0, 0),
	ROW(AUDIT_EXPORT,	CORE, AUDIT,	  STR, ANY,	       0, 0),
	ROW(AUDIT_PROGRESS,	AUDIT, CORE,	  4, 4,		       0, 0),
	ROW(AUDIT_ABORT,	CORE, AUDIT,	  4, 4,		       0, 0),
	ROW(AUDIT_REPORT,	CORE, AUDIT,	  STR, STR + 4 * KIB,  0, 0),
	ROW(AUDIT_HEAD,		CORE, AUDIT,	  STR, STR,	       0, 0),
	ROW(AUDIT_REIDENTIFY,	CORE, AUDIT,	  STR, 64 * KIB,       0, 0),
	ROW(AUDIT_PROBE,	CORE, AUDIT,	  STR, SHORT,	       0, 0),
	ROW(AUDIT_VERIFY,	CORE, AUDIT,	  STR, STR,	       0, 0),

	ROW(AUDIT_CONSOLE,	CORE, AUDIT,	  STR, STR + 64,       0, 0),
	ROW(JOURNAL_READ,	AUDIT, JOURNAL,	  16 + STR, 16 + STR + KIB,
								       0, 0),
	ROW(JOURNAL_LINES,	JOURNAL, AUDIT,	  9 + STR, 1024 * KIB,  0, 0),

	ROW(KERNEL_LOST,	MONITOR, AUDIT,	  4, 4,		       0, 0),

	ROW(OP_DONE,		MONITOR, CORE,	  4 + STR, ANY,	       0, 1),
	ROW(OP_PEER_IDENTITY,	CORE, MONITOR,	  0, 0,		       1, 1),
	ROW(OP_VERIFY_PASSWORD,	CORE, MONITOR,	  2 * STR, 16 * KIB,   0, 0),
	ROW(OP_INSTALL_ACCOUNTS, CORE, MONITOR,	  4 + STR, ANY,	       0, 0),
	ROW(OP_READ_ACCOUNTS,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_CHECK_OUTPUT,	CORE, MONITOR,	  4 + STR, ANY,	       0, 0),
	ROW(OP_INSTALL_OUTPUT,	CORE, MONITOR,	  4 + STR, ANY,	       0, 0),
	ROW(OP_RESTORE_OUTPUT,	CORE, MONITOR,	  4, 4 + 4 * SHORT,    0, 0),
	ROW(OP_READ_OUTPUT,	CORE, MONITOR,	  4, 4,		       0, 0),
	ROW(OP_EFFECTIVE,	CORE, MONITOR,	  4 + STR, 64 * KIB,   0, 0),
	ROW(OP_EFFECTIVE_OF,	CORE, MONITOR,	  4 + 2 * STR, ANY,    0, 0),
	ROW(OP_SERVICE_CONTROL,	CORE, MONITOR,	  9, 9,		       0, 0),
	ROW(OP_SERVICE_STATUS,	CORE, MONITOR,	  8, 8,		       0, 0),
	ROW(OP_INTERFACES,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_WORKER,		CORE, MONITOR,	  4, 4,		       0, 0),
	ROW(OP_STATUS,		CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_ADMIN_READY,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_SSH_SESSIONS,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_END_SSH,		CORE, MONITOR,	  16, 16,	       0, 0),
	ROW(OP_CHECK_HOME,	CORE, MONITOR,	 10 + STR, 10 + SHORT,  0, 0),
	ROW(OP_STAGE_HOME,	CORE, MONITOR,	  10 + 3 * STR, 3072 * KIB,
								       0, 0),
	ROW(OP_SETTLE_HOME,	CORE, MONITOR,	  9 + STR, 9 + SHORT,  0, 0),
	ROW(OP_UPDATE_HOME,	CORE, MONITOR,	  11 + 2 * STR, 3072 * KIB,
								       0, 0),
	ROW(OP_END_PROCESSES,	CORE, MONITOR,	  4, 4,		       0, 0),
	ROW(OP_CHECK_COMMANDS,	CORE, MONITOR,	  STR, ANY,	       0, 0),
	ROW(OP_SSH_INSTALLED,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_SSH_FILES,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_SSH_HOST_KEYS,	CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_SSH_HOST_KEY,	CORE, MONITOR,	  3, 3,		       0, 0),
	ROW(OP_SSH_PAM,		CORE, MONITOR,	  1, 1,		       0, 0),
	ROW(OP_HOOKS,		CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_SEAL,		CORE, MONITOR,	  4, 4,		       0, 0),
	ROW(OP_KERNEL_AUDIT,	CORE, MONITOR,	  3, 3,		       0, 0),
	ROW(OP_FILES_OF,	CORE, MONITOR,	  12, 12,	       0, 0),
	ROW(OP_HOLD,		CORE, MONITOR,	  4 + 4 * STR, ANY,    0, 0),
	ROW(OP_HOLD_RUN,	CORE, MONITOR,	  STR, SHORT,	       0, 0),
	ROW(OP_HELD,		CORE, MONITOR,	  0, 0,		       0, 0),
	ROW(OP_RELEASE,		CORE, MONITOR,	  1 + STR, 1 + SHORT,  0, 0),
	ROW(OP_TAKE_BACK,	CORE, MONITOR,	  STR, SHORT,	       0, 0),
	ROW(OP_LISTEN,		CORE, MONITOR,	  STR, 16 * KIB,       0, 0),
	ROW(OP_TERMINAL,	CORE, MONITOR,	  4 + 2 * STR, 4 + 2 * SHORT,
								       0, 0),
	ROW(OP_TERMINAL_SIZE,	CORE, MONITOR,	  8, 8,		       0, 0),
	ROW(OP_TERMINAL_END,	CORE, MONITOR,	  4, 4,		       0, 0),

	ROW(TERMINAL_OVER,	MONITOR, CORE,	  4, 4,		       0, 0),
	ROW(HELD_OVER,		MONITOR, CORE,	  STR, SHORT,	       0, 0),
	ROW(SERVICE_CHANGED,	MONITOR, CORE,	  4, 4,		       0, 0),
	ROW(INTERFACES_CHANGED,	MONITOR, CORE,	  0, 0,		       0, 0),

	ROW(TASK,		CORE, WORKER,	  4, ANY,	       0, 0),
	ROW(TASK_DONE,		WORKER, CORE,	  4 + STR, ANY,	       0, 0),
};
/* clang-format on */

const struct message_info *
message_info(uint16_t type)
{
	if (type >= MSG_TYPE_COUNT || messages[type].name == NULL)
		return NULL;
	return &messages[type];
}
