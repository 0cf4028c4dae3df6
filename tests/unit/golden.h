/*
 * Files beside the unit tests, found by the place of the source.
 */
#ifndef HF_TEST_GOLDEN_H
#define HF_TEST_GOLDEN_H

#include <stddef.h>

/* The folder tests/unit/golden/NAME, open. */
int	 golden_folder(const char *name);
/* A file of it (malloc'd, terminated). */
char	*golden_read(const char *folder, const char *name, size_t *lenp);

#endif
