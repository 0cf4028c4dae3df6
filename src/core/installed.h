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
/* The same by its digest. */
void	installed_known(int output, const char *digest);
/* Somebody else edited it: an alert, until it is ours again. */
void	installed_edited(int output);
/*
 * It is about to be installed, and ours from now on: what a crash leaves is
 * the one or the other.  0, or -1: that cannot be kept.
 */
int	installed_expect(int output, const void *content, size_t len);
/*
 * What lies there is known to be somebody else's, until installed_remember():
 * nothing is as it was installed, and without any of ours there it counts as
 * edited.
 */
void	installed_disown(int output);
/* Was anything of ours ever there, or about to be? */
bool	installed_any(int output);
/* Is exactly this what was installed last? */
bool	installed_same(int output, const void *content, size_t len);
/* Is it ours, or was none of ours ever there? */
bool	installed_ours(int output, const void *content, size_t len);

#endif
