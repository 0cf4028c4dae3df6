/*
 * libFuzzer target: exports of the audit log.  The first byte says what the
 * rest is: a compressed file, an archive that is still to be compressed, or the
 * members of one, with a byte 255 between them.  Whatever it is, it is judged,
 * and it says why not when it is not verified.
 */
#include <sys/mman.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "audit/archive.h"
#include "audit/export.h"
#include "audit/export_verify.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define BETWEEN 255
#define REPORT "00000000-0000-4000-8000-000000000000.json"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* Stored, so that it costs no time. */
static void
write_compressed(int fd, const uint8_t *data, size_t size)
{
	size_t room = size + size / 1000 + 1024;
	uint8_t *out = xmalloc(room);
	z_stream z = { 0 };

	expect(deflateInit2(&z, 0, Z_DEFLATED, MAX_WBITS + 16, 8,
		   Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (z_const Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)room;
	expect(deflate(&z, Z_FINISH) == Z_STREAM_END);
	expect(file_write_all(fd, out, z.total_out) == 0);
	deflateEnd(&z);
	free(out);
}

static void
write_members(int fd, const uint8_t *data, size_t size)
{
	static const char *const names[] = { REPORT, EXPORT_HEADS, EXPORT_PROOF,
		EXPORT_RECORDS, "more" };
	struct archive *a = archive_new(fd);
	const uint8_t *end;
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		end = size > 0 ? memchr(data, BETWEEN, size) : NULL;
		len = end != NULL ? (size_t)(end - data) : size;
		expect(archive_member(a, names[i], len, 0) == 0);
		expect(archive_write(a, data, len) == 0);
		if (end == NULL)
			break;
		data = end + 1;
		size -= len + 1;
	}
	expect(archive_finish(a) == 0);
	archive_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *report;
	int fd;

	if (size == 0)
		return -1;
	fd = memfd_create("export", MFD_CLOEXEC);
	expect(fd != -1);
	if (data[0] % 3 == 0)
		expect(file_write_all(fd, data + 1, size - 1) == 0);
	else if (data[0] % 3 == 1)
		write_compressed(fd, data + 1, size - 1);
	else
		write_members(fd, data + 1, size - 1);
	report = export_verify(fd, NULL, NULL);
	expect(json_bool(report, "verified", false) ==
	    json_is_null(json_object_get(report, "problem")));
	expect(json_int(report, "records", -1) >= 0);
	if (json_bool(report, "verified", false))
		expect(json_is_object(json_object_get(report, "last_head")));
	json_decref(report);
	close(fd);
	return 0;
}
