/*
 * The rendered files, services, their daemons and the workers' tasks: the meaning of the
 * indexes that core and monitor speak of.
 */
#include "services/catalog.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>

#include "lib/keytab.h"
#include "lib/second_factor.h"
#include "services/kerberos/krb5_conf.h"
#include "services/ssh/directives.h"
#include "lib/ssh_codes_file.h"
#include "services/ssh/ssh_key_files.h"
#include "services/ssh/ssh_prepare.h"
#include "services/ssh/ssh_render.h"

/* clang-format off */
const char *const owned_trees[] = { "/home", "/mnt", "/var", NULL };

const struct output outputs[] = {
	[OUTPUT_ACCOUNTS] = { .name = "accounts",
	  .dir = "/etc/holdfast", .file = "accounts", .mode = 0600,
	  .accounts = true },
	[OUTPUT_SECOND_FACTOR] = { .name = "second-factor",
	  .dir = SECOND_FACTOR_FOLDER, .file = SECOND_FACTOR_FILE,
	  .mode = 0600, .vet = ssh_codes_vet },
	[OUTPUT_LOGIN_BANNER] = { .name = "login banner",
	  .dir = "/etc", .file = "login_banner", .mode = 0644 },
	[OUTPUT_MOTD] = { .name = "message of the day",
	  .dir = "/etc", .file = "motd", .mode = 0644 },
	/* Others of that folder are read as well: sudoers(5), @includedir. */
	[OUTPUT_SUDOERS] = { .name = "sudoers",
	  .dir = "/etc/sudoers.d", .file = "holdfast", .mode = 0440,
	  .check = { "/usr/sbin/visudo", "-c", "-q", "-f", "%f", NULL } },
	[OUTPUT_KRB5_CONF] = { .name = "krb5.conf",
	  .dir = "/etc", .file = "krb5.conf", .mode = 0644,
	  .mark = KRB5_CONF_MARK, .vet = krb5_conf_vet },
	[OUTPUT_KRB5_KEYTAB] = { .name = "krb5.keytab",
	  .dir = "/etc", .file = "krb5.keytab", .mode = 0600,
	  .mark = KEYTAB_MARK, .base64 = true },
	[OUTPUT_SSH_USER_CAS] = { .name = "trusted user CA keys",
	  .dir = SSH_FOLDER, .file = SSH_USER_CA_FILE, .mode = 0644 },
	[OUTPUT_SSH_REVOKED] = { .name = "revoked keys",
	  .dir = SSH_FOLDER, .file = SSH_REVOKED_FILE, .mode = 0644 },
	[OUTPUT_SSH_CERT_ED25519] = { .name = "certificate of the host key ed25519",
	  .dir = SSH_FOLDER, .file = SSH_HOST_CERT_FILE("ed25519"), .mode = 0644 },
	[OUTPUT_SSH_CERT_ECDSA] = { .name = "certificate of the host key ecdsa",
	  .dir = SSH_FOLDER, .file = SSH_HOST_CERT_FILE("ecdsa"), .mode = 0644 },
	[OUTPUT_SSH_CERT_RSA] = { .name = "certificate of the host key rsa",
	  .dir = SSH_FOLDER, .file = SSH_HOST_CERT_FILE("rsa"), .mode = 0644 },
	[OUTPUT_SSHD_CONFIG] = { .name = "sshd_config",
	  .dir = "/etc/ssh", .file = "sshd_config", .mode = 0600,
	  .run_folder = "/run/sshd", .shared = true,
	  .check = { "/usr/sbin/sshd", "-t", "-o", "LogLevel=ERROR",
	    "-f", "%f", NULL },
	  .complaint = SSH_KEY_COMPLAINT,
	  /* Without a port 9.2 refuses a file with Match LocalPort. */
	  .effective = { "/usr/sbin/sshd", "-T", "-C", "lport=1",
	    "-f", "%f", NULL },
	  .vet = directives_vet },
};

const struct service services[] = {
	[SERVICE_SSH] = { .name = "ssh", .api_id = 11,
	  .prepare = ssh_prepare },
};

const struct daemon daemons[] = {
	[DAEMON_SSH] = { .name = "ssh", .service = SERVICE_SSH,
	  .unit = "ssh.service", .activator = "ssh.socket",
	  .argv = { "/usr/sbin/sshd", "-D", "-f", "/etc/ssh/sshd_config",
	    NULL },
	  .reload_signal = SIGHUP, .stop_seconds = 5 },
};

const struct task tasks[TASK_COUNT] = {
	/* Eleven hashes at most, of half a second each on a slow machine. */
	[TASK_HASH_PASSWORD] = { .name = "hash-password", .seconds = 60,
	  .hashing = true },
	/* Half a second where nobody else wants the processor. */
	[TASK_DERIVE_KEYS] = { .name = "derive-keys", .seconds = 60,
	  .hashing = true },
	/* The name service's files: group, passwd, nsswitch.conf. */
	[TASK_LOOKUP_GROUPS] = { .name = "lookup-groups", .seconds = 20,
	  .reads = { "/etc", NULL } },
	[TASK_SSH_OFFER] = { .name = "ssh-offer", .seconds = 60,
	  .network = true },
	/* RSA keys take many tries. */
	[TASK_KEY_MAKE] = { .name = "key-make", .seconds = 120 },
	/* A key says itself how often its passphrase is hashed, and a change
	   waits for it. */
	[TASK_KEY_READ] = { .name = "key-read", .seconds = 30 },
	[TASK_KEYTAB_READ] = { .name = "keytab-read", .seconds = 20 },
	/* As key-read and key-make. */
	[TASK_CERTIFICATE_READ] = { .name = "certificate-read",
	  .seconds = 30 },
	[TASK_CERTIFICATE_REQUEST] = { .name = "certificate-request",
	  .seconds = 120 },
	/* What names and authorities are read from; resolv.conf may be a
	   symbolic link to where it is written. */
	[TASK_POST] = { .name = "https-post", .seconds = 60,
	  .network = true, .reads = { "/etc", "/run/systemd/resolve",
	  "/run/NetworkManager", "/run/resolvconf", NULL } },
	/* Three connections, each as long as somebody may want to wait. */
	[TASK_SSH_HOST_KEYS] = { .name = "ssh-host-keys", .seconds = 240,
	  .network = true, .reads = { "/etc", "/run/systemd/resolve",
	  "/run/NetworkManager", "/run/resolvconf", NULL } },
	[TASK_SSH_LOGIN] = { .name = "ssh-login", .seconds = 120,
	  .network = true, .reads = { "/etc", "/run/systemd/resolve",
	  "/run/NetworkManager", "/run/resolvconf", NULL } },
	[TASK_REMOTE_SETUP] = { .name = "remote-setup", .seconds = 130,
	  .network = true, .reads = { "/etc", "/run/systemd/resolve",
	  "/run/NetworkManager", "/run/resolvconf", NULL } },
	[TASK_SSH_PROBE] = { .name = "ssh-probe", .seconds = 60,
	  .network = true, .reads = { "/etc", "/run/systemd/resolve",
	  "/run/NetworkManager", "/run/resolvconf", NULL } },
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
const int output_count = COUNT(outputs);
const int service_count = COUNT(services);
const int daemon_count = COUNT(daemons);
static_assert(COUNT(outputs) <= OUTPUTS_MAX, "room for the outputs");
static_assert(COUNT(services) <= SERVICES_MAX, "room for the services");
static_assert(COUNT(daemons) <= DAEMONS_MAX, "room for the daemons");
