/* What the files of keychaincredential.* share. */
#ifndef HF_KEYCHAIN_INTERNAL_H
#define HF_KEYCHAIN_INTERNAL_H

#include "core/change.h"
#include "core/method.h"
#include "core/op.h"

#define KEY_PAIR	"SSH_KEY_PAIR"
#define CONNECTION	"SSH_CREDENTIALS"
/* The prefix of a new entry's errors. */
#define CREATE_PREFIX	"keychain_credential_create"

/* clang-format off */
/* Of another machine, as attributes and as parameters. */
#define HOST_ROW							\
	{ .name = "host", .type = F_STR, .flags = FF_REQUIRED, .max = 253, \
	  .pattern = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?"	\
	    "|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?",	\
	  .pattern_message =						\
	    "This is neither a name nor an address of a host",		\
	  .label = "Host", .doc = "Name or address of the other machine." }
#define PORT_ROW							\
	{ .name = "port", .type = F_INT, .def = "22", .min = 1,		\
	  .max = 65535, .label = "Port",				\
	  .doc = "TCP port of its SSH server." }
#define USERNAME_ROW							\
	{ .name = "username", .type = F_STR, .def = "\"root\"",		\
	  .max = 255, .pattern = "[!-,.-~][!-~]*",			\
	  .pattern_message = "This is no name of a user",		\
	  .label = "Username", .doc = "Whom to log in as." }
#define HOST_KEY_ROW							\
	{ .name = "remote_host_key", .type = F_STR,			\
	  .flags = FF_REQUIRED, .max = KEY_TEXT_MAX - 1,		\
	  .pattern =							\
	    "\\s*([a-z0-9@.-]++ [A-Za-z0-9+/]++={0,2}( [ -~]*+)?\\s*+)+", \
	  .pattern_message = "This is not one public key a line, as "	\
	    "keychaincredential.remote_ssh_host_key_scan gives them",	\
	  .label = "Remote Host Key",					\
	  .doc = "The host's public keys, one a line: type and Base64." }
#define TIMEOUT_ROW							\
	{ .name = "connect_timeout", .type = F_INT, .def = "10",	\
	  .unit = "s", .min = 1, .max = KEYCHAIN_SECONDS_MAX,		\
	  .label = "Connect Timeout",					\
	  .doc = "How long to wait for the other machine." }
/* The other machine's API, and what is wanted of it. */
#define REMOTE_ROWS							\
	{ .name = "url", .type = F_STR, .flags = FF_REQUIRED, .min = 1,	\
	  .max = 2083, .label = "URL",					\
	  .pattern = "(https|wss)://(\\[[0-9A-Fa-f:.]+\\]"		\
	    "|[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?)"		\
	    "(:[0-9]{1,5})?(/|/api/current|/websocket|/ui/?)?",		\
	  .pattern_message = "This is not https://HOST[:PORT]: a password " \
	    "is sent there, so it has to be TLS",			\
	  .doc = "Where its web page is: https://HOST[:PORT]." },	\
	{ .name = "verify_ssl", .type = F_BOOL, .def = "true",		\
	  .label = "Verify TLS",					\
	  .doc = "Believe a certificate of our authorities only." },	\
	{ .name = "fingerprint", .type = F_STR, .def = "null",		\
	  .flags = FF_NULL | FF_OWN, .max = 95,				\
	  .pattern = "[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}",		\
	  .pattern_message = "This is no SHA-256 fingerprint: 32 bytes "	\
	    "in hex with colons", .label = "Fingerprint",		\
	  .doc = "SHA-256 of its certificate, which has to be this one." }, \
	{ .name = "token", .type = F_STR, .def = "null", .label = "Token", \
	  .flags = FF_NULL | FF_SECRET,					\
	  .doc = "Of a session there, instead of a password." },	\
	{ .name = "admin_username", .type = F_STR, .def = "\"root\"",	\
	  .max = 255, .label = "Admin Username",			\
	  .doc = "Who may change accounts there." },			\
	{ .name = "password", .type = F_STR, .def = "null",		\
	  .flags = FF_NULL | FF_SECRET, .label = "Admin Password",	\
	  .doc = "That user's password." },				\
	{ .name = "otp_token", .type = F_STR, .def = "null",		\
	  .flags = FF_NULL | FF_SECRET, .label = "One-Time Password",	\
	  .doc = "That user's code, where a second factor is asked for." }, \
	USERNAME_ROW, TIMEOUT_ROW,					\
	{ .name = "sudo", .type = F_BOOL, .def = "false",		\
	  .label = "Enable Passwordless Sudo for ZFS",			\
	  .doc = "Let that user run zfs as root there." }
/* clang-format on */
#define KEYCHAIN_SECONDS_MAX	60

/* The attributes of each of them (keychain.c). */
extern const struct field key_pair_fields[];
extern const struct field connection_fields[];
/* What an answer of one entry looks like (keychain.c). */
extern const struct field keychain_shown;

/* keychain_check.c: struct resource's. */
void	keychain_check(struct change *);
void	keychain_lookup(struct change *);

/*
 * The connections that use the key pair, as the change leaves them (NULL: as
 * they are stored); a new reference.
 */
json_t	*keychain_users(const struct change *, int64_t pair);

/* Is it of that type? */
bool	keychain_is(const json_t *entry, const char *type);

/* keychain.delete's own run, and what it asks of others. */
void	keychain_delete_run(struct call *);

/* keychain_make.c */
void	keychain_generate_run(struct call *);
extern const struct field keychain_generate_params[];
extern const struct field keychain_generated;

/*
 * A worker for the keychain in its turn, so that the few there are stay free
 * for those who log in; begin ends with keychain_leave().  False: too many
 * wait, and the call was told so (keychain_make.c).
 */
bool	keychain_enter(struct call *, void (*begin)(void *));
void	keychain_leave(void);

/* {private_key, public_key} of TASK_KEY_MAKE's answer; NULL: it failed. */
json_t	*keychain_made(const struct op_reply *);

/* The stored entry of the call's first parameter; NULL: it was answered. */
const json_t *keychain_stored(struct call *);

/* keychain_remote.c */
extern const struct field keychain_scan_params[];
extern const struct field keychain_scanned;
extern const struct field keychain_tested;
char	*keychain_scan_suffix(const json_t *params);
void	keychain_scan_run(struct call *);
/* False: there were too many in a minute, and the call was told so. */
bool	keychain_allowed(struct call *);
bool	keychain_test_accept(struct call *);
void	keychain_test_run(struct call *);

/* keychain_setup.c */
extern const struct field keychain_setup_params[];
char	*keychain_setup_suffix(const json_t *params);
void	keychain_setup_run(struct call *);
/* Of a change that setup_ssh_connection began: its new key pair. */
void	keychain_setup_pair(struct change *);

extern const struct field keychain_remote_params[];
void	keychain_remote_run(struct call *);

/* keychain_semi.c */
/*
 * Is what is said of the other machine's API enough?  Else the call was told,
 * with the members' attribute.
 */
bool	keychain_remote_valid(struct call *, const json_t *remote,
	    const char *attribute);
/*
 * Within a turn (keychain_enter), which it ends: has the other machine take
 * the public key for an account.  Calls done with the connection's attributes
 * without a key pair, borrowed, or fails the call.
 */
void	keychain_remote_ask(struct call *, const json_t *remote,
	    const char *attribute, const char *public_key,
	    void (*done)(struct call *, const json_t *connection));

/* keychain_state.c */
extern const struct field keychain_stale_params[];
extern const struct field keychain_stale_result;
void	keychain_stale_run(struct call *);
/* It was used: 0, or the errno of TASK_SSH_LOGIN. */
void	keychain_state_tried(int64_t id, int error);
/* Entries may be gone: so is what is remembered of them. */
void	keychain_state_review(void);

#endif
