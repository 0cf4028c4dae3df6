/*
 * Rendered files that may be somebody else's (struct output's mark): what
 * others wrote is kept as NAME.before-holdfast while a file of ours is in its
 * place, and comes back when there is none of ours any more.  Whose a file is
 * says its beginning alone, so that nothing has to be remembered.
 */
#ifndef HF_MONITOR_OUTPUT_MARK_H
#define HF_MONITOR_OUTPUT_MARK_H

#include <stdbool.h>
#include <stddef.h>

#include "services/catalog.h"

/*
 * As file_install() into the folder, owned by root, with what was there before
 * under the name previous.  Nothing (len 0): a file of ours goes, another
 * stays.  *replacedp: one of somebody else was moved aside.  0 or -1 with
 * errno.
 */
int	output_mark_install(int folder, const struct output *,
	    const void *content, size_t len, const char *previous,
	    bool *replacedp);

#endif
