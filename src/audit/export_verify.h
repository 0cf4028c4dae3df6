/*
 * Proves an export of the audit log from its archive alone, by the rules of
 * holdfast-audit(5).  The archive is foreign: it is read in pieces, whatever
 * its size, and nothing is written.
 */
#ifndef HF_AUDIT_EXPORT_VERIFY_H
#define HF_AUDIT_EXPORT_VERIFY_H

#include <jansson.h>

/*
 * Of the archive in the file fd (borrowed).  against (may be NULL): the line of
 * a head that was seen elsewhere.  progress (may be NULL) is called now and
 * then.  The report, a new reference: verified (bool), records (number, without
 * the one of the export), report (its name, or null), log, last_head (object,
 * or null), against (null; "HEAD": it is one of these heads; "KEY": it is from
 * between them, signed by the same key), problem (null, or {text, record: its
 * index in the log or null}).
 */
json_t	*export_verify(int fd, const char *against,
	    void (*progress)(unsigned int percent));

#endif
