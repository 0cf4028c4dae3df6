/*
 * What there is to configure and to run, as plain data: rendered files
 * (outputs), daemons (services) and worker tasks.  Core speaks of them by
 * index, the monitor holds what an index means; so no path, command or mode
 * ever crosses between them.
 */
#ifndef HF_CATALOG_H
#define HF_CATALOG_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

enum output_id {		/* in the order of their installing */
	OUTPUT_ACCOUNTS,
	OUTPUT_SECOND_FACTOR,
	OUTPUT_LOGIN_BANNER,
	OUTPUT_MOTD,
	OUTPUT_SUDOERS,
	OUTPUT_KRB5_CONF,
	OUTPUT_KRB5_KEYTAB,
	OUTPUT_SSH_USER_CAS,
	OUTPUT_SSH_REVOKED,
	OUTPUT_SSH_CERT_ED25519,
	OUTPUT_SSH_CERT_ECDSA,
	OUTPUT_SSH_CERT_RSA,
	OUTPUT_SSHD_CONFIG
};

enum service_id {
	SERVICE_SSH
};

enum daemon_id {		/* in the order of their starting */
	DAEMON_SSH
};

/* Room for the states that are kept of each; the tables say how many. */
#define OUTPUTS_MAX	32
#define SERVICES_MAX	32
#define DAEMONS_MAX	64

enum task_id {
	TASK_HASH_PASSWORD,	/* u8 enum hash_scheme, str password, [str
				   kept crypt(5) hash]* -> u8 1: it is one of
				   those, str its hash ("" then) */
	TASK_DERIVE_KEYS,	/* str secret, bytes salt (none: a new one),
				   u32 iterations -> bytes salt, StoredKey,
				   ServerKey, ClientKey (core/scram.h) */
	TASK_LOOKUP_GROUPS,	/* [str name]* -> [u8 exists]* */
	TASK_SSH_OFFER,		/* str address, u16 port, u32 ms to keep
				   trying -> u8 answered, str banner,
				   10 x str: the name-lists of SSH_MSG_KEXINIT
				   in the order of RFC 4253 section 7.1 */
	TASK_POST,		/* str URL (https), str text to send -> u16 the
				   server's HTTP status */
	TASK_SSH_PROBE,		/* u8 1: a name may be resolved, u8 1: the cipher
				   "none" is tried, str host, u16 port, str
				   user, u32 ms, str farewell or "" -> services/ssh/ssh_report.h */
	TASK_KEY_MAKE,		/* str type of an SSH key, u32 bits (0 of
				   Ed25519) -> str private key, str public
				   one: "type base64" */
	TASK_KEY_READ,		/* str private key, str its passphrase, str
				   public key; "": not given -> str public key
				   as above, u8 1: the private one is encrypted.
				   ENOKEY: it is about the passphrase, EBADMSG:
				   about the public key, EKEYREJECTED: the two
				   do not belong together */
	TASK_KEYTAB_READ,	/* str Base64 of a keytab -> str Base64 of the
				   same without holes, [str principal, u32
				   version of the key, str encryption]* */
	TASK_CERTIFICATE_READ,	/* u8 1: a request (CSR), 0: a certificate and
				   its chain; u8 1: times do not count; str
				   its PEM, str private key, "":
				   none, str passphrase, "": none -> str the
				   PEM and nothing else, str the private key
				   as PKCS#8, not encrypted, str JSON of what it
				   says (worker/certificate.h).  ENOKEY: it is
				   about the passphrase, EKEYREJECTED: about
				   the private key */
	TASK_CERTIFICATE_REQUEST, /* str "RSA", "ED25519" or a curve's name, u32
				   bits of RSA, str digest, CERTIFICATE_PARTS x
				   str of the subject: country, state, city,
				   organization, unit, common name, email, "":
				   none; [str name or address]*, str basic
				   constraints, key usage, extended key usage
				   as of x509v3_config(5), "": none -> str the
				   request's PEM, str private key as above */
	TASK_SSH_HOST_KEYS,	/* str host, u16 port, str user, u32 seconds to
				   wait -> [str "type base64"], to the end */
	TASK_SSH_LOGIN,		/* as above, then str private key, str its
				   passphrase, str the host's keys, "type
				   base64" a line -> ; EHOSTUNREACH: it does not
				   answer, EKEYREJECTED: it has another key,
				   EACCES: it does not let us in */
	TASK_REMOTE_SETUP,	/* str host, u16 port, u8 1: its certificate is
				   of our authorities, str fingerprint that it
				   has, str token, str user, str password, str
				   code of who administers it, str account that
				   takes a key, str the key "type base64", u32
				   seconds to connect, u8 1: sudo of zfs ->
				   u16 port of its SSH, str its host keys, "type
				   base64" a line; EHOSTUNREACH, EPROTO: it is
				   not there, or another program is,
				   EKEYREJECTED: its certificate, EACCES: it
				   does not let us in, ENOENT: it has no such
				   account, EREMOTEIO: it refuses */
	TASK_COUNT
};

