/*
 * The PAM module that tells the audit role of logins: loaded as root into
 * sshd, su and login, it decides nothing.
 *
 *	auth	before all others: somebody tries to log in; what came of it is
 *		told by the session or by the end of PAM's handle.  So a try
 *		whose program is killed, by its own user, is known as well
 *	session	behind all others: somebody is logged in, or out again
 *
 * Holdfast need not run.  But who sets himself a limit that keeps this process
 * from telling is not logged in.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "lib/second_factor.h"
#include "pam/tell.h"

#define EXPORT __attribute__((visibility("default")))
#define TRY "holdfast-audit-try"
#define LOGINUID "/proc/self/loginuid"
#define NAMES ((size_t)64 * 1024) /* for an entry of passwd or group */

/* The number of who logged in, whom he may have become since; -1: nobody. */
static long long
login_uid(void)
{
	char text[16];
	ssize_t n;
	int fd;

	fd = open(LOGINUID, O_RDONLY | O_CLOEXEC);
	n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd != -1)
		close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return (int)(unsigned int)strtoul(text, NULL, 10);
}

static void
put_user(struct fact *fact, const char *number, const char *name, long long uid)
{
	struct passwd entry, *found = NULL;
	char *buffer;

	fact_put_number(fact, number, uid);
	if (uid < 0 || (buffer = malloc(NAMES)) == NULL)
		return;
	if (getpwuid_r((uid_t)uid, &entry, buffer, NAMES, &found) == 0 &&
	    found != NULL)
		fact_put(fact, name, found->pw_name);
	free(buffer);
}

/* The number of who is logged in. */
static void
put_target(pam_handle_t *pamh, struct fact *fact)
{
	struct passwd entry, *found = NULL;
	const void *user = NULL;
	char *buffer;

	if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS ||
	    user == NULL || (buffer = malloc(NAMES)) == NULL)
		return;
	if (getpwnam_r(user, &entry, buffer, NAMES, &found) == 0 &&
	    found != NULL)
		fact_put_number(fact, "target", found->pw_uid);
	free(buffer);
}

static void
put_group(struct fact *fact, gid_t gid)
{
	struct group entry, *found = NULL;
	char *buffer;

	fact_put_number(fact, "gid", gid);
	if ((buffer = malloc(NAMES)) == NULL)
		return;
	if (getgrgid_r(gid, &entry, buffer, NAMES, &found) == 0 &&
	    found != NULL)
		fact_put(fact, "GID", found->gr_name);
	free(buffer);
}

static void
put_item(pam_handle_t *pamh, struct fact *fact, const char *name, int item)
{
	const void *text = NULL;

	if (pam_get_item(pamh, item, &text) == PAM_SUCCESS)
		fact_put(fact, name, text);
}

/* What sshd has accepted: lines, the last of them ended too. */
static void
put_ways(pam_handle_t *pamh, struct fact *fact)
{
	const char *info = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	char *ways = info != NULL ? strdup(info) : NULL;
	size_t len = ways != NULL ? strlen(ways) : 0;

	if (len > 0 && ways[len - 1] == '\n')
		ways[len - 1] = '\0';
	fact_put(fact, "how", ways);
	free(ways);
}

static enum told
tell(pam_handle_t *pamh, const char *kind, const char *why)
{
	struct fact *fact = malloc(sizeof(*fact));
	enum told told;

	if (fact == NULL)
		return TOLD_NOT;
	fact_begin(fact, kind);
	fact_put_number(fact, "pid", getpid());
	put_item(pamh, fact, "service", PAM_SERVICE);
	put_item(pamh, fact, "user", PAM_USER);
	put_item(pamh, fact, "by", PAM_RUSER);
	put_item(pamh, fact, "host", PAM_RHOST);
	put_item(pamh, fact, "tty", PAM_TTY);
	put_ways(pamh, fact);
	fact_put(fact, "why", why);
	put_target(pamh, fact);
	put_user(fact, "uid", "UID", getuid());
	put_group(fact, getgid());
	put_user(fact, "auid", "AUID", login_uid());
	told = fact_tell(fact);
	free(fact);
	if (told != TOLD)
		pam_syslog(pamh, LOG_NOTICE,
		    "not recorded by Holdfast's audit log: %s", kind);
	return told;
}

static void
add_text(char *packet, size_t *len, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > SECOND_FACTOR_PACKET - *len)
		n = 0; /* then it is malformed, and goes nowhere */
	memcpy(packet + *len, text, n);
	*len += n;
}

/* A key alone is a line of its own; with anything else it was a password too. */
static const char *
way_of(const char *how)
{
	if (how != NULL && strncmp(how, "gssapi-", 7) == 0)
		return "SSH_KERBEROS";
	return how != NULL && strncmp(how, "publickey ", 10) == 0 &&
		strstr(how, "\npassword") == NULL ?
	    "SSH_KEY" :
	    "SSH_PASSWORD";
}

/* Core is told as well, for the account's last login; without an answer. */
static void
tell_core(pam_handle_t *pamh)
{
	const struct timeval patience = { .tv_sec = 1 };
	struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = SECOND_FACTOR_SOCKET };
	const void *user = NULL, *host = NULL;
	char packet[SECOND_FACTOR_PACKET] = { SECOND_FACTOR_VERSION,
		SECOND_FACTOR_LOGIN };
	size_t len = 2;
	int fd;

	if (pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS ||
	    pam_get_item(pamh, PAM_RHOST, &host) != PAM_SUCCESS ||
	    user == NULL || host == NULL)
		return;
	add_text(packet, &len, user);
	add_text(packet, &len, way_of(pam_getenv(pamh, "SSH_AUTH_INFO_0")));
	add_text(packet, &len, host);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		(void)send(fd, packet, len, MSG_NOSIGNAL);
	close(fd);
}

static bool
is_sshd(pam_handle_t *pamh)
{
	const void *service = NULL;

	return pam_get_item(pamh, PAM_SERVICE, &service) == PAM_SUCCESS &&
	    service != NULL && strcmp(service, "sshd") == 0;
}

/* The handle ends: without a session, it was a refusal. */
static void
ended(pam_handle_t *pamh, void *data, int status)
{
	(void)data;
	/* Set anew, or a child's copy of it. */
	if (status & (PAM_DATA_REPLACE | PAM_DATA_SILENT))
		return;
	(void)tell(pamh, "refused",
	    status == PAM_SUCCESS ? "it was given up" :
				    pam_strerror(pamh, status));
}

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	(void)argc;
	(void)argv;
	if (tell(pamh, "try", NULL) == TOLD_NOT)
		return PAM_SYSTEM_ERR;
	(void)pam_set_data(pamh, TRY, pamh, ended);
	return PAM_IGNORE;
}

EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	(void)argc;
	(void)argv;
	if (tell(pamh, "login", NULL) == TOLD_NOT)
		return PAM_SYSTEM_ERR;
	(void)pam_set_data(pamh, TRY, NULL, NULL);
	if (is_sshd(pamh))
		tell_core(pamh);
	return PAM_IGNORE;
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	(void)argc;
	(void)argv;
	(void)tell(pamh, "logout", NULL);
	return PAM_IGNORE;
}
