/*
 * Faults of field tables, found at start and in the unit tests instead of by
 * the first caller.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/schema_internal.h"
#include "lib/xalloc.h"

struct lint {
	const char *path; /* of the row */
	json_t *faults;
};

static void __attribute__((format(printf, 2, 3)))
fault(const struct lint *l, const char *fmt, ...)
{
	char *text, *line;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	line = xasprintf("%s: %s", l->path, text);
	json_array_append_new(l->faults, json_string(line));
	free(line);
	free(text);
}

static bool
has_choices(const struct field *f)
{
	return f->type == F_ENUM || f->type == F_ENUMV;
}

static bool
has_text(const struct field *f)
{
	return f->type == F_STR || f->type == F_STRV;
}

static void
lint_limits(const struct lint *l, const struct field *f)
{
	bool number = f->type == F_INT || f->type == F_INT_OR_STR;

	if (number && f->min > f->max)
		fault(l, "the smallest value is above the largest");
	if (!number && (f->min < 0 || f->max < 0))
		fault(l, "a length below 0");
	if (f->type == F_STR && f->min > schema_text_max(f))
		fault(l, "the shortest length is above the longest");
	if (!number && f->type != F_STR && f->max > 0 && f->min > f->max)
		fault(l, "the smallest count is above the largest");
	if (f->type == F_STR && f->max > STRING_LONG)
		fault(l, "longer than %d", STRING_LONG);
	if ((f->min != 0 || f->max != 0) &&
	    (f->type == F_BOOL || f->type == F_ENUM || f->type == F_OBJECT ||
		f->type == F_DICT || f->type == F_UNION || f->type == F_ANY ||
		f->type == F_CONST))
		fault(l, "limits on a type that has none");
}

static void
lint_choices(const struct lint *l, const struct field *f)
{
	size_t count = schema_choice_count(f);
	const char *const *a, *const *b;

	if (has_choices(f) && count == 0)
		fault(l, "no choices");
	if (!has_choices(f) && f->choices != NULL)
		fault(l, "choices on a type that has none");
	if (f->type == F_ENUMV && count > 32)
		fault(l, "more choices than a set has bits");
	if ((f->flags & FF_SET) && f->type != F_ENUMV)
		fault(l, "a set of what are no choices");
	for (a = f->choices; a != NULL && *a != NULL; a++)
		for (b = f->choices; b != a; b++)
			if (strcmp(*a, *b) == 0)
				fault(l, "choice \"%s\" twice", *a);
}

static void
lint_pattern(const struct lint *l, const struct field *f)
{
	PCRE2_UCHAR message[128];
	pcre2_code *code;
	int error;

	if (f->pattern_message != NULL && f->pattern == NULL)
		fault(l, "a message for no pattern");
	if (f->pattern == NULL)
		return;
	if (!has_text(f))
		fault(l, "a pattern on a type that has none");
	code = schema_pattern(f, &error);
	if (code == NULL) {
		pcre2_get_error_message(error, message, sizeof message);
		fault(l, "the pattern does not compile: %s", (char *)message);
	}
	pcre2_code_free(code);
}

/* Does the default pass the row's own check? */
static void
lint_default_value(
    const struct lint *l, const struct field *f, const json_t *value)
{
	struct verr *errors = verr_new();
	json_t *checked, *extra;

	checked = schema_value(f, "default", value, SCHEMA_ARGUMENT, errors);
	if (checked == NULL) {
		extra = verr_extra(errors);
		fault(l, "the default is refused: %s",
		    json_string_value(
			json_array_get(json_array_get(extra, 0), 1)));
		json_decref(extra);
	}
	json_decref(checked);
	verr_free(errors);
}

static void
lint_default(const struct lint *l, const struct field *f)
{
	json_t *value = schema_default(f);

	if (f->def != NULL && value == NULL)
		fault(l, "the default is no JSON");
	if (f->def != NULL && (f->flags & FF_REQUIRED) && f->type != F_CONST)
		fault(l, "required, so a default is never used");
	if (f->def == NULL && f->type == F_CONST)
		fault(l, "a constant without its value");
	if (f->def == NULL && (f->flags & FF_UNBUILT))
		fault(l, "not built, and no default to return");
	if ((f->flags & FF_SECRET) && json_string_length(value) > 0)
		fault(l, "a secret that is known to all");
	if (value != NULL)
		lint_default_value(l, f, value);
	json_decref(value);
}

static void
lint_variants(const struct lint *l, const struct field *f)
{
	const struct variant *v, *w;
	char *path;

	if (f->type != F_UNION) {
		if (f->tag != NULL || f->variants != NULL)
			fault(l, "variants on a type that has none");
		return;
	}
	if (f->tag == NULL || f->variants == NULL ||
	    f->variants->value == NULL) {
		fault(l, "a union without tag or variants");
		return;
	}
	for (v = f->variants; v->value != NULL; v++) {
		for (w = f->variants; w != v; w++)
			if (strcmp(v->value, w->value) == 0)
				fault(l, "variant \"%s\" twice", v->value);
		if (schema_find(v->fields, f->tag) != NULL)
			fault(l, "variant \"%s\" repeats the tag", v->value);
		path = xasprintf("%s.%s", l->path, v->value);
		schema_lint(v->fields, path, l->faults);
		free(path);
	}
}

static void lint_row(const struct field *, const char *path, json_t *faults);

static void
lint_below(const struct lint *l, const struct field *f)
{
	char *path;

	switch (f->type) {
	case F_OBJECT:
		if (f->fields == NULL && !(f->flags & FF_OPEN))
			fault(l, "an object without members");
		schema_lint(f->fields, l->path, l->faults);
		break;
	case F_ARRAY:
	case F_DICT:
		if (f->fields == NULL)
			break;
		path = xasprintf("%s.*", l->path);
		lint_row(f->fields, path, l->faults);
		free(path);
		break;
	default:
		if (f->fields != NULL)
			fault(l, "members on a type that has none");
		break;
	}
}

static void
lint_row(const struct field *f, const char *path, json_t *faults)
{
	struct lint l = { .path = path, .faults = faults };
	size_t before = json_array_size(faults);

	if (f->type > F_CONST) {
		fault(&l, "no such type");
		return;
	}
	lint_limits(&l, f);
	lint_choices(&l, f);
	lint_pattern(&l, f);
	lint_variants(&l, f);
	lint_below(&l, f);
	/* A table that is broken otherwise can not check its default. */
	if (json_array_size(faults) == before)
		lint_default(&l, f);
}

void
schema_lint(const struct field *fields, const char *path, json_t *faults)
{
	const struct field *f, *g;
	struct lint l = { .faults = faults };
	char *row;

	for (f = fields; f != NULL && f->name != NULL; f++) {
		row = xasprintf("%s.%s", path, f->name);
		l.path = row;
		if (*f->name == '\0')
			fault(&l, "an empty name");
		for (g = fields; g != f; g++)
			if (strcmp(f->name, g->name) == 0)
				fault(&l, "the name twice");
		if (f->doc == NULL || *f->doc == '\0')
			fault(&l, "no sentence that says what it is");
		lint_row(f, row, faults);
		free(row);
	}
}