/* Bytes of a key's text, public or private. */
#define KEY_TEXT_MAX	65536

/* The same of a certificate with its chain, or of a request. */
#define CERTIFICATE_TEXT_MAX	65536
#define CERTIFICATE_PARTS	7	/* of a subject */

/* Characters of a keytab's Base64, lines and all. */
#define KEYTAB_TEXT_MAX	((size_t)512 * 1024)

/* How a password is hashed, by crypt(5)'s names. */
enum hash_scheme { HASH_YESCRYPT, HASH_SHA512, HASH_SCHEME_COUNT };

/* A rendered file. */
/* Where the text of somebody else's goes that had to make room. */
#define OUTPUT_ASIDE	".holdfast-edited"

struct output {
	const char	*name;		/* for people: "sshd_config" */
	const char	*dir, *file;	/* "/etc/ssh", "sshd_config" */
	mode_t		 mode;
	/*
	 * What the daemon's own check wants to find and its service manager
	 * takes away when it is stopped: made as root's, 0755; NULL: none.
	 */
	const char	*run_folder;
	/*
	 * The list of all managed accounts: the monitor keeps it as this file
	 * and merges it into the account files.
	 */
	bool		 accounts;
	/*
	 * How a file of ours begins, where it may be somebody else's: the
	 * empty content then means that there is none of ours.  What others
	 * wrote is kept beside it meanwhile (monitor/output_mark.h).
	 */
	const char	*mark;
	/*
	 * Others edit it too: it is replaced only while it is what it was when
	 * core looked (.look of its renderer), and what they wrote is never
	 * lost (monitor/output_guard.h).
	 */
	bool		 shared;
	/* The content is the Base64 of what the file holds. */
	bool		 base64;
	/*
	 * The daemon's own check and its whole effective configuration;
	 * "%f" is the file.  NULL ends an argv.
	 */
	const char	*check[8];
	const char	*effective[8];
	/*
	 * What refuses the file although the check says that all is well: the
	 * daemon would go on without something.  NULL: nothing.
	 */
	const char	*complaint;
	/*
	 * What the monitor checks itself before it installs: NULL, or why the
	 * content is refused (static or malloc'd text; caller frees *whyp).
	 * 0 accepted, -1 refused.
	 */
	int		(*vet)(const char *content, size_t len, char **whyp);
};

/* What the API starts and stops; it runs when all its daemons do. */
struct service {
	const char	*name;		/* "ssh", as in the API */
	int		 api_id;	/* 11, as in the API */
	/*
	 * Made before the first start in a new instance (host keys, run-time
	 * folders).  As root; 0 or -1 with *whyp (malloc'd).
	 */
	int		(*prepare)(char **whyp);
};

/* A program that the service manager runs. */
struct daemon {
	const char	*name;		/* in the log: "ssh" */
	enum service_id	 service;	/* that it is of */
	const char	*argv[8];	/* in the foreground */
	const char	*unit;		/* its systemd unit, "ssh.service" */
	const char	*activator;	/* a unit that starts it when somebody
					   connects, instead; NULL */
	int		 reload_signal;	/* 0: it is restarted instead */
	unsigned int	 stop_seconds;	/* then SIGKILL */
};

/* A worker's task; run by src/worker. */
struct task {
	const char	*name;
	bool		 network;	/* may connect */
	bool		 hashing;	/* slow on purpose: at most as many
					   run as there are processors */
	unsigned int	 seconds;	/* then it is killed */
	/* Folders it may read, where they are there; NULL ends. */
	const char	*reads[6];
};

/* Where files of an account are looked for when it is gone; NULL ends. */
extern const char *const	owned_trees[];
extern const struct output	outputs[];
extern const int		output_count;
extern const struct service	services[];
extern const int		service_count;
extern const struct daemon	daemons[];
extern const int		daemon_count;
extern const struct task	tasks[TASK_COUNT];

#endif
