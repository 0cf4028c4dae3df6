/*
 * The first start: see ssh_first.h.
 *
 * The import is a call of ssh.foreign_edits by root itself, so it is checked,
 * verified, recorded and taken back like any other.  What Debian's package
 * installs, with nothing beside it, is nobody's settings.  In an instance the
 * machine's file must not stay: sshd would serve the machine's addresses.  So
 * there it is discarded when it cannot be taken over; the machine has its own.
 */
#include "services/ssh/ssh_first.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/resource.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "services/ssh/ssh_files.h"

#define WAIT_MS 50
#define WANTED "ssh.import_wanted" /* in the store, until it is done */
#define ALERT "SshNotImported"
#define ENABLED "ssh.import_enabled" /* it was looked at once */

static bool file_wanted, enable_wanted;

static void next(void *);

/* A call that nobody made. */
static void
call_method(const char *method, json_t *params,
    void (*done)(json_t *answer, bool success, void *))
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method_find(method);
	call->session =
	    session_new("root", 0, "import", CREDENTIAL_UNIX_SOCKET, full);
	call->params = params;
	call->given = json_deep_copy(params);
	call->description = xstrdup("First start: what runs is taken over");
	call->taker = done;
	call->method->run(call);
}

static void
keep(const char *name, const char *value)
{
	if (store_set_value(core_store(), name, value) == -1)
		log_warn("ssh.first", "%s: %s", name, strerror(errno));
}

static const char *
reason_of(const json_t *answer)
{
	return json_str(json_object_get(answer, "data"), "reason",
	    json_str(answer, "message", ""));
}

static void
failed(const char *what, const json_t *answer)
{
	log_error("ssh.first", "%s: %s", what, reason_of(answer));
}

static void
enabled(json_t *answer, bool success, void *arg)
{
	(void)arg;
	if (!success)
		failed("ssh does not start with the machine", answer);
	json_decref(answer);
}

static void
discarded(json_t *answer, bool success, void *arg)
{
	(void)arg;
	if (success)
		keep(WANTED, NULL);
	else
		failed("sshd_config was not replaced", answer);
	json_decref(answer);
}

static void
imported(json_t *answer, bool success, void *arg)
{
	(void)arg;
	file_wanted = false;
	if (success) {
		keep(WANTED, NULL);
		alert_clear(ALERT, NULL);
		next(NULL);
	} else {
		failed("sshd_config was not taken over", answer);
		alert_raise(ALERT, NULL,
		    json_pack("{s:s}", "reason", reason_of(answer)));
		if (core_facts()->instance)
			call_method("ssh.foreign_edits",
			    json_pack("[{s:s}]", "action", "DISCARD"),
			    discarded);
	}
	json_decref(answer);
}

static void
next(void *arg)
{
	(void)arg;
	if (!core_ready())
		core_after(WAIT_MS, next, NULL);
	else if (file_wanted)
		call_method("ssh.foreign_edits",
		    json_pack("[{s:s}]", "action", "IMPORT"), imported);
	else if (enable_wanted) {
		enable_wanted = false;
		call_method("service.update",
		    json_pack("[s, {s:b}]", services[SERVICE_SSH].name,
			"enable", true),
		    enabled);
	}
}

/* Is it more than what a package brings? */
static bool
is_somebodys(const struct ssh_files *files)
{
	bool drop_ins = false;
	size_t i;

	for (i = 0; i < files->count; i++)
		drop_ins |= ssh_file_is_drop_in(&files->list[i]);
	return ssh_files_find(files, SSH_MAIN_FILE) != NULL &&
	    (!files->debians || drop_ins);
}

static bool
is_kept(const char *name)
{
	char *value = store_value(core_store(), name);
	bool kept = value != NULL;

	free(value);
	return kept;
}

bool
ssh_first_begin(const struct ssh_files *files)
{
	bool first = core_facts()->import && !is_kept(ENABLED);

	if (first && !installed_any(OUTPUT_SSHD_CONFIG)) {
		keep(ENABLED, "1");
		enable_wanted = files->at_boot;
		if (is_somebodys(files))
			keep(WANTED, "1");
	}
	file_wanted = is_kept(WANTED) && !installed_any(OUTPUT_SSHD_CONFIG);
	if (file_wanted || enable_wanted)
		core_after(WAIT_MS, next, NULL);
	return file_wanted;
}
