/*
 * Replacing host keys: see ssh_rotate.h.
 */
#include "services/ssh/ssh_rotate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/deadline.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "core/serial.h"
#include "core/session.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_host_keys.h"

#define TASK "ssh.host_keys"
#define ALERT "SshHostKeysReplaced"
#define DAY (24 * 60 * 60)

enum action { ACTION_BEGIN, ACTION_UNDO, ACTION_FINISH };

static const char *const actions[] = { "BEGIN", "UNDO", "FINISH", NULL };

/* clang-format off */
static const struct field option_fields[] = {
	{ .name = "action", .type = F_ENUM, .choices = actions,
	  .def = "\"BEGIN\"", .doc = "Replace keys, or end that before its "
	  "time: with the old ones, or with the new ones." },
	{ .name = "types", .type = F_ENUMV, .choices = ssh_host_key_types,
	  .flags = FF_NULL, .def = "null",
	  .doc = "Types to replace; null: all that are offered." },
	{ .name = "seconds", .type = F_INT, .flags = FF_NULL, .def = "null",
	  .min = 1, .max = (int64_t)SSH_ROTATE_DAYS_MAX * DAY, .unit = "s",
	  .doc = "How long both are offered; null: for host_key_days." },
	FIELD_END
};
const struct field ssh_rotate_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = option_fields,
	  .def = "{}", .doc = "What is to be done." },
	FIELD_END
};
/* clang-format on */

static struct deadline deadline = { TASK, TASK, false };

struct rotation {
	struct call *call;
	enum action action;
	uint32_t types; /* given, or all */
	uint32_t slots; /* where each type's old key was: bits */
	uint32_t done; /* those whose period begins or ends */
	uint32_t broken; /* replaced at once */
	int64_t seconds;
	unsigned int at; /* the type being made */
};

static const json_t *
settings(void)
{
	return store_get(core_store(), "ssh", ssh_resource.entry);
}

static uint32_t
replaced(void)
{
	return ssh_host_keys_bits(settings(), "new_host_keys");
}

static void
end_time(void)
{
	if (deadline_clear(&deadline) == -1)
		log_warn("ssh.rotate", "%s", strerror(errno));
	alert_clear(ALERT, NULL);
}

/* --- Files ----------------------------------------------------------------- */

static void
dropped(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0 && reply->error != EBUSY)
		log_warn(
		    "ssh.rotate", "a former host key stays: %s", reply->text);
}

static void
ask_verb(enum ssh_key_verb verb, unsigned int type, unsigned int slot,
    op_done *done, void *arg)
{
	struct wire_out out = { 0 };

	wire_put_u8(&out, (uint8_t)verb);
	wire_put_u8(&out, (uint8_t)type);
	wire_put_u8(&out, (uint8_t)slot);
	op_request(MSG_OP_SSH_HOST_KEY, &out, -1, done, arg);
	wire_free(&out);
}

/*
 * Of each type the files that are not in use, also what an interrupted run
 * left of one, which no list shows; the monitor looks itself.
 */
static void
drop_unused(void)
{
	const json_t *entry = settings();
	uint32_t new = ssh_host_keys_bits(entry, "new_host_keys");
	unsigned int type, slot;

	for (type = 0; type < SSH_KEY_TYPES; type++) {
		slot = !ssh_host_key_slot(entry, type);
		if (!(new &(1u << type)))
			ask_verb(SSH_KEY_DROP, type, slot, dropped, NULL);
	}
}

/* --- The change ------------------------------------------------------------ */

static void
tell(uint32_t types, int64_t seconds)
{
	char until[64] = "", *names = NULL, *longer;
	time_t end = time(NULL) + seconds;
	struct tm tm;
	size_t i;

	for (i = 0; ssh_host_key_types[i] != NULL; i++)
		if (types & (1u << i)) {
			longer = xasprintf("%s%s%s", names == NULL ? "" : names,
			    names == NULL ? "" : ", ", ssh_host_key_types[i]);
			free(names);
			names = longer;
		}
	if (gmtime_r(&end, &tm) != NULL)
		strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", &tm);
	alert_raise(ALERT, NULL,
	    json_pack("{s:s, s:s}", "types", names == NULL ? "" : names,
		"until", until));
	free(names);
}

static void
committed(struct change *c)
{
	struct rotation *r = c->call->data;

	if (r->action == ACTION_BEGIN && r->done != 0)
		tell(r->done, r->seconds);
	else
		end_time();
	ssh_host_keys_judge();
	c->result = ssh_host_keys_list();
	drop_unused();
}

