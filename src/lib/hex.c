/*
 * Hexadecimal digits: see hex.h.
 */
#include "lib/hex.h"

static const char digits[] = "0123456789abcdef";

void
hex_write(const unsigned char *bytes, size_t len, char *text)
{
	size_t i;

	for (i = 0; i < len; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

static int
value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
hex_read(const char *text, unsigned char *bytes, size_t len)
{
	int high, low;
	size_t i;

	if (text == NULL)
		return -1;
	for (i = 0; i < len; i++, text += 2) {
		if ((high = value(text[0])) == -1 ||
		    (low = value(text[1])) == -1)
			return -1;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return *text == '\0' ? 0 : -1;
}
