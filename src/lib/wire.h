/*
 * Typed encoding of message bodies between the roles: little-endian integers,
 * strings and byte blocks with a u32 length before them.  No raw structs, so
 * that padding never leaks and layouts never tie.
 *
 * Reading is checked as a whole: after any getter failed, every later one
 * fails too, and wire_end() says whether all went well and nothing is left
 * over.  So a handler reads all members and tests once.
 */
#ifndef HF_WIRE_H
#define HF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_out {
	uint8_t	*data;
	size_t	 len;
	size_t	 size;
};

struct wire_in {
	const uint8_t	*data;
	size_t		 len;
	size_t		 at;
	bool		 bad;
};

/* Writers grow the buffer; they do not fail (memory exhaustion ends us). */
void	 wire_put_u8(struct wire_out *, uint8_t);
void	 wire_put_u16(struct wire_out *, uint16_t);
void	 wire_put_u32(struct wire_out *, uint32_t);
void	 wire_put_u64(struct wire_out *, uint64_t);
void	 wire_put_bytes(struct wire_out *, const void *, size_t);
/* Bytes as they are, without a length: members that were encoded before. */
void	 wire_put_raw(struct wire_out *, const void *, size_t);
/* A NULL string is written as the empty one. */
void	 wire_put_str(struct wire_out *, const char *);
/* Zeroes and frees the content; the struct may be used again. */
void	 wire_free(struct wire_out *);

void	 wire_in_init(struct wire_in *, const void *, size_t);
uint8_t	 wire_get_u8(struct wire_in *);
uint16_t wire_get_u16(struct wire_in *);
uint32_t wire_get_u32(struct wire_in *);
uint64_t wire_get_u64(struct wire_in *);
/*
 * A block of bytes inside the message (not copied, not terminated); sets
 * *lenp.  NULL and *lenp 0 when the message is bad; never NULL otherwise.
 */
const void *wire_get_bytes(struct wire_in *, size_t *lenp);
/*
 * A string as a fresh allocation of the caller's: at most max bytes, without
 * NUL inside.  NULL when the message is bad.  Free with free(), or freezero()
 * for a secret.
 */
char	*wire_get_str(struct wire_in *, size_t max);
/* 0 when every getter succeeded and no byte is left, else -1. */
int	 wire_end(const struct wire_in *);

#endif
