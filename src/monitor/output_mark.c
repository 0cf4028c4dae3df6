/*
 * Rendered files that may be somebody else's: see output_mark.h.
 */
#include "monitor/output_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"

#define TEMPORARY ".holdfast-back"

enum owner { OWNER_NOBODY, OWNER_HOLDFAST, OWNER_OTHER };

/* -1 with errno: it cannot be told. */
static int
owner_of(int folder, const struct output *output)
{
	size_t want = strlen(output->mark);
	char begin[128];
	int fd, error;
	ssize_t n;

	if (want > sizeof(begin)) {
		errno = EINVAL;
		return -1;
	}
	fd = openat(folder, output->file,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? OWNER_NOBODY :
		    errno == ELOOP     ? OWNER_OTHER :
					 -1;
	n = read(fd, begin, want);
	error = errno;
	close(fd);
	errno = error;
	if (n == -1)
		return -1;
	return (size_t)n == want && memcmp(begin, output->mark, want) == 0 ?
	    OWNER_HOLDFAST :
	    OWNER_OTHER;
}

/* A second name of the file, instead of what had that name. */
static int
link_as(int folder, const char *file, const char *name)
{
	if (unlinkat(folder, name, 0) == -1 && errno != ENOENT)
		return -1;
	return linkat(folder, file, folder, name, 0);
}

/* Theirs in the place of ours, or nothing where nothing was. */
static int
give_back(int folder, const struct output *output, const char *kept,
    const char *previous)
{
	if (link_as(folder, output->file, previous) == -1)
		return -1;
	if (link_as(folder, kept, TEMPORARY) == 0) {
		if (renameat(folder, TEMPORARY, folder, output->file) == -1)
			return -1;
	} else if (errno != ENOENT || unlinkat(folder, output->file, 0) == -1)
		return -1;
	return fsync(folder);
}

int
output_mark_install(int folder, const struct output *output,
    const void *content, size_t len, const char *previous, bool *replacedp)
{
	char kept[NAME_MAX];
	int owner = owner_of(folder, output);
	size_t mark = strlen(output->mark);

	*replacedp = false;
	snprintf(kept, sizeof(kept), "%s.before-holdfast", output->file);
	if (owner == -1)
		return -1;
	if (len == 0)
		return owner == OWNER_HOLDFAST ?
		    give_back(folder, output, kept, previous) :
		    0;
	if (len < mark || memcmp(content, output->mark, mark) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (owner == OWNER_OTHER && link_as(folder, output->file, kept) == -1)
		return -1;
	if (owner == OWNER_NOBODY && unlinkat(folder, kept, 0) == -1 &&
	    errno != ENOENT)
		return -1;
	*replacedp = owner == OWNER_OTHER;
	return file_install(
	    folder, output->file, content, len, output->mode, 0, 0, previous);
}
