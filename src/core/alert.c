/*
 * Alerts that are raised: see alert.h.
 */
#include "core/alert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert_class.h"
#include "core/core.h"
#include "core/event.h"
#include "core/scheduler.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define PREFIX "alert/"
#define RETRY_MS 10000
/* What goes on is raised again and again; its last time is not worth more. */
#define REFRESH_SECONDS 3600
/* So that many of one class keep no other from being raised. */
#define CLASS_MAX 250

static struct {
	struct store *store;
	json_t *raised; /* "class/key": the alert */
	json_t *saved; /* of those in the store: last_occurrence there */
	bool retrying;
} alerts;

static char *
name_of(const char *class, const char *key)
{
	return xasprintf("%s/%s", class, key != NULL ? key : "");
}

/* The store's value becomes what memory says.  0 or -1 with errno. */
static int
save(const char *name)
{
	const json_t *alert = json_object_get(alerts.raised, name);
	char *value_name = xasprintf(PREFIX "%s", name);
	char *text = alert != NULL ? json_text(alert) : NULL;
	int result = store_set_value(alerts.store, value_name, text);

	free(value_name);
	freezero_str(text);
	if (result == -1)
		return -1;
	if (alert == NULL)
		json_object_del(alerts.saved, name);
	else
		json_object_set(alerts.saved, name,
		    json_object_get(alert, "last_occurrence"));
	return 0;
}

/* What the store lacks, and what it has too much. */
static int
save_all(void)
{
	const char *name;
	json_t *alert;
	void *next;

	json_object_foreach(alerts.raised, name, alert)
		if (json_object_get(alerts.saved, name) == NULL &&
		    save(name) == -1)
			return -1;
	json_object_foreach_safe(alerts.saved, next, name,
	    alert) if (json_object_get(alerts.raised, name) == NULL &&
	    save(name) == -1) return -1;
	return 0;
}

static void
retry(void *arg)
{
	(void)arg;
	alerts.retrying = false;
	if (alerts.store != NULL && save_all() == -1) {
		alerts.retrying = true;
		core_after(RETRY_MS, retry, NULL);
	}
}

static void
save_or_retry(const char *name)
{
	if (alerts.store == NULL || save(name) == 0 || alerts.retrying)
		return;
	log_warn(
	    "alert.store", "%s is kept in memory: %s", name, strerror(errno));
	alerts.retrying = true;
	core_after(RETRY_MS, retry, NULL);
}

/* One as it was stored, or NULL when it is none (of this version). */
static json_t *
stored_alert(const char *text)
{
	json_t *alert = json_parse(text, strlen(text), NULL);
	const struct alert_class *class =
	    alert_class_find(json_str(alert, "class", ""));

	if (class != NULL &&
	    alert_args_fit(class, json_object_get(alert, "args")))
		return alert;
	json_decref(alert);
	return NULL;
}

void
alert_start(struct store *store)
{
	json_t *stored, *text, *alert;
	const char *name;

	alerts.store = store;
	alerts.raised = json_object();
	alerts.saved = json_object();
	if (store == NULL)
		return;
	stored = store_values(store, PREFIX);
	json_object_foreach(stored, name, text) {
		alert = stored_alert(json_string_value(text));
		json_object_set_new(alerts.saved, name,
		    json_integer(json_int(alert, "last_occurrence", 0)));
		if (alert != NULL)
			json_object_set_new(alerts.raised, name, alert);
		else
			log_warn("alert.unknown", "%s", name);
	}
	json_decref(stored);
	if (save_all() == -1)
		log_warn("alert.store", "%s", strerror(errno));
}

void
alert_stop(void)
{
	json_decref(alerts.raised);
	json_decref(alerts.saved);
	memset(&alerts, 0, sizeof(alerts));
}

static json_t *
alert_new(const char *class, const char *key, int64_t now)
{
	char uuid[UUID_LEN];

	uuid_new(uuid);
	return json_pack("{s:s, s:s, s:s, s:I}", "uuid", uuid, "class", class,
	    "key", key != NULL ? key : "", "datetime", (json_int_t)now);
}

/* Some clear themselves; however often raised, counted from the last time. */
static void
clear_later(const struct alert_class *class, const char *name, const char *key,
    int64_t now)
{
	json_t *args = json_pack(
	    "{s:s, s:s}", "class", class->name, "key", key != NULL ? key : "");
	char *entry = xasprintf(PREFIX "%s", name);

	scheduler_at(entry, now + class->seconds, "alert.clear", args);
	free(entry);
	json_decref(args);
}

void
alert_clear_task(struct task_run *run, const json_t *args)
{
	alert_clear(json_str(args, "class", ""), json_str(args, "key", ""));
	task_done(run, NULL);
}

