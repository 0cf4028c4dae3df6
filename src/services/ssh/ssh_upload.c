/*
 * An update of SSH's settings whose auxiliary parameters are a file: see
 * ssh_upload.h.
 */
#include "services/ssh/ssh_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/pipe.h"
#include "core/resource.h"
#include "lib/json.h"
#include "services/ssh/ssh.h"

static void
release(void *params)
{
	json_decref(params);
}

/* The same checks as if all of it had come in a frame; text is stolen. */
static void
update(struct call *call, json_t *text)
{
	const struct field *fields = call->method->params;
	struct verr *errors = verr_new();
	json_t *given = json_pack(
	    "[o]", json_copy((json_t *)(uintptr_t)call_param(call, 0)));
	json_t *params;

	if (json_object_get(json_array_get(given, 0), "options") != NULL)
		verr_add(errors, "data.options", "They are in the file");
	json_object_set_new(json_array_get(given, 0), "options", text);
	params = schema_params(fields, given, SCHEMA_UPDATE, errors);
	json_decref(given);
	if (verr_any(errors)) {
		json_decref(params);
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	call->data = params;
	call->free_data = release;
	change_submit(call, &ssh_resource, CHANGE_UPDATE, ssh_resource.entry,
	    json_array_get(params, 0), NULL);
}

static void
collected(struct call *call, int error, void *data, size_t len)
{
	json_t *text = NULL;

	if (error == EFBIG)
		call_fail_attribute(call, EFBIG, "data.options",
		    "At most %d bytes are possible", SSH_UPLOAD_MAX);
	else if (error != 0)
		call_fail(call, error, "The upload was cut short: %s",
		    strerror(error));
	else if (memchr(data, '\0', len) != NULL ||
	    (text = json_stringn(data, len)) == NULL)
		call_fail_attribute(
		    call, EINVAL, "data.options", "The file is no text");
	else
		update(call, text);
	free(data);
}

void
ssh_upload_options_run(struct call *call)
{
	pipe_collect(call, 0, SSH_UPLOAD_MAX, collected);
}
