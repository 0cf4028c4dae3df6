/*
 * Rendered files that others edit too: see output_guard.h.
 */
#include "monitor/output_guard.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"

#define LARGEST (16 * 1024 * 1024)

void
output_ours_add(struct output_ours *ours, const char *digest)
{
	size_t n = ours->count;

	if (n == OUTPUT_OURS_MAX)
		n--;
	memmove(ours->digests + 1, ours->digests, n * sizeof(*ours->digests));
	snprintf(ours->digests[0], DIGEST_TEXT, "%s", digest);
	ours->count = n + 1;
}

/* Anything but a file that can be read is somebody else's. */
static bool
is_ours(int dir, const char *name, void *arg)
{
	const struct output_ours *ours = arg;
	char text[DIGEST_TEXT], *content = NULL;
	size_t i, len = 0;
	int fd;

	if (ours->count == 0)
		return true;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (file_read_fd(fd, LARGEST, &content, &len) == 0)
		digest_text(content, len, text);
	else
		*text = '\0';
	close(fd);
	freezero(content, len);
	for (i = 0; i < ours->count; i++)
		if (*text != '\0' && strcmp(ours->digests[i], text) == 0)
			return true;
	return false;
}

static void
aside_name(const struct output *output, char name[static NAME_MAX])
{
	snprintf(name, NAME_MAX, "%s" OUTPUT_ASIDE, output->file);
}

static struct file_guard
guard_of(const struct output_ours *ours, const char *aside)
{
	return (struct file_guard){
		.ours = is_ours, .arg = (void *)(uintptr_t)ours, .aside = aside
	};
}

static bool
is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
output_guard_install(int folder, const struct output *output,
    const void *content, size_t len, const char *previous,
    const struct output_ours *ours, bool *asidep)
{
	char aside[NAME_MAX];
	struct file_guard guard;
	int r;

	aside_name(output, aside);
	guard = guard_of(ours, asidep != NULL ? aside : NULL);
	/* As a rule ours is not even seen in its place. */
	if (asidep == NULL && is_there(folder, output->file) &&
	    !is_ours(folder, output->file, guard.arg)) {
		errno = ESTALE;
		return -1;
	}
	r = file_install_over(folder, output->file, content, len, output->mode,
	    0, 0, previous, ours->count > 0 ? &guard : NULL);
	if (asidep != NULL)
		*asidep = guard.met;
	return r;
}

int
output_guard_restore(int folder, const struct output *output,
    const char *previous, const struct output_ours *ours, bool *asidep)
{
	char aside[NAME_MAX];
	struct file_guard guard;
	int r;

	aside_name(output, aside);
	guard = guard_of(ours, aside);
	r = file_restore(
	    folder, output->file, previous, ours->count > 0 ? &guard : NULL);
	*asidep = guard.met;
	return r;
}

void
output_guard_settle(
    int folder, const struct output *output, const struct output_ours *ours)
{
	char aside[NAME_MAX];

	aside_name(output, aside);
	if (ours->count > 0 && is_ours(folder, aside, (void *)(uintptr_t)ours))
		unlinkat(folder, aside, 0);
}
