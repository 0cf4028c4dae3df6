/*
 * Every message that one role may send another: one table (message.c) with
 * type, senders, receivers, body size, number of descriptors.  The channel
 * (ipc.h) refuses what the table does not allow, on both ends.
 *
 * The comments give the body in the notation of wire.h: u8 u16 u32 u64, str,
 * bytes; [..]* is a u32 count and so many items; (fd) a descriptor that
 * travels along.  "id" is the header's id.
 */
#ifndef HF_MESSAGE_H
#define HF_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/role.h"

/* Changes with every incompatible change of the list below. */
#define MESSAGE_PROTOCOL	1

/* Bodies from this size on travel as a sealed memfd; see ipc.h. */
#define MESSAGE_INLINE_MAX	(64 * 1024 - 1)
#define MESSAGE_BODY_MAX	(16 * 1024 * 1024)

/*
 * What one event of so many bytes takes of a connection's share of memory:
 * both ends count alike, and small ones are not free.
 */
#define MESSAGE_EVENT_COST(len)	((len) + 128)
/* The front tells of what was taken in steps of this. */
#define MESSAGE_EVENT_STEP	((size_t)64 * 1024)

enum message_type {
	/*
	 * Life cycle.  A role starts with its channel to the monitor on fd 3
	 * and nothing else, says HELLO, gets its setup (PEER, LISTEN, TLS,
	 * FACTS, BOOT, PAGE, as its role needs), then START.  PEER may come again
	 * later: that peer was restarted, the old channel is dead.
	 */
	MSG_HELLO = 1,		/* role -> monitor: u32 protocol, str build */
	MSG_PEER,		/* monitor -> role: u8 role (fd) */
	MSG_START,		/* monitor -> role: empty; sandbox and serve */
	MSG_READY,		/* role -> monitor: str notice; serving now.
				   core's notice is the one-time set-up code,
				   empty once there is an administrator */
	MSG_STOP,		/* monitor -> role: empty; finish and exit 0 */

	/* Set-up of single roles. */
	MSG_LISTEN,		/* monitor -> web, local, core, audit, journal:
				   str address (fd); for audit its /dev/log and
				   lib/startup.h's kernel, for
				   core lib/second_factor.h's socket, for
				   journal the folders that it may read */
	MSG_TLS,		/* monitor -> web: str certificate chain PEM,
				   str private key PEM */
	MSG_FACTS,		/* monitor -> core: see struct facts */
	MSG_BOOT,		/* monitor -> web, local: str the boot id */
	MSG_PAGE,		/* monitor -> web: empty (fd), sealed: the web
				   interface, web/page.h */
	MSG_UNLISTEN,		/* monitor -> web: str address of a LISTEN,
				   which may come at any time as well */

	/*
	 * Of a PROTOCOL_SHELL: one BEGIN, then OPEN, or a frame that refuses
	 * it and the close.  What is typed and shown passes core by.
	 */
	MSG_SHELL_BEGIN = 16,	/* front -> core: str token, u8 1: it asks for
				   something else than this machine */
	MSG_SHELL_OPEN,		/* core -> front: (fd) the terminal's end */
	MSG_SHELL_USED,		/* front -> core: something was typed */

	MSG_ACCESS,		/* core -> web: u8 1: TLS 1.2, 2: TLS 1.3, or
				   both, u8 enum access_frames, u16 port that
				   HTTP is sent to, [str network that may come in]*, none:
				   all; after CERTIFICATE the first of all, and
				   whenever it changes */
	MSG_CERTIFICATE,	/* core -> web: str certificate chain PEM, str
				   private key PEM, both "": the machine's own;
				   first of all, and whenever it changes */
	MSG_CERTIFICATE_USED,	/* web -> core, same id: str why not, "": it is
				   the present one */

	/* Console messages: audit/console.h. */
	MSG_AUDIT_CONSOLE = 24,	/* core -> audit: str {after: the number of a
				   line} -> an AUDIT_RESULT {last: the newest
				   one's, lines}, once there are some */

