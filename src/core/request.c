/*
 * What root asked for while nobody served: see request.h.
 */
#include "core/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/call.h"
#include "core/core.h"
#include "core/dispatch.h"
#include "core/resource.h"
#include "core/session.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/xalloc.h"

#define REQUEST_MAX 4096

static const char *const may_wait[] = { "holdfast.recover", NULL };

static struct {
	int folder;
	struct call whole; /* whose session the call has */
	void (*done)(void);
} request = { .folder = -1 };

static void
finish(const char *why)
{
	if (why != NULL) {
		log_error("request.failed", "%s", why);
		core_problem("request",
		    "What was asked for before the start failed: %s", why);
	}
	if (unlinkat(request.folder, FILE_REQUEST, 0) == -1 && errno != ENOENT)
		log_error("request.file", "%s", strerror(errno));
	close(request.folder);
	session_release(request.whole.session);
	request.done();
}

static void
answered(json_t *answer, bool success, void *arg)
{
	const json_t *data = json_object_get(answer, "data");
	char *text;

	(void)arg;
	if (success) {
		log_info("request.done", "as asked for before the start");
		finish(NULL);
	} else {
		text = json_text(json_object_get(data, "extra"));
		finish(strcmp(text, "null") != 0 &&
			    json_int(answer, "code", 0) == CALL_INVALID_PARAMS ?
			text :
			json_str(data, "reason", "it was refused"));
		free(text);
	}
	json_decref(answer);
}

static const struct method *
method_of(const json_t *object)
{
	const char *name =
	    json_object_iter_key(json_object_iter((json_t *)(uintptr_t)object));
	size_t i;

	for (i = 0; name != NULL && may_wait[i] != NULL; i++)
		if (strcmp(may_wait[i], name) == 0)
			return method_find(name);
	return NULL;
}

static void
carry_out(const char *text, size_t len)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	json_t *object = json_parse(text, len, NULL), *given;
	const struct method *method = method_of(object);

	if (method == NULL) {
		json_decref(object);
		finish("the file is no request");
		return;
	}
	request.whole.session = session_new(
	    "root", 0, "before the start", CREDENTIAL_UNIX_SOCKET, full);
	given = json_pack("[O]", json_object_get(object, method->name));
	json_decref(object);
	dispatch_member(&request.whole, method, given, answered, NULL);
	json_decref(given);
}

void
request_carry_out(void (*done)(void))
{
	char *text = NULL;
	size_t len;

	request.done = done;
	request.folder =
	    open(PATH_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (core_store() == NULL || request.folder == -1 ||
	    (file_read_at(request.folder, FILE_REQUEST, REQUEST_MAX, &text,
		 &len) == -1 &&
		errno == ENOENT)) {
		close(request.folder);
		done();
	} else if (text == NULL) {
		finish(strerror(errno));
	} else {
		carry_out(text, len);
		freezero(text, len);
	}
}
