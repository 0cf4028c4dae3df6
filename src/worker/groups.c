/*
 * The task lookup-groups: which of these groups does the system know?
 */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>

#include "worker/tasks.h"

#define NAMES_MAX 10000
#define NAME_LEN_MAX 1024

/*
 * Loads the name service's modules while the file system is still there; the
 * answer does not matter.
 */
void
task_groups_prepare(void)
{
	(void)getgrnam("root");
}

int
task_lookup_groups(struct wire_in *in, struct wire_out *out, const char **why)
{
	uint32_t i, count = wire_get_u32(in);
	char *name;

	if (count > NAMES_MAX) {
		*why = "too many groups";
		return E2BIG;
	}
	wire_put_u32(out, count);
	for (i = 0; i < count; i++) {
		name = wire_get_str(in, NAME_LEN_MAX * 4);
		if (name == NULL)
			return EPROTO;
		errno = 0;
		wire_put_u8(out, getgrnam(name) != NULL);
		free(name);
	}
	return wire_end(in) == 0 ? 0 : EPROTO;
}
