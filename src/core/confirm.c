/*
 * What waits for its confirmation, and what the pipeline has to know of it:
 * see confirm.h.
 */
#include "core/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"
#include "core/change_internal.h"
#include "core/confirm_internal.h"
#include "core/core.h"
#include "core/event.h"
#include "core/resource.h"
#include "core/sealed.h"
#include "core/session.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define WHAT_MAX (16 * 1024 * 1024)

static struct waiting waiting;

struct waiting *
confirm_waiting(void)
{
	return &waiting;
}

int64_t
confirm_seconds_left(void)
{
	int64_t left = waiting.deadline - boottime_ms();

	return left > 0 ? (left + 999) / 1000 : 0;
}

char *
confirm_text(void)
{
	return xasprintf("a change of %s by %s (%s)",
	    json_str(waiting.what, "resource", "?"),
	    json_str(waiting.what, "username", "?"),
	    json_str(waiting.what, "origin", "?"));
}

void
confirm_tell(void)
{
	const struct resource *r =
	    resource_find(json_str(waiting.what, "resource", ""));
	json_t *seconds = waiting.state == HELD_WAITING ?
	    json_integer(confirm_seconds_left()) :
	    json_null();

	if (r != NULL && r->confirmed_by != NULL &&
	    r->confirmed_by->event != NULL)
		event_send(r->confirmed_by->event, EVENT_CHANGED, NULL,
		    json_pack("{s:O}", "seconds", seconds));
	event_send("config.checkin_waiting", EVENT_CHANGED, NULL,
	    json_pack("{s:o}", "seconds", seconds));
}

static void
forget(void)
{
	json_decref(waiting.what);
	memset(&waiting, 0, sizeof(waiting));
}

void
confirm_ended(void)
{
	waiting.state = HELD_NONE;
	confirm_tell();
	forget();
}

/* --- What else may be changed --------------------------------------------- */

/* Is the entry one of those that it edits? */
static bool
edits(const struct edit *e)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(waiting.what, "edits"), i, item)
		if (strcmp(json_str(item, "resource", ""), e->resource->name) ==
			0 &&
		    json_int(item, "entry", -1) == e->id)
			return true;
	return false;
}

/* Might what the files were name it as it was? */
static bool
loses_name(const struct edit *e)
{
	const struct field *f;

	if (e->before == NULL)
		return false;
	for (f = e->resource->fields; f->name != NULL; f++)
		if ((f->flags & FF_UNIQUE) &&
		    (e->after == NULL ||
			!json_equal(json_object_get(e->before, f->name),
			    json_object_get(e->after, f->name))))
			return true;
	return false;
}

static bool
is_part_of(const struct edit *e)
{
	int output;

	if (edits(e))
		return true;
	for (output = 0; output < output_count; output++)
		if (waiting.outputs[output] && loses_name(e) &&
		    change_renders(output, e->resource))
			return true;
	return false;
}

static bool
shares(const struct change *c)
{
	int output;
	size_t i;

	for (output = 0; output < output_count; output++)
		if (c->steps[output].affected && waiting.outputs[output])
			return true;
	for (i = 0; i < c->nedits; i++)
		if (is_part_of(&c->edits[i]))
			return true;
	return false;
}

static char *
refusal(void)
{
	time_t until = time(NULL) + (time_t)confirm_seconds_left();
	char *what = confirm_text(), *text, clock[16];
	struct tm tm;

	if (waiting.state == HELD_RESTORED)
		text = xasprintf(
		    "Nothing was changed: %s is being taken back", what);
	else {
		localtime_r(&until, &tm);
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
		text = xasprintf(
		    "Nothing was changed: %s waits to be confirmed until %s "
		    "(%lld s)",
		    what, clock, (long long)confirm_seconds_left());
	}
	free(what);
	return text;
}

