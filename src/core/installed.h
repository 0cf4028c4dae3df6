/*
 * What Holdfast itself installed last, by digest: so that it can tell its own
 * file from one that somebody else edited.  What it remembers as its own is
 * no longer an alert.
 */
#ifndef HF_INSTALLED_H
#define HF_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wire.h"

/*
 * What MSG_OP_INSTALL_OUTPUT answered: says so (an alert) when a file that
 * somebody else wrote had to make room.
 */
void	installed_answered(int output, struct wire_in answer);
void	installed_remember(int output, const void *content, size_t len);
/* Is exactly this what was installed last? */
bool	installed_same(int output, const void *content, size_t len);
/* Is it ours, or was none of ours ever there? */
bool	installed_ours(int output, const void *content, size_t len);

#endif
