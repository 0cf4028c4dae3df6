/*
 * The list of errors of a call's arguments.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "lib/verr.h"
#include "lib/xalloc.h"

struct item {
	char *attribute; /* NULL: null */
	char *text;
	int number;
};

struct verr {
	struct item *errors;
	size_t count, room;
	char *prefix;
};

struct verr *
verr_new(void)
{
	return xcalloc(1, sizeof(struct verr));
}

void
verr_free(struct verr *v)
{
	size_t i;

	if (v == NULL)
		return;
	for (i = 0; i < v->count; i++) {
		free(v->errors[i].attribute);
		/* A daemon's complaint may quote what was given. */
		freezero_str(v->errors[i].text);
	}
	free(v->errors);
	free(v->prefix);
	free(v);
}

bool
verr_any(const struct verr *v)
{
	return v->count > 0;
}

size_t
verr_count(const struct verr *v)
{
	return v->count;
}

static char *
full_attribute(const struct verr *v, const char *attribute)
{
	if (attribute == NULL)
		return NULL;
	if (v->prefix == NULL)
		return xstrdup(attribute);
	if (*attribute == '\0')
		return xstrdup(v->prefix);
	return xasprintf("%s.%s", v->prefix, attribute);
}

/* A daemon's words need not be UTF-8; what is sent has to be. */
static void
make_utf8(char *text)
{
	size_t len = strlen(text);
	const uint8_t *bad;

	while ((bad = u8_check((uint8_t *)text, len)) != NULL)
		text[bad - (uint8_t *)text] = '?';
}

static void __attribute__((format(printf, 4, 0))) add(struct verr *v,
    int number, const char *attribute, const char *fmt, va_list ap)
{
	struct item *e;
	char *text;

	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	make_utf8(text);
	if (v->count == v->room) {
		v->room = v->room == 0 ? 8 : v->room * 2;
		v->errors =
		    xreallocarray(v->errors, v->room, sizeof *v->errors);
	}
	e = &v->errors[v->count++];
	e->attribute = full_attribute(v, attribute);
	e->text = text;
	e->number = number;
}

void
verr_add(struct verr *v, const char *attribute, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(v, EINVAL, attribute, fmt, ap);
	va_end(ap);
}

void
verr_add_errno(
    struct verr *v, int error, const char *attribute, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(v, error, attribute, fmt, ap);
	va_end(ap);
}

void
verr_prefix(struct verr *v, const char *prefix)
{
	free(v->prefix);
	v->prefix = prefix == NULL ? NULL : xstrdup(prefix);
}

char *
verr_reason(const struct verr *v)
{
	const struct item *e;
	const char *name;
	char *reason;
	size_t len, i;
	FILE *out;

	out = open_memstream(&reason, &len);
	if (out == NULL)
		abort();
	for (i = 0; i < v->count; i++) {
		e = &v->errors[i];
		name = strerrorname_np(e->number);
		fprintf(out, "[%s] %s: %s\n", name ? name : "EUNKNOWN",
		    e->attribute ? e->attribute : "None", e->text);
	}
	if (fclose(out) != 0)
		abort();
	return reason;
}

json_t *
verr_extra(const struct verr *v)
{
	const struct item *e;
	json_t *extra = json_array();
	size_t i;

	for (i = 0; i < v->count; i++) {
		e = &v->errors[i];
		json_array_append_new(extra,
		    json_pack("[s?, s, i]", e->attribute, e->text, e->number));
	}
	return extra;
}
