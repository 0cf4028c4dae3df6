/*
 * The newest head for who takes it elsewhere, and a new identity of the log:
 * what the audit role answers about them.
 */
#include <errno.h>
#include <string.h>

#include "audit/audit_internal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* A head for all that is committed; NULL: it cannot be signed. */
static const struct tree_head *
sign_all(struct audit *audit)
{
	audit_spare_draw(audit, true);
	if (tree_unsigned(audit->tree) > 0)
		audit_sign(audit);
	if (tree_unsigned(audit->tree) > 0)
		return NULL;
	return heads_last(tree_heads(audit->tree));
}

void
audit_head_message(struct audit *audit, struct ipc_msg *message)
{
	const char *text;
	size_t len;

	text = wire_get_bytes(&message->body, &len);
	(void)text;
	if (wire_end(&message->body) == -1 || len != 0)
		audit_answer(audit, message->id, EINVAL, "Malformed");
	else if (sign_all(audit) == NULL)
		audit_answer(
		    audit, message->id, EIO, "No tree head can be signed");
	else
		audit_answer_json(audit, message->id,
		    json_pack("{s:s}", "head",
			heads_last_line(tree_heads(audit->tree))));
}

/* On disk before anything is done.  0 or an errno. */
static int
record_end(
    struct audit *audit, const json_t *given, const struct tree_head *last)
{
	json_t *record = json_deep_copy(given);

	if (!json_is_object(record)) {
		json_decref(record);
		return EINVAL;
	}
	json_object_set_new(record, "event_data",
	    json_pack("{s:s, s:I}", "log", last->log, "number",
		(json_int_t)last->number));
	return audit_append_now(audit, record);
}

/*
 * The old log ends with a head for all its records, the new one begins with
 * one that covers the record of this as well.
 */
static int
reidentify(struct audit *audit, const json_t *data, json_t **answerp)
{
	const struct tree_head *last = sign_all(audit);
	char parent[TREE_HEAD_LOG];
	int error;

	if (last == NULL)
		return EIO;
	memcpy(parent, last->log, sizeof(parent));
	error = record_end(audit, json_object_get(data, "record"), last);
	if (error != 0)
		return error;
	tree_begin_log(audit->tree);
	if ((last = sign_all(audit)) == NULL)
		return EIO;
	log_warn("audit.log", "The audit log %s goes on as %s, as was asked",
	    parent, last->log);
	*answerp = json_pack("{s:s, s:s}", "log", last->log, "parent", parent);
	return 0;
}

void
audit_reidentify_message(struct audit *audit, struct ipc_msg *message)
{
	audit_answer_asked(audit, message, reidentify);
}
