/*
 * A record of the kernel's audit: see kernel_text.h.
 */
#include "audit/kernel_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define DIGITS_MAX 20 /* of a number of 64 bits, in ten */

static bool
span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

/* The whole of it is one number. */
static bool
span_number(struct span span, int base, int64_t *value)
{
	static const char first[] = "-0123456789abcdefABCDEF";
	char text[DIGITS_MAX + 1], *end;
	int64_t number;

	if (span.len == 0 || span.len > DIGITS_MAX ||
	    memchr(first, *span.at, sizeof(first) - 1) == NULL)
		return false;
	memcpy(text, span.at, span.len);
	text[span.len] = '\0';
	errno = 0;
	number = strtoll(text, &end, base);
	if (errno != 0 || *end != '\0' || end == text)
		return false;
	*value = number;
	return true;
}

/* Takes what stands before that character away, and the character. */
static bool
take_until(struct span *rest, char c, struct span *taken)
{
	const char *end = memchr(rest->at, c, rest->len);

	if (end == NULL)
		return false;
	taken->at = rest->at;
	taken->len = (size_t)(end - rest->at);
	rest->at += taken->len + 1;
	rest->len -= taken->len + 1;
	return true;
}

bool
kernel_head(struct span *text, struct kernel_head *head)
{
	static const char begin[] = "audit(";
	struct span rest = *text, seconds, ms, serial;
	int64_t whole, part;

	if (rest.len < sizeof(begin) - 1 ||
	    memcmp(rest.at, begin, sizeof(begin) - 1) != 0)
		return false;
	rest.at += sizeof(begin) - 1;
	rest.len -= sizeof(begin) - 1;
	if (!take_until(&rest, '.', &seconds) || !take_until(&rest, ':', &ms) ||
	    !take_until(&rest, ')', &serial) ||
	    !span_number(seconds, 10, &whole) || !span_number(ms, 10, &part) ||
	    !span_number(serial, 10, &head->serial) || whole < 0 ||
	    whole > UINT32_MAX || part < 0 || part > 999 || head->serial < 0)
		return false;
	head->time_us = whole * 1000000 + part * 1000;
	while (rest.len > 0 && (*rest.at == ':' || *rest.at == ' ')) {
		rest.at++;
		rest.len--;
	}
	*text = rest;
	return true;
}

/* A value in quotes ends at the next one, another at a blank. */
static void
take_value(struct span *rest, struct kernel_pair *pair)
{
	char quote = rest->len > 0 ? *rest->at : '\0';

	pair->quoted = quote == '"' || quote == '\'';
	if (pair->quoted) {
		rest->at++;
		rest->len--;
		if (take_until(rest, quote, &pair->value))
			return;
	} else if (take_until(rest, ' ', &pair->value))
		return;
	pair->value = *rest;
	rest->at += rest->len;
	rest->len = 0;
}

bool
kernel_next(struct span *rest, struct kernel_pair *pair)
{
	size_t i;

	for (;;) {
		while (rest->len > 0 && *rest->at == ' ') {
			rest->at++;
			rest->len--;
		}
		for (i = 0;
		     i < rest->len && rest->at[i] != '=' && rest->at[i] != ' ';
		     i++)
			;
		if (i == rest->len)
			return false;
		pair->name = (struct span){ rest->at, i };
		if (rest->at[i] == '=' && i > 0)
			break;
		/* A word alone, as "op=set audit_enabled=1" has none. */
		rest->at += i + 1;
		rest->len -= i + 1;
	}
	rest->at += i + 1;
	rest->len -= i + 1;
	take_value(rest, pair);
	return true;
}

bool
kernel_find(struct span text, const char *name, struct kernel_pair *pair)
{
	while (kernel_next(&text, pair))
		if (span_is(pair->name, name))
			return true;
	return false;
}

bool
kernel_number(struct span text, const char *name, int base, int64_t *value)
{
	struct kernel_pair pair;

	return kernel_find(text, name, &pair) && !pair.quoted &&
	    span_number(pair.value, base, value);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Upper case, as the kernel writes them.  NULL: other characters. */
static char *
from_digits(struct span text)
{
	char *bytes;
	size_t i;
	int high, low;

	if (text.len == 0 || text.len % 2 != 0)
		return NULL;
	bytes = xmalloc(text.len / 2);
	for (i = 0; i < text.len / 2; i++) {
		high = digit(text.at[2 * i]);
		low = digit(text.at[2 * i + 1]);
		if (high == -1 || low == -1) {
			free(bytes);
			return NULL;
		}
		bytes[i] = (char)(high << 4 | low);
	}
	return bytes;
}

char *
kernel_decode(const struct kernel_pair *pair, size_t *lenp)
{
	char *bytes = pair->quoted ? NULL : from_digits(pair->value);

	if (bytes != NULL) {
		*lenp = pair->value.len / 2;
		return bytes;
	}
	/* "(null)", "(none)" */
	if (!pair->quoted && pair->value.len > 0 && *pair->value.at == '(')
		return NULL;
	*lenp = pair->value.len;
	return xmemdup(pair->value.at, pair->value.len);
}
