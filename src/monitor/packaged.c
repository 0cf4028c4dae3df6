/*
 * A machine that was given to Holdfast: the same places as in an instance
 * (paths.h), without a namespace, its state in a folder of the machine's.
 */
#include "monitor/packaged.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <systemd/sd-daemon.h>

#include "lib/file.h"
#include "lib/paths.h"
#include "monitor/listen.h"

static const struct {
	const char *name; /* below /run */
	mode_t mode;
} folders[] = {
	{ "holdfast", 0755 },
	{ "holdfast/check", 0700 },
	{ "middleware", 0755 },
};

static const struct {
	const char *path, *target;
} links[] = {
	{ PATH_STATE, PATH_PACKAGED "/state" },
	{ PATH_AUDIT, PATH_PACKAGED "/audit" },
	{ PATH_HELD, PATH_PACKAGED "/held" },
};

int
packaged_check(char *why, size_t size)
{
	if (sd_booted() > 0)
		return 0;
	snprintf(why, size,
	    "--machine needs systemd to run this machine; try Holdfast in a "
	    "folder with --instance DIR");
	return -1;
}

/* root's own, whoever was there first. */
static int
make_folder(int run_fd, const char *name, mode_t mode)
{
	struct stat st;
	int fd, rc = -1;

	if (mkdirat(run_fd, name, 0700) == -1 && errno != EEXIST)
		return -1;
	fd = file_open_beneath(run_fd, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return -1;
	errno = EPERM;
	if (fstat(fd, &st) == 0 && st.st_uid == 0)
		rc = fchmod(fd, mode);
	close(fd);
	return rc;
}

static int
make_link(const char *path, const char *target)
{
	char there[256];
	ssize_t n;

	n = readlink(path, there, sizeof(there) - 1);
	if (n >= 0) {
		there[n] = '\0';
		if (strcmp(there, target) == 0)
			return 0;
		if (unlink(path) == -1)
			return -1;
	}
	return symlink(target, path);
}

int
packaged_places(int dir_fd, char *why, size_t size)
{
	const char *what = "/run";
	int run_fd, rc = -1;
	size_t i;

	run_fd = open(what, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd == -1)
		goto out;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		what = folders[i].name;
		if (make_folder(run_fd, what, folders[i].mode) == -1)
			goto out;
	}
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		what = links[i].path;
		if (make_link(what, links[i].target) == -1)
			goto out;
	}
	what = PATH_PACKAGED;
	rc = fchmod(dir_fd, 0711);
out:
	if (rc == -1)
		snprintf(why, size, "%s: %s", what, strerror(errno));
	if (run_fd != -1)
		close(run_fd);
	return rc;
}

int
packaged_socket(char *why, size_t size)
{
	int fd = listen_unix(SOCK_STREAM, PATH_SOCKET, 0666);

	if (fd == -1)
		snprintf(why, size, "%s: %s", PATH_SOCKET, strerror(errno));
	return fd;
}
