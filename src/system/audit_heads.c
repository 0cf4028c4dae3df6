/*
 * How heads of the audit log leave the machine: see audit_heads.h.
 *
 * What is kept, one of the store's values:
 *
 *	{"left": {"at", "way", "log", "head"}, "sent": seconds,
 *	 "since": seconds}
 *
 * left is the last that was handed over, sent when the webhook took one, since
 * from when on one is waited for while none ever left.
 */
#include "system/audit_heads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/audit.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "core/pipe.h"
#include "core/scheduler.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/treehead.h"
#include "lib/verr.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define STORED "audit.heads" /* of the store's values */
#define TASK "audit.send_head"
#define ALERT "AuditHeadsStay"
#define WAY_WEBHOOK "WEBHOOK"
#define WAY_DOWNLOAD "DOWNLOAD"
#define WAY_KEPT "KEPT" /* who took one says so: holdfast audit head */
#define ALARM_HOURS 24 /* with a webhook, where nothing else is set */
#define MINUTES 60 /* the field's default */

/* clang-format off */
const struct field audit_head_result = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED, .max = TREE_HEAD_MAX,
	.doc = "The newest signed head, a line of JSON." };
const struct field audit_head_kept_params[] = {
	{ .name = "head", .type = F_STR, .flags = FF_REQUIRED,
	  .max = TREE_HEAD_MAX,
	  .doc = "As audit.head gave it." },
	FIELD_END
};
const struct field audit_head_left_fields[] = {
	{ .name = "at", .type = F_ANY, .flags = FF_REQUIRED | FF_DATE,
	  .doc = "When." },
	{ .name = "way", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "WEBHOOK, DOWNLOAD, or KEPT (audit.head_kept)." },
	{ .name = "log", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The log's id." },
	{ .name = "head", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Its number." },
	FIELD_END
};
const struct field audit_reidentify_result = { .name = "result",
	.type = F_DICT, .flags = FF_REQUIRED,
	.doc = "The new log's id (log), and the former one's (parent)." };
/* clang-format on */

static struct {
	json_t *kept; /* NULL: not read yet */
	char *failure; /* of the webhook; NULL: none */
	char *webhook; /* as it is set; NULL: none */
	/* The newest head that audit.head gave since core began. */
	struct tree_head given;
} heads;

/* --- What is kept ----------------------------------------------------------- */

static const json_t *
left(void)
{
	return json_object_get(heads.kept, "left");
}

/* Seconds; 0: none ever did. */
static int64_t
left_at(void)
{
	return json_int(json_object_get(left(), "at"), "$date", 0) / 1000;
}

static void
keep(void)
{
	char *text = json_text(heads.kept);

	if (core_store() == NULL ||
	    store_set_value(core_store(), STORED, text) == -1)
		log_warn("audit.heads", "%s", strerror(errno));
	freezero_str(text);
	entry_extend_again(&audit_resource);
}

static void
set_time(const char *name, int64_t seconds)
{
	json_object_set_new(heads.kept, name, json_integer(seconds));
}

static void
has_left(const char *line, const char *way)
{
	int64_t now = (int64_t)time(NULL);
	struct tree_head head;
	const char *why;

	if (tree_head_read(line, strlen(line), &head, &why) == -1) {
		log_error("audit.heads", "A head that left is none: %s", why);
		return;
	}
	json_object_set_new(heads.kept, "left",
	    json_pack("{s:o, s:s, s:s, s:I}", "at", json_date(now), "way", way,
		"log", head.log, "head", (json_int_t)head.number));
	json_object_del(heads.kept, "since");
	if (strcmp(way, WAY_WEBHOOK) == 0)
		set_time("sent", now);
	keep();
	alert_clear(ALERT, NULL);
}

static void
set_failure(const char *text)
{
	free(heads.failure);
	heads.failure = text != NULL ? xstrdup(text) : NULL;
	entry_extend_again(&audit_resource);
}

void
audit_heads_extend(json_t *entry)
{
	json_t *last = json_deep_copy(left());

	json_object_set_new(
	    entry, "head_left", last != NULL ? last : json_null());
	json_object_set_new(entry, "head_webhook_error",
	    heads.failure != NULL ? json_string(heads.failure) : json_null());
}

json_t *
audit_heads_status(void)
{
	json_t *status = json_object();

	audit_heads_extend(status);
	return status;
}

/* --- Too long ago ----------------------------------------------------------- */

/* 0: never. */
static int64_t
alarm_hours(const json_t *entry)
{
	return json_int(
	    entry, "head_alarm_hours", heads.webhook != NULL ? ALARM_HOURS : 0);
}

static void
raise_alarm(int64_t since)
{
	char text[sizeof("2000-01-01 00:00:00 UTC") + 16];
	time_t when = (time_t)since;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%F %T UTC", &tm) == 0)
		return;
	alert_raise(ALERT, NULL, json_pack("{s:s}", "since", text));
}

void
audit_heads_look(const json_t *entry)
{
	int64_t hours = alarm_hours(entry), now = (int64_t)time(NULL), since;

	if (heads.kept == NULL)
		return;
	since = left_at();
	if (since == 0)
		since = json_int(heads.kept, "since", 0);
	if (hours > 0 && since == 0) {
		set_time("since", since = now);
		keep();
	} else if (hours == 0 && json_object_del(heads.kept, "since") == 0)
		keep();
	if (hours > 0 && now - since > hours * 3600)
		raise_alarm(since);
	else
		alert_clear(ALERT, NULL);
}

/* --- Asked for -------------------------------------------------------------- */

/* The line in the audit role's answer, malloc'd; NULL: there is none. */
static char *
line_of(int error, const char *text)
{
	json_t *answer = error == 0 ? json_loads(text, 0, NULL) : NULL;
	const char *line = json_str(answer, "head", NULL);
	char *copy = line != NULL ? xstrdup(line) : NULL;

	json_decref(answer);
	return copy;
}

static void
head_shown(int error, const char *text, void *arg)
{
	char *line = line_of(error, text);
	struct call *call = arg;
	const char *why;

	if (line == NULL)
		call_fail(call, error != 0 ? error : EIO, "%s", text);
	else {
		(void)tree_head_read(line, strlen(line), &heads.given, &why);
		call_reply(call, json_string(line));
	}
	free(line);
}

void
audit_head_run(struct call *call)
{
	audit_ask(MSG_AUDIT_HEAD, NULL, head_shown, call);
}

void
audit_head_kept_run(struct call *call)
{
	const char *line = json_string_value(call_param(call, 0)), *why;
	struct tree_head head;

	if (tree_head_read(line, strlen(line), &head, &why) == -1)
		call_fail_attribute(
		    call, EINVAL, "head", "It is none: %s", why);
	else if (strcmp(head.log, heads.given.log) != 0 ||
	    head.number > heads.given.number)
		call_fail_attribute(
		    call, EINVAL, "head", "It was not given to anybody");
	else {
		has_left(line, WAY_KEPT);
		call_reply(call, NULL);
	}
}

struct downloading {
	char *line;
	bool counts;
};

static void
downloading_free(void *arg)
{
	struct downloading *d = arg;

	free(d->line);
	free(d);
}

static void
downloaded(struct call *call, int error)
{
	const struct downloading *d = call->data;

	if (error != 0) {
		call_fail(call, error, "The head was not fetched: %s",
		    strerror(error));
		return;
	}
	if (d->counts)
		has_left(d->line, WAY_DOWNLOAD);
	call_reply(call, NULL);
}

static void
head_to_download(int error, const char *text, void *arg)
{
	char *line = line_of(error, text), *content;
	struct call *call = arg;
	struct downloading *d;

	if (line == NULL) {
		call_fail(call, error != 0 ? error : EIO, "%s", text);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->line = line; /* transferred */
	d->counts = pipe_await_reader(call);
	call->data = d;
	call->free_data = downloading_free;
	content = xasprintf("%s\n", line);
	pipe_supply(call, content, strlen(content), downloaded);
	free(content);
}

void
audit_head_download_run(struct call *call)
{
	audit_ask(MSG_AUDIT_HEAD, NULL, head_to_download, call);
}

/* --- The webhook ------------------------------------------------------------ */

struct sending {
	struct task_run *run;
	char *url, *line;
};

/* When the next is due: one that was never sent, at once. */
static void
schedule(const json_t *entry)
{
	int64_t sent = json_int(heads.kept, "sent", 0);
	int64_t minutes = json_int(entry, "head_webhook_minutes", MINUTES);
	int64_t when = sent != 0 ? sent + minutes * 60 : (int64_t)time(NULL);
	int rc = heads.webhook != NULL ? scheduler_at(TASK, when, TASK, NULL) :
					 scheduler_cancel(TASK);

	if (rc == -1)
		log_warn("audit.schedule", "%s", strerror(errno));
}

static const json_t *
settings(void)
{
	return core_store() == NULL ? NULL :
				      store_get(core_store(), "audit", 1);
}

static void
sending_end(struct sending *s, const char *failed)
{
	bool current =
	    heads.webhook != NULL && strcmp(heads.webhook, s->url) == 0;

	if (current)
		set_failure(failed);
	if (failed == NULL && s->line != NULL)
		has_left(s->line, WAY_WEBHOOK);
	/* It ends the entry; that of another webhook, set meanwhile, stays. */
	task_done(s->run, failed);
	if (failed == NULL && current)
		schedule(settings());
	freezero_str(s->url);
	free(s->line);
	free(s);
}

static void
posted(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	struct sending *s = arg;
	unsigned int status;
	char *why = NULL;

	if (reply->error != 0) {
		why = xasprintf(
		    "the webhook could not be reached: %s", reply->text);
	} else {
		status = wire_get_u16(&body);
		if (wire_end(&body) == -1 || status < 200 || status > 299)
			why = xasprintf(
			    "the webhook's server answered %u", status);
	}
	sending_end(s, why);
	free(why);
}

static void
head_to_send(int error, const char *text, void *arg)
{
	struct sending *s = arg;
	struct wire_out body = { 0 };
	char *content;

	if ((s->line = line_of(error, text)) == NULL) {
		sending_end(s, text);
		return;
	}
	content = xasprintf("%s\n", s->line);
	wire_put_str(&body, s->url);
	wire_put_str(&body, content);
	op_worker(TASK_POST, &body, posted, s);
	wire_free(&body);
	free(content);
}

void
audit_send_head_task(struct task_run *run, const json_t *args)
{
	const char *url = json_str(settings(), "head_webhook", NULL);
	struct sending *s;

	(void)args;
	if (url == NULL) {
		task_done(run,
		    core_store() == NULL ? "the settings are not known" : NULL);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->run = run;
	s->url = xstrdup(url);
	audit_ask(MSG_AUDIT_HEAD, NULL, head_to_send, s);
}

/* --- The settings ----------------------------------------------------------- */

/* Where they go, and what tells that none did, is no other role's to say. */
void
audit_heads_check(struct change *c)
{
	static const char *const guarded[] = { "head_webhook",
		"head_webhook_minutes", "head_alarm_hours", NULL };
	size_t i;

	for (i = 0; guarded[i] != NULL && !c->full_admin; i++)
		if (!json_equal(json_object_get(c->before, guarded[i]),
			json_object_get(c->after, guarded[i])))
			verr_add_errno(c->errors, EPERM, guarded[i],
			    "Only a full administrator may change this");
}

static void
take_webhook(const json_t *entry)
{
	const char *url = json_str(entry, "head_webhook", NULL);

	freezero_str(heads.webhook);
	heads.webhook = url != NULL ? xstrdup(url) : NULL;
}

void
audit_heads_gather(const json_t *entry)
{
	char *text =
	    core_store() != NULL ? store_value(core_store(), STORED) : NULL;

	json_decref(heads.kept);
	heads.kept = text != NULL ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (!json_is_object(heads.kept)) {
		json_decref(heads.kept);
		heads.kept = json_object();
	}
	take_webhook(entry);
	schedule(entry);
	audit_heads_look(entry);
}

void
audit_heads_changed(const json_t *entry)
{
	const char *url = json_str(entry, "head_webhook", NULL);

	if (heads.kept == NULL)
		return; /* gather comes */
	if (url == NULL || heads.webhook == NULL ||
	    strcmp(url, heads.webhook) != 0) {
		set_failure(NULL);
		json_object_del(heads.kept, "sent");
		keep();
		/* What it waits for after failures is of the other one. */
		(void)scheduler_cancel(TASK);
	}
	take_webhook(entry);
	schedule(entry);
	audit_heads_look(entry);
}

/* --- Another identity ------------------------------------------------------- */

static void
reidentified(int error, const char *text, void *arg)
{
	struct call *call = arg;
	json_t *answer = error == 0 ? json_loads(text, 0, NULL) : NULL;

	if (answer == NULL)
		call_fail(call, error != 0 ? error : EIO, "%s", text);
	else
		call_reply(call, answer);
}

void
audit_reidentify_run(struct call *call)
{
	json_t *record, *request;

	if (!session_internal(call->session)) {
		call_fail(call, EPERM,
		    "Only root at the machine may do this, over the Unix "
		    "socket");
		return;
	}
	record = audit_record(
	    call->connection, call->session, "REIDENTIFY", json_null(), true);
	json_object_set_new(record, "service", json_string("SYSTEM"));
	json_object_set_new(record, "service_data", json_null());
	request = json_pack("{s:o}", "record", record);
	audit_ask(MSG_AUDIT_REIDENTIFY, request, reidentified, call);
	json_decref(request);
}
