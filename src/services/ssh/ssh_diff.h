/*
 * The difference of two texts, for people.
 */
#ifndef HF_SSH_DIFF_H
#define HF_SSH_DIFF_H

#include <jansson.h>
#include <stddef.h>

/*
 * From a to b, whole lines with "-" or "+" before them: those between what
 * both begin and end with.  A new reference.
 */
json_t	*ssh_diff(const char *a, const char *b);

/* Foreign bytes as text: what JSON cannot hold becomes '?'. */
json_t	*ssh_text(const char *bytes, size_t len);
/* The same: where a file of that name below SSH_FOLDER is. */
json_t	*ssh_path_text(const char *name);

#endif