/* As the API shows it; node as of a machine that is alone. */
static json_t *
api_form(const json_t *alert)
{
	const struct alert_class *class =
	    alert_class_find(json_str(alert, "class", ""));
	const char *uuid = json_str(alert, "uuid", "");
	char *text = alert_text(class, json_object_get(alert, "args"));
	json_t *form;

	/* clang-format off */
	form = json_pack("{s:s, s:s, s:s, s:s, s:O, s:s, s:s, s:o, s:o, s:b,"
	    " s:n, s:s, s:s, s:s, s:b}",
	    "id", uuid, "uuid", uuid, "source", "", "klass", class->name,
	    "args", json_object_get(alert, "args"), "node", "Controller A",
	    "key", json_str(alert, "key", ""),
	    "datetime", json_date(json_int(alert, "datetime", 0)),
	    "last_occurrence",
	    json_date(json_int(alert, "last_occurrence", 0)),
	    "dismissed", 0, "mail", "text", class->text,
	    "level", alert_level_name(class->level), "formatted", text,
	    "one_shot", class->seconds != 0);
	/* clang-format on */
	free(text);
	return form;
}

static bool
is_due(const char *name, int64_t now)
{
	return now - json_int(alerts.saved, name, 0) >= REFRESH_SECONDS;
}

static void
tell(enum event_kind kind, const json_t *alert)
{
	event_send("alert.list", kind,
	    json_incref(json_object_get(alert, "uuid")),
	    kind == EVENT_REMOVED ? NULL : api_form(alert));
}

static unsigned int
count(const struct alert_class *class)
{
	const char *name;
	json_t *alert;
	unsigned int n = 0;

	json_object_foreach(alerts.raised, name, alert)
		n += strcmp(json_str(alert, "class", ""), class->name) == 0;
	return n;
}

/* The alert of that name, made when there is none; NULL: there are too many. */
static json_t *
alert_of(const struct alert_class *class, const char *key, const char *name,
    int64_t now)
{
	json_t *alert = json_object_get(alerts.raised, name);

	if (alert != NULL)
		return alert;
	if (count(class) >= CLASS_MAX) {
		log_error("alert.too_many", "%s", name);
		return NULL;
	}
	alert = alert_new(class->name, key, now);
	json_object_set_new(alerts.raised, name, alert);
	return alert;
}

static void
put_alert(const struct alert_class *class, const char *key, json_t *args)
{
	char *name = name_of(class->name, key), *text;
	int64_t now = time(NULL);
	json_t *alert = alert_of(class, key, name, now);
	bool fresh = alert != NULL && json_object_get(alert, "args") == NULL;
	bool other =
	    alert != NULL && !json_equal(json_object_get(alert, "args"), args);

	json_object_set(alert, "args", args);
	json_object_set_new(alert, "last_occurrence", json_integer(now));
	if (other || (alert != NULL && is_due(name, now))) {
		save_or_retry(name);
		if (class->seconds != 0)
			clear_later(class, name, key, now);
	}
	if (fresh) {
		text = alert_text(class, args);
		log_warn("alert.raised", "%s: %s", class->name, text);
		free(text);
	}
	if (other)
		tell(fresh ? EVENT_ADDED : EVENT_CHANGED, alert);
	free(name);
}

void
alert_raise(const char *class, const char *key, json_t *args)
{
	const struct alert_class *c = alert_class_find(class);

	if (args == NULL)
		args = json_object();
	if (c == NULL || !alert_args_fit(c, args))
		log_error("alert.fault", "%s with other arguments", class);
	else
		put_alert(c, key, args);
	json_decref(args);
}

void
alert_clear(const char *class, const char *key)
{
	char *name = name_of(class, key), *entry;
	json_t *alert = json_incref(json_object_get(alerts.raised, name));

	if (alert != NULL) {
		json_object_del(alerts.raised, name);
		log_info("alert.cleared", "%s", name);
		save_or_retry(name);
		if (alert_class_find(class)->seconds != 0) {
			entry = xasprintf(PREFIX "%s", name);
			scheduler_cancel(entry);
			free(entry);
		}
		tell(EVENT_REMOVED, alert);
		json_decref(alert);
	}
	free(name);
}

static int
compare(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a;
	const json_t *y = *(const json_t *const *)b;
	const struct alert_class *c =
	    alert_class_find(json_str(x, "class", ""));
	const struct alert_class *d =
	    alert_class_find(json_str(y, "class", ""));
	json_int_t s = json_int(x, "datetime", 0);
	json_int_t t = json_int(y, "datetime", 0);
	int order;

	if (c->level != d->level)
		return c->level < d->level ? 1 : -1;
	if ((order = strcmp(c->title, d->title)) != 0)
		return order;
	if (s != t)
		return s < t ? -1 : 1;
	return strcmp(json_str(x, "key", ""), json_str(y, "key", ""));
}

json_t *
alert_list(void)
{
	size_t count = json_object_size(alerts.raised), i = 0;
	json_t **sorted = xcalloc(count + 1, sizeof(json_t *));
	json_t *list = json_array(), *alert;
	const char *name;

	json_object_foreach(alerts.raised, name, alert)
		sorted[i++] = alert;
	qsort(sorted, count, sizeof(json_t *), compare);
	for (i = 0; i < count; i++)
		json_array_append_new(list, api_form(sorted[i]));
	free(sorted);
	return list;
}
