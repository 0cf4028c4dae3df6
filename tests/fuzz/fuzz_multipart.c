/*
 * libFuzzer target: multipart/form-data.  However the input is cut, the same
 * comes out.  The first byte says into which pieces; up to the first line's
 * end goes the Content-Type, then the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "web/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* FNV-1a over what was read, whatever pieces it came in. */
static uint64_t
mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 0; len--)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

static uint64_t
read_all(const char *boundary, const uint8_t *body, size_t size, size_t piece)
{
	uint64_t hash = 0xcbf29ce484222325;
	enum multipart_event event;
	struct multipart m;
	const uint8_t *data;
	size_t at, n, out = 0;
	uint8_t *copy;

	multipart_init(&m, boundary);
	for (at = 0; at < size; at += piece) {
		n = size - at < piece ? size - at : piece;
		copy = xmemdup(body + at, n);
		data = copy;
		do {
			event = multipart_next(&m, &data, &n);
			if (event == MULTIPART_DATA) {
				expect(m.len > 0);
				out += m.len;
				hash = mix(hash, m.data, m.len);
			} else if (event != MULTIPART_MORE)
				hash = mix(hash, &event, sizeof(event));
			if (event == MULTIPART_PART) {
				expect(strlen(m.name) > 0);
				hash = mix(hash, m.name, strlen(m.name));
			}
		} while (event != MULTIPART_MORE && event != MULTIPART_BAD);
		free(copy);
		if (event == MULTIPART_BAD)
			break;
	}
	expect(out <= size);
	return hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char type[256], boundary[MULTIPART_BOUNDARY_MAX + 1];
	const uint8_t *end;
	size_t piece, len;

	if (size < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	data++;
	size--;
	end = memchr(data, '\n', size);
	len = end == NULL ? size : (size_t)(end - data);
	if (len >= sizeof(type))
		return 0;
	memcpy(type, data, len);
	type[len] = '\0';
	if (end == NULL || multipart_boundary(type, boundary) == -1)
		return 0;
	data = end + 1;
	size -= len + 1;
	expect(read_all(boundary, data, size, piece) ==
	    read_all(boundary, data, size, size == 0 ? 1 : size));
	return 0;
}
