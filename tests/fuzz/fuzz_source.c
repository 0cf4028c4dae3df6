/*
 * libFuzzer target: what other programs tell the audit role: lines of sshd,
 * packets of facts, and texts of any bytes in records.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audit/source.h"
#include "audit/source_fact.h"
#include "audit/source_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
try_line(const char *text, size_t len)
{
	struct words words;

	if (words_parse(text, len, &words) == WORDS_NOTHING)
		return;
	expect(memchr(words.user, '\0', sizeof(words.user)) != NULL);
	expect(memchr(words.address, '\0', sizeof(words.address)) != NULL);
	expect(strspn(words.address,
		   "0123456789abcdefghijklmnopqrstuvwxyz"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:-_%") == strlen(words.address));
}

static void
try_packet(const char *packet, size_t len)
{
	static const char *const names[] = { "pid", "user", "arg", "" };
	struct fact_text fact;
	const char *value;
	size_t i;

	if (!fact_parse(packet, len, &fact))
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = fact_value(&fact, names[i]);
		expect(value == NULL ||
		    (value > fact.kind && value < fact.end &&
			value[strlen(value)] == '\0'));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *text;

	try_line((const char *)data, len);
	try_packet((const char *)data, len);
	text = source_text((const char *)data, len);
	expect(json_is_string(text));
	json_decref(text);
	return 0;
}
