/*
 * libFuzzer: stored configurations of any shape, read against the real
 * tables: refused with at least one error, or each entry is one that can be
 * stored.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/backup.h"
#include "core/seal.h"
#include "core/sealed.h"
#include "lib/json.h"
/* The tables themselves; in the server they are no part of the library. */
#include "registry.c"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct store *
open_store(void)
{
	static char folder[] = "/tmp/fuzz_backup.XXXXXX";
	struct store *s;
	char *why;

	json_secure();
	if (mkdtemp(folder) == NULL)
		abort();
	s = store_open(folder, &sealed_form, &why);
	if (s == NULL)
		abort();
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	struct verr *errors = verr_new();
	json_t *entries, *again, *list;

	if (store == NULL)
		store = open_store();
	/* Without a passphrase: scrypt is slow, and not what is tried here. */
	entries = backup_read(
	    store, (const char *)data, size, NULL, size % 2 == 0, errors);
	if ((entries == NULL) != verr_any(errors))
		abort();
	if (entries != NULL) {
		again = json_deep_copy(entries);
		list = backup_differences(store, entries);
		if (!json_equal(entries, again) ||
		    json_array_size(list) > json_array_size(entries))
			abort();
		json_decref(list);
		json_decref(again);
		json_decref(entries);
	}
	free(verr_reason(errors));
	verr_free(errors);
	return 0;
}
