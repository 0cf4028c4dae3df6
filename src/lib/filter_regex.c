/*
 * Regular expressions: PCRE2, without its compiler to machine code, which
 * needs memory that is writable and executable.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/filter_regex.h"
#include "lib/xalloc.h"

#define PATTERN_MAX 1024
#define PARENTHESES_MAX 32
/* Far above what a sane expression needs, some milliseconds at most. */
#define MATCH_LIMIT 50000
#define MATCH_HEAP_KIB 1024

struct regex {
	pcre2_code *code;
	pcre2_match_data *match;
};

static pcre2_match_context *match_context;

static void
make_match_context(void)
{
	if (match_context != NULL)
		return;
	match_context = pcre2_match_context_create(NULL);
	if (match_context == NULL)
		abort();
	pcre2_set_match_limit(match_context, MATCH_LIMIT);
	pcre2_set_depth_limit(match_context, MATCH_LIMIT);
	pcre2_set_heap_limit(match_context, MATCH_HEAP_KIB);
}

struct regex *
regex_new(const char *pattern, size_t len, bool search, char *why, size_t size)
{
	uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *context;
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	struct regex *regex;
	pcre2_code *code;
	int error;

	options |= search ? PCRE2_CASELESS : PCRE2_ANCHORED;
	context = pcre2_compile_context_create(NULL);
	if (context == NULL)
		abort();
	pcre2_set_max_pattern_length(context, PATTERN_MAX);
	pcre2_set_parens_nest_limit(context, PARENTHESES_MAX);
	code = pcre2_compile(
	    (PCRE2_SPTR)pattern, len, options, &error, &offset, context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		pcre2_get_error_message(error, message, sizeof message);
		snprintf(
		    why, size, "%s at position %zu", (char *)message, offset);
		return NULL;
	}
	regex = xcalloc(1, sizeof *regex);
	regex->code = code;
	regex->match = pcre2_match_data_create(1, NULL);
	if (regex->match == NULL)
		abort();
	make_match_context();
	return regex;
}

void
regex_free(struct regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->code);
	free(regex);
}

int
regex_match(const struct regex *regex, const char *text, size_t len)
{
	int result = pcre2_match(regex->code, (PCRE2_SPTR)text, len, 0, 0,
	    regex->match, match_context);

	if (result >= 0)
		return 1;
	return result == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
