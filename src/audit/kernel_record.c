/*
 * Events of the kernel's audit as records: see kernel_record.h.
 */
#include "audit/kernel_record.h"

#include <ctype.h>
#include <libaudit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/kernel_session.h"
#include "lib/xalloc.h"

#define KEY_OURS "holdfast-" /* monitor/kernel_rules.h */
#define KEY_SEPARATOR '\x01' /* where a rule has several keys */
#define NAME_MAX_LEN 64
#define EVENT_SIZE sizeof(((struct kernel_record *)NULL)->event)

enum scope { ANYWHERE, MACHINE };

/* Events that their kind names; the first that fits. */
/* clang-format off */
static const struct kind {
	uint16_t	 type;
	const char	*event;	/* NULL: it becomes no record */
	enum scope	 scope;
} kinds[] = {
	{ AUDIT_LOGIN,		NULL,		ANYWHERE }, /* source_login.h */
	{ AUDIT_CONFIG_CHANGE,	"AUDIT-CONFIG",	ANYWHERE },
	{ AUDIT_TTY,		"TTY_RECORD",	ANYWHERE },
	{ AUDIT_SERVICE_START,	"SERVICE",	MACHINE },
	{ AUDIT_SERVICE_STOP,	"SERVICE",	MACHINE },
	{ AUDIT_ANOM_PROMISCUOUS, "GENERIC",	ANYWHERE },
	{ AUDIT_ANOM_ABEND,	"GENERIC",	ANYWHERE },
	{ AUDIT_ANOM_LINK,	"GENERIC",	ANYWHERE },
	{ AUDIT_ANOM_CREAT,	"GENERIC",	ANYWHERE },
};

/* Of a SYSCALL: numbers, and the member with the name that belongs to one. */
static const struct {
	const char	*name, *shown;	/* NULL: none */
	bool		 group;
} numbers[] = {
	{ "auid", "AUID", false },
	{ "uid", "UID", false },
	{ "gid", "GID", true },
	{ "euid", "EUID", false },
	{ "egid", "EGID", true },
	{ "suid", NULL, false },
	{ "sgid", NULL, true },
	{ "fsuid", NULL, false },
	{ "fsgid", NULL, true },
	{ "pid", NULL, false },
	{ "ppid", NULL, false },
	{ "ses", NULL, false },
	{ "items", NULL, false },
	{ "exit", NULL, false },
	{ "syscall", NULL, false },
};

/* Texts that somebody chose, which may be in digits. */
static const char *const chosen[] = { "comm", "exe", "key", "name", "cwd",
	"proctitle", "data", "acct" };
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- Which it is ------------------------------------------------------------- */

static const struct kind *
kind_of(const struct kernel_event *event)
{
	size_t i, j;

	for (i = 0; i < COUNT(kinds); i++)
		for (j = 0; j < event->count; j++)
			if (event->lines[j].type == kinds[i].type)
				return &kinds[i];
	return NULL;
}

/* The line that says who did it. */
static struct span
who_line(const struct kernel_event *event)
{
	struct span line = kernel_event_line(event, AUDIT_SYSCALL);

	if (line.len == 0 && event->count > 0)
		line = (struct span){ event->text + event->lines[0].at,
			event->lines[0].len };
	return line;
}

static uint32_t
who_number(const struct kernel_event *event, const char *name)
{
	int64_t value;

	if (!kernel_number(who_line(event), name, 10, &value) || value < 0 ||
	    value > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)value;
}

uint32_t
kernel_event_user(const struct kernel_event *event)
{
	return who_number(event, "auid");
}

uint32_t
kernel_event_session(const struct kernel_event *event)
{
	return who_number(event, "ses");
}

bool
kernel_event_counts(const struct kernel_event *event, bool machine)
{
	const struct kind *kind = kind_of(event);

	if (kind != NULL)
		return kind->event != NULL &&
		    (kind->scope == ANYWHERE || machine);
	return kernel_event_line(event, AUDIT_SYSCALL).len > 0;
}

