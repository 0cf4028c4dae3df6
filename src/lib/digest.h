/*
 * SHA-256 of some bytes in hexadecimal digits: by which a file is known again.
 */
#ifndef HF_DIGEST_H
#define HF_DIGEST_H

#include <stddef.h>

#define DIGEST_TEXT	65	/* with its NUL */

void	digest_text(const void *, size_t len, char text[static DIGEST_TEXT]);

#endif