char *
confirm_forbids(const struct change *c)
{
	if (waiting.state == HELD_NONE || c->taking_back ||
	    (c->rollback_seconds == 0 && !shares(c)))
		return NULL;
	return refusal();
}

/* --- Holding -------------------------------------------------------------- */

static json_t *
edits_of(const struct change *c)
{
	json_t *list = json_array(), *before;
	const struct edit *e;

	for (e = c->edits; e < c->edits + c->nedits; e++) {
		before = e->before == NULL ?
		    json_null() :
		    sealed_form.to_disk(
			STORE_REVISION, e->resource->name, e->id, e->before);
		json_array_append_new(list,
		    json_pack("{s:s, s:I, s:o}", "resource", e->resource->name,
			"entry", (json_int_t)e->id, "before", before));
	}
	return list;
}

static void
note(const struct call *call, const char *resource, uint32_t seconds,
    int64_t change, json_t *edited)
{
	const struct session *s = call->session;

	forget();
	uuid_new(waiting.id);
	waiting.state = HELD_APPLYING;
	waiting.deadline = boottime_ms() + (int64_t)seconds * 1000;
	waiting.what = json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:o}",
	    "method", call->method->name, "resource", resource, "username",
	    call_user(call), "uid", s != NULL ? (json_int_t)s->uid : -1,
	    "origin", call_origin(call), "change", (json_int_t)change, "edits",
	    edited);
}

static void
put_outputs(struct wire_out *out, const struct change *c)
{
	uint32_t n = 0;
	int i;

	for (i = 0; i < output_count; i++) {
		waiting.outputs[i] = c->steps[i].affected;
		n += waiting.outputs[i];
	}
	wire_put_u32(out, n);
	for (i = 0; i < output_count; i++)
		if (waiting.outputs[i])
			wire_put_u32(out, (uint32_t)i);
}

static void
put_daemons(struct wire_out *out, const struct change *c)
{
	uint32_t n = 0;
	int i;

	for (i = 0; i < daemon_count; i++)
		n += c->reached[i].affected;
	wire_put_u32(out, n);
	for (i = 0; i < daemon_count; i++) {
		if (!c->reached[i].affected)
			continue;
		wire_put_u32(out, (uint32_t)i);
		wire_put_u8(out, (uint8_t)daemon_rules_of(i)->verb);
	}
}

static void
put_head(struct wire_out *out, uint32_t seconds)
{
	char *text = json_text(waiting.what);

	wire_put_str(out, waiting.id);
	wire_put_u32(out, seconds);
	wire_put_bytes(out, text, strlen(text));
	free(text);
}

static void
held(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;

	if (reply->error == 0) {
		c->held = true;
		apply_run(c);
		return;
	}
	forget();
	change_take_back(
	    c, "The files of before cannot be kept: %s", reply->text);
}

void
confirm_hold(struct change *c)
{
	struct wire_out out = { 0 };

	note(c->call, c->resource->name, c->rollback_seconds, c->revision,
	    edits_of(c));
	put_head(&out, c->rollback_seconds);
	put_outputs(&out, c);
	put_daemons(&out, c);
	op_request(MSG_OP_HOLD, &out, -1, held, c);
	wire_free(&out);
}

static bool
take_times(const struct op_reply *reply)
{
	struct wire_in body = reply->body;
	int64_t since = (int64_t)wire_get_u64(&body);
	int64_t deadline = (int64_t)wire_get_u64(&body);

	if (reply->error != 0 || wire_end(&body) == -1)
		return false;
	waiting.since = since;
	waiting.deadline = deadline;
	return true;
}

static void
runs(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;

	if (take_times(reply))
		change_store(c);
	else
		change_take_back(c, "Its time cannot begin: %s", reply->text);
}

static void
ask_run(op_done *done, void *arg)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, waiting.id);
	op_request(MSG_OP_HOLD_RUN, &out, -1, done, arg);
	wire_free(&out);
}

void
confirm_run(struct change *c)
{
	ask_run(runs, c);
}