/* Of the keys of a rule ours, or the first. */
static struct span
which_key(struct span keys)
{
	struct span rest = keys, key = { "", 0 }, first = { NULL, 0 };
	const char *end;

	while (rest.len > 0) {
		end = memchr(rest.at, KEY_SEPARATOR, rest.len);
		key.at = rest.at;
		key.len = end != NULL ? (size_t)(end - rest.at) : rest.len;
		if (key.len > strlen(KEY_OURS) &&
		    memcmp(key.at, KEY_OURS, strlen(KEY_OURS)) == 0)
			return (struct span){ key.at + strlen(KEY_OURS),
				key.len - strlen(KEY_OURS) };
		if (first.at == NULL)
			first = key;
		rest.len -= key.len + (end != NULL);
		rest.at += key.len + (end != NULL);
	}
	return first;
}

/* The key as an event's name. */
static void
name_by_key(struct span keys, char name[EVENT_SIZE])
{
	struct span key = which_key(keys);
	unsigned char c;
	size_t i;

	if (key.len == 0)
		return;
	for (i = 0; i < key.len && i < EVENT_SIZE - 1; i++) {
		c = (unsigned char)key.at[i];
		name[i] = isalnum(c) || c == '-' ? (char)toupper(c) : '_';
	}
	name[i] = '\0';
}

static void
name_event(const struct kernel_event *event, char name[EVENT_SIZE])
{
	const struct kind *kind = kind_of(event);
	struct kernel_pair pair;
	char *key = NULL;
	size_t len = 0;

	(void)snprintf(
	    name, EVENT_SIZE, "%s", kind != NULL ? kind->event : "GENERIC");
	if (kind != NULL)
		return;
	if (kernel_find(who_line(event), "key", &pair))
		key = kernel_decode(&pair, &len);
	if (key != NULL)
		name_by_key((struct span){ key, len }, name);
	free(key);
}

/* --- What it says ------------------------------------------------------------ */

static bool
is_name(struct span span, const char *name)
{
	return span.len == strlen(name) && memcmp(span.at, name, span.len) == 0;
}

static bool
is_chosen(struct span name)
{
	size_t i;

	for (i = 0; i < COUNT(chosen); i++)
		if (is_name(name, chosen[i]))
			return true;
	return false;
}

/* A text as JSON; NULs between arguments become blanks. */
static json_t *
decoded(const struct kernel_pair *pair)
{
	size_t len, i;
	char *bytes = kernel_decode(pair, &len);
	json_t *text;

	if (bytes == NULL)
		return json_null();
	while (len > 0 && bytes[len - 1] == '\0')
		len--;
	for (i = 0; i < len; i++)
		if (bytes[i] == '\0')
			bytes[i] = ' ';
	text = source_text(bytes, len);
	freezero(bytes, len);
	return text;
}

static json_t *
value_of(const struct kernel_pair *pair)
{
	if (is_chosen(pair->name))
		return decoded(pair);
	if (!pair->quoted && pair->value.len > 0 && *pair->value.at == '(')
		return json_null();
	return source_text(pair->value.at, pair->value.len);
}

/* False: no kernel's name of a field. */
static bool
field_name(struct span span, char name[NAME_MAX_LEN])
{
	size_t i;

	if (span.len == 0 || span.len >= NAME_MAX_LEN)
		return false;
	for (i = 0; i < span.len; i++)
		if (!isalnum((unsigned char)span.at[i]) &&
		    strchr("_-.[]", span.at[i]) == NULL)
			return false;
	memcpy(name, span.at, span.len);
	name[span.len] = '\0';
	return true;
}

/* All of a line, as texts; what is within msg='...' too. */
static void
put_fields(json_t *object, struct span line)
{
	struct kernel_pair pair;
	char name[NAME_MAX_LEN];

	while (kernel_next(&line, &pair)) {
		if (!field_name(pair.name, name))
			continue;
		if (pair.quoted && strcmp(name, "msg") == 0) {
			/* No deeper: it has no msg of its own. */
			line = pair.value;
			continue;
		}
		json_object_set_new(object, name, value_of(&pair));
	}
}

