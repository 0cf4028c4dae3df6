/*
 * MSG_OP_SSH_FILES: what sshd may read its configuration from, as it lies
 * there.  Nothing of it is parsed here; the files are root's own, so links are
 * not followed and what is more than anybody writes by hand is refused.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"
#include "monitor/operations.h"
#include "monitor/output_guard.h"

#define FOLDER "/etc/ssh"
#define DEBIANS "/usr/share/openssh/sshd_config"
#define FILES_MAX 64
#define FILE_MAX (256 * 1024)
#define ALL_MAX (1024 * 1024)

static const struct {
	const char *folder; /* below FOLDER, with a slash; "" */
	const char *pattern;
} places[] = {
	{ "", "sshd_config" },
	{ "", "sshd_config" OUTPUT_ASIDE },
	{ "", "*.conf" },
	{ "sshd_config.d/", "*" },
};

struct files {
	struct operation_call *call;
	unsigned int count;
	size_t bytes;
};

static bool
is_debians(const char *content, size_t len)
{
	char *theirs = NULL;
	size_t their_len;
	bool same;

	if (file_read_at(AT_FDCWD, DEBIANS, FILE_MAX, &theirs, &their_len) ==
	    -1)
		return false;
	same = len == their_len && memcmp(content, theirs, len) == 0;
	free(theirs);
	return same;
}

/* As `systemctl enable` leaves it; systemd.unit(5), also as ssh.socket. */
static bool
starts_at_boot(void)
{
	static const char *const links[] = {
		"/etc/systemd/system/multi-user.target.wants/ssh.service",
		"/etc/systemd/system/sockets.target.wants/ssh.socket",
	};
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (lstat(links[i], &st) == 0)
			return true;
	return false;
}

/* Names become text elsewhere. */
static char *
readable(const char *folder, const char *name)
{
	char *path = xasprintf("%s%s", folder, name), *p;

	for (p = path; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
	return path;
}

/* Of a regular file its content, else why not; 0 or an errno. */
static int
put_file(struct files *files, int dir_fd, const char *folder, const char *name)
{
	struct operation_call *call = files->call;
	char *path = readable(folder, name), *content = NULL;
	struct stat st;
	size_t len = 0;
	int fd, rc = 0;

	if (++files->count > FILES_MAX) {
		free(path);
		return operation_fail(
		    call, EFBIG, FOLDER ": more than %u files", FILES_MAX);
	}
	fd = file_open_beneath(dir_fd, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd == -1 || fstat(fd, &st) == -1 ||
	    (!S_ISREG(st.st_mode) && (errno = EINVAL)) ||
	    file_read_fd(fd, FILE_MAX, &content, &len) == -1)
		rc = errno;
	if (fd != -1)
		close(fd);
	wire_put_str(&call->reply, path);
	wire_put_bytes(&call->reply, content, len);
	wire_put_str(&call->reply,
	    rc == 0          ? "" :
		rc == ELOOP  ? "it is a symbolic link" :
		rc == EINVAL ? "it is no regular file" :
			       strerror(rc));
	freezero(content, len);
	free(path);
	files->bytes += len;
	if (files->bytes > ALL_MAX)
		return operation_fail(
		    call, EFBIG, FOLDER ": more than %u bytes", ALL_MAX);
	return 0;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
put_place(struct files *files, const char *folder, const char *pattern)
{
	char *path = xasprintf(FOLDER "/%s", folder);
	struct dirent **names = NULL;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int i, n, rc = 0;

	n = fd == -1 ? -1 : scandirat(fd, ".", &names, NULL, compare_names);
	if (n == -1 && errno != ENOENT)
		rc = operation_fail(
		    files->call, errno, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++) {
		if (rc == 0 && names[i]->d_name[0] != '.' &&
		    fnmatch(pattern, names[i]->d_name, 0) == 0)
			rc = put_file(files, fd, folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (fd != -1)
		close(fd);
	free(path);
	return rc;
}

int
op_ssh_files(struct operation_call *call)
{
	struct files files = { .call = call };
	char *content = NULL;
	size_t i, len = 0;
	int rc = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (file_read_at(AT_FDCWD, FOLDER "/sshd_config", FILE_MAX, &content,
		&len) == -1)
		len = 0;
	wire_put_u8(&call->reply, content != NULL && is_debians(content, len));
	freezero(content, len);
	wire_put_u8(&call->reply, starts_at_boot());
	for (i = 0; rc == 0 && i < sizeof(places) / sizeof(places[0]); i++)
		rc = put_place(&files, places[i].folder, places[i].pattern);
	return rc;
}
