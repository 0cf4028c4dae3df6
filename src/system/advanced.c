/*
 * system.advanced.*: the login banner, which everybody sees before a login,
 * and the message of the day, which those see who logged in.  The other
 * settings of the screen are shown and cannot be changed yet.
 *
 * Both are files that root alone writes: sshd shows the one (Banner, when it
 * is not empty), Debian's pam_motd the other, in shells of SSH and at the
 * console, once.
 */
#include "system/advanced.h"

#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/crud.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define ENTRY 1

static const char *const speeds[] = { "9600", "19200", "38400", "57600",
	"115200", NULL };
static const char *const sed_users[] = { "USER", "MASTER", NULL };
static const char *const levels[] = { "F_EMERG", "F_ALERT", "F_CRIT", "F_ERR",
	"F_WARNING", "F_NOTICE", "F_INFO", "F_DEBUG", NULL };
static const char *const transports[] = { "UDP", "TCP", "TLS", NULL };

/* clang-format off */
static const struct field server_fields[] = {
	{ .name = "host", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Where it is." },
	{ .name = "transport", .type = F_ENUM, .choices = transports,
	  .def = "\"UDP\"", .doc = "How it is spoken to." },
	{ .name = "tls_certificate", .type = F_INT, .flags = FF_NULL,
	  .def = "null", .doc = "Id of our certificate for it." },
	FIELD_END
};
static const struct field server = { .name = "item", .type = F_OBJECT,
	.fields = server_fields, .model = "SyslogServer",
	.doc = "A syslog server." };
static const struct field pci_id = { .name = "item", .type = F_STR,
	.doc = "A PCI id." };

#define UNBUILT_BOOL(n, d, text)					\
	{ .name = n, .type = F_BOOL, .def = d, .flags = FF_UNBUILT,	\
	  .doc = text }

static const struct field fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY, .def = "1",
	  .doc = "Id of the one entry." },
	UNBUILT_BOOL("advancedmode", "false", "Show advanced settings."),
	UNBUILT_BOOL("autotune", "false", "Tune the kernel by itself."),
	UNBUILT_BOOL("kdump_enabled", "false", "Keep the kernel's crashes."),
	{ .name = "boot_scrub", .type = F_INT, .def = "7", .min = 1,
	  .max = INT64_MAX, .unit = "days", .flags = FF_UNBUILT,
	  .doc = "How often the boot pool is scrubbed." },
	UNBUILT_BOOL("consolemenu", "true", "Show the console's menu."),
	UNBUILT_BOOL("consolemsg", "false", "Show the console's messages."),
	UNBUILT_BOOL("debugkernel", "false", "Start the debug kernel."),
	UNBUILT_BOOL("fqdn_syslog", "false", "Log with the full host name."),
	{ .name = "motd", .type = F_STR, .def = "\"Welcome to Holdfast\"",
	  .max = 16384, .label = "MOTD Banner", .source = "pam_motd(8)",
	  .doc = "What shells of SSH and the console show after a login." },
	{ .name = "login_banner", .type = F_STR, .def = "\"\"", .max = 4096,
	  .label = "Login Banner", .source = "sshd_config(5) Banner",
	  .doc = "What SSH and the web page show before a login." },
	UNBUILT_BOOL("powerdaemon", "false", "Save power."),
	UNBUILT_BOOL("serialconsole", "false", "Use a serial console."),
	{ .name = "serialport", .type = F_STR, .def = "\"ttyS0\"",
	  .flags = FF_UNBUILT, .doc = "Its port." },
	{ .name = "anonstats_token", .type = F_STR, .def = "\"\"",
	  .flags = FF_READONLY, .doc = "Always empty: nothing is sent." },
	{ .name = "serialspeed", .type = F_ENUM, .choices = speeds,
	  .def = "\"9600\"", .flags = FF_UNBUILT, .doc = "Its speed." },
	{ .name = "overprovision", .type = F_INT, .def = "null", .min = 0,
	  .max = INT64_MAX, .unit = "GiB", .flags = FF_NULL | FF_UNBUILT,
	  .doc = "How much of log devices is used." },
	UNBUILT_BOOL("traceback", "true", "Show where an error came from."),
	UNBUILT_BOOL("uploadcrash", "false", "Send crashes to the makers."),
	UNBUILT_BOOL("anonstats", "false", "Send statistics to the makers."),
	{ .name = "sed_user", .type = F_ENUM, .choices = sed_users,
	  .def = "\"USER\"", .flags = FF_UNBUILT,
	  .doc = "Whose password unlocks disks." },
	{ .name = "sysloglevel", .type = F_ENUM, .choices = levels,
	  .def = "\"F_INFO\"", .flags = FF_UNBUILT,
	  .doc = "What is sent to syslog servers." },
	{ .name = "syslogservers", .type = F_ARRAY, .fields = &server,
	  .def = "[]", .max = 2, .flags = FF_UNBUILT,
	  .doc = "Where the system log is sent." },
	UNBUILT_BOOL("syslog_audit", "false", "Send the audit log as well."),
	{ .name = "isolated_gpu_pci_ids", .type = F_ARRAY, .fields = &pci_id,
	  .def = "[]", .flags = FF_READONLY,
	  .doc = "Which GPUs are kept for guests." },
	{ .name = "kernel_extra_options", .type = F_STR, .def = "\"\"",
	  .flags = FF_UNBUILT, .doc = "More options of the kernel." },
	UNBUILT_BOOL("nvidia", "false", "Load NVIDIA's drivers."),
	IF_REVISION_ROW,
	FIELD_END
};

