/*
 * libFuzzer target: the file of a change that waits for its confirmation,
 * which root's monitor reads.  What is taken for one is written again as it
 * was, to the byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "monitor/held_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* Of its very size, so that a byte too far is noticed. */
	uint8_t *file = xmemdup(data, len);
	struct wire_out again = { 0 };
	struct wire_in in;
	struct held held;

	wire_in_init(&in, file, len);
	if (held_get(&in, &held) == 0) {
		held_put(&again, &held);
		if (again.len != len || memcmp(again.data, data, len) != 0)
			abort();
		wire_free(&again);
	}
	held_free(&held);
	free(file);
	return 0;
}
