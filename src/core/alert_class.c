/*
 * The classes of alerts: see alert_class.h.
 */
#include "core/alert_class.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "lib/xalloc.h"

#define DAY (24 * 60 * 60)

/* clang-format off */
const struct alert_class alert_classes[] = {
	{ .name = "AccountRecovered", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true, .seconds = 7 * DAY,
	  .title = "An Account Was Recovered at the Machine",
	  .text = "Root recovered the account {user} at the machine: its "
	  "password, lock or second factor may be others than before.",
	  .args = { "user" } },
	{ .name = "ApiKeyRevoked", .category = "SYSTEM",
	  .level = ALERT_WARNING, .title = "API Key Revoked",
	  .text = "The API key {name} was revoked: {reason}. It has to be "
	  "reset or removed.", .args = { "name", "reason" } },
	{ .name = "AuditClockForward", .category = "AUDIT",
	  .level = ALERT_WARNING, .own = true,
	  .title = "No Audit Records Are Dropped: the Clock Jumped",
	  .text = "The clock was put forward, or the machine was off for more "
	  "than a day. No audit record is dropped until a full administrator "
	  "says that it is right (audit.confirm_clock)." },
	{ .name = "AuditHeadsStay", .category = "AUDIT",
	  .level = ALERT_WARNING, .own = true,
	  .title = "No Head of the Audit Log Leaves the Machine",
	  .text = "No head of the audit log has left this machine since "
	  "{since}: what was recorded since then, root could write anew "
	  "unnoticed.", .args = { "since" } },
	{ .name = "AuditNotVerified", .category = "AUDIT",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "The Audit Log Is Not What Was Signed",
	  .text = "Verifying the audit log failed: {problem}.",
	  .args = { "problem" } },
	{ .name = "AuditQuotaCritical", .category = "AUDIT",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "The Audit Log's Quota Is Almost Used Up",
	  .text = "The audit log fills {percent}% of its quota.",
	  .args = { "percent" } },
	{ .name = "AuditQuotaWarning", .category = "AUDIT",
	  .level = ALERT_WARNING, .own = true,
	  .title = "The Audit Log's Quota Gets Used Up",
	  .text = "The audit log fills {percent}% of its quota.",
	  .args = { "percent" } },
	{ .name = "AuditRetentionShortened", .category = "AUDIT",
	  .level = ALERT_WARNING, .own = true,
	  .title = "Audit Records Will Be Kept Shorter",
	  .text = "Audit records are to be kept for {to} days instead of "
	  "{from}; that counts a week after it was set.",
	  .args = { "from", "to" } },
	{ .name = "AuditHooksGone", .category = "AUDIT",
	  .level = ALERT_ERROR, .own = true, .seconds = 7 * DAY,
	  .title = "Logins or Sudo Were Not Recorded",
	  .text = "What tells the audit log of logins and of sudo was gone "
	  "from {what}, as when a package replaces that file: {outcome}.",
	  .args = { "what", "outcome" } },
	{ .name = "AuditServiceHealth", .category = "AUDIT",
	  .level = ALERT_ERROR, .title = "Audit Service Health Failure",
	  .text = "The audit log cannot be written: {verrs}. Records wait "
	  "until it can; audit.update's on_failure says whether changes do.",
	  .args = { "verrs" } },
	{ .name = "CertificateExpired", .category = "CERTIFICATES",
	  .level = ALERT_CRITICAL, .title = "Certificate Has Expired",
	  .text = "The certificate {name} has expired.", .args = { "name" } },
	{ .name = "CertificateIsExpiring", .category = "CERTIFICATES",
	  .level = ALERT_NOTICE, .title = "Certificate Is Expiring",
	  .text = "The certificate {name} ends within {days} days.",
	  .args = { "name", "days" } },
	{ .name = "CertificateIsExpiringSoon", .category = "CERTIFICATES",
	  .level = ALERT_WARNING, .title = "Certificate Is Expiring Soon",
	  .text = "The certificate {name} ends within {days} days.",
	  .args = { "name", "days" } },
	{ .name = "ChangeInterrupted", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true, .seconds = DAY,
	  .title = "Change Interrupted",
	  .text = "A change was interrupted ({what}): {outcome}.",
	  .args = { "what", "outcome" } },
	{ .name = "ChangeNotConfirmed", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true, .seconds = DAY,
	  .title = "A Change Was Not Confirmed",
	  .text = "A change of {what} by {user} was not confirmed and was "
	  "taken back.", .args = { "what", "user" } },
	{ .name = "ClockSet", .category = "SYSTEM", .level = ALERT_WARNING,
	  .title = "The Clock Was Set", .own = true, .seconds = DAY,
	  .text = "The clock was put {direction} by {seconds} seconds.",
	  .args = { "direction", "seconds" } },
	{ .name = "ConfigurationFileEdited", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "Configuration File Edited by Somebody Else",
	  .text = "{file} was edited by somebody else and is left as it is.",
	  .args = { "file" } },
	{ .name = "ConfigurationFileReplaced", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "Configuration File of Somebody Else Replaced",
	  .text = "{file} was written by somebody else. It is kept as "
	  "{file}.before-holdfast while Holdfast has one of its own there.",
	  .args = { "file" } },
	{ .name = "ConfigurationStoreRefused", .category = "SYSTEM",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "Configuration Store Cannot Be Used",
	  .text = "{reason}. Nothing can be changed; services go on as they "
	  "were configured last.", .args = { "reason" } },
	{ .name = "DiskSpaceCritical", .category = "SYSTEM",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "Holdfast's Own Disk Is Almost Full",
	  .text = "Only {free} MiB ({percent}%) are free where configuration "
	  "and audit log are kept. When it is full, nothing can be changed.",
	  .args = { "free", "percent" } },
	{ .name = "DiskSpaceLow", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "Holdfast's Own Disk Gets Full",
	  .text = "Only {free} MiB ({percent}%) are free where configuration "
	  "and audit log are kept.", .args = { "free", "percent" } },
	{ .name = "KerberosLoginImpossible", .category = "DIRECTORY_SERVICE",
	  .level = ALERT_WARNING, .own = true,
	  .title = "Nobody Can Log In With Kerberos",
	  .text = "SSH is to accept tickets of Kerberos and cannot: {reason}.",
	  .args = { "reason" } },
	{ .name = "ScheduledTaskFailed", .category = "TASKS",
	  .level = ALERT_ERROR, .title = "Scheduled Task Failed", .own = true,
	  .text = "{task} failed: {error}.", .args = { "task", "error" } },
	{ .name = "ServiceFailed", .category = "SYSTEM",
	  .level = ALERT_CRITICAL, .title = "Service Failed", .own = true,
	  .text = "Service {service} is down: {reason}.", .args = { "service", "reason" } },
	{ .name = "SshHostCertificateEnded", .category = "SYSTEM",
	  .level = ALERT_ERROR, .own = true,
	  .title = "The Certificate of an SSH Host Key Has Ended",
	  .text = "The certificate of the SSH host key {type} ended at {until}: "
	  "clients that know its authority alone refuse to connect. Have the "
	  "key signed again.", .args = { "type", "until" } },
	{ .name = "SshHostCertificateEnds", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "The Certificate of an SSH Host Key Ends Soon",
	  .text = "The certificate of the SSH host key {type} ends at {until}. "
	  "Have the key signed again until then.",
	  .args = { "type", "until" } },
	{ .name = "SshHostCertificateUnused", .category = "SYSTEM",
	  .level = ALERT_ERROR, .own = true,
	  .title = "The Certificate of an SSH Host Key Is Another Key's",
	  .text = "The certificate of the SSH host key {type} is of one that "
	  "this machine does not use any more, and is not shown to clients. "
	  "Have the present key (ssh.host_keys) signed, or remove the "
	  "certificate.", .args = { "type" } },
	{ .name = "SshHostKeyDamaged", .category = "SYSTEM",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "An SSH Host Key Cannot Be Loaded",
	  .text = "The SSH host key {type} cannot be loaded: {reason}. sshd "
	  "goes on without it, and its settings cannot be changed. Put the "
	  "file in order, or replace the key (ssh.rotate_host_keys).", .args = { "type", "reason" } },
	{ .name = "SshHostKeysReplaced", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "SSH Host Keys Will Be Withdrawn",
	  .text = "The former SSH host keys ({types}) are withdrawn at {until}: "
	  "clients that did not connect until then, or do not learn new keys "
	  "(UpdateHostKeys), will warn of an unknown one.",
	  .args = { "types", "until" } },
	{ .name = "SshImported", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true, .seconds = 7 * DAY,
	  .title = "The Machine's sshd_config Was Taken Over",
	  .text = "The sshd_config that was there became settings of SSH: "
	  "{differences} directives do something else than before, {left} "
	  "lines were left out (ssh.import_report).",
	  .args = { "differences", "left" } },
	{ .name = "SshNoInterface", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "None of SSH's Interfaces Is There",
	  .text = "None of the interfaces that SSH listens on has an address. "
	  "Until one has, it listens on 127.0.0.1 alone: nobody comes in from "
	  "elsewhere." },
	{ .name = "SshNotImported", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true, .seconds = 7 * DAY,
	  .title = "The Machine's sshd_config Was Not Taken Over",
	  .text = "The sshd_config that was there did not become settings of "
	  "SSH. {reason}", .args = { "reason" } },
	{ .name = "SshSecondFactorOff", .category = "SYSTEM",
	  .level = ALERT_CRITICAL, .own = true,
	  .title = "SSH Asks for No Second Factor",
	  .text = "What makes sshd ask for second factors and count failed "
	  "passwords is gone: {what}. The next change of the SSH settings, or "
	  "the next start, puts it back.", .args = { "what" } },
	{ .name = "SudoCommandUnsafe", .category = "SYSTEM",
	  .level = ALERT_WARNING, .own = true,
	  .title = "A Command of Sudo Gives More Than It Says",
	  .text = "The {account} may run {command} with sudo: {reason}.",
	  .args = { "account", "command", "reason" } },
	{ .name = "WebUiCertificateSetupFailed", .category = "CERTIFICATES",
	  .level = ALERT_CRITICAL,
	  .title = "Web UI HTTPS Certificate Setup Failed",
	  .text = "The page has the machine's own certificate instead of the "
	  "chosen one: {error}.", .args = { "error" } },
	{ .name = NULL }
};

