/*
 * Files beside the unit tests.
 */
#include "golden.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"

int
golden_folder(const char *name)
{
	char *file = xstrdup(__FILE__);
	char *path = xasprintf("%s/golden/%s", dirname(file), name);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1) {
		fprintf(stderr, "%s is not found from here\n", path);
		abort();
	}
	free(path);
	free(file);
	return fd;
}

char *
golden_read(const char *folder, const char *name, size_t *lenp)
{
	int dir = golden_folder(folder);
	char *data;

	if (file_read_at(dir, name, 1 << 20, &data, lenp) == -1) {
		fprintf(stderr, "%s/%s can not be read\n", folder, name);
		abort();
	}
	close(dir);
	return data;
}
