/*
 * Records that the audit role makes itself, of what sources other than core
 * tell it: programs' facts (source_fact.h), the system log, the kernel.
 * Nobody sends these again, so they are kept until they are on disk; what
 * there is no room for is counted, and the count becomes a record.
 */
#ifndef HF_AUDIT_SOURCE_H
#define HF_AUDIT_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct audit;
struct sources;

/* What waits in memory for the disk, at most. */
#define SOURCE_BYTES_MAX	((size_t)4 * 1024 * 1024)
/* A text of a record is cut behind so many bytes, and says so. */
#define SOURCE_TEXT_MAX		((size_t)8192)

/* What another log knew of a fact before us. */
struct source_origin {
	const char	*audit_id;	/* a UUID; NULL: a new one */
	int64_t		 time_us;	/* since 1970; 0: now */
	bool		 again;		/* may be in the log already: then
					   it is passed over */
};

/* One fact.  Texts are borrowed, of any bytes. */
struct source_record {
	const char	*service;	/* "SYSTEM" or "SUDO" */
	const char	*event;
	const char	*username;	/* NULL or "": ".UNKNOWN" */
	const char	*address;	/* NULL or "": "127.0.0.1" */
	const char	*session;	/* NULL: none */
	struct source_origin origin;
	bool		 sum;		/* of facts that nobody keeps */
	json_t		*service_data;	/* stolen; NULL: the usual */
	json_t		*event_data;	/* stolen */
	bool		 success;
};

struct sources	*sources_new(struct audit *, uv_loop_t *);
/* Before the last commit: tries once more what waits. */
void		 sources_stop(struct sources *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void		 sources_free(struct sources *);

/* The one way in: it is on disk with the turn's commit, or later. */
void		 source_append(struct sources *, const struct source_record *);
/* So many facts are lost, and why: becomes a record. */
void		 source_lost(struct sources *, uint64_t count,
		    const char *why);
/* Bytes of what is on no disk yet. */
size_t		 sources_waiting(const struct sources *);
/* Was a sum appended since it was forgotten? */
bool		 sources_summed(struct sources *, bool forget);
/* A commit was made, or failed. */
void		 sources_committed(struct sources *, bool durable);

/*
 * A text as JSON: as it is when it is UTF-8 without a NUL, else with escapes
 * (log_encode()); what is longer than SOURCE_TEXT_MAX is cut and ends in how
 * long it was.
 */
json_t		*source_text(const char *text, size_t len);

#endif
