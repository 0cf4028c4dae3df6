/*
 * What tells the audit role of logins and of sudo, and the shell of who only
 * transfers files: see hooks.h.
 */
#include "monitor/hooks.h"

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
#include "lib/transfer.h"

#define TEXT_MAX (256 * 1024)
#define LIBRARY_MAX (2 * 1024 * 1024)
#define MODULE FACT_FOLDER "/" FACT_PAM_MODULE
#define PLUGIN FACT_FOLDER "/" FACT_SUDO_PLUGIN
/* A module that is gone keeps nobody out; one that says no does. */
#define CONTROL "[ignore=ignore module_unknown=ignore default=die] "
#define TRIES "auth " CONTROL MODULE "\n"
#define SESSIONS "session " CONTROL MODULE "\n"
/*
 * Who only transfers files has neither jobs nor systemd's manager of a user,
 * which both run what lies in files of his with other shells than his own.
 */
#define NO_TRANSFER                                                            \
	"account [success=ignore ignore=ignore module_unknown=ignore "         \
	"default=die] pam_succeed_if.so quiet shell != " TRANSFER_SHELL "\n"

static const unsigned char pam_module[] = {
#include <pam_holdfast_audit.inc>
};
static const unsigned char sudo_plugin[] = {
#include <sudo_holdfast.inc>
};
static const unsigned char scponly[] = {
#include <scponly.inc>
};

/* clang-format off */
/* sshd itself tells of what it refuses: audit/source_syslog.h. */
const struct hook hooks[] = {
	{ .folder = "/etc/pam.d", .file = "sshd", .ours = FACT_PAM_MODULE,
	  .first = "", .last = SESSIONS },
	{ .folder = "/etc/pam.d", .file = "su", .ours = FACT_PAM_MODULE,
	  .first = TRIES, .last = SESSIONS },
	{ .folder = "/etc/pam.d", .file = "login", .ours = FACT_PAM_MODULE,
	  .first = TRIES, .last = SESSIONS },
	{ .folder = "/etc", .file = "sudo.conf", .program = "/usr/bin/sudo",
	  .ours = FACT_SUDO_PLUGIN,
	  .first = "", .last = "Plugin " FACT_SUDO_SYMBOL " " PLUGIN "\n" },
	{ .folder = "/etc/pam.d", .file = "atd", .ours = TRANSFER_SHELL,
	  .first = NO_TRANSFER, .last = "" },
	{ .folder = "/etc/pam.d", .file = "cron", .ours = TRANSFER_SHELL,
	  .first = NO_TRANSFER, .last = "" },
	{ .folder = "/etc/pam.d", .file = "systemd-user",
	  .packaged = "/usr/lib/pam.d", .ours = TRANSFER_SHELL,
	  .first = NO_TRANSFER, .last = "" },
	{ .folder = NULL }
};
/* clang-format on */

static const struct {
	const char *name;
	const unsigned char *data;
	size_t len;
	mode_t mode;
} libraries[] = {
	{ FACT_PAM_MODULE, pam_module, sizeof(pam_module), 0644 },
	{ FACT_SUDO_PLUGIN, sudo_plugin, sizeof(sudo_plugin), 0644 },
	/* Who cannot read it is kept from its memory as well. */
	{ TRANSFER_PROGRAM, scponly, sizeof(scponly), 0711 },
};

#define LIBRARIES (sizeof(libraries) / sizeof(libraries[0]))

char *
hook_text(const struct hook *hook, const char *text)
{
	char *whole = NULL;
	size_t size = 0, len;
	FILE *out;

	if ((out = open_memstream(&whole, &size)) == NULL)
		abort();
	fputs(hook->first, out);
	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (memmem(text, len, hook->ours, strlen(hook->ours)) == NULL)
			fprintf(out, "%.*s\n", (int)len, text);
	}
	fputs(hook->last, out);
	if (fclose(out) != 0)
		abort();
	return whole;
}

enum doing { LOOKING, INSTALLING };

/* 0: it is there; 1: it is not, and LOOKING; -1 with errno. */
static int
install(enum doing doing, int fd, const char *name, const void *data,
    size_t len, size_t most, mode_t mode)
{
	char *there = NULL;
	size_t size = 0;
	int rc = 0;

	if (file_read_at(fd, name, most, &there, &size) == -1 || size != len ||
	    memcmp(there, data, len) != 0)
		rc = doing == LOOKING ?
		    1 :
		    file_install(fd, name, data, len, mode, 0, 0, NULL);
	free(there);
	return rc;
}

