/*
 * jansson with memory that is zeroed when freed, a limit on depth, and error
 * texts that quote nothing of the input.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"

/*
 * In front of each block of jansson's: how much to zero.  As large as the
 * strictest alignment, so that what follows is aligned too.
 */
union block {
	size_t size;
	max_align_t align;
};

static void *
secure_malloc(size_t size)
{
	union block *block;

	if (size == 0 || size > SIZE_MAX - sizeof *block)
		return NULL;
	block = malloc(sizeof *block + size);
	if (block == NULL)
		return NULL;
	block->size = size;
	return block + 1;
}

static void
secure_free(void *memory)
{
	union block *block = memory;

	if (memory == NULL)
		return;
	block--;
	explicit_bzero(memory, block->size);
	free(block);
}

void
json_secure(void)
{
	json_malloc_t allocate;
	json_free_t release;

	json_get_alloc_funcs(&allocate, &release);
	if (allocate == secure_malloc)
		return;
	/* Blocks of before would be freed wrongly, so this comes first. */
	json_set_alloc_funcs(secure_malloc, secure_free);
	json_object_seed(0);
}

/* Is the text at most JSON_DEPTH_MAX deep?  Its syntax is not looked at. */
static bool
depth_ok(const char *text, size_t len)
{
	size_t i, depth = 0;
	bool string = false;

	for (i = 0; i < len; i++) {
		if (string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				string = false;
		} else if (text[i] == '"') {
			string = true;
		} else if (text[i] == '[' || text[i] == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if ((text[i] == ']' || text[i] == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* What went wrong, without jansson's own text, which quotes the input. */
static const char *
problem(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_premature_end_of_input:
		return "The text ends too early";
	case json_error_end_of_input_expected:
		return "Something follows the value";
	case json_error_invalid_utf8:
		return "Invalid UTF-8";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL in a string";
	case json_error_numeric_overflow:
		return "A number is too large";
	case json_error_out_of_memory:
		return "Out of memory";
	default:
		return "Invalid JSON";
	}
}

json_t *
json_parse(const char *text, size_t len, const char **errp)
{
	static _Thread_local char message[80];
	json_error_t error;
	json_t *value;

	if (errp != NULL)
		*errp = NULL;
	/* jansson would take one at the end for the end. */
	if (memchr(text, '\0', len) != NULL) {
		if (errp != NULL)
			*errp = "NUL in the text";
		return NULL;
	}
	if (!depth_ok(text, len)) {
		if (errp != NULL)
			*errp = "Nested too deeply";
		return NULL;
	}
	value = json_loadb(text, len, JSON_DECODE_ANY, &error);
	if (value == NULL && errp != NULL) {
		snprintf(message, sizeof message, "%s: line %d column %d",
		    problem(&error), error.line, error.column);
		*errp = message;
	}
	return value;
}

static int
put_piece(const char *piece, size_t len, void *arg)
{
	wire_put_raw(arg, piece, len);
	return 0;
}

static int
write_text(const json_t *value, struct wire_out *out, size_t flags)
{
	char number[24];
	int len;

	/* Most ids of calls; jansson makes a table of parents even for one. */
	if (json_is_integer(value)) {
		len = snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		wire_put_raw(out, number, (size_t)len);
		return 0;
	}
	return json_dump_callback(
	    value, put_piece, out, JSON_COMPACT | JSON_ENCODE_ANY | flags);
}

int
json_write(const json_t *value, struct wire_out *out)
{
	return write_text(value, out, 0);
}

static char *
text_of(const json_t *value, size_t flags)
{
	struct wire_out out = { 0 };

	if (write_text(value, &out, flags) == -1) {
		wire_free(&out);
		return NULL;
	}
	wire_put_u8(&out, '\0');
	return (char *)out.data;
}

char *
json_text(const json_t *value)
{
	return text_of(value, 0);
}

char *
json_text_sorted(const json_t *value)
{
	return text_of(value, JSON_SORT_KEYS);
}

const char *
json_str(const json_t *object, const char *key, const char *def)
{
	const json_t *member = json_object_get(object, key);

	return json_is_string(member) ? json_string_value(member) : def;
}

json_int_t
json_int(const json_t *object, const char *key, json_int_t def)
{
	const json_t *member = json_object_get(object, key);

	return json_is_integer(member) ? json_integer_value(member) : def;
}

bool
json_bool(const json_t *object, const char *key, bool def)
{
	const json_t *member = json_object_get(object, key);

	return json_is_boolean(member) ? json_is_true(member) : def;
}

json_t *
json_date(int64_t seconds)
{
	json_t *date = json_object();

	json_object_set_new(date, "$date", json_integer(seconds * 1000));
	return date;
}

json_t *
json_set(json_t *array)
{
	json_t *set = json_object();

	json_object_set_new(set, "$set", array);
	return set;
}