void
confirm_waits(void)
{
	char *what = confirm_text();

	log_info("confirm.waits", "%s: %lld s", what,
	    (long long)confirm_seconds_left());
	free(what);
	/* Its time may be over by now, as slow as a machine may be. */
	if (waiting.state == HELD_RESTORED) {
		confirm_settle();
		return;
	}
	waiting.state = HELD_WAITING;
	confirm_tell();
}

/* --- Letting go ----------------------------------------------------------- */

void
confirm_release(bool restored, op_done *done, void *arg)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, waiting.id);
	wire_put_u8(&out, restored);
	op_request(MSG_OP_RELEASE, &out, -1, done, arg);
	wire_free(&out);
}

static struct {
	bool restored;
	void (*done)(void *);
	void *arg;
} drop;

static void
dropped(const struct op_reply *reply, void *arg)
{
	(void)arg;
	/* Between the two it may have been put back, which is the same. */
	if (reply->error == ESTALE && !drop.restored) {
		drop.restored = true;
		confirm_release(true, dropped, NULL);
		return;
	}
	if (reply->error != 0)
		log_warn("confirm.drop", "%s", reply->text);
	forget();
	if (drop.done != NULL)
		drop.done(drop.arg);
}

void
confirm_drop(void (*done)(void *), void *arg)
{
	drop.restored = waiting.state == HELD_RESTORED;
	drop.done = done;
	drop.arg = arg;
	confirm_release(drop.restored, dropped, NULL);
}

/* --- Of a service --------------------------------------------------------- */

static struct {
	void (*done)(int error, const char *text, void *);
	void *arg;
	void (*then)(void *);
} on_service;

static void
service_held(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		forget();
	on_service.done(reply->error, reply->text, on_service.arg);
}

static void
put_undo(struct wire_out *out, int service, enum service_verb undo)
{
	uint32_t n = 0;
	int i;

	for (i = 0; i < daemon_count; i++)
		n += (int)daemons[i].service == service;
	wire_put_u32(out, n);
	for (i = 0; i < daemon_count; i++)
		if ((int)daemons[i].service == service) {
			wire_put_u32(out, (uint32_t)i);
			wire_put_u8(out, (uint8_t)undo);
		}
}

void
confirm_service(struct call *call, int service, enum service_verb undo,
    json_t *kept, uint32_t seconds, void (*done)(int, const char *, void *),
    void *arg)
{
	struct wire_out out = { 0 };
	char *why;

	if (waiting.state != HELD_NONE) {
		why = refusal();
		done(EBUSY, why, arg);
		free(why);
		json_decref(kept);
		return;
	}
	on_service.done = done;
	on_service.arg = arg;
	note(call, services[service].name, seconds, 0, json_array());
	if (kept != NULL)
		json_object_set_new(waiting.what, "kept", kept);
	put_head(&out, seconds);
	wire_put_u32(&out, 0);
	put_undo(&out, service, undo);
	op_request(MSG_OP_HOLD, &out, -1, service_held, NULL);
	wire_free(&out);
}

static void
service_runs(const struct op_reply *reply, void *arg)
{
	void (*done)(void *) = on_service.then;

	if (!take_times(reply))
		log_warn("confirm.run", "%s", reply->text);
	confirm_waits();
	done(arg);
}

void
confirm_service_done(bool success, void (*done)(void *), void *arg)
{
	if (success) {
		on_service.then = done;
		ask_run(service_runs, arg);
	} else
		confirm_drop(done, arg);
}

/* --- Life ----------------------------------------------------------------- */

bool
confirm_restored(int output)
{
	return waiting.state == HELD_RESTORED && waiting.outputs[output];
}