static int
begin_time(const struct rotation *r)
{
	json_t *args;
	int result;

	if (r->done == 0)
		return 0;
	args = json_pack("{s:I}", "seconds", (json_int_t)r->seconds);
	result = deadline_set(&deadline, r->seconds, args);
	json_decref(args);
	return result;
}

/*
 * Outside of what is serial, but for who was faster: if_revision.  The time
 * is stored first; without its change it ends nothing.
 */
static void
submit(struct rotation *r)
{
	struct call *call = r->call;
	uint32_t new = r->action == ACTION_BEGIN ? r->done : 0;
	uint32_t second = r->slots;
	json_t *data;

	if (r->action == ACTION_BEGIN && begin_time(r) == -1) {
		call_fail(call, errno, "The time could not be stored: %s",
		    strerror(errno));
		return;
	}
	if (r->action == ACTION_BEGIN)
		second ^= r->broken;
	else if (r->action == ACTION_FINISH)
		second ^= r->done;
	data = json_pack("{s:o, s:o, s:I}", "new_host_keys",
	    ssh_host_keys_names(new), "second_host_keys",
	    ssh_host_keys_names(second), "if_revision",
	    (json_int_t)store_revision(
		core_store(), "ssh", ssh_resource.entry));
	change_submit(call, &ssh_resource, CHANGE_UPDATE, ssh_resource.entry,
	    data, committed);
	json_decref(data);
}

/* --- What is refused ------------------------------------------------------- */

static bool
may_begin(struct rotation *r)
{
	const json_t *entry = settings();
	const char *options = json_str(entry, "options", "");
	uint32_t offered = ssh_host_keys_offered(entry);
	struct call *call = r->call;

	if (replaced() != 0)
		call_fail_attribute(call, EBUSY, "options.action",
		    "Host keys are being replaced already: finish that, or "
		    "undo it");
	else if (directives_has_global(options, "HostKey", NULL) ||
	    directives_has_global(options, "HostDSAKey", NULL))
		call_fail_attribute(call, EINVAL, "options.action",
		    "The auxiliary parameters choose the host keys (HostKey)");
	else if (r->types & ~offered || (r->types == 0 && offered == 0))
		call_fail_attribute(call, EINVAL, "options.types",
		    "A type that is not offered is not replaced");
	else {
		if (r->types == 0)
			r->types = offered;
		return true;
	}
	return false;
}

static bool
may_end(struct rotation *r)
{
	uint32_t new = replaced();
	unsigned int type;

	r->done = new;
	if (new == 0) {
		call_fail_attribute(r->call, ENOENT, "options.action",
		    "No host key is being replaced");
		return false;
	}
	for (type = 0; r->action == ACTION_FINISH && type < SSH_KEY_TYPES;
	     type++)
		if ((new &(1u << type)) &&
		    ssh_host_key_known(type, !(r->slots >> type & 1u))->state !=
			SSH_KEY_GOOD) {
			call_fail_attribute(r->call, EIO, "options.action",
			    "The new host key %s could not be loaded; undo "
			    "it, and begin anew",
			    ssh_host_key_types[type]);
			return false;
		}
	return true;
}

/* --- Step by step ---------------------------------------------------------- */

static void make_next(struct rotation *);

static void
looked(int error, const char *text, void *arg)
{
	struct rotation *r = arg;
	unsigned int type;

	serial_leave();
	if (error != 0) {
		call_fail(r->call, error,
		    "The host keys could not be asked for: %s", text);
		return;
	}
	if (r->action != ACTION_BEGIN) {
		if (may_end(r))
			submit(r);
		return;
	}
	for (type = 0; type < SSH_KEY_TYPES; type++)
		if ((r->types & (1u << type)) &&
		    ssh_host_key_known(type, r->slots >> type & 1u)->state !=
			SSH_KEY_GOOD)
			r->broken |= 1u << type;
	r->done = r->types & ~r->broken;
	submit(r);
}

static void
made(const struct op_reply *reply, void *arg)
{
	struct rotation *r = arg;

	if (reply->error != 0) {
		serial_leave();
		call_fail(r->call, reply->error,
		    "The new host key %s could not be made: %s",
		    ssh_host_key_types[r->at], reply->text);
		return;
	}
	r->at++;
	make_next(r);
}

static void
make_next(struct rotation *r)
{
	while (r->at < SSH_KEY_TYPES && !(r->types & (1u << r->at)))
		r->at++;
	if (r->at < SSH_KEY_TYPES)
		ask_verb(
		    SSH_KEY_MAKE, r->at, !(r->slots >> r->at & 1u), made, r);
	else
		ssh_host_keys_ask(looked, r);
}

