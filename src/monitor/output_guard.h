/*
 * Outputs that others edit too (`shared` in services/catalog.h): what was not
 * written by us is never replaced without a word.  By digests of what is known
 * to be ours the file is judged as it is renamed over.
 */
#ifndef HF_MONITOR_OUTPUT_GUARD_H
#define HF_MONITOR_OUTPUT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/digest.h"
#include "services/catalog.h"

struct operation_call;

#define OUTPUT_OURS_MAX	4

/* What may be replaced; count 0: whatever is there. */
struct output_ours {
	char	digests[OUTPUT_OURS_MAX][DIGEST_TEXT];
	size_t	count;
};

/* One more, the newest first; one that is too many makes the eldest go. */
void	output_ours_add(struct output_ours *, const char *digest);

/*
 * As file_install() and file_restore().  What is not ours stays (ESTALE), or
 * with asidep makes room: it says whether something did.  Going back must not
 * fail for that, as it is how an administrator gets in again.
 */
int	output_guard_install(int folder, const struct output *,
	    const void *content, size_t len, const char *previous,
	    const struct output_ours *, bool *asidep);
int	output_guard_restore(int folder, const struct output *,
	    const char *previous, const struct output_ours *, bool *asidep);
/*
 * An output's content, vetted, as MSG_OP_INSTALL_OUTPUT and its reply; 0 or an
 * errno, told.  (op_output.c)
 */
int	output_put(struct operation_call *, const struct output *,
	    const void *content, size_t len, const struct output_ours *,
	    bool *asidep);
/* What once made room is dealt with, where it is one of these. */
void	output_guard_settle(int folder, const struct output *,
	    const struct output_ours *);

#endif
