/*
 * Reports of audit records: see report.h.  JSON is an array, YAML a sequence
 * of flow mappings (YAML 1.2 is a superset of JSON), CSV as RFC 4180 has it
 * with the columns of the first entry, objects as JSON.
 */
#include "audit/report.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"

struct form {
	const char *format, *ending;
	const char *head, *between, *tail, *none;
	void (*entry)(struct report *, const json_t *);
};

struct report {
	FILE *file;
	const struct form *form;
	EVP_MD_CTX *md;
	struct merkle_hash hash;
	json_t *columns; /* of CSV */
	bool begun;
};

static void
put(struct report *r, const char *text, size_t len)
{
	if (EVP_DigestUpdate(r->md, text, len) != 1)
		abort();
	(void)fwrite(text, 1, len, r->file);
}

static void
put_text(struct report *r, const char *text)
{
	put(r, text, strlen(text));
}

static void
put_json(struct report *r, const json_t *entry)
{
	char *text = json_text(entry);

	put_text(r, text);
	free(text);
}

/* Quoted always; what a spreadsheet would take for a formula is text. */
static void
put_cell(struct report *r, const char *text)
{
	const char *quote;

	put_text(r,
	    strchr("=+-@\t\r", *text) != NULL && *text != '\0' ? "\"'" : "\"");
	for (; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
		put(r, text, (size_t)(quote - text));
		put_text(r, "\"\"");
	}
	put_text(r, text);
	put_text(r, "\"");
}

static void
put_value(struct report *r, const json_t *value)
{
	char *text;

	if (value == NULL || json_is_null(value))
		return;
	if (json_is_string(value)) {
		put_cell(r, json_string_value(value));
		return;
	}
	text = json_text(value);
	put_cell(r, text);
	free(text);
}

static void
put_columns(struct report *r, const json_t *entry)
{
	const char *name;
	json_t *value;

	r->columns = json_array();
	json_object_foreach((json_t *)(uintptr_t)entry, name, value) {
		if (json_array_size(r->columns) > 0)
			put_text(r, ",");
		put_cell(r, name);
		json_array_append_new(r->columns, json_string(name));
	}
	put_text(r, "\r\n");
}

static void
put_row(struct report *r, const json_t *entry)
{
	json_t *name;
	size_t i;

	if (r->columns == NULL)
		put_columns(r, entry);
	json_array_foreach(r->columns, i, name) {
		if (i > 0)
			put_text(r, ",");
		put_value(r, json_object_get(entry, json_string_value(name)));
	}
	put_text(r, "\r\n");
}

/* clang-format off */
static const struct form forms[] = {
	{ "JSON", "json", "[\n", ",\n", "\n]\n", "[]\n", put_json },
	{ "CSV", "csv", "", "", "", "", put_row },
	{ "YAML", "yaml", "- ", "\n- ", "\n", "[]\n", put_json },
};
/* clang-format on */

static const struct form *
form_of(const char *format)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].format, format) == 0)
			return &forms[i];
	return NULL;
}

const char *
report_ending(const char *format)
{
	const struct form *form = form_of(format);

	return form != NULL ? form->ending : NULL;
}

struct report *
report_new(FILE *file, const char *format)
{
	const struct form *form = form_of(format);
	struct report *r;

	if (form == NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->file = file;
	r->form = form;
	if ((r->md = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(r->md, EVP_sha256(), NULL) != 1)
		abort();
	return r;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	EVP_MD_CTX_free(r->md);
	json_decref(r->columns);
	free(r);
}

void
report_entry(struct report *r, const json_t *entry)
{
	put_text(r, r->begun ? r->form->between : r->form->head);
	r->begun = true;
	r->form->entry(r, entry);
}

int
report_end(struct report *r)
{
	put_text(r, r->begun ? r->form->tail : r->form->none);
	if (EVP_DigestFinal_ex(r->md, r->hash.bytes, NULL) != 1)
		abort();
	if (fflush(r->file) == EOF || ferror(r->file)) {
		errno = EIO;
		return -1;
	}
	return 0;
}

void
report_hash(const struct report *r, char text[MERKLE_TEXT])
{
	merkle_text(&r->hash, text);
}
