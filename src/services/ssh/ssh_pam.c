/*
 * Our lines in sshd's PAM service: see ssh_pam.h.
 *
 * Debian's own lines stay as they are, between ours: the first of ours ends
 * the auth stack after a key and its code; the next asks whether a password may
 * be tried, the last for the code after it; before any other account line
 * stands that nobody without the code comes in; and the last session line asks
 * whether it is one too many.
 */
#include "services/ssh/ssh_pam.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fact.h"
#include "lib/file.h"
#include "lib/second_factor.h"
#include "lib/xalloc.h"

#define PAM_FOLDER "/etc/pam.d"
#define PAM_FILE "sshd"
#define PAM_MAX (64 * 1024)
/* Not noexec, as dpkg runs its scripts below /var/lib too. */
#define MODULE_FOLDER "/var/lib/holdfast"
#define MODULE MODULE_FOLDER "/" SECOND_FACTOR_MODULE
#define MODULE_MAX (1024 * 1024)
#define COMMENT "# Holdfast: the second factor"

static const unsigned char module[] = {
#include <pam_holdfast.inc>
};

static const char first[] =
    COMMENT ", before all others.\n"
	    "auth [success=done ignore=ignore default=die] " MODULE " key\n"
	    "auth [success=ok ignore=ignore default=die] " MODULE " password\n"
	    "account [success=ok ignore=ignore default=die] " MODULE "\n"
	    "session [success=ok ignore=ignore default=die] " MODULE "\n";
static const char last[] =
    COMMENT ", behind all others.\n"
	    "auth [success=ok ignore=ignore default=die] " MODULE "\n"
	    "session [success=ok ignore=ignore default=die] " MODULE " count\n";

static int
is_ours(const char *line, size_t len)
{
	return memmem(line, len, SECOND_FACTOR_MODULE,
		   sizeof(SECOND_FACTOR_MODULE) - 1) != NULL ||
	    strncmp(line, COMMENT, sizeof(COMMENT) - 1) == 0;
}

char *
ssh_pam_text(const char *text)
{
	char *whole = NULL;
	size_t size = 0, len;
	FILE *out;

	if ((out = open_memstream(&whole, &size)) == NULL)
		abort();
	fputs(first, out);
	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (!is_ours(text, len))
			fprintf(out, "%.*s\n", (int)len, text);
	}
	fputs(last, out);
	if (fclose(out) != 0)
		abort();
	return whole;
}

static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Unless it is there already: 0, or -1 with errno. */
static int
install(const char *folder, const char *name, const void *data, size_t len,
    mode_t mode)
{
	char *there = NULL;
	size_t size = 0;
	int fd, rc = -1;

	if ((fd = open_folder(folder)) == -1)
		return -1;
	if (file_read_at(fd, name, MODULE_MAX, &there, &size) == 0 &&
	    size == len && memcmp(there, data, len) == 0)
		rc = 0;
	else
		rc = file_install(fd, name, data, len, mode, 0, 0, NULL);
	free(there);
	close(fd);
	return rc;
}

static int
install_module(char **whyp)
{
	if ((mkdir(MODULE_FOLDER, 0711) == 0 || errno == EEXIST) &&
	    install(MODULE_FOLDER, SECOND_FACTOR_MODULE, module, sizeof(module),
		0644) == 0)
		return 0;
	*whyp = xasprintf("%s: %s", MODULE, strerror(errno));
	return -1;
}

/*
 * Without the file nobody gets in: before our lines are there for the first
 * time, an empty one, until core knows better.
 */
static int
ensure_list(char **whyp)
{
	int fd, rc = -1;

	if (mkdir(SECOND_FACTOR_FOLDER, 0700) == -1 && errno != EEXIST)
		goto out;
	if ((fd = open_folder(SECOND_FACTOR_FOLDER)) == -1)
		goto out;
	rc = faccessat(fd, SECOND_FACTOR_FILE, F_OK, AT_SYMLINK_NOFOLLOW);
	if (rc == -1 && errno == ENOENT)
		rc = file_install(
		    fd, SECOND_FACTOR_FILE, "", 0, 0600, 0, 0, NULL);
	close(fd);
out:
	if (rc == -1)
		*whyp = xasprintf("%s/%s: %s", SECOND_FACTOR_FOLDER,
		    SECOND_FACTOR_FILE, strerror(errno));
	return rc;
}

int
ssh_pam_install(char **whyp)
{
	char *there = NULL, *text;
	size_t len;
	int fd, rc;

	fd = open_folder(PAM_FOLDER);
	rc = fd == -1 ? -1 : file_read_at(fd, PAM_FILE, PAM_MAX, &there, &len);
	if (fd != -1)
		close(fd);
	if (rc == -1 && errno == ENOENT)
		return 0;
	/* The lines last: without the module they let nobody in. */
	if (rc == 0 &&
	    ((strstr(there, MODULE) == NULL && ensure_list(whyp) == -1) ||
		install_module(whyp) == -1)) {
		free(there);
		return -1;
	}
	if (rc == 0) {
		text = ssh_pam_text(there);
		rc = install(PAM_FOLDER, PAM_FILE, text, strlen(text), 0644);
		free(text);
	}
	if (rc == -1)
		*whyp = xasprintf(
		    "%s/%s: %s", PAM_FOLDER, PAM_FILE, strerror(errno));
	free(there);
	return rc;
}

/* --- Is it still there? --------------------------------------------------- */

/* The text without what tells of logins, whose lines stand around ours. */
static char *
without_facts(const char *text)
{
	char *rest = NULL;
	size_t size = 0, len;
	FILE *out;

	if ((out = open_memstream(&rest, &size)) == NULL)
		abort();
	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (memmem(text, len, FACT_PAM_MODULE,
			sizeof(FACT_PAM_MODULE) - 1) == NULL)
			fprintf(out, "%.*s\n", (int)len, text);
	}
	if (fclose(out) != 0)
		abort();
	return rest;
}

static bool
has_lines(const char *there)
{
	char *rest = without_facts(there), *whole = ssh_pam_text(rest);
	bool same = strcmp(rest, whole) == 0;

	free(whole);
	free(rest);
	return same;
}

/* Malloc'd; NULL: it cannot be read. */
static char *
read_file(const char *folder, const char *name, size_t most, size_t *lenp)
{
	int fd = open_folder(folder);
	char *there = NULL;

	if (fd == -1)
		return NULL;
	if (file_read_at(fd, name, most, &there, lenp) == -1)
		there = NULL;
	close(fd);
	return there;
}

char *
ssh_pam_missing(void)
{
	char *there, *missing = NULL;
	size_t len = 0;

	if (access("/usr/sbin/sshd", F_OK) == -1)
		return NULL;
	there = read_file(PAM_FOLDER, PAM_FILE, PAM_MAX, &len);
	if (there == NULL)
		missing = xstrdup(PAM_FOLDER "/" PAM_FILE " is not there");
	else if (!has_lines(there))
		missing = xstrdup(
		    PAM_FOLDER "/" PAM_FILE " has not the lines of Holdfast");
	free(there);
	if (missing != NULL)
		return missing;
	there =
	    read_file(MODULE_FOLDER, SECOND_FACTOR_MODULE, MODULE_MAX, &len);
	if (there == NULL || len != sizeof(module) ||
	    memcmp(there, module, len) != 0)
		missing = xstrdup(MODULE " is not what was installed");
	free(there);
	return missing;
}
