/*
 * RFC 4648 base64, with padding: the one text that some bytes have.
 */
#ifndef HF_BASE64_H
#define HF_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters of so many bytes' text, without the NUL. */
#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)

/* malloc'd; free with freezero_str() when it is secret. */
char	*base64_encode(const void *, size_t len);
/*
 * The bytes, malloc'd (at least one, so that NULL is a failure alone); NULL
 * when the text is not exactly what base64_encode() makes of some, or is
 * longer than that of max bytes.
 */
uint8_t	*base64_decode(const char *text, size_t max, size_t *lenp);
/* The same where so many bytes are expected: 0 or -1, data untouched then. */
int	 base64_decode_exact(const char *text, void *data, size_t len);

#endif
