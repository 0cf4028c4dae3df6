/*
 * Proves an export of the audit log from its archive alone, by the rules of
 * holdfast-audit(5).  The archive is foreign: memory is bounded, and nothing
 * is written.
 */
#ifndef HF_AUDIT_EXPORT_VERIFY_H
#define HF_AUDIT_EXPORT_VERIFY_H

#include <jansson.h>

/*
 * Of the archive in fd (borrowed, read from where it stands).  against (may be
 * NULL): the line of a head that was seen elsewhere.  progress (may be NULL)
 * is called now and then; where fd stands tells how far it is.  The report, a new reference: verified (bool),
 * records (number, without the one of the export), report (its name, or null),
 * log, last_head (object, or null), problem (null, or {text, record: its index
 * in the log or null}).
 */
json_t	*export_verify(int fd, const char *against, void (*progress)(int fd));

#endif