static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The file's text (malloc'd): 0, or -1 with errno. */
static int
read_text(int fd, const struct hook *hook, char **textp)
{
	size_t len;
	int packaged, rc;

	rc = file_read_at(fd, hook->file, TEXT_MAX, textp, &len);
	if (rc == 0 || errno != ENOENT || hook->packaged == NULL)
		return rc;
	if ((packaged = open_folder(hook->packaged)) == -1)
		return -1;
	rc = file_read_at(packaged, hook->file, TEXT_MAX, textp, &len);
	close(packaged);
	return rc;
}

/* As install(). */
static int
install_lines(enum doing doing, int fd, const struct hook *hook)
{
	char *there = NULL, *text;
	int rc;

	rc = read_text(fd, hook, &there);
	if (rc == -1 &&
	    (errno != ENOENT || hook->program == NULL ||
		access(hook->program, F_OK) == -1))
		return errno == ENOENT ? 0 : -1;
	text = hook_text(hook, rc == -1 ? "" : there);
	rc = install(doing, fd, hook->file, text, strlen(text), TEXT_MAX, 0644);
	free(text);
	free(there);
	return rc;
}

/*
 * rc as of install().  Adds the file to those that are missing, or says what
 * is wrong with it; true: that is the end.
 */
static bool
tell(int rc, char *why, size_t size, const char *folder, const char *name)
{
	size_t len = rc == 1 ? strlen(why) : 0;

	if (rc != 0)
		(void)snprintf(why + len, size - len, "%s%s/%s%s%s",
		    len > 0 ? ", " : "", folder, name, rc == -1 ? ": " : "",
		    rc == -1 ? strerror(errno) : "");
	return rc == -1;
}

static int
make_libraries(enum doing doing, int fd, char *why, size_t size)
{
	size_t i;
	int rc;

	/* Whatever the umask was: a login shell is among them. */
	if (doing == INSTALLING && fchmod(fd, 0711) == -1) {
		(void)tell(-1, why, size, FACT_FOLDER, "");
		return -1;
	}
	for (i = 0; i < LIBRARIES; i++) {
		rc = install(doing, fd, libraries[i].name, libraries[i].data,
		    libraries[i].len, LIBRARY_MAX, libraries[i].mode);
		if (tell(rc, why, size, FACT_FOLDER, libraries[i].name))
			return -1;
	}
	return 0;
}

static int
go_through_libraries(enum doing doing, char *why, size_t size)
{
	int fd, rc;

	if (doing == INSTALLING && mkdir(FACT_FOLDER, 0711) == -1 &&
	    errno != EEXIST)
		rc = -1;
	else if ((fd = open_folder(FACT_FOLDER)) != -1) {
		rc = make_libraries(doing, fd, why, size);
		close(fd);
		return rc;
	} else
		rc = doing == LOOKING && errno == ENOENT ? 1 : -1;
	return tell(rc, why, size, FACT_FOLDER, "") ? -1 : 0;
}

static int
go_through_lines(enum doing doing, char *why, size_t size)
{
	const struct hook *hook;
	bool failed;
	int fd;

	for (hook = hooks; hook->folder != NULL; hook++) {
		if ((fd = open_folder(hook->folder)) == -1 && errno == ENOENT)
			continue;
		failed = tell(fd == -1 ? -1 : install_lines(doing, fd, hook),
		    why, size, hook->folder, hook->file);
		if (fd != -1)
			close(fd);
		if (failed)
			return -1;
	}
	return 0;
}

int
hooks_install(char *why, size_t size)
{
	/* The lines last: sudo runs nothing without its plugin. */
	if (go_through_libraries(INSTALLING, why, size) == -1)
		return -1;
	return go_through_lines(INSTALLING, why, size);
}

int
hooks_missing(char *what, size_t size)
{
	what[0] = '\0';
	if (go_through_libraries(LOOKING, what, size) == -1 ||
	    go_through_lines(LOOKING, what, size) == -1)
		return -1;
	return what[0] != '\0';
}
