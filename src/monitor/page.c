/*
 * The web interface as a file: see page.h.
 */
#include "monitor/page.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/startup.h"

#define FILE_NAME "ui.pack"
#define PACKAGED "/usr/share/holdfast/" FILE_NAME

/* The file beside our executable; the descriptor or -1 with errno. */
static int
open_beside(void)
{
	char path[PATH_MAX + sizeof(FILE_NAME)], *slash;
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);

	if (len <= 0 || len == PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL) {
		errno = ENOENT;
		return -1;
	}
	memcpy(slash + 1, FILE_NAME, sizeof(FILE_NAME));
	return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static int
seal(int fd)
{
	struct stat st;
	char *data;
	size_t len;
	int sealed;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (file_read_fd(fd, STARTUP_PAGE_MAX, &data, &len) == -1)
		return -1;
	sealed = memfd_sealed(FILE_NAME, data, len);
	free(data);
	return sealed;
}

int
page_open(void)
{
	int fd = open_beside(), sealed, error;

	if (fd == -1)
		fd = open(PACKAGED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	sealed = seal(fd);
	error = errno;
	close(fd);
	errno = error;
	return sealed;
}