	/*
	 * Clients: web, local <-> core; id is the connection, chosen by the
	 * front role, unique as long as that role runs.
	 */
	MSG_CLIENT_OPEN = 32,	/* front -> core: str address, u16 port,
				   u8 secure, u8 enum client_protocol; for
				   local (fd) the accepted socket and
				   address "" */
	MSG_CLIENT_CALL,	/* front -> core: str request id as JSON text
				   ("" = notification), str method,
				   str params as JSON text (an array) */
	MSG_CLIENT_LEGACY,	/* front -> core: u8 enum legacy_verb, str id as
				   JSON text, str name of the event */
	/*
	 * Of a PROTOCOL_TRANSFER: one request, in this order, and one STATUS
	 * that ends it.
	 */
	MSG_TRANSFER_BEGIN,	/* front -> core: u8 enum transfer_kind, u8 enum
				   transfer_credential, str credential, u64
				   length of the body, str what: the job's
				   number, the upload's "data", or "" */
	MSG_TRANSFER_FILE,	/* core -> front: str filename, u8 1: its end is
				   that of the whole (fd) to read the download
				   from, or to write a file of the upload to */
	MSG_TRANSFER_NEXT,	/* front -> core: u8 enum transfer_step */
	MSG_TRANSFER_STATUS,	/* core -> front: u16 HTTP status, str type of
				   the body ("": text), bytes body ("": the
				   usual); of a download that began: 200, it is
				   whole, or else it is not */
	MSG_CLIENT_GONE,	/* front -> core: empty */
	MSG_END_POINT,		/* web -> core: bytes of the hash of its
				   certificate, RFC 5929 section 4.1, none: it
				   has no such hash; first of all, and when it
				   is another one */
	MSG_CLIENT_FRAME,	/* core -> front: u32 calls finished with it,
				   bytes one text frame, or none: so the
				   front knows how many are in progress and
				   stops reading from who floods */
	MSG_CLIENT_LIMIT,	/* core -> front: u32 largest message in
				   characters from now on; local reads
				   nothing of a client before the first */
	MSG_CLIENT_CLOSE,	/* core -> front: u16 code, str reason */
	MSG_CLIENT_EVENT,	/* core -> front: bytes one text frame that
				   nobody asked for */
	MSG_CLIENT_TAKEN,	/* front -> core: u32 so much of its events,
				   as MESSAGE_EVENT_COST() counts them, is
				   no longer in the front's queue */

	/* The audit log: core <-> audit; id joins request and answer. */
	MSG_AUDIT_APPEND = 47,	/* core -> audit: u8 enum audit_append, str
				   record as JSON */
	MSG_AUDIT_APPENDED,	/* audit -> core: u32 errno, 0 = on disk; u32
				   errno that those not urgent get now */
	MSG_AUDIT_QUERY,	/* core -> audit: str data of audit.query as
				   validated JSON, defaults filled in */
	MSG_AUDIT_RESULT,	/* audit -> core: u32 errno, str result JSON,
				   or the reason when errno is not 0; of a
				   QUERY, STATE, PRUNE, EXPORT, REPORT, HEAD,
				   REIDENTIFY, VERIFY */
	MSG_AUDIT_LIMITS,	/* core -> audit: u32 records and u32 seconds
				   until a head is signed, u64 bytes that the
				   log may take (0: any), u64 bytes to keep
				   for it; no answer */
	MSG_AUDIT_STATE,	/* core -> audit: str "" -> {used, available,
				   reserved, first_record, records, head: its
				   line or null} */
	MSG_AUDIT_PRUNE,	/* core -> audit: str {days, clock_right, record:
				   of what is dropped, without event_data; or
				   look: true, which drops nothing} ->
				   {pruned, clock_forward, first: the segment
				   before which all goes, with look} */
	MSG_AUDIT_EXPORT,	/* core -> audit: str {user, uuid, format, data,
				   record} as of audit/export.h -> {} */
	MSG_AUDIT_PROGRESS,	/* audit -> core: u32 percent of an EXPORT or
				   VERIFY */
	MSG_AUDIT_ABORT,	/* core -> audit: u32 id of the EXPORT or
				   VERIFY, which then ends by ECANCELED */
	MSG_AUDIT_REPORT,	/* core -> audit: str {user, name} -> {} (fd) */
	MSG_AUDIT_HEAD,		/* core -> audit: str "" -> {head}: the line of
				   a head for all records that there are */
	MSG_AUDIT_REIDENTIFY,	/* core -> audit: str {record: of what is done,
				   without event_data} -> {log, parent}: ids */
	MSG_AUDIT_VERIFY,	/* core -> audit: str "" -> the report of
				   audit/verify.h, and tree: of its heads */

