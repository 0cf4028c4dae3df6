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

#include "lib/file.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_key_files.h"
#include "services/ssh/ssh_render.h"

#define RUN_FOLDER "/run/sshd"
#define KEY_FOLDER "/etc/ssh"
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
	if (r == 0 && (r = file_sync(temporary)) == 0)
		r = rename(temporary, SSH_MODULI_FILE);
	if (r == -1) {
		*whyp = xasprintf("%s: %s", SSH_MODULI_FILE, strerror(errno));
		unlink(temporary);
	}
	if (in != NULL)
		fclose(in);
	return r;
}

/* Only where there is none: whose key is gone has to say so. */
static int
make_missing(unsigned int type, char **whyp)
{
	unsigned int slot;
	struct stat st;
	char *file;
	int r;

	for (slot = 0; slot < SSH_KEY_SLOTS; slot++) {
		file = ssh_key_file(type, slot);
		r = lstat(file, &st);
		if (r == -1 && errno != ENOENT)
			*whyp = xasprintf("%s: %s", file, strerror(errno));
		free(file);
		if (r == 0 || *whyp != NULL)
			return r;
	}
	return ssh_key_make(type, 0, whyp);
}

int
ssh_prepare(char **whyp)
{
	unsigned int i;

	*whyp = NULL;

	if (make_run_folder(whyp) == -1 || make_moduli(whyp) == -1)
		return -1;
	for (i = 0; ssh_host_key_types[i] != NULL; i++)
		if (make_missing(i, whyp) == -1)
			return -1;
	return 0;
}
