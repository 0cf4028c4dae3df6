/*
 * Everything the API has: the list of its namespaces, of the files that are
 * rendered, and of what can be scheduled.  Adding a service is adding a row
 * here.
 */
#include <stddef.h>

#include "core/alert.h"
#include "core/method.h"
#include "core/scheduler.h"
#include "services/catalog.h"
#include "services/ssh/ssh.h"
#include "system/system.h"

/* clang-format off */
const struct resource *const resources[] = {
	&alert_resource,
	&audit_resource,
	&auth_resource,
	&config_resource,
	&core_resource,
	&holdfast_resource,
	&service_resource,
	&ssh_resource,
	&system_resource,
	&reboot_resource,
	&user_resource,
	NULL
};

const struct renderer renderers[] = {
	{ .output = OUTPUT_SSHD_CONFIG, .render = ssh_render_output },
	{ .output = -1 }
};

const struct scheduled_task scheduled_tasks[] = {
	{ "alert.clear", "Clears an alert whose time is over.",
	  alert_clear_task },
	{ .name = NULL }
};
/* clang-format on */