static const struct field update_params[] = {
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = fields, .model = "SystemAdvancedUpdate",
	  .doc = "The settings to change." },
	FIELD_END
};

static const struct field entry_result[] = {
	{ .name = "result", .type = F_OBJECT, .fields = fields,
	  .model = "SystemAdvancedEntry", .doc = "The settings." },
	FIELD_END
};

static const struct field banner_result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "The login banner." };
/* clang-format on */

/* --- What may be shown ---------------------------------------------------- */

/*
 * Terminals obey control characters, and a carriage return hides what stands
 * before it.  Those of C1 are two bytes in UTF-8, 0xC2 the first.
 */
static bool
is_plain(const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p != '\0'; p++)
		if ((*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f ||
		    (p[0] == 0xc2 && p[1] < 0xa0))
			return false;
	return true;
}

static void
check_text(struct change *c, const char *member)
{
	if (!is_plain(json_str(c->after, member, "")))
		verr_add(c->errors, member,
		    "It may have no control characters but line feeds and "
		    "tabs");
}

static void
check(struct change *c)
{
	check_text(c, "motd");
	check_text(c, "login_banner");
}

/* --- The files ------------------------------------------------------------ */

static const char *
shown(const struct change *c, const char *member)
{
	return json_str(change_view(c, &advanced_resource, ENTRY), member, "");
}

/* A line that does not end would have a prompt behind it. */
static char *
render(const char *text)
{
	size_t len = strlen(text);

	return xasprintf(
	    "%s%s", text, len > 0 && text[len - 1] != '\n' ? "\n" : "");
}

char *
advanced_render_banner(const struct change *c, char **whyp)
{
	(void)whyp;
	return render(shown(c, "login_banner"));
}

char *
advanced_render_motd(const struct change *c, char **whyp)
{
	(void)whyp;
	return render(shown(c, "motd"));
}

/* --- Methods -------------------------------------------------------------- */

static void
login_banner_run(struct call *call)
{
	if (core_store() == NULL)
		call_reply(call, json_string(""));
	else
		call_reply(call, json_string(shown(NULL, "login_banner")));
}

static const char *const read_roles[] = { "SYSTEM_ADVANCED_READ", NULL };
static const char *const write_roles[] = { "SYSTEM_ADVANCED_WRITE", NULL };

/* clang-format off */
static const struct method methods[] = {
	{ .name = "system.advanced.config", .kind = KIND_CONFIG,
	  .auth = AUTH_ROLE, .roles = read_roles, .result = entry_result,
	  .doc = "The advanced settings.", .run = resource_config_run },
	/* For the login page. */
	{ .name = "system.advanced.login_banner", .auth = AUTH_NONE,
	  .result = &banner_result, .doc = "What is shown before a login.",
	  .run = login_banner_run },
	{ .name = "system.advanced.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .params = update_params,
	  .result = entry_result, .audit = "System advanced update",
	  .doc = "Changes advanced settings.", .run = resource_update_run },
	METHOD_END
};

const struct resource advanced_resource = {
	.name = "system.advanced", .doc = "What is shown at logins.",
	.kind = RESOURCE_CONFIG, .role_prefix = "SYSTEM_ADVANCED",
	.verbose_name = "System Advanced", .methods = methods,
	.fields = fields, .entry = ENTRY, .check = check
};
/* clang-format on */