	/* The journal: audit <-> journal, one LINES for each READ. */
	MSG_JOURNAL_READ,	/* audit -> journal: str cursor of the last line
				   that was read ("": none so far), u64 us since
				   1970 from which on lines count without one,
				   u64 until when all had been read */
	MSG_JOURNAL_LINES,	/* journal -> audit: u8 enum journal_lines, u64
				   us since 1970 until when all was read, [str
				   cursor, u64 us since 1970, u32 pid, u32 uid,
				   str what runs in that process or "", str
				   identifier, bytes message]* */

	MSG_KERNEL_LOST = 63,	/* monitor -> audit: u32 records that the kernel
				   says it lost since it was told last */

	/*
	 * Operations: core -> monitor, one MSG_OP_DONE each with the same id
	 * and, before its own members, u32 errno and str text for people
	 * (when errno is not 0, nothing follows).  Indexes are those of
	 * services/catalog.h.
	 */
	MSG_OP_DONE = 64,
	MSG_OP_PEER_IDENTITY,	/* (fd) -> u32 uid, u32 gid, u32 pid,
				   u32 login uid (0xffffffff none),
				   u8 1: in the instance's mount namespace or
				   root of the host's */
	MSG_OP_VERIFY_PASSWORD,	/* str user, str password -> u8 enum verdict */
	MSG_OP_INSTALL_ACCOUNTS,/* u32 output, bytes content: all managed
				   accounts, as monitor/accounts.h reads
				   them -> */
	MSG_OP_READ_ACCOUNTS,	/* -> [str name, u8 1: managed, u32 uid,
				   u32 gid, str gecos, str home, str shell]*
				   users, [str name, u8 1: managed, u32 gid,
				   [str member]*]* groups of the account files, [str path]* of those
				   of shells(5) that are there */
	MSG_OP_CHECK_OUTPUT,	/* u32 output, bytes content -> u8 1: accepted,
				   str the daemon's complaint */
	MSG_OP_INSTALL_OUTPUT,	/* u32 output, bytes content, [str digest of
				   what it may replace]*, none: whatever is
				   there -> u8 1: one of somebody else made
				   room; keeps what was there for RESTORE;
				   ESTALE: something else is there */
	MSG_OP_RESTORE_OUTPUT,	/* u32 output, [str digest]* as above -> u8 1:
				   something else was there and made room */
	MSG_OP_READ_OUTPUT,	/* u32 output -> u8 1: exists, bytes content;
				   none of one that is somebody else's */
	MSG_OP_EFFECTIVE,	/* u32 output, [str connection spec]* as of
				   sshd -C, none = global -> bytes text */
	MSG_OP_EFFECTIVE_OF,	/* u32 output, bytes content, [str connection
				   spec as above, "" = global]* -> [bytes
				   text]*: what the daemon would make of that
				   content */
	MSG_OP_SERVICE_CONTROL,	/* u32 service, u32 daemon of it or DAEMON_ALL,
				   u8 enum service_verb -> */
	MSG_OP_SERVICE_STATUS,	/* u32 service, u32 daemon as above
				   -> u8 enum service_state, [u32 pid]*,
				   [str address, u16 port]* listening, str last
				   exit reason */
	MSG_OP_INTERFACES,	/* -> [str name, str address, "": none that can
				   be listened on now; a link-local one with
				   %number of the interface]* */
	MSG_OP_WORKER,		/* u32 task -> (fd) the worker's socket */
	MSG_OP_STATUS,		/* -> [str role, u32 pid, u32 restarts,
				   u64 running since, s]*, [str problem]* */
	MSG_OP_ADMIN_READY,	/* -> ; there is an administrator now: the
				   set-up code is void, its file goes */
	MSG_OP_SSH_SESSIONS,	/* -> [u32 pid, u64 start in clock ticks since
				   the boot, u64 that time of the clock, u32
				   uid, str user, str address, u16 port, str
				   terminal, str command]* */
	MSG_OP_END_SSH,		/* u32 uid whose sessions end, or 0xffffffff,
				   u32 pid and u64 start of the only one
				   -> u32 how many there were */
	/*
	 * Homes, named by their absolute path, and the account's ids; where
	 * they may be: monitor/home.h.
	 */
	MSG_OP_CHECK_HOME,	/* str home, u32 uid, u32 gid, u8 1: it will be
				   made, u8 1: the folder it is in is all its
				   user will see -> */
	MSG_OP_STAGE_HOME,	/* str home, u32 uid, u32 gid, u16 mode, str
				   home to copy or "", bytes keys -> ; made
				   beside its place, for SETTLE_HOME */
	MSG_OP_SETTLE_HOME,	/* str home, u32 uid, u32 gid, u8 1: what was
				   staged gets its name; 0: it goes -> */
	MSG_OP_UPDATE_HOME,	/* str home, u32 uid, u32 gid, u16 mode or
				   HOME_MODE_KEEP, u8 1: the keys of
				   authorized_keys become these, bytes keys
				   -> */
	MSG_OP_END_PROCESSES,	/* u32 uid -> u32 how many there were */
	MSG_OP_CHECK_COMMANDS,	/* [str command of sudo]* ->
				   [u8 enum command_state, str the path that
				   it is about]* */
	MSG_OP_SSH_INSTALLED,	/* -> u32 version of OpenSSH (902 is 9.2), str,
				   comma-separated: key exchanges, host key
				   algorithms, ciphers, MACs */
	MSG_OP_SSH_FILES,	/* -> u8 1: sshd_config is as Debian's package
				   has it, u8 1: sshd starts with the machine,
				   [str path below /etc/ssh, bytes content, str
				   why it cannot be read]* */
	MSG_OP_SSH_HOST_KEYS,	/* -> for each slot of each type, as of
				   services/ssh/ssh_key_files.h: u8 enum
				   ssh_key_state, str "type base64" of a good
				   one, str what is wrong with a damaged one */
	MSG_OP_SSH_HOST_KEY,	/* u8 enum ssh_key_verb, u8 type, u8 slot -> ;
				   EBUSY while sshd_config names it */
	MSG_OP_SSH_PAM,		/* u8 1: install what is missing -> str what of
				   ours in sshd's PAM service was, or "",
				   u8 1: it is there now */
	MSG_OP_HOOKS,		/* what tells the audit role of logins is put
				   back -> str files that were missing, or had
				   lost our lines, or "", str why they have
				   still, or "" */
	MSG_OP_SEAL,		/* u32 segment of the audit log, those before
				   which may be dropped (0: none) -> */
	MSG_OP_KERNEL_AUDIT,	/* u8 1: our rules are loaded, u8 1: and locked,
				   u8 1: it stops the machine when a record is
				   lost -> u8 enum kernel_audit_state, u32 of
				   our rules are loaded, str what is wrong */
	MSG_OP_FILES_OF,	/* u32 uid, u32 tree as of
				   owned_trees[], u32 most
				   -> u64 files, [str path]* that many at
				   most, u8 1: not all was looked at */
	/*
	 * A change that waits for its confirmation: monitor/held.h.  Its id is
	 * core's, and so is what core keeps with it.
	 */
	MSG_OP_HOLD,		/* str id, u32 seconds, bytes core's, [u32
				   output]*, [u32 daemon, u8 enum service_verb
				   that it takes them by]* -> ; keeps what
				   these outputs are now */
	MSG_OP_HOLD_RUN,	/* str id -> u64 since, u64 deadline, both by
				   boottime_ms(): its seconds begin */
	MSG_OP_HELD,		/* -> u8 enum held_state, str id, u64 since,
				   u64 deadline, bytes core's, [u32 output, str
				   digest of what it was, u8 1: somebody else
				   edited it since]* */
	MSG_OP_RELEASE,		/* str id, u8 1: it was taken back -> ; ESTALE
				   when that is not so */
	MSG_OP_TAKE_BACK,	/* str id -> ; its time is over now */
	MSG_OP_LISTEN,		/* [str ADDRESS:PORT, LISTEN_PLAIN before it: of
				   HTTP]* -> ; web listens there and nowhere
				   else */
	/* Terminals of the web shell: monitor/terminal.h. */
	MSG_OP_TERMINAL,	/* str user, u32 uid, str address it comes from
				   or "" -> u32 its number (fd) to read and
				   write; its user is in it by login(1) */
	MSG_OP_TERMINAL_SIZE,	/* u32 number, u16 columns, u16 rows -> */
	MSG_OP_TERMINAL_END,	/* u32 number -> ; whoever is in it goes */