static json_t *
fields_of(struct span line)
{
	json_t *object = json_object();

	put_fields(object, line);
	return object;
}

static void
put_numbers(json_t *object, struct span line, struct names *names)
{
	const char *shown;
	int64_t value;
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		if (!kernel_number(line, numbers[i].name, 10, &value))
			continue;
		json_object_set_new(
		    object, numbers[i].name, json_integer(value));
		if (numbers[i].shown == NULL || value < 0 || value > UINT32_MAX)
			continue;
		shown = numbers[i].group ? names_group(names, (uint32_t)value) :
					   names_user(names, (uint32_t)value);
		json_object_set_new(object, numbers[i].shown,
		    source_text(shown, strlen(shown)));
	}
}

static void
put_call(json_t *object, struct span line)
{
	const char *name = NULL;
	int64_t arch, number;

	if (kernel_number(line, "arch", 16, &arch) && arch >= 0 &&
	    arch <= UINT32_MAX && kernel_number(line, "syscall", 10, &number) &&
	    number >= 0 && number <= INT32_MAX)
		name = audit_syscall_to_name(
		    (int)number, audit_elf_to_machine((unsigned int)arch));
	json_object_set_new(
	    object, "SYSCALL", json_string(name != NULL ? name : "unknown"));
}

static json_t *
syscall_of(struct span line, struct names *names)
{
	json_t *object = fields_of(line);

	put_numbers(object, line, names);
	put_call(object, line);
	return object;
}

/* Of the first record of that type its member, or null. */
static json_t *
text_of(const struct kernel_event *event, uint16_t type, const char *name)
{
	struct kernel_pair pair;

	if (!kernel_find(kernel_event_line(event, type), name, &pair))
		return json_null();
	return decoded(&pair);
}

static json_t *
paths_of(const struct kernel_event *event)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < event->count; i++)
		if (event->lines[i].type == AUDIT_PATH)
			json_array_append_new(list,
			    fields_of(
				(struct span){ event->text + event->lines[i].at,
				    event->lines[i].len }));
	return list;
}

/* --- A program's arguments --------------------------------------------------- */

/* The one that is being put together: a long one comes in pieces. */
struct argument {
	json_t *list;
	char *bytes;
	size_t len;
	bool begun;
};

static void
argument_end(struct argument *a)
{
	if (a->begun)
		json_array_append_new(a->list,
		    source_text(a->bytes == NULL ? "" : a->bytes, a->len));
	freezero(a->bytes, a->len);
	a->bytes = NULL;
	a->len = 0;
	a->begun = false;
}

static void
argument_add(struct argument *a, const struct kernel_pair *pair)
{
	size_t len = 0;
	char *more = kernel_decode(pair, &len), *whole;

	if (more != NULL) {
		whole = xmalloc(a->len + len);
		if (a->len > 0)
			memcpy(whole, a->bytes, a->len);
		memcpy(whole + a->len, more, len);
		freezero(a->bytes, a->len);
		a->bytes = whole;
		a->len += len;
		freezero(more, len);
	}
	a->begun = true;
}

/* a0="ls" a1_len=9000 a1[0]=2D6C... a1[1]=... */
static void
arguments_line(struct argument *a, struct span line)
{
	struct kernel_pair pair;
	char name[NAME_MAX_LEN];
	size_t digits;

	while (kernel_next(&line, &pair)) {
		if (!field_name(pair.name, name) || name[0] != 'a')
			continue;
		digits = strspn(name + 1, "0123456789");
		if (digits == 0)
			continue;
		if (name[1 + digits] == '\0' ||
		    strcmp(name + 1 + digits, "[0]") == 0)
			argument_end(a);
		else if (name[1 + digits] != '[')
			continue;
		argument_add(a, &pair);
	}
}

