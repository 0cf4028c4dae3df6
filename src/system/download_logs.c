/*
 * core.download's table, and core.job_download_logs: see core/download.h.
 */
#include "system/download_logs.h"

#include <errno.h>

#include "core/call.h"
#include "core/download.h"
#include "core/job.h"
#include "lib/xalloc.h"

/* clang-format off */
#define FILENAME { .name = "filename", .type = F_STR,			\
	.flags = FF_REQUIRED, .doc = "What the file is to be called." }
#define BUFFERED { .name = "buffered", .type = F_BOOL, .def = "false",	\
	.doc = "Keep it until it is fetched, for an hour." }

const struct field download_params[] = {
	{ .name = "method", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "A job that gives a file." },
	{ .name = "args", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .doc = "Its parameters." },
	FILENAME, BUFFERED, FIELD_END
};
const struct field download_result = { .name = "result", .type = F_ARRAY,
	.flags = FF_REQUIRED, .doc = "The job's id and the URL." };

const struct field download_logs_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "The job's id." },
	FILENAME, BUFFERED, FIELD_END
};
const struct field download_url = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .doc = "The URL." };
/* clang-format on */

void
download_logs_run(struct call *call)
{
	json_int_t id = json_integer_value(call_param(call, 0));
	const char *filename = json_string_value(call_param(call, 1));
	int fd = job_open_log(call, id);
	char *url;

	if (fd == -1 && errno == ENOENT) {
		call_fail_absent(
		    call, "Job with id %lld does not exist", (long long)id);
		return;
	}
	if (fd == -1) {
		call_fail(call, errno,
		    errno == EPERM ? "Job %lld is somebody else's" :
				     "Job %lld has no log",
		    (long long)id);
		return;
	}
	url = download_file(
	    call, id, filename, json_is_true(call_param(call, 2)), fd);
	if (url == NULL) {
		call_fail(call, EBUSY, "You have too many downloads waiting");
		return;
	}
	call_reply(call, json_string(url));
	freezero_str(url);
}
