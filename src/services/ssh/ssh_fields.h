/*
 * The settings of the SSH service, each named once: this list becomes the
 * struct below and the field table in ssh.c, and everything else is a loop
 * over that table.
 */
#ifndef HF_SSH_FIELDS_H
#define HF_SSH_FIELDS_H

#include "core/deadline.h"
#include "core/schema.h"
#include "lib/ssh_certificate.h"
#include "services/ssh/ssh_hardening.h"

#define SSH_ROTATE_DAYS_MAX	365

enum sftp_log_level {
	SFTP_LEVEL_DEFAULT, SFTP_LEVEL_QUIET, SFTP_LEVEL_FATAL,
	SFTP_LEVEL_ERROR, SFTP_LEVEL_INFO, SFTP_LEVEL_VERBOSE,
	SFTP_LEVEL_DEBUG, SFTP_LEVEL_DEBUG2, SFTP_LEVEL_DEBUG3
};

/* Bits of weak_ciphers, in the order of ssh_weak_ciphers. */
#define WEAK_CIPHER_AES128_CBC	(1u << 0)
#define WEAK_CIPHER_NONE	(1u << 1)

extern const char *const ssh_sftp_log_levels[];
extern const char *const ssh_sftp_log_facilities[];
extern const char *const ssh_weak_ciphers[];
/* The kinds of host keys that a machine has, best first; bits of kept_... */
extern const char *const ssh_host_key_types[]; /* "ed25519", ...; NULL */

/* A host key's part: kept by sshd in /etc/ssh, never stored or returned. */
#define SSH_HOST_KEY_FIELD(F, id, text)					\
F(STR, id, text,							\
    .def = "null", .max = STRING_LONG,					\
    .flags = FF_NULL | FF_READONLY | FF_SECRET)

/* What somebody signed of a host key; which is the machine's. */
#define SSH_HOST_CERTIFICATE(F, id, title)				\
F(STR, id,								\
    "Certificate of that host key, as ssh-keygen -s -h makes it.",	\
    .label = title, .def = "null", .max = SSH_CERTIFICATE_MAX,		\
    .flags = FF_NULL | FF_OWN, .source = "sshd_config(5) HostCertificate")

#define SSH_CONFIG(F)							\
F(INT, id,								\
    "The one entry there is.",						\
    .def = "1", .min = 1, .max = 1, .flags = FF_READONLY)		\
F(STRV, bindiface,							\
    "Network interfaces whose addresses sshd listens on; all when empty.", \
    .label = "Bind Interfaces", .def = "[]",				\
    .source = "sshd_config(5) ListenAddress")				\
F(INT, tcpport,								\
    "TCP port that sshd listens on.",					\
    .label = "TCP Port", .def = "22", .min = 1, .max = 65535,		\
    .source = "sshd_config(5) Port")					\
F(STRV, password_login_groups,						\
    "Groups whose members may log in with a password.",			\
    .label = "Password Login Groups", .def = "[]", .flags = FF_GRANTS,	\
    .source = "sshd_config(5) Match Group")				\
F(BOOL, passwordauth,							\
    "Accept passwords of the allowed users and groups as well as keys.",\
    .label = "Allow Password Authentication", .def = "false",		\
    .source = "sshd_config(5) PasswordAuthentication")			\
F(BOOL, kerberosauth,							\
    "Accept Kerberos tickets.",						\
    .label = "Allow Kerberos Authentication", .def = "false",		\
    .source = "sshd_config(5) GSSAPIAuthentication")			\
F(BOOL, tcpfwd,								\
    "Let clients forward TCP connections through this machine.",	\
    .label = "Allow TCP Port Forwarding", .def = "false",		\
    .source = "sshd_config(5) AllowTcpForwarding")			\
F(BOOL, compression,							\
    "Compress connections after the login.",				\
    .label = "Compress Connections", .def = "false",			\
    .source = "sshd_config(5) Compression")				\
F(ENUM, sftp_log_level,							\
    "How much the SFTP server logs; ERROR when empty.",			\
    .label = "SFTP Log Level", .def = "\"\"",				\
    .choices = ssh_sftp_log_levels, .source = "sftp-server(8) -l")	\
F(ENUM, sftp_log_facility,						\
    "Where in syslog the SFTP server logs; AUTH when empty.",		\
    .label = "SFTP Log Facility", .def = "\"\"",			\
    .choices = ssh_sftp_log_facilities, .source = "sftp-server(8) -f")	\
F(ENUMV, weak_ciphers,							\
    "Ciphers that are offered although they are weak.",			\
    .label = "Weak Ciphers", .def = "[]",				\
    .choices = ssh_weak_ciphers, .source = "sshd_config(5) Ciphers")	\
F(STR, options,								\
    "Further directives of sshd_config, one per line.",			\
    .label = "Auxiliary Parameters", .def = "\"\"", .max = STRING_LONG,	\
    .source = "sshd_config(5)")						\
F(STR, privatekey,							\
    "Always empty: private host keys are never returned.",		\
    .def = "\"\"", .max = STRING_LONG,					\
    .flags = FF_READONLY | FF_SECRET)					\