static void
put_arguments(json_t *data, const struct kernel_event *event)
{
	struct argument a = { .list = json_array() };
	size_t i;

	for (i = 0; i < event->count; i++)
		if (event->lines[i].type == AUDIT_EXECVE)
			arguments_line(&a,
			    (struct span){ event->text + event->lines[i].at,
				event->lines[i].len });
	argument_end(&a);
	if (json_array_size(a.list) > 0)
		json_object_set(data, "arguments", a.list);
	json_decref(a.list);
}

/* --- The whole --------------------------------------------------------------- */

static json_t *
data_of(const struct kernel_event *event, struct names *names)
{
	struct span call = kernel_event_line(event, AUDIT_SYSCALL);
	const struct kind *kind = kind_of(event);
	json_t *data = json_object();
	char id[64];

	if (call.len > 0) {
		json_object_set_new(data, "proctitle",
		    text_of(event, AUDIT_PROCTITLE, "proctitle"));
		json_object_set_new(data, "syscall", syscall_of(call, names));
		json_object_set_new(
		    data, "cwd", text_of(event, AUDIT_CWD, "cwd"));
		json_object_set_new(data, "paths", paths_of(event));
		put_arguments(data, event);
	}
	if (kind != NULL) {
		json_object_set_new(data, "type",
		    json_string(audit_msg_type_to_name(kind->type)));
		json_object_set_new(data, "fields",
		    fields_of(kernel_event_line(event, kind->type)));
	}
	(void)snprintf(id, sizeof(id), "%lld.%03lld:%lld",
	    (long long)(event->time_us / 1000000),
	    (long long)(event->time_us / 1000 % 1000),
	    (long long)event->serial);
	json_object_set_new(data, "audit_msg_id_str", json_string(id));
	json_object_set_new(data, "raw_lines", json_null());
	if (event->cut > 0)
		json_object_set_new(data, "cut", json_integer(event->cut));
	return data;
}

/* success=yes, res=1, res=success; of a program's words too. */
static bool
succeeded(const struct kernel_event *event)
{
	static const char *const names[] = { "success", "res" };
	struct span line = kernel_event_line(event, AUDIT_SYSCALL);
	const struct kind *kind = kind_of(event);
	struct kernel_pair pair;
	size_t i;

	if (line.len == 0 && kind != NULL)
		line = kernel_event_line(event, kind->type);
	if (kernel_find(line, "msg", &pair) && pair.quoted)
		line = pair.value;
	for (i = 0; i < COUNT(names); i++)
		if (kernel_find(line, names[i], &pair))
			return is_name(pair.value, "yes") ||
			    is_name(pair.value, "1") ||
			    is_name(pair.value, "success");
	return true;
}

static void
address_of(const struct kernel_event *event, char address[64])
{
	const struct kind *kind = kind_of(event);
	struct kernel_pair pair, addr;

	address[0] = '\0';
	if (kind != NULL &&
	    kernel_find(kernel_event_line(event, kind->type), "msg", &pair) &&
	    kernel_find(pair.value, "addr", &addr) && addr.value.len < 64 &&
	    *addr.value.at != '?')
		(void)snprintf(
		    address, 64, "%.*s", (int)addr.value.len, addr.value.at);
}

void
kernel_record_make(const struct kernel_event *event, struct names *names,
    struct kernel_record *record)
{
	uint32_t session = kernel_event_session(event);

	memset(record, 0, sizeof(*record));
	name_event(event, record->event);
	(void)snprintf(record->username, sizeof(record->username), "%s",
	    names_user(names, kernel_event_user(event)));
	if (session != SESSION_NONE)
		(void)snprintf(
		    record->session, sizeof(record->session), "%u", session);
	address_of(event, record->address);
	record->source = (struct source_record){ .service = "SYSTEM",
		.event = record->event,
		.username = record->username,
		.address = record->address,
		.session = record->session,
		.origin.time_us = event->time_us,
		.event_data = data_of(event, names),
		.success = succeeded(event) };
}
