/*
 * Assembles and bounds one text message.  Counting characters and checking
 * UTF-8 are one pass over the bytes, so nothing beyond the limit is kept: a
 * message never takes more than four bytes for each character allowed.
 */
#include <string.h>

#include "lib/xalloc.h"
#include "web/assembly.h"

/* What stays allocated between two messages. */
#define ASSEMBLY_KEEP 4096

void
assembly_init(struct assembly *a, size_t limit)
{
	memset(a, 0, sizeof(*a));
	a->limit = limit;
}

void
assembly_clear(struct assembly *a)
{
	freezero(a->data, a->size);
	assembly_init(a, a->limit);
}

void
assembly_reset(struct assembly *a)
{
	if (a->size > ASSEMBLY_KEEP) {
		assembly_clear(a);
		return;
	}
	if (a->len > 0)
		explicit_bzero(a->data, a->len);
	a->len = 0;
	a->characters = 0;
	a->missing = 0;
}

static void
assembly_grow(struct assembly *a, size_t need)
{
	char *data;
	size_t size;

	if (need <= a->size)
		return;
	size = a->size == 0 ? 1024 : a->size;
	while (size < need)
		size *= 2;
	/* Not realloc, which would leave a copy behind. */
	data = xmalloc(size);
	if (a->len > 0)
		memcpy(data, a->data, a->len);
	freezero(a->data, a->size);
	a->data = data;
	a->size = size;
}

/*
 * The first byte of a character: how many follow, and what the next one may
 * be, so that overlong forms, surrogates and what is beyond U+10FFFF are
 * refused (RFC 3629, section 4).  -1 when no character begins so.
 */
static int
assembly_lead(struct assembly *a, uint8_t c)
{
	a->low = 0x80;
	a->high = 0xbf;
	if (c < 0x80)
		a->missing = 0;
	else if (c >= 0xc2 && c <= 0xdf)
		a->missing = 1;
	else if (c >= 0xe0 && c <= 0xef) {
		a->missing = 2;
		if (c == 0xe0)
			a->low = 0xa0;
		else if (c == 0xed)
			a->high = 0x9f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		a->missing = 3;
		if (c == 0xf0)
			a->low = 0x90;
		else if (c == 0xf4)
			a->high = 0x8f;
	} else
		return -1;
	a->characters++;
	return 0;
}

/* How many bytes from here on are ASCII, eight at a time. */
static size_t
assembly_ascii(const uint8_t *p, size_t len)
{
	uint64_t word;
	size_t n;

	for (n = 0; len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, p + n, sizeof(word));
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	return n;
}

static int
assembly_scan(struct assembly *a, const uint8_t *p, size_t len)
{
	size_t i, n;

	for (i = 0; i < len; i++) {
		if (a->missing > 0) {
			if (p[i] < a->low || p[i] > a->high)
				return -1;
			a->low = 0x80;
			a->high = 0xbf;
			a->missing--;
			continue;
		}
		n = assembly_ascii(p + i, len - i);
		a->characters += n;
		i += n;
		if (i == len)
			break;
		if (assembly_lead(a, p[i]) == -1)
			return -1;
	}
	return 0;
}

enum assembly_result
assembly_add(struct assembly *a, const void *data, size_t len)
{
	enum assembly_result result;

	/* Cheap first: this many bytes can not be few enough characters. */
	if (a->len > 4 * a->limit || len > 4 * a->limit - a->len)
		result = ASSEMBLY_TOO_LONG;
	else if (assembly_scan(a, data, len) == -1)
		result = ASSEMBLY_NOT_UTF8;
	else if (a->characters > a->limit)
		result = ASSEMBLY_TOO_LONG;
	else
		result = ASSEMBLY_OK;
	if (result != ASSEMBLY_OK) {
		assembly_clear(a);
		return result;
	}
	if (len == 0)
		return ASSEMBLY_OK;
	assembly_grow(a, a->len + len);
	memcpy(a->data + a->len, data, len);
	a->len += len;
	return ASSEMBLY_OK;
}

enum assembly_result
assembly_end(const struct assembly *a)
{
	return a->missing > 0 ? ASSEMBLY_NOT_UTF8 : ASSEMBLY_OK;
}
