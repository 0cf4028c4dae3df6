/*
 * Everything the API has: the list of its namespaces, and of the files that
 * are rendered.  Adding a service is adding a row here.
 */
#include <stddef.h>

#include "core/method.h"
#include "services/catalog.h"
#include "services/ssh/ssh.h"
#include "system/system.h"

/* clang-format off */
const struct resource *const resources[] = {
	&audit_resource,
	&auth_resource,
	&core_resource,
	&holdfast_resource,
	&service_resource,
	&ssh_resource,
	&system_resource,
	&user_resource,
	NULL
};

const struct renderer renderers[] = {
	{ .output = OUTPUT_SSHD_CONFIG, .render = ssh_render_output },
	{ .output = -1 }
};
/* clang-format on */
