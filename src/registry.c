/*
 * Everything the API has: the list of its namespaces, of the files that are
 * rendered, of the daemons that read them, and of what can be scheduled.
 * Adding a service is adding rows here.
 */
#include <stddef.h>

#include "core/alert.h"
#include "core/method.h"
#include "core/scheduler.h"
#include "core/ssh_codes.h"
#include "core/twofactor.h"
#include "services/catalog.h"
#include "services/kerberos/kerberos.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_edits.h"
#include "services/ssh/ssh_effect.h"
#include "services/ssh/ssh_host_cert.h"
#include "services/ssh/ssh_last_way.h"
#include "services/ssh/ssh_pam_watch.h"
#include "services/ssh/ssh_rotate.h"
#include "services/ssh/ssh_user_ca.h"
#include "system/advanced.h"
#include "system/audit_hooks.h"
#include "system/certificate.h"
#include "system/sudo.h"
#include "system/system.h"

/* clang-format off */
const struct resource *const resources[] = {
	&advanced_resource,
	&alert_resource,
	&api_key_resource,
	&audit_resource,
	&auth_resource,
	&certificate_resource,
	&config_resource,
	&core_resource,
	&general_resource,
	&group_resource,
	&holdfast_resource,
	&kerberos_keytab_resource,
	&kerberos_realm_resource,
	&keychain_resource,
	&security_info_resource,
	&security_resource,
	&service_resource,
	&ssh_resource,
	&sudo_resource,
	&system_resource,
	&twofactor_resource,
	&twofactor_secret_resource,
	&privilege_resource,
	&reboot_resource,
	&user_resource,
	NULL
};

static const struct resource *const of_accounts[] = {
	&group_resource, &security_resource, &user_resource, NULL
};
static const struct resource *const of_codes[] = {
	&twofactor_resource, &twofactor_secret_resource, &user_resource,
	&group_resource, &security_resource, NULL
};
static const struct resource *const of_advanced[] = {
	&advanced_resource, NULL
};
static const struct resource *const of_realms[] = {
	&kerberos_realm_resource, NULL
};
static const struct resource *const of_keytabs[] = {
	&kerberos_keytab_resource, NULL
};
static const struct resource *const of_ssh_alone[] = {
	&ssh_resource, NULL
};
static const struct resource *const of_ssh[] = {
	&ssh_resource, &advanced_resource, &twofactor_resource, &twofactor_secret_resource,
	&user_resource, &group_resource, NULL
};

const struct renderer renderers[] = {
	{ .output = OUTPUT_ACCOUNTS, .from = of_accounts,
	  .render = account_render_output },
	{ .output = OUTPUT_SECOND_FACTOR, .from = of_codes,
	  .render = ssh_codes_render },
	{ .output = OUTPUT_LOGIN_BANNER, .from = of_advanced,
	  .render = advanced_render_banner },
	{ .output = OUTPUT_MOTD, .from = of_advanced,
	  .render = advanced_render_motd },
	{ .output = OUTPUT_SUDOERS, .from = of_accounts,
	  .render = sudo_render_output },
	{ .output = OUTPUT_KRB5_CONF, .from = of_realms,
	  .render = kerberos_render_conf },
	{ .output = OUTPUT_KRB5_KEYTAB, .from = of_keytabs,
	  .render = kerberos_render_keytab },
	{ .output = OUTPUT_SSH_USER_CAS, .from = of_ssh_alone,
	  .render = ssh_user_ca_render },
	{ .output = OUTPUT_SSH_REVOKED, .from = of_ssh_alone,
	  .render = ssh_revoked_render },
	{ .output = OUTPUT_SSH_CERT_ED25519, .from = of_ssh_alone,
	  .render = ssh_host_cert_render_ed25519 },
	{ .output = OUTPUT_SSH_CERT_ECDSA, .from = of_ssh_alone,
	  .render = ssh_host_cert_render_ecdsa },
	{ .output = OUTPUT_SSH_CERT_RSA, .from = of_ssh_alone,
	  .render = ssh_host_cert_render_rsa },
	{ .output = OUTPUT_SSHD_CONFIG, .from = of_ssh,
	  .render = ssh_render_output, .rejected = ssh_rejected,
	  .look = ssh_edits_look },
	{ .output = -1 }
};

/* Others it reads when somebody logs in. */
static const int sshd_reads[] = {
	OUTPUT_SSH_CERT_ED25519, OUTPUT_SSH_CERT_ECDSA, OUTPUT_SSH_CERT_RSA,
	OUTPUT_SSHD_CONFIG, -1
};

const struct daemon_rule daemon_rules[] = {
	{ .daemon = DAEMON_SSH, .reads = sshd_reads, .verb = VERB_RELOAD,
	  .verify = ssh_effect_verify, .guard = ssh_last_way },
	{ .daemon = -1 }
};

const struct scheduled_task scheduled_tasks[] = {
	{ "alert.clear", "Clears an alert whose time is over.",
	  alert_clear_task },
	{ "audit.hooks", "Puts back what tells of logins and of sudo.",
	  audit_hooks_task },
	{ "audit.prune", "Drops audit records older than the retention.",
	  audit_prune_task },
	{ "audit.send_head", "Sends the audit log's newest head away.",
	  audit_send_head_task },
	{ "certificate.watch", "Tells of certificates that end.",
	  certificate_watch_task },
	{ "service.time", "Stops a service that was started for a time.",
	  service_time_task },
	{ "ssh.edits", "Looks whether somebody else edited sshd_config.",
	  ssh_edits_task },
	{ "ssh.host_keys",
	  "Withdraws replaced host keys, and looks at those in use.",
	  ssh_rotate_task },
	{ "ssh.idle", "Stops SSH when nobody has been here for long.",
	  ssh_idle_task },
	{ "ssh.pam", "Looks whether sshd still asks for second factors.",
	  ssh_pam_task },
	{ "user.until", "Ends what accounts have for a time.",
	  user_until_task },
	{ .name = NULL }
};
/* clang-format on */