SSH_HOST_KEY_FIELD(F, host_dsa_key, "DSA host key, never returned.")	\
SSH_HOST_KEY_FIELD(F, host_dsa_key_pub, "Its public part.")		\
SSH_HOST_KEY_FIELD(F, host_dsa_key_cert_pub, "Its certificate.")	\
SSH_HOST_KEY_FIELD(F, host_ecdsa_key, "ECDSA host key, never returned.")\
SSH_HOST_KEY_FIELD(F, host_ecdsa_key_pub, "Its public part.")		\
SSH_HOST_KEY_FIELD(F, host_ecdsa_key_cert_pub, "Its certificate.")	\
SSH_HOST_KEY_FIELD(F, host_ed25519_key, "Ed25519 host key, never returned.") \
SSH_HOST_KEY_FIELD(F, host_ed25519_key_pub, "Its public part.")		\
SSH_HOST_KEY_FIELD(F, host_ed25519_key_cert_pub, "Its certificate.")	\
SSH_HOST_KEY_FIELD(F, host_key, "Protocol 1 host key, never returned.")	\
SSH_HOST_KEY_FIELD(F, host_key_pub, "Its public part.")			\
SSH_HOST_KEY_FIELD(F, host_rsa_key, "RSA host key, never returned.")	\
SSH_HOST_KEY_FIELD(F, host_rsa_key_pub, "Its public part.")		\
SSH_HOST_KEY_FIELD(F, host_rsa_key_cert_pub, "Its certificate.")	\
F(STRV, overridden,							\
    "Fields that the auxiliary parameters set otherwise, for everybody.", \
    .label = "Overridden", .def = "[]", .flags = FF_READONLY | FF_OWN,	\
    .source = "sshd_config(5)")						\
F(ENUM, hardening,							\
    "Which key exchanges, host keys, ciphers and MACs are offered.",	\
    .label = "Hardening", .def = "\"MODERN\"", .choices = ssh_hardenings,	\
    .flags = FF_OWN, .source = "sshd_config(5) KexAlgorithms")		\
F(ENUMV, kept_host_keys,						\
    "Types of host keys still offered as clients know them; to be removed.", \
    .label = "Kept Host Keys", .def = "[]",				\
    .choices = ssh_host_key_types, .flags = FF_OWN,			\
    .source = "sshd_config(5) HostKeyAlgorithms")			\
F(INT, host_key_days,							\
    "How long a new host key is offered beside the one it replaces.",	\
    .label = "Host Key Overlap", .def = "30", .unit = "days", .min = 1,	\
    .max = SSH_ROTATE_DAYS_MAX, .flags = FF_OWN,			\
    .source = "ssh_config(5) UpdateHostKeys")				\
F(ENUMV, new_host_keys,							\
    "Types of host keys being replaced: the new one is offered as well.", \
    .def = "[]", .choices = ssh_host_key_types,				\
    .flags = FF_READONLY | FF_OWN)					\
F(ENUMV, second_host_keys,						\
    "Types whose current host key is the second of their two files.",	\
    .def = "[]", .choices = ssh_host_key_types,				\
    .flags = FF_READONLY | FF_OWN)					\
SSH_HOST_CERTIFICATE(F, host_ed25519_certificate,			\
    "Ed25519 Host Certificate")						\
SSH_HOST_CERTIFICATE(F, host_ecdsa_certificate, "ECDSA Host Certificate") \
SSH_HOST_CERTIFICATE(F, host_rsa_certificate, "RSA Host Certificate")	\
F(STRV, user_ca_keys,							\
    "Public keys that sign certificates of users, for whom these name.", \
    .label = "Trusted User CA Keys", .def = "[]",			\
    .flags = FF_OWN | FF_GRANTS,					\
    .source = "sshd_config(5) TrustedUserCAKeys")			\
F(STRV, revoked_keys,							\
    "Public keys and certificates that nobody logs in with.",		\
    .label = "Revoked Keys", .def = "[]", .flags = FF_OWN | FF_GRANTS,	\
    .source = "sshd_config(5) RevokedKeys")				\
F(INT, session_limit,							\
    "A session is ended when it is so old; null: never.",		\
    .label = "Session Time Limit", .def = "null", .unit = "s",		\
    .min = 10, .max = DEADLINE_SECONDS_MAX, .flags = FF_NULL | FF_OWN)	\
F(INT, stop_when_idle,							\
    "SSH is stopped when nobody has been here for so long; null: never.",\
    .label = "Stop When Idle", .def = "null", .unit = "s", .min = 1,	\
    .max = DEADLINE_SECONDS_MAX, .flags = FF_NULL | FF_OWN)		\
F(INT, if_revision,							\
    "Refuse the change when the entry is not of this revision.",	\
    .def = "null", .min = 0, .max = INT64_MAX,				\
    .flags = FF_NULL | FF_OWN | FF_UNSTORED)				\
F(INT, rollback_timeout,						\
    CONFIRM_DOC, .def = "null", .unit = "s", .min = 1,			\
    .max = CONFIRM_SECONDS_MAX, .flags = FF_NULL | FF_OWN | FF_UNSTORED)	\
F(BOOL, lockout,							\
    LOCKOUT_DOC, .def = "false", .flags = FF_OWN | FF_UNSTORED)		\
F(BOOL, dry_run,							\
    "Change nothing: answer with the difference and with who could log in.", \
    .def = "false", .flags = FF_OWN | FF_UNSTORED)

struct ssh_config {
	SSH_CONFIG(AS_MEMBER)
};

#endif
