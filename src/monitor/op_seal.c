/*
 * MSG_OP_SEAL: the attribute of the audit log's sealed segments.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/paths.h"
#include "monitor/kernel_audit.h"
#include "monitor/operations.h"
#include "monitor/seal.h"

#define FOLDER PATH_PACKAGED "/audit"

int
op_seal(struct operation_call *call)
{
	uint32_t first = wire_get_u32(&call->body);
	int fd, error;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (!kernel_audit_of_machine())
		return operation_fail(call, EPERM, "not in an instance");
	fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return operation_fail(
		    call, errno, "%s: %s", FOLDER, strerror(errno));
	error =
	    seal_segments(fd, first, time(NULL), call->why, sizeof(call->why));
	close(fd);
	return error;
}
