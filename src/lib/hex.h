/*
 * Bytes as hexadecimal digits, in the one way that there is to write them:
 * lower case, two a byte.
 */
#ifndef HF_HEX_H
#define HF_HEX_H

#include <stddef.h>

/* text has room for 2 * len digits and a NUL. */
void	hex_write(const unsigned char *bytes, size_t len, char *text);
/* 0, or -1: text is NULL, or not exactly 2 * len such digits. */
int	hex_read(const char *text, unsigned char *bytes, size_t len);

#endif
