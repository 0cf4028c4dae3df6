/*
 * Audit records as texts: what is sent to the log, and the line that it
 * becomes there.
 */
#ifndef HF_AUDIT_RECORD_H
#define HF_AUDIT_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line without its newline. */
#define RECORD_MAX	((size_t)1024 * 1024)

/* How each of our lines begins; the id stands behind it. */
#define RECORD_START	"{\"audit_id\":\""

/* True for the 36 characters of an UUID (RFC 9562 section 4). */
bool	 uuid_shaped(const char *text, size_t len);

/* Reads a record; NULL when it is no JSON object.  A new reference. */
json_t	*record_parse(const char *text, size_t len);

/*
 * Makes the line of a record: audit_id first, message_timestamp set to now,
 * the other members as they came.  0 with a fresh text in *linep (free with
 * freezero_str) and what it says in *formedp (NULL: not wanted), or -1 with
 * errno EINVAL: no object, no audit_id of UUID shape, or longer than
 * RECORD_MAX.
 */
int	 record_line(const json_t *record, int64_t now, char **linep,
	    json_t **formedp);

/*
 * The same for a record as it was sent.  A text that begins with its audit_id
 * stays as it is, with the time in it; it is parsed once.
 */
int	 record_take(const char *text, size_t len, int64_t now, char **linep,
	    json_t **formedp);

#endif
