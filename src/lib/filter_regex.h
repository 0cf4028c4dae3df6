/*
 * Regular expressions of users: what they may cost is bounded.
 */
#ifndef HF_FILTER_REGEX_H
#define HF_FILTER_REGEX_H

#include <stdbool.h>
#include <stddef.h>

struct regex;

/*
 * Compiles it, to match from the start of a text, or ("search") anywhere
 * whatever the case.  NULL with the reason in why when it is none.
 */
struct regex	*regex_new(const char *pattern, size_t len, bool search,
		    char *why, size_t size);
void		 regex_free(struct regex *);
/* 1 or 0; -1: more steps or memory than a sane expression needs. */
int		 regex_match(const struct regex *, const char *, size_t len);

#endif
