/*
 * What sshd needs before its first start: its run-time folder and host keys.
 */
#include "services/ssh/ssh_prepare.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/process.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_render.h"

#define RUN_FOLDER "/run/sshd"
#define KEY_FOLDER "/etc/ssh"
#define KEYGEN "/usr/bin/ssh-keygen"
#define KEYGEN_SECONDS 60
#define OUTPUT_MAX 4096
#define MODULI_BITS 3072

static int
make_run_folder(char **whyp)
{
	struct stat st;

	if (mkdir(RUN_FOLDER, 0755) == -1 && errno != EEXIST)
		goto fail;
	if (lstat(RUN_FOLDER, &st) == -1)
		goto fail;
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0) {
		errno = ENOTDIR;
		goto fail;
	}
	/* Whatever the umask was. */
	if (chmod(RUN_FOLDER, 0755) == -1)
		goto fail;
	return 0;
fail:
	*whyp = xasprintf("%s: %s", RUN_FOLDER, strerror(errno));
	return -1;
}

static int
run_keygen(const char *type, const char *file, char **whyp)
{
	const char *argv[] = { KEYGEN, "-q", "-t", type, "-N", "", "-C", "",
		"-f", file, NULL, NULL, NULL };
	struct process_result result = { 0 };
	int r = -1;

	if (strcmp(type, "rsa") == 0) {
		argv[10] = "-b";
		argv[11] = "3072";
	}
	if (process_run(argv, -1, NULL, OUTPUT_MAX, KEYGEN_SECONDS, NULL, NULL,
		&result) == -1)
		*whyp = xasprintf("%s: %s", KEYGEN, strerror(errno));
	else if (result.timed_out)
		*whyp = xasprintf("%s took too long", KEYGEN);
	else if (result.status != 0)
		*whyp = xasprintf("%s failed: %.200s", KEYGEN,
		    result.output == NULL ? "" : result.output);
	else
		r = 0;
	free(result.output);
	return r;
}

static int
sync_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

/*
 * Renames the new pair: the public key first, so that a private key which is
 * there always has its public one.
 */
static int
put_in_place(const char *temporary, const char *file)
{
	char *temporary_public = xasprintf("%s.pub", temporary);
	char *public = xasprintf("%s.pub", file);
	int r = -1;

	if (sync_file(temporary) == 0 && sync_file(temporary_public) == 0 &&
	    rename(temporary_public, public) == 0 &&
	    rename(temporary, file) == 0 && sync_file(KEY_FOLDER) == 0)
		r = 0;
	free(public);
	free(temporary_public);
	return r;
}

static void
remove_pair(const char *temporary)
{
	char *public = xasprintf("%s.pub", temporary);
	int saved = errno;

	unlink(temporary);
	unlink(public);
	errno = saved;
	free(public);
}

static int
make_key(const char *type, char **whyp)
{
	char *file = xasprintf(SSH_HOST_KEY_FILE, type);
	char *temporary = xasprintf("%s.new", file);
	struct stat st;
	int r = -1;

	if (lstat(file, &st) == 0) {
		r = 0;
		goto out;
	}
	if (errno != ENOENT) {
		*whyp = xasprintf("%s: %s", file, strerror(errno));
		goto out;
	}
	remove_pair(temporary); /* of an interrupted run */
	if (run_keygen(type, temporary, whyp) == -1)
		goto out;
	if (put_in_place(temporary, file) == -1) {
		*whyp = xasprintf("%s: %s", file, strerror(errno));
		goto out;
	}
	r = 0;
out:
	if (r == -1)
		remove_pair(temporary);
	free(temporary);
	free(file);
	return r;
}

/* moduli(5): the fifth field is the size, less one as sshd counts. */
static bool
is_large(const char *line)
{
	unsigned int fields;

	for (fields = 0; fields < 4; fields++) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	return strtoul(line, NULL, 10) >= MODULI_BITS - 1;
}

static int
copy_large(FILE *in, FILE *out)
{
	char *line = NULL;
	size_t size = 0;

	fputs("# Of moduli, the groups of 3072 bits and more.\n", out);
	while (in != NULL && getline(&line, &size, in) != -1)
		if (*line != '#' && is_large(line))
			fputs(line, out);
	free(line);
	return ferror(out) ? -1 : 0;
}

/*
 * The groups that a group exchange may choose from, without the small ones.
 * Of a file that is missing there are none; then sshd has its own.
 */
static int
make_moduli(char **whyp)
{
	static const char temporary[] = SSH_MODULI_FILE ".new";
	FILE *in = fopen(KEY_FOLDER "/moduli", "re"), *out;
	int r = -1;

	unlink(temporary);
	if ((out = fopen(temporary, "wxe")) != NULL) {
		r = copy_large(in, out);
		if (fclose(out) != 0)
			r = -1;
	}
	if (r == 0 && (r = sync_file(temporary)) == 0)
		r = rename(temporary, SSH_MODULI_FILE);
	if (r == -1) {
		*whyp = xasprintf("%s: %s", SSH_MODULI_FILE, strerror(errno));
		unlink(temporary);
	}
	if (in != NULL)
		fclose(in);
	return r;
}

int
ssh_prepare(char **whyp)
{
	size_t i;

	if (make_run_folder(whyp) == -1 || make_moduli(whyp) == -1)
		return -1;
	for (i = 0; ssh_host_key_types[i] != NULL; i++)
		if (make_key(ssh_host_key_types[i], whyp) == -1)
			return -1;
	return 0;
}
