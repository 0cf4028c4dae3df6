/*
 * libFuzzer target: the pack of the web interface, and what requests say of
 * its files.  The first line is the path, the second Accept-Encoding and
 * If-None-Match; then the pack.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "web/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A text up to the next line; *datap moves behind it. */
static char *
line(const uint8_t **datap, size_t *lenp)
{
	const uint8_t *end = memchr(*datap, '\n', *lenp);
	size_t len = end != NULL ? (size_t)(end - *datap) : *lenp;
	char *text = xmalloc(len + 1);

	if (len > 0)
		memcpy(text, *datap, len);
	text[len] = '\0';
	*datap += len + (end != NULL);
	*lenp -= len + (end != NULL);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = line(&data, &size), *header = line(&data, &size);
	const struct page_file *file;
	enum page_encoding encoding;
	struct page page;
	uint8_t *pack = xmalloc(size + 1);

	if (size > 0)
		memcpy(pack, data, size);
	if (page_read(&page, pack, size) == 0 &&
	    (file = page_find(&page, path)) != NULL) {
		encoding = page_encoding(file, header);
		if (encoding != PAGE_PLAIN && file->content[encoding].len == 0)
			abort();
		if (file->content[encoding].data < pack ||
		    file->content[encoding].data + file->content[encoding].len >
			pack + size)
			abort();
		(void)page_matches(file, header);
	}
	page_free(&page);
	free(pack);
	free(path);
	free(header);
	return 0;
}
