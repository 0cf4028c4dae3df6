/*
 * Proves that the audit log in a folder is what was signed, without changing
 * anything in it and without asking the role that writes it: by the rules of
 * holdfast-audit(5), in steps, so that progress can be shown.
 */
#ifndef HF_AUDIT_VERIFY_H
#define HF_AUDIT_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/treehead.h"

struct verify;

/*
 * Of the log in the folder dirfd (borrowed) as it is now.  against (may be
 * NULL): the line of a head that was seen elsewhere.  Always returns one; what
 * cannot be read shows in the report.
 */
struct verify	*verify_new(int dirfd, const char *against);
/* NULL is fine. */
void		 verify_free(struct verify *);
/*
 * Works through about that many bytes, a head counting as VERIFY_HEAD of them;
 * true when it is done.
 */
#define VERIFY_HEAD	4096
bool		 verify_step(struct verify *, size_t bytes);
/* Of 1000. */
unsigned int	 verify_progress(const struct verify *);

/*
 * The report, a new reference: verified (bool), records and first_record
 * (numbers; those before were dropped by retention), unsigned_records (behind
 * the last head), heads, epochs, log, last_head (an object; null: none),
 * problem (null, or {text, record, where}: the first that is wrong), continued
 * (texts: where one log goes on as another, as after a restore).
 */
json_t		*verify_report(const struct verify *);

/*
 * For a picture: {log, head, epoch, size, time_us, seals, parent: a log's id or
 * null} of the heads that were looked at, in their order, a new reference.  Of
 * more than most, the first and last ones of epochs, and as many of the others,
 * evenly; of too many epochs, as many of these.
 */
json_t		*verify_heads(const struct verify *, size_t most);

#endif