	MSG_SERVICE_CHANGED = 120, /* monitor -> core: u32 service; its state is
				   another one without core having asked */
	MSG_HELD_OVER,		/* monitor -> core: str id of what was held; its
				   files are as they were again */
	MSG_INTERFACES_CHANGED,	/* monitor -> core: empty; one, or an address,
				   came, went or is another */
	MSG_TERMINAL_OVER,	/* monitor -> core: u32 number; login ended */

	MSG_AUDIT_PROBE = 127,	/* core -> audit: str {token}: a word by which
				   a probe of this machine takes its leave of
				   sshd -> {} as RESULT */

	/* Workers: core <-> worker, one task, one answer, on its own channel. */
	MSG_TASK = 128,		/* core -> worker: u32 task, then the task's */
	MSG_TASK_DONE,		/* worker -> core: u32 errno, str text, then
				   the task's members when errno is 0 */
	MSG_TYPE_COUNT
};

/* Before an address where HTTP without TLS comes in, to be sent on. */
#define LISTEN_PLAIN	"http "

/* Who may show the page in a frame. */
enum access_frames { FRAMES_NONE, FRAMES_OWN, FRAMES_ANY, FRAMES_COUNT };

/* What a connection speaks. */
enum client_protocol {
	PROTOCOL_JSONRPC,
	PROTOCOL_LEGACY,	/* at /websocket: core/legacy.h */
	PROTOCOL_TRANSFER,	/* HTTP, one request: core/transfer.h */
	PROTOCOL_SHELL,		/* at /websocket/shell: core/shell.h */
	PROTOCOL_COUNT
};

