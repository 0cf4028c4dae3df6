/*
 * What core may ask of the kernel's audit: that our rules are in it, or not.
 */
#include <errno.h>
#include <unistd.h>

#include "monitor/kernel_audit.h"
#include "monitor/operations.h"

int
op_kernel_audit(struct operation_call *call)
{
	struct kernel_audit_wish wish = { .rules =
					      wire_get_u8(&call->body) != 0 };
	struct kernel_audit_report report;

	wish.lock = wire_get_u8(&call->body) != 0;
	wish.panic = wire_get_u8(&call->body) != 0;
	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (!kernel_audit_permitted())
		return operation_fail(
		    call, EPERM, "started without --kernel-audit");
	if ((wish.lock || wish.panic) && !kernel_audit_of_machine())
		return operation_fail(call, EPERM, "not in an instance");
	kernel_audit_apply(getppid(), &wish, &report);
	wire_put_u8(&call->reply, (uint8_t)report.state);
	wire_put_u32(&call->reply, report.rules);
	wire_put_str(&call->reply, report.why);
	return 0;
}
