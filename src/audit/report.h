/*
 * A report of audit records, entry by entry, in one of the formats that
 * audit.export has.
 */
#ifndef HF_AUDIT_REPORT_H
#define HF_AUDIT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "lib/merkle.h"

struct report;

/* To file, which outlives it.  NULL: there is no such format. */
struct report	*report_new(FILE *, const char *format);
/* NULL is fine. */
void		 report_free(struct report *);
void		 report_entry(struct report *, const json_t *entry);
/* 0 or -1 with errno, of all that was written. */
int		 report_end(struct report *);
/* After that: the SHA-256 of it. */
void		 report_hash(const struct report *, char text[MERKLE_TEXT]);
/* Of the file's name: "json"; NULL: there is no such format. */
const char	*report_ending(const char *format);

#endif
