/*
 * Audit records as texts: see record.h.
 */
#include "audit/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "audit/uuid_set.h"
#include "lib/json.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

static const char time_name[] = "message_timestamp";

bool
uuid_shaped(const char *text, size_t len)
{
	struct uuid uuid;

	return uuid_parse(text, len, &uuid) == 0;
}

/*
 * Without lib/json.h's limit on depth: a call's parameters may be as deep as
 * that allows, and stand deeper here.  jansson has its own limit.
 */
json_t *
record_parse(const char *text, size_t len)
{
	json_t *record;

	record = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	if (record == NULL || json_is_object(record))
		return record;
	json_decref(record);
	return NULL;
}

/* The record with its first two members, the others shared; NULL. */
static json_t *
record_form(const json_t *record, int64_t now)
{
	const char *key, *id;
	json_t *formed, *value;

	id = json_is_object(record) ? json_str(record, "audit_id", NULL) : NULL;
	if (id == NULL || !uuid_shaped(id, strlen(id)))
		return NULL;
	formed = json_object();
	if (json_object_set_new(formed, "audit_id", json_string(id)) == -1 ||
	    json_object_set_new(formed, time_name, json_integer(now)) == -1)
		goto fail;
	json_object_foreach((json_t *)(uintptr_t)record, key, value)
		if (strcmp(key, "audit_id") != 0 &&
		    strcmp(key, time_name) != 0 &&
		    json_object_set(formed, key, value) == -1)
			goto fail;
	return formed;
fail:
	json_decref(formed);
	return NULL;
}

int
record_line(const json_t *record, int64_t now, char **linep, json_t **formedp)
{
	json_t *formed = record_form(record, now);
	char *text = formed != NULL ? json_text(formed) : NULL;

	*linep = NULL;
	if (formedp != NULL)
		*formedp = NULL;
	if (text == NULL || strlen(text) > RECORD_MAX) {
		freezero_str(text);
		json_decref(formed);
		errno = EINVAL;
		return -1;
	}
	*linep = text;
	if (formedp != NULL)
		*formedp = formed;
	else
		json_decref(formed);
	return 0;
}

/* Is there whitespace in it that a line may not have? */
static bool
has_control(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ')
			return true;
	return false;
}

/* The time behind the id, where the text says it nowhere yet; NULL. */
static char *
splice(const json_t *record, const char *text, size_t len, int64_t now)
{
	static const char behind[] = "\",";
	const size_t start = sizeof(RECORD_START) - 1;
	const size_t cut = start + UUID_LEN - 1 + sizeof(behind) - 1;
	char member[64], *line;
	size_t more;

	if (len <= cut || memcmp(text, RECORD_START, start) != 0 ||
	    !uuid_shaped(text + start, UUID_LEN - 1) ||
	    memcmp(text + start + UUID_LEN - 1, behind, sizeof(behind) - 1) !=
		0 ||
	    json_object_get(record, time_name) != NULL ||
	    has_control(text, len))
		return NULL;
	more = (size_t)snprintf(
	    member, sizeof(member), "\"%s\":%lld,", time_name, (long long)now);
	if (len + more > RECORD_MAX)
		return NULL;
	line = xmalloc(len + more + 1);
	memcpy(line, text, cut);
	memcpy(line + cut, member, more);
	memcpy(line + cut + more, text + cut, len - cut);
	line[len + more] = '\0';
	return line;
}

int
record_take(
    const char *text, size_t len, int64_t now, char **linep, json_t **formedp)
{
	json_t *record = NULL;
	int rc;

	*linep = NULL;
	*formedp = NULL;
	if (len > RECORD_MAX) {
		errno = EINVAL;
		return -1;
	}
	/* A name that stands twice would not be everybody's same record. */
	record = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(record) &&
	    (*linep = splice(record, text, len, now)) != NULL) {
		(void)json_object_set_new(record, time_name, json_integer(now));
		*formedp = record;
		return 0;
	}
	json_decref(record);
	if ((record = record_parse(text, len)) == NULL) {
		errno = EINVAL;
		return -1;
	}
	rc = record_line(record, now, linep, formedp);
	json_decref(record);
	return rc;
}
