/*
 * Base64: see base64.h.
 */
#include "lib/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"

char *
base64_encode(const void *data, size_t len)
{
	char *text;

	if (len > INT_MAX / 2)
		fatal("base64: %zu bytes", len);
	text = xmalloc(BASE64_LEN(len) + 1);
	text[0] = '\0';
	EVP_EncodeBlock((uint8_t *)text, data, (int)len);
	return text;
}

/* Several texts decode to the same bytes; one of them is right. */
static bool
is_text_of(const char *text, const uint8_t *data, size_t len)
{
	char *again = base64_encode(data, len);
	bool same = strcmp(text, again) == 0;

	freezero_str(again);
	return same;
}

uint8_t *
base64_decode(const char *text, size_t max, size_t *lenp)
{
	size_t len = strlen(text), padding = 0;
	uint8_t *data;
	int n;

	*lenp = 0;
	if (len % 4 != 0 || len > BASE64_LEN(max) || len > INT_MAX / 2)
		return NULL;
	if (len > 0)
		padding = text[len - 1] != '=' ? 0 :
		    text[len - 2] != '='       ? 1 :
						 2;
	data = xmalloc(len / 4 * 3 + 1);
	n = EVP_DecodeBlock(data, (const uint8_t *)text, (int)len);
	if (n < 0 || (size_t)n < padding || (size_t)n - padding > max ||
	    !is_text_of(text, data, (size_t)n - padding)) {
		freezero(data, len / 4 * 3 + 1);
		return NULL;
	}
	*lenp = (size_t)n - padding;
	return data;
}

int
base64_decode_exact(const char *text, void *data, size_t len)
{
	size_t found;
	uint8_t *bytes = base64_decode(text, len, &found);

	if (bytes != NULL && found == len)
		memcpy(data, bytes, len);
	freezero(bytes, bytes != NULL ? found : 0);
	return bytes != NULL && found == len ? 0 : -1;
}
