/*
 * libFuzzer target: a keytab that somebody sends.  What is found in it lies
 * within it, and its records behind our mark are a keytab of the same keys.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/keytab.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_again(const struct keytab *keytab)
{
	struct wire_out out = { 0 };
	struct keytab again;
	const char *why;
	size_t i;

	wire_put_raw(&out, KEYTAB_MARK, strlen(KEYTAB_MARK));
	for (i = 0; i < keytab->count; i++)
		wire_put_raw(
		    &out, keytab->entries[i].record, keytab->entries[i].len);
	if (out.len <= KEYTAB_MAX &&
	    (keytab_parse(out.data, out.len, &again, &why) == -1 ||
		again.count != keytab->count))
		abort();
	for (i = 0; out.len <= KEYTAB_MAX && i < again.count; i++)
		if (strcmp(again.entries[i].principal,
			keytab->entries[i].principal) != 0 ||
		    again.entries[i].version != keytab->entries[i].version)
			abort();
	if (out.len <= KEYTAB_MAX)
		keytab_free(&again);
	wire_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct keytab keytab;
	const struct keytab_entry *e;
	const char *why;
	/* Of its very size, so that a byte too far is noticed. */
	uint8_t *copy = xcalloc(len + (len == 0), 1);

	if (len > 0)
		memcpy(copy, data, len);
	if (keytab_parse(copy, len, &keytab, &why) == 0) {
		for (e = keytab.entries; e < keytab.entries + keytab.count; e++)
			if (e->record < copy || e->len > len ||
			    e->record + e->len > copy + len ||
			    strchr(e->principal, '@') == NULL)
				abort();
		check_again(&keytab);
	}
	keytab_free(&keytab);
	free(copy);
	return 0;
}
