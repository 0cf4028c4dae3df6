/*
 * What the files that make an export share.
 */
#ifndef HF_AUDIT_EXPORT_INTERNAL_H
#define HF_AUDIT_EXPORT_INTERNAL_H

#include <openssl/evp.h>
#include <stdio.h>

#include "audit/archive.h"
#include "audit/export.h"
#include "audit/report.h"
#include "lib/filter.h"

/* In the order that they have in the archive. */
enum export_part { REPORT, HEADS, PROOF, RECORDS, PARTS };

enum export_phase { READING, CATCHING_UP, PACKING, ENDED };

/* The archive that is being written. */
struct packing {
	int folder, fd;		/* -1: none; folder is the user's */
	struct archive *archive;
	size_t part;		/* that is being written, */
	bool begun;		/* its header is */
	uint64_t size, done;	/* bytes of all parts */
	size_t unsynced;
};

struct export {
	int dirfd;
	const struct segments *segments;
	const struct tree *tree;
	json_t *request;
	const char *service;	/* borrowed */
	struct filter *filter;
	struct query_options options;
	enum export_phase phase;

	struct segment_reader *reader;	/* NULL: to be opened */
	bool advanced;			/* it gave a line */
	uint32_t segment;		/* of the line that came last */
	uint64_t line_end;		/* in it, bytes */
	uint64_t total, seen;		/* bytes */
	struct merkle all;		/* of the lines read */
	struct merkle_proof proof;

	FILE *parts[PARTS];
	struct report *report;
	EVP_MD_CTX *lines;	/* digest of RECORDS, but for the last */
	json_t *kept;		/* where the report has an order */
	size_t kept_size;
	json_int_t matches;
	uint64_t count;		/* records of the export */

	struct packing packing;
	int error;
	char *why;
};

/* export.c */
void	 export_fail(struct export *, int error, const char *why);
/* The same of what could not be written: says so where the disk is full. */
void	 export_fail_write(struct export *, int error, const char *why);
/* The report's name in the archive: malloc'd. */
char	*export_report_name(const struct export *);

/* export_pack.c: all parts but HEADS are written.  0 or -1 with errno. */
int	 export_pack_begin(struct export *);
/* True when it is all there, under its name, and on disk; or it failed. */
bool	 export_pack_step(struct export *, size_t bytes);
/* What is not finished leaves nothing. */
void	 export_pack_end(struct export *);

#endif
