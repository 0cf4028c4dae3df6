/*
 * Records of what failed before a login: the first few of the same in a minute
 * one by one, the others as a sum (lib/tally.h), so that nobody who may not
 * even log in fills the log.
 */
#ifndef HF_CORE_AUDIT_FAILURES_H
#define HF_CORE_AUDIT_FAILURES_H

#include <jansson.h>

/*
 * As audit_send() of a record (stolen) of AUTHENTICATION that failed, or of a
 * METHOD_CALL without a session.  One that is only counted is done at once.
 */
void	audit_failure(json_t *record, void (*done)(int error, void *), void *);
/* The sums as of now become records. */
void	audit_failures_flush(void);

#endif