/* Of a record, bits. */
enum audit_append {
	AUDIT_AGAIN	= 1 << 0,	/* may have been delivered before; skip
					   it when its audit_id is there */
	AUDIT_URGENT	= 1 << 1	/* takes what is kept for a full disk */
};

/* What is to be said of lines of the journal, bits. */
enum journal_lines {
	JOURNAL_END	= 1 << 0,	/* there were no more */
	JOURNAL_GAP	= 1 << 1	/* before them some may be missing */
};

enum transfer_kind {
	TRANSFER_DOWNLOAD,
	TRANSFER_UPLOAD,
	TRANSFER_OPENRPC,	/* the document, for who logs in */
	TRANSFER_KIND_COUNT
};

/* How the client says who it is. */
enum transfer_credential {
	GIVEN_NOTHING,
	GIVEN_TOKEN,
	GIVEN_BASIC,	/* "user:password" */
	GIVEN_BEARER,	/* an API key */
	GIVEN_COUNT
};

/* How an upload goes on. */
enum transfer_step {
	STEP_FILE,	/* one more file comes */
	STEP_END,	/* all is written and whole */
	STEP_UNREAD,	/* nobody reads it any more */
	STEP_COUNT
};

/* Of the legacy protocol, what is no call. */
enum legacy_verb {
	LEGACY_CONNECT, LEGACY_SUBSCRIBE, LEGACY_UNSUBSCRIBE, LEGACY_VERB_COUNT
};

enum verdict { VERDICT_OK, VERDICT_WRONG, VERDICT_EXPIRED, VERDICT_DENIED };

#define DAEMON_ALL	UINT32_MAX
#define HOME_MODE_KEEP	UINT16_MAX

/* Of a program that sudo is to run: who else may put another in its place. */
enum command_state {
	COMMAND_SAFE,		/* root alone, along its whole path */
	COMMAND_ABSENT,		/* there is none such */
	COMMAND_WRITABLE,	/* by others than root */
	COMMAND_STATE_COUNT
};

enum held_state {
	HELD_NONE,
	HELD_APPLYING,		/* its seconds have not begun */
	HELD_WAITING,
	HELD_RESTORED,		/* what it was is back; core has to say so */
	HELD_STATE_COUNT
};

/* What there is of the kernel's audit. */
enum kernel_audit_state {
	KERNEL_AUDIT_OFF,	/* nobody asked for it */
	KERNEL_AUDIT_ON,
	KERNEL_AUDIT_ABSENT,	/* the kernel has none, or not for us */
	KERNEL_AUDIT_LOCKED,	/* and cannot be changed */
	KERNEL_AUDIT_TAKEN,	/* another Holdfast has it */
	KERNEL_AUDIT_FAILED,
	KERNEL_AUDIT_STATE_COUNT
};

enum service_verb {
	VERB_START, VERB_STOP, VERB_RESTART, VERB_RELOAD,
	VERB_ENABLE, VERB_DISABLE,	/* does it start with the machine? */
	VERB_COUNT
};

enum service_state {
	STATE_STOPPED, STATE_STARTING, STATE_RUNNING, STATE_STOPPING,
	STATE_FAILED	/* gave up after repeated exits */
};

struct message_info {
	uint16_t	 type;
	const char	*name;
	unsigned int	 from, to;	/* sets of ROLE_BIT() */
	size_t		 min, max;	/* body, bytes */
	unsigned int	 nfds_min, nfds_max;
};

/* NULL when there is no such type. */
const struct message_info *message_info(uint16_t type);

#endif
