/*
 * system.reboot.*: whether the machine has to be started anew.
 */
#include "core/call.h"
#include "core/reboot.h"
#include "system/system.h"

static const char *const roles[] = { "SYSTEM_GENERAL_READ", NULL };

/* clang-format off */
static const struct field reason_fields[] = {
	{ .name = "code", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Names the reason." },
	{ .name = "reason", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The reason for people." },
	FIELD_END
};

static const struct field reason = { .name = "reason", .type = F_OBJECT,
	.fields = reason_fields, .model = "RebootRequiredReason",
	.flags = FF_REQUIRED, .doc = "One reason." };

static const struct field info_fields[] = {
	{ .name = "boot_id", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Identifies this start of the machine." },
	{ .name = "reboot_required_reasons", .type = F_ARRAY,
	  .fields = &reason, .flags = FF_REQUIRED,
	  .doc = "What takes effect only after the next one." },
	FIELD_END
};

static const struct field info = { .name = "result", .type = F_OBJECT,
	.fields = info_fields, .model = "RebootInfo", .flags = FF_REQUIRED,
	.doc = "This start of the machine, and why there should be another." };
/* clang-format on */

static void
info_run(struct call *call)
{
	call_reply(call, reboot_info());
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "system.reboot.info", .auth = AUTH_ROLE, .roles = roles,
	  .result = &info, .doc = "Does the machine have to be started anew?",
	  .run = info_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "system.reboot.info", .auth = AUTH_ROLE, .roles = roles,
	  .doc = "There is another reason, or one less." },
	EVENT_END
};

const struct resource reboot_resource = {
	.name = "system.reboot",
	.doc = "Whether the machine has to be started anew.",
	.kind = RESOURCE_SERVICE, .verbose_name = "System Reboot",
	.methods = methods, .events = events
};
/* clang-format on */