/* Nothing is rendered or tidied up while keys are made. */
static void
start(void *arg)
{
	struct rotation *r = arg;

	r->slots = ssh_host_keys_bits(settings(), "second_host_keys");
	if (r->action != ACTION_BEGIN)
		ssh_host_keys_ask(looked, r);
	else if (may_begin(r))
		make_next(r);
	else
		serial_leave();
}

static enum action
action_of(const json_t *options)
{
	const char *name = json_str(options, "action", "");
	int i, found = ACTION_BEGIN;

	for (i = 0; actions[i] != NULL; i++)
		if (strcmp(actions[i], name) == 0)
			found = i;
	return (enum action)found;
}

char *
ssh_rotate_suffix(const json_t *params)
{
	const json_t *options = json_array_get(params, 0);

	return xstrdup(json_str(options, "action", "BEGIN"));
}

void
ssh_rotate_run(struct call *call)
{
	const json_t *options = call_param(call, 0);
	struct rotation *r;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->call = call;
	r->action = action_of(options);
	r->types = ssh_host_keys_bits(options, "types");
	r->seconds = json_int(
	    options, "seconds", json_int(settings(), "host_key_days", 0) * DAY);
	call->data = r;
	call->free_data = free;
	serial_enter(start, r);
}

/* --- By itself ------------------------------------------------------------- */

static void
finished(json_t *answer, bool success, void *arg)
{
	const char *why = json_str(json_object_get(answer, "data"), "reason",
	    json_str(answer, "message", ""));

	if (success)
		log_info("ssh.rotate", "the former host keys are withdrawn");
	task_done(arg, success ? NULL : why);
	json_decref(answer);
}

/* A call that nobody made. */
static void
finish(struct task_run *run)
{
	static const char *const full[] = { "FULL_ADMIN", NULL };
	struct call *call = xcalloc(1, sizeof(*call));

	call->method = method_find("ssh.rotate_host_keys");
	call->session =
	    session_new("root", 0, "the time", CREDENTIAL_UNIX_SOCKET, full);
	call->params = json_pack("[{s:s}]", "action", "FINISH");
	call->given = json_incref(call->params);
	call->description =
	    xstrdup("Rotate SSH host keys FINISH: their time is over");
	call->taker = finished;
	call->taker_arg = run;
	call->method->run(call);
}

static void
tidied(int error, const char *text, void *arg)
{
	struct task_run *run = arg;

	if (error == 0) {
		ssh_host_keys_judge();
		drop_unused();
	}
	serial_leave();
	task_done(run, error != 0 ? text : NULL);
}

static void
tidy(void *arg)
{
	ssh_host_keys_ask(tidied, arg);
}

void
ssh_rotate_task(struct task_run *run, const json_t *args)
{
	(void)args;
	if (core_store() == NULL)
		task_done(run, NULL);
	else if (replaced() != 0 && deadline_left(&deadline) == 0)
		finish(run);
	else
		serial_enter(tidy, run);
}

/*
 * A crash may have left a change without its time, or a time without its
 * change.
 */
static void
bring_in_line(void)
{
	int64_t left = deadline_left(&deadline);
	struct rotation r = { .done = replaced(),
		.seconds = json_int(settings(), "host_key_days", 0) * DAY };

	if (r.done == 0)
		end_time();
	else if (left == -1) {
		if (begin_time(&r) == -1)
			log_warn("ssh.rotate", "%s", strerror(errno));
	} else
		r.seconds = left / 1000;
	if (r.done != 0)
		tell(r.done, r.seconds);
	deadline_resume(&deadline);
}

static void
tidied_at_start(int error, const char *text, void *arg)
{
	(void)arg;
	if (error != 0)
		log_warn("ssh.rotate", "%s", text);
	else {
		ssh_host_keys_judge();
		drop_unused();
	}
	serial_leave();
}

static void
tidy_at_start(void *arg)
{
	(void)arg;
	bring_in_line();
	ssh_host_keys_ask(tidied_at_start, NULL);
}

void
ssh_rotate_resume(void)
{
	json_t *daily;

	if (core_store() == NULL)
		return;
	daily = json_pack("{s:s, s:s}", "minute", "25", "hour", "1");
	if (scheduler_cron(TASK ".look", daily, TASK, NULL) == -1)
		log_warn("ssh.schedule", "%s", strerror(errno));
	json_decref(daily);
	serial_enter(tidy_at_start, NULL);
}
