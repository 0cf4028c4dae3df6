/*
 * libFuzzer target: one text message through assembly and envelope.  The
 * first two bytes say how large the pieces are in which it arrives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/assembly.h"
#include "web/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
check_json(const char *text, int is_array)
{
	const char *error;
	json_t *value;

	value = json_parse(text, strlen(text), &error);
	expect(value != NULL);
	expect(!is_array || json_is_array(value));
	json_decref(value);
}

static void
check_envelope(const struct envelope *e)
{
	char *answer;

	switch (e->verdict) {
	case ENVELOPE_CALL:
		expect(strlen(e->method) <= ENVELOPE_METHOD_MAX);
		check_json(e->params, 1);
		if (e->id[0] != '\0')
			check_json(e->id, 0);
		break;
	case ENVELOPE_ERROR:
		answer = envelope_answer(e);
		check_json(answer, 0);
		freezero_str(answer);
		break;
	case ENVELOPE_SILENT:
		expect(e->id == NULL);
		break;
	case ENVELOPE_LEGACY:
	case ENVELOPE_CLOSE:
		abort();
	}
}

static void
check_legacy(const char *text, size_t len, bool greeted)
{
	struct envelope e;
	char *answer;

	legacy_check(text, len, &greeted, &e);
	if (e.verdict == ENVELOPE_CALL || e.verdict == ENVELOPE_LEGACY) {
		expect(greeted);
		expect(e.id != NULL && e.method != NULL);
	}
	if (e.verdict == ENVELOPE_CALL)
		check_json(e.params, 1);
	if (e.verdict == ENVELOPE_ERROR) {
		answer = legacy_answer(&e);
		check_json(answer, 0);
		freezero_str(answer);
	}
	envelope_free(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum assembly_result result;
	struct assembly a;
	struct envelope e;
	size_t at, n, piece;

	json_secure();
	if (size < 2)
		return 0;
	piece = (size_t)data[0] + ((size_t)data[1] << 8) + 1;
	data += 2;
	size -= 2;
	assembly_init(&a, ASSEMBLY_ANONYMOUS);
	result = ASSEMBLY_OK;
	for (at = 0; at < size && result == ASSEMBLY_OK; at += n) {
		n = size - at < piece ? size - at : piece;
		result = assembly_add(&a, data + at, n);
		expect(a.len <= 4 * a.limit);
	}
	if (result == ASSEMBLY_OK)
		result = assembly_end(&a);
	if (result == ASSEMBLY_OK) {
		check_legacy(
		    a.data == NULL ? "" : a.data, a.len, piece % 2 == 0);
		envelope_check(a.data == NULL ? "" : a.data, a.len, &e);
		check_envelope(&e);
		envelope_free(&e);
	}
	assembly_clear(&a);
	return 0;
}