void
confirm_over(struct ipc_msg *msg)
{
	char *id = wire_get_str(&msg->body, UUID_LEN - 1);
	enum held_state before = waiting.state;

	if (wire_end(&msg->body) == -1)
		fatal("HELD_OVER of the monitor is malformed");
	if (before != HELD_NONE && strcmp(id, waiting.id) == 0) {
		waiting.state = HELD_RESTORED;
		/* One that is being made finds it out by itself. */
		if (before == HELD_WAITING)
			confirm_settle();
	}
	free(id);
}

/* What MSG_OP_HELD answers, up to its outputs. */
static void
take_head(struct wire_in *body, struct waiting *w)
{
	const void *text;
	size_t len;
	char *id;

	w->state = (enum held_state)wire_get_u8(body);
	id = wire_get_str(body, UUID_LEN - 1);
	w->since = (int64_t)wire_get_u64(body);
	w->deadline = (int64_t)wire_get_u64(body);
	text = wire_get_bytes(body, &len);
	if (id == NULL || body->bad || len > WHAT_MAX)
		fatal("what the monitor holds is malformed");
	memcpy(w->id, id, strlen(id) + 1);
	free(id);
	if (w->state != HELD_NONE)
		w->what = json_parse(text, len, NULL);
}

/* Those that this build knows. */
static size_t
take_outputs(
    struct wire_in *body, struct confirm_output list[static OUTPUTS_MAX])
{
	uint32_t n = wire_get_u32(body), output;
	size_t count = 0;
	bool edited;
	char *digest;

	for (; n > 0 && !body->bad && count < OUTPUTS_MAX; n--) {
		output = wire_get_u32(body);
		digest = wire_get_str(body, DIGEST_TEXT - 1);
		edited = wire_get_u8(body) != 0;
		if (digest != NULL && output < (uint32_t)output_count) {
			list[count].output = (int)output;
			list[count].edited = edited;
			memcpy(
			    list[count++].digest, digest, strlen(digest) + 1);
		}
		free(digest);
	}
	if (wire_end(body) == -1)
		fatal("what the monitor holds is malformed");
	return count;
}

size_t
confirm_outputs(
    struct wire_in *body, struct confirm_output list[static OUTPUTS_MAX])
{
	struct waiting w = { .state = HELD_NONE };

	take_head(body, &w);
	json_decref(w.what);
	return take_outputs(body, list);
}

static void
take(struct wire_in *body)
{
	struct confirm_output list[OUTPUTS_MAX];
	size_t i, n;

	take_head(body, &waiting);
	n = take_outputs(body, list);
	for (i = 0; i < n; i++)
		waiting.outputs[list[i].output] = true;
}

static void (*recovered)(void);

/* What became of its revisions in the store. */
static bool
find_state(const struct revision *r, void *arg)
{
	enum revision_state *state = arg;

	if (r->change == json_int(waiting.what, "change", 0)) {
		*state = r->state;
		return false;
	}
	return true;
}

static bool
is_stored(void)
{
	int64_t change = json_int(waiting.what, "change", 0);
	enum revision_state state = REVISION_UNDONE;

	if (change == 0)
		return true;
	return store_history(core_store(), change, find_state, &state) == 0 &&
	    state == REVISION_COMMITTED;
}

/*
 * One that was never stored is undone with all that is PENDING, as nobody was
 * told that it was made.
 */
static void
known(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;

	(void)arg;
	if (reply->error != 0)
		fatal(
		    "the monitor does not say what it holds: %s", reply->text);
	take(&body);
	if (waiting.state == HELD_NONE)
		recovered();
	else if (!is_stored()) {
		confirm_drop(NULL, NULL);
		recovered();
	} else if (waiting.state == HELD_RESTORED)
		confirm_settle_then(recovered);
	else {
		waiting.state = HELD_WAITING;
		recovered();
	}
}

void
confirm_recover(void (*done)(void))
{
	recovered = done;
	op_request(MSG_OP_HELD, NULL, -1, known, NULL);
}

void
confirm_serve(void)
{
	if (waiting.state == HELD_RESTORED)
		confirm_settle();
}
