/*
 * The audit role's answers about the log itself: how it is to be kept, how
 * large it is, and what retention drops from it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "audit/export_files.h"
#include "audit/retain.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define DAY ((int64_t)24 * 3600)
#define DAYS_MAX 36500

void
audit_limits_message(struct audit *audit, struct ipc_msg *message)
{
	uint32_t records = wire_get_u32(&message->body);
	uint32_t seconds = wire_get_u32(&message->body);
	uint64_t quota = wire_get_u64(&message->body);
	uint64_t reservation = wire_get_u64(&message->body);

	if (wire_end(&message->body) == -1 || records == 0 || seconds == 0) {
		log_warn("audit.message", "core sent malformed limits");
		return;
	}
	audit->head_records = records;
	audit->head_seconds = seconds;
	audit->quota = quota;
	audit->reservation = reservation;
	audit_spare_keep(audit);
	audit->used = segments_size(audit->store);
	uv_timer_stop(&audit->head);
	audit_sign_when_due(audit);
}

void
audit_answer_json(struct audit *audit, uint32_t id, json_t *answer)
{
	char *text = json_text(answer);

	audit_answer(audit, id, 0, text);
	freezero_str(text);
	json_decref(answer);
}

void
audit_answer_asked(struct audit *audit, struct ipc_msg *message,
    int (*ask)(struct audit *, const json_t *data, json_t **answerp))
{
	json_t *data = NULL, *answer = NULL;
	const char *text, *why;
	size_t len;
	int error = EINVAL;

	text = wire_get_bytes(&message->body, &len);
	if (wire_end(&message->body) == 0 &&
	    (data = json_parse(text, len, &why)) != NULL)
		error = ask(audit, data, &answer);
	json_decref(data);
	if (error == 0)
		audit_answer_json(audit, message->id, answer);
	else
		audit_answer(audit, message->id, error, strerror(error));
}

/* The index of the oldest record there is. */
static uint64_t
first_record(const struct audit *audit)
{
	struct merkle before;
	const uint32_t *numbers;
	size_t count;

	numbers = segments_numbers(audit->store, &count);
	if (count == 0 || tree_before(audit->dirfd, numbers[0], &before) == -1)
		return 0;
	return before.size;
}

void
audit_state_message(struct audit *audit, struct ipc_msg *message)
{
	const char *head = heads_last_line(tree_heads(audit->tree));

	audit_spare_keep(audit);
	/* clang-format off */
	audit_answer_json(audit, message->id, json_pack(
	    "{s:I, s:I, s:I, s:I, s:I, s:s?}",
	    "used", (json_int_t)segments_size(audit->store),
	    "available", (json_int_t)reserve_free(&audit->spare),
	    "reserved", (json_int_t)audit_spare_reserved(audit),
	    "first_record", (json_int_t)first_record(audit),
	    "records", (json_int_t)tree_size(audit->tree), "head", head));
	/* clang-format on */
}

/* On disk, and a head for it, before anything goes.  0 or an errno. */
static int
record_pruning(
    struct audit *audit, const json_t *given, int64_t days, uint64_t until)
{
	const struct tree_head *head = heads_last(tree_heads(audit->tree));
	json_t *record = json_deep_copy(given);
	uint64_t from = first_record(audit);
	char root[MERKLE_TEXT];
	int error;

	if (head == NULL || head->size < until || !json_is_object(record)) {
		json_decref(record);
		return head == NULL ? EAGAIN : EINVAL;
	}
	merkle_text(&head->root, root);
	/* clang-format off */
	json_object_set_new(record, "event_data", json_pack(
	    "{s:I, s:I, s:I, s:{s:s, s:I, s:s}}",
	    "days", (json_int_t)days, "records", (json_int_t)(until - from),
	    "first_record", (json_int_t)until,
	    "head", "log", head->log, "number", (json_int_t)head->number,
	    "root", root));
	/* clang-format on */
	error = audit_append_now(audit, record);
	if (error == 0) {
		audit_sign(audit);
		if (tree_unsigned(audit->tree) > 0)
			error = EIO;
	}
	return error;
}

/*
 * The segment before which all are older than that; 0: none would go.  Or -1
 * with errno.
 */
static int64_t
prune_first(const struct audit *audit, int64_t before)
{
	int64_t first = retain_first(audit->store, before);
	const uint32_t *numbers;
	size_t count;

	numbers = segments_numbers(audit->store, &count);
	return first > 0 && (count == 0 || (uint32_t)first == numbers[0]) ?
	    0 :
	    first;
}

/* *prunedp: how many records.  0 or an errno. */
static int
prune(struct audit *audit, const json_t *record, int64_t days, int64_t before,
    uint64_t *prunedp)
{
	int64_t first = prune_first(audit, before);
	struct merkle tree;
	int error;

	*prunedp = 0;
	if (first <= 0)
		return first == 0 ? 0 : errno;
	if (tree_before(audit->dirfd, (uint32_t)first, &tree) == -1)
		return EIO;
	*prunedp = tree.size - first_record(audit);
	audit_export_stop(audit); /* they read what goes */
	audit_verify_stop(audit, EAGAIN,
	    "Records that it would have read are too old and go now: verify "
	    "the log again");
	audit_spare_draw(audit, true);
	audit_sign(audit);
	if ((error = record_pruning(audit, record, days, tree.size)) != 0)
		return error;
	if (tree_prune(audit->tree, audit->store, (uint32_t)first) == -1)
		return errno;
	audit->used = segments_size(audit->store);
	audit_spare_keep(audit);
	log_info("audit.prune", "%llu records older than %lld days dropped",
	    (unsigned long long)*prunedp, (long long)days);
	return 0;
}

/* Days, so that a day's records are never kept for one that came later. */
static void
turn_daily(struct audit *audit, int64_t now)
{
	int64_t began = retain_began(audit->store);

	if (began != 0 && now - began >= DAY)
		segments_turn(audit->store);
}

static int
handle_days(struct audit *audit, const json_t *data, json_t **answerp)
{
	int64_t days = json_int(data, "days", 0), now, first = 0;
	bool look = json_bool(data, "look", false);
	uint64_t pruned = 0;
	int forward, error = 0;

	if (days < 1 || days > DAYS_MAX)
		return EINVAL;
	forward = retain_now(
	    audit->dirfd, json_bool(data, "clock_right", false), &now);
	if (forward == -1)
		return errno;
	if (forward == 0 && look) {
		first = prune_first(audit, now - days * DAY);
		error = first == -1 ? errno : 0;
	} else if (forward == 0) {
		error = prune(audit, json_object_get(data, "record"), days,
		    now - days * DAY, &pruned);
		turn_daily(audit, now);
		if (export_expire(audit->dirfd, now - days * DAY) == -1)
			log_warn(
			    "audit.expire", "Reports: %s", strerror(errno));
	}
	if (error == 0)
		*answerp =
		    json_pack("{s:I, s:b, s:I}", "pruned", (json_int_t)pruned,
			"clock_forward", forward, "first", (json_int_t)first);
	return error;
}

void
audit_prune_message(struct audit *audit, struct ipc_msg *message)
{
	audit_answer_asked(audit, message, handle_days);
}
