/*
 * Which ids are known: a set of UUIDs (RFC 9562) in memory.
 */
#ifndef HF_AUDIT_UUID_SET_H
#define HF_AUDIT_UUID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
	uint8_t	bytes[16];
};

struct uuid_set;

/* 0, or -1 when it is not of the form 8-4-4-4-12. */
int		 uuid_parse(const char *text, size_t len, struct uuid *);

/* size: places to begin with, a power of two. */
struct uuid_set	*uuid_set_new(size_t size);
/* NULL is fine. */
void		 uuid_set_free(struct uuid_set *);
void		 uuid_set_insert(struct uuid_set *, const struct uuid *);
bool		 uuid_set_has(const struct uuid_set *, const struct uuid *);

#endif