static const char *const level_names[] = {
	[ALERT_INFO] = "INFO", [ALERT_NOTICE] = "NOTICE",
	[ALERT_WARNING] = "WARNING", [ALERT_ERROR] = "ERROR",
	[ALERT_CRITICAL] = "CRITICAL", [ALERT_ALERT] = "ALERT",
	[ALERT_EMERGENCY] = "EMERGENCY"
};
/* clang-format on */

const struct alert_class *
alert_class_find(const char *name)
{
	const struct alert_class *c;

	for (c = alert_classes; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const char *
alert_level_name(enum alert_level level)
{
	return level_names[level];
}

bool
alert_args_fit(const struct alert_class *c, const json_t *args)
{
	const json_t *arg;
	size_t n;

	for (n = 0; c->args[n] != NULL; n++) {
		arg = json_object_get(args, c->args[n]);
		if (!json_is_string(arg) && !json_is_integer(arg))
			return false;
	}
	return json_object_size(args) == n;
}

static void
put_argument(struct wire_out *out, const json_t *arg)
{
	char *number;

	if (json_is_string(arg)) {
		wire_put_raw(
		    out, json_string_value(arg), json_string_length(arg));
		return;
	}
	number = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(arg));
	wire_put_raw(out, number, strlen(number));
	free(number);
}

/* At a '{' that names one of the class's arguments: which; else NULL. */
static const char *
argument_at(const struct alert_class *c, const char *at)
{
	size_t len = strcspn(at + 1, "}"), n;

	for (n = 0; c->args[n] != NULL; n++)
		if (strlen(c->args[n]) == len &&
		    memcmp(c->args[n], at + 1, len) == 0)
			return c->args[n];
	return NULL;
}

char *
alert_text(const struct alert_class *c, const json_t *args)
{
	struct wire_out out = { 0 };
	const char *at = c->text, *end, *name;

	for (;; at = end + strlen(name) + 2) {
		end = strchrnul(at, '{');
		wire_put_raw(&out, at, (size_t)(end - at));
		if (*end == '\0')
			break;
		name = argument_at(c, end); /* alert_lint saw to it */
		put_argument(&out, json_object_get(args, name));
	}
	wire_put_raw(&out, "", 1);
	return (char *)out.data;
}

static bool
names_argument(const struct alert_class *c, const char *arg)
{
	const char *at;

	for (at = strchr(c->text, '{'); at != NULL; at = strchr(at + 1, '{'))
		if (argument_at(c, at) == arg)
			return true;
	return false;
}

void
alert_lint(json_t *faults)
{
	const struct alert_class *c;
	const char *at;
	size_t n;

	for (c = alert_classes; c->name != NULL; c++) {
		if (alert_class_find(c->name) != c)
			json_array_append_new(faults,
			    json_sprintf("alert %s stands twice", c->name));
		for (n = 0; c->args[n] != NULL; n++)
			if (!names_argument(c, c->args[n]))
				json_array_append_new(faults,
				    json_sprintf("alert %s does not say %s",
					c->name, c->args[n]));
		for (at = strchr(c->text, '{'); at != NULL;
		     at = strchr(at + 1, '{'))
			if (argument_at(c, at) == NULL)
				json_array_append_new(faults,
				    json_sprintf(
					"alert %s has no %s", c->name, at));
	}
}
