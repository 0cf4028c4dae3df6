/*
 * Records of the audit role's own: see source.h.
 */
#include "audit/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "audit/audit_internal.h"
#include "audit/hide.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define RETRY_MS 1000

/* A record that is on no disk yet. */
struct waiting_record {
	TAILQ_ENTRY(waiting_record) next;
	bool batched; /* the next commit says what became of it */
	bool again; /* it may be in the log already */
	size_t len;
	char *text;
};

TAILQ_HEAD(waiting_list, waiting_record);

struct sources {
	struct audit *audit;
	struct waiting_list waiting;
	size_t bytes;
	bool summed;
	uv_timer_t retry;
	uint64_t lost;
	char why[128]; /* of the first of them */
};

/* Ends before a character, not within one: UTF-8, RFC 3629. */
static size_t
cut_before(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < 4 && len > 0; i++) {
		if (((unsigned char)text[len] & 0xc0) != 0x80)
			break;
		len--;
	}
	return len;
}

json_t *
source_text(const char *text, size_t len)
{
	char shown[SOURCE_TEXT_MAX * 4 + 1], *whole;
	size_t used = len;
	json_t *value;

	if (len > SOURCE_TEXT_MAX)
		used = cut_before(text, SOURCE_TEXT_MAX);
	value =
	    memchr(text, '\0', used) == NULL ? json_stringn(text, used) : NULL;
	if (value == NULL) {
		log_encode(shown, sizeof(shown), text, used);
		value = json_string(shown);
	}
	if (used == len)
		return value;
	whole = xasprintf("%s ... (%zu bytes)", json_string_value(value), len);
	json_decref(value);
	value = json_string(whole);
	free(whole);
	return value;
}

static json_t *
text_or(const char *text, const char *otherwise)
{
	if (text == NULL || *text == '\0')
		text = otherwise;
	return text != NULL ? source_text(text, strlen(text)) : json_null();
}

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static json_t *
record_of(const struct source_record *r)
{
	const struct source_origin *origin = &r->origin;
	int64_t us = origin->time_us != 0 ? origin->time_us : now_us();
	json_t *data = r->service_data;
	json_t *event_data =
	    r->event_data != NULL ? r->event_data : json_object();
	char id[UUID_LEN], salt[UUID_LEN];

	if (origin->audit_id == NULL)
		uuid_new(id);
	uuid_new(salt);
	json_object_set_new(event_data, HIDE_SALT, json_string(salt));
	if (data == NULL)
		data =
		    json_pack("{s:{s:i, s:i}}", "vers", "major", 0, "minor", 1);
	/* clang-format off */
	return json_pack("{s:s, s:o, s:I, s:o, s:o, s:o, s:s, s:o, s:s, s:o, "
	    "s:b}",
	    "audit_id", origin->audit_id != NULL ? origin->audit_id : id,
	    "timestamp", json_date(us / 1000000),
	    "time_us", (json_int_t)us,
	    "address", text_or(r->address, "127.0.0.1"),
	    "username", text_or(r->username, ".UNKNOWN"),
	    "session", text_or(r->session, NULL),
	    "service", r->service, "service_data", data,
	    "event", r->event, "event_data", event_data,
	    "success", r->success);
	/* clang-format on */
}

static void retry_later(struct sources *sources);

/* 0: it waits for the commit; else the errno. */
static int
into_batch(struct sources *sources, struct waiting_record *w)
{
	int error = audit_refusal(sources->audit, w->len);

	if (error == 0)
		error = audit_append(sources->audit, w->again, w->text, w->len);
	w->batched = error == 0;
	if (error != 0)
		retry_later(sources);
	return error;
}

static void
waiting_free(struct sources *sources, struct waiting_record *w)
{
	TAILQ_REMOVE(&sources->waiting, w, next);
	sources->bytes -= w->len;
	freezero_str(w->text);
	free(w);
}

static void
append_text(struct sources *sources, char *text, bool again)
{
	struct waiting_record *w;

	if (text == NULL || strlen(text) > RECORD_MAX) {
		freezero_str(text);
		source_lost(sources, 1, "too long for a record");
		return;
	}
	if (sources->bytes + strlen(text) > SOURCE_BYTES_MAX) {
		freezero_str(text);
		source_lost(sources, 1, "the log could not be written");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->text = text;
	w->again = again;
	w->len = strlen(text);
	TAILQ_INSERT_TAIL(&sources->waiting, w, next);
	sources->bytes += w->len;
	(void)into_batch(sources, w);
}

void
source_append(struct sources *sources, const struct source_record *r)
{
	json_t *record = record_of(r);

	sources->summed = sources->summed || r->sum;
	append_text(sources, json_text(record), r->origin.again);
	json_decref(record);
}

void
source_lost(struct sources *sources, uint64_t count, const char *why)
{
	if (sources->lost == 0)
		(void)snprintf(sources->why, sizeof(sources->why), "%s", why);
	sources->lost += count;
	retry_later(sources);
}

/* Once there is room for it. */
static void
tell_lost(struct sources *sources)
{
	struct source_record r = {
		.service = "SYSTEM", .event = "GENERIC", .username = "_hfaudit"
	};
	uint64_t lost = sources->lost;

	if (lost == 0 || sources->bytes > SOURCE_BYTES_MAX / 2)
		return;
	/* clang-format off */
	r.event_data = json_pack("{s:s, s:I, s:s}", "type", "LOST",
	    "count", (json_int_t)lost, "why", sources->why);
	/* clang-format on */
	log_warn("audit.lost", "%llu records: %s", (unsigned long long)lost,
	    sources->why);
	sources->lost = 0;
	source_append(sources, &r);
}

static void
retry(uv_timer_t *timer)
{
	struct sources *sources = timer->data;
	struct waiting_record *w;

	TAILQ_FOREACH(w, &sources->waiting, next)
	if (!w->batched && into_batch(sources, w) != 0)
		break;
	tell_lost(sources);
}

static void
retry_later(struct sources *sources)
{
	if (!uv_is_active((uv_handle_t *)&sources->retry))
		uv_timer_start(&sources->retry, retry, RETRY_MS, 0);
}

size_t
sources_waiting(const struct sources *sources)
{
	return sources->bytes;
}

bool
sources_summed(struct sources *sources, bool forget)
{
	bool summed = sources->summed;

	if (forget)
		sources->summed = false;
	return summed;
}

void
sources_committed(struct sources *sources, bool durable)
{
	struct waiting_record *w, *next;

	for (w = TAILQ_FIRST(&sources->waiting); w != NULL; w = next) {
		next = TAILQ_NEXT(w, next);
		if (w->batched && durable)
			waiting_free(sources, w);
		else if (w->batched) {
			w->batched = false;
			retry_later(sources);
		}
	}
}

struct sources *
sources_new(struct audit *audit, uv_loop_t *loop)
{
	struct sources *sources = xcalloc(1, sizeof(*sources));

	sources->audit = audit;
	TAILQ_INIT(&sources->waiting);
	uv_timer_init(loop, &sources->retry);
	sources->retry.data = sources;
	return sources;
}

void
sources_stop(struct sources *sources)
{
	retry(&sources->retry);
}

static void
closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
sources_free(struct sources *sources)
{
	struct waiting_record *w, *next;

	if (sources == NULL)
		return;
	if (!TAILQ_EMPTY(&sources->waiting))
		log_error("audit.lost", "records that could not be written");
	for (w = TAILQ_FIRST(&sources->waiting); w != NULL; w = next) {
		next = TAILQ_NEXT(w, next);
		waiting_free(sources, w);
	}
	uv_close((uv_handle_t *)&sources->retry, closed);
}
