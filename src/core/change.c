/*
 * The apply pipeline: see change.h and design section 2.  Each step is a
 * function that ends by starting the next; the table of what may fail where:
 *
 *	before store PENDING	nothing was touched: validation errors, done
 *	install .. verify	undo.c: previous file, previous state, UNDONE
 *	commit			undo.c as well: the store could not keep it
 */
#include "core/change.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/call.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/serial.h"
#include "core/undo.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

static void start(void *);
static void problem(struct change *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
change_free(struct change *c)
{
	if (c->old != NULL)
		schema_struct_free(c->resource->fields, c->old);
	if (c->new != NULL)
		schema_struct_free(c->resource->fields, c->new);
	free(c->old);
	free(c->new);
	json_decref(c->before);
	json_decref(c->after);
	verr_free(c->errors);
	free(c->content);
	free(c->problem);
	free(c);
}

/* The end: the next one's turn before the answer's way. */
static void
finish(struct change *c)
{
	change_free(c);
	serial_leave();
}

static void
invalid(struct change *c)
{
	struct verr *errors = c->errors;

	c->errors = NULL;
	call_fail_invalid(c->call, errors);
	finish(c);
}

static void
problem(struct change *c, const char *fmt, ...)
{
	va_list ap;

	free(c->problem);
	va_start(ap, fmt);
	if (vasprintf(&c->problem, fmt, ap) == -1)
		abort();
	va_end(ap);
}

/* A record for the outbox: which this change's end will be. */
static json_t *
record_of(struct change *c, bool success)
{
	json_t *record = audit_method_call(c->call, true, true, success);

	json_object_set_new(record, "audit_id", json_string(c->audit_id));
	return record;
}

struct ending {
	struct call *call;
	json_t *entry; /* NULL: it was undone */
	char *reason;
};

static void
ended(int error, void *arg)
{
	struct ending *e = arg;

	(void)error; /* the record is in the outbox: durable either way */
	call_audited(e->call);
	if (e->entry != NULL)
		call_reply(e->call, e->entry);
	else
		call_fail(e->call, EFAULT, "%s", e->reason);
	free(e->reason);
	free(e);
}

/*
 * Answers once the record, which the outbox holds, was delivered.  failed:
 * why not all is as before; NULL.
 */
static void
deliver(struct change *c, bool success, const char *failed)
{
	struct ending *e = xcalloc(1, sizeof(*e));
	json_t *record = record_of(c, success);

	e->call = c->call;
	if (success)
		e->entry = resource_entry(c->resource);
	else
		e->reason = xasprintf("%s. %s", c->problem,
		    failed != NULL ? failed :
				     "The previous settings are in effect");
	audit_send_outbox(record, false, ended, e);
	json_decref(record);
	finish(c);
}

static void
undone(const char *failed, void *arg)
{
	struct change *c = arg;

	log_warn("change.undone", "%s: %s", c->resource->name, c->problem);
	deliver(c, false, failed);
}

/* Takes it back; c->problem says why. */
static void
take_back(struct change *c, bool replaced)
{
	json_t *record = record_of(c, false);

	undo(c->resource, c->revision, replaced, c->running, record, undone, c);
	json_decref(record);
}

static void
commit(struct change *c)
{
	json_t *record = record_of(c, true);
	int rc =
	    store_end(core_store(), c->revision, REVISION_COMMITTED, record);

	if (rc == -1) {
		json_decref(record);
		problem(
		    c, "The settings could not be stored: %s", strerror(errno));
		take_back(c, c->resource->output != -1);
		return;
	}
	json_decref(record);
	if (c->resource->output != -1) {
		installed_remember(
		    c->resource->output, c->content, c->content_len);
		core_problem_clear(outputs[c->resource->output].name);
	}
	log_info("change.committed", "%s: revision %lld by %s",
	    c->resource->name, (long long)c->revision, call_user(c->call));
	deliver(c, true, NULL);
}

void
change_verified(struct change *c, const char *what)
{
	if (what == NULL) {
		commit(c);
		return;
	}
	problem(c, "The change did not take effect: %s", what);
	take_back(c, true);
}

static void
verify(struct change *c)
{
	if (c->resource->verify != NULL)
		c->resource->verify(c);
	else
		commit(c);
}

static void
reloaded(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;

	if (reply->error != 0) {
		problem(c, "%s did not reload: %s",
		    services[c->resource->service].name, reply->text);
		take_back(c, true);
		return;
	}
	verify(c);
}

static void
installed(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_out out = { 0 };

	if (reply->error != 0) {
		problem(c, "%s could not be installed: %s",
		    outputs[c->resource->output].name, reply->text);
		take_back(c, false);
		return;
	}
	if (!c->running) {
		verify(c);
		return;
	}
	wire_put_u32(&out, (uint32_t)c->resource->service);
	wire_put_u8(&out, VERB_RELOAD);
	op_request(MSG_OP_SERVICE_CONTROL, &out, -1, reloaded, c);
	wire_free(&out);
}

static int
begin(struct change *c)
{
	struct revision r = { .time = time(NULL),
		.who = xstrdup(call_user(c->call)),
		.origin = xstrdup(call_origin(c->call)),
		.resource = xstrdup(c->resource->name),
		.entry = c->resource->entry,
		.before = c->before,
		.after = c->after };
	json_t *record = record_of(c, true);
	int64_t number =
	    store_begin(core_store(), &r, 1, -1, c->audit_id, record);

	json_decref(record);
	free(r.who);
	free(r.origin);
	free(r.resource);
	c->revision = number;
	if (number != -1)
		return 0;
	if (errno == EBUSY)
		call_fail(c->call, EBUSY,
		    "Nothing was changed: an earlier change is still being "
		    "taken back");
	else
		call_fail(c->call, errno,
		    "The change could not be stored, nothing was changed: %s",
		    strerror(errno));
	finish(c);
	return -1;
}

static void
service_known(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in body = reply->body;
	struct wire_out out = { 0 };
	uint8_t state = wire_get_u8(&body);

	/* One that is being restarted after a crash counts as running. */
	c->running = reply->error == 0 &&
	    (state == STATE_RUNNING || state == STATE_STARTING);
	if (begin(c) == -1)
		return;
	wire_put_u32(&out, (uint32_t)c->resource->output);
	wire_put_bytes(&out, c->content, c->content_len);
	op_request(MSG_OP_INSTALL_OUTPUT, &out, -1, installed, c);
	wire_free(&out);
}

static void
checked(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	struct wire_in body = reply->body;
	struct wire_out out = { 0 };
	uint8_t accepted = wire_get_u8(&body);
	char *complaint = wire_get_str(&body, MESSAGE_INLINE_MAX);

	if (reply->error != 0) {
		call_fail(c->call, reply->error, "%s could not be checked: %s",
		    outputs[c->resource->output].name, reply->text);
		finish(c);
	} else if (!accepted) {
		log_info(
		    "change.refused", "%s: %s", c->resource->name, complaint);
		if (c->resource->rejected != NULL)
			c->resource->rejected(c, complaint);
		if (!verr_any(c->errors))
			verr_add(c->errors, "options",
			    "%s refuses this configuration",
			    outputs[c->resource->output].name);
		invalid(c);
	} else {
		wire_put_u32(&out, (uint32_t)c->resource->service);
		op_request(MSG_OP_SERVICE_STATUS, &out, -1, service_known, c);
		wire_free(&out);
	}
	free(complaint);
}

void
change_continue(struct change *c)
{
	struct wire_out out = { 0 };
	char *why = NULL;

	if (verr_any(c->errors)) {
		invalid(c);
		return;
	}
	if (c->resource->output == -1) {
		if (begin(c) == 0)
			commit(c);
		return;
	}
	c->content = change_render(c->resource->output, c, &why);
	if (c->content == NULL) {
		call_fail(c->call, EINVAL, "%s", why);
		free(why);
		finish(c);
		return;
	}
	c->content_len = strlen(c->content);
	wire_put_u32(&out, (uint32_t)c->resource->output);
	wire_put_bytes(&out, c->content, c->content_len);
	op_request(MSG_OP_CHECK_OUTPUT, &out, -1, checked, c);
	wire_free(&out);
}

/* A field whose effect is not built is returned, but not changed. */
static void
check_unbuilt(struct change *c)
{
	const struct field *f;

	for (f = c->resource->fields; f->name != NULL; f++)
		if (f->flags & FF_UNBUILT &&
		    !json_equal(json_object_get(c->before, f->name),
			json_object_get(c->after, f->name)))
			verr_add(c->errors, f->name,
			    "This setting has no effect in this version of "
			    "Holdfast and cannot be changed yet");
}

static void
make_structs(struct change *c)
{
	c->old = xcalloc(1, c->resource->size);
	c->new = xcalloc(1, c->resource->size);
	schema_to_struct(c->resource->fields, c->before, c->old);
	schema_to_struct(c->resource->fields, c->after, c->new);
}

static void
start(void *arg)
{
	struct change *c = arg;
	json_t *data = c->after;

	if (core_store() == NULL) {
		call_fail(c->call, EIO, "%s", core_store_refused());
		finish(c);
		return;
	}
	c->before = json_deep_copy(
	    store_get(core_store(), c->resource->name, c->resource->entry));
	c->after = json_deep_copy(c->before);
	json_object_update(c->after, data);
	json_decref(data);
	if (json_equal(c->before, c->after)) {
		call_reply(c->call, resource_entry(c->resource));
		finish(c);
		return;
	}
	make_structs(c);
	check_unbuilt(c);
	if (c->resource->check != NULL)
		c->resource->check(c);
	if (c->resource->lookup != NULL)
		c->resource->lookup(c);
	else
		change_continue(c);
}

void
change_submit(
    struct call *call, const struct resource *resource, const json_t *data)
{
	struct change *c = xcalloc(1, sizeof(*c));
	char *prefix = xasprintf("%s_update", resource->name);

	c->call = call;
	c->resource = resource;
	c->after = json_deep_copy(data);
	c->errors = verr_new();
	verr_prefix(c->errors, prefix);
	c->full_admin = call_full_admin(call);
	core_uuid(c->audit_id);
	free(prefix);
	serial_enter(start, c);
}
