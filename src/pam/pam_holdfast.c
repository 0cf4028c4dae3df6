/*
 * The PAM module that asks for the second factor in SSH logins, and whether a
 * password may be tried; loaded into sshd, as root, so it is small and knows
 * nothing but whom to ask, how to ask him, and whom to give the answer to.
 *
 *	auth ... pam_holdfast.so key	before all others: after a login with a
 *					key, the code alone
 *	auth ... pam_holdfast.so password	then: may one be tried?
 *	auth ... pam_holdfast.so	behind all others: after the password,
 *					which was right
 *	account ... pam_holdfast.so	whatever way it was: without the code
 *					there is no login
 *	session ... pam_holdfast.so	of machines, which are exempt with some
 *					keys: it was one of those
 *	session ... pam_holdfast.so count	behind all others: is it one too
 *					many?  And when it ends
 *
 * The first ends the auth stack, so that a key's owner is asked for no password
 * (sshd says in SSH_AUTH_INFO_0 what it has accepted so far).  The account line
 * is what holds when sshd's configuration asks for less than it should.  Of a
 * login with a key alone sshd does not say the key before the session.
 *
 * Whom to ask is a file, so that accounts without a second factor log in
 * whether Holdfast runs or not; who has one does not get in while it does not.
 * The file says as well whether wrong passwords count.  Debian's lines end the
 * stack at a wrong one, so it counts before it is looked at, and is taken back
 * by the line behind them.  Where they count and nobody answers, none may be
 * tried: keys are not concerned.  Nor are they when nobody counts sessions.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "lib/second_factor.h"

#define EXPORT __attribute__((visibility("default")))
#define ACCEPTED "holdfast-second-factor"
#define TRIED "holdfast-password"
#define KEY "publickey "
#define PROMPTED "keyboard-interactive"

/* What the file says of an account, and sshd of its login. */
struct asked {
	bool listed; /* it is asked */
	bool machine; /* but not with some keys */
	bool known; /* it came with one of those */
	bool lockout; /* its wrong passwords count */
};

/* The file, or NULL when it cannot be trusted or read. */
static FILE *
open_list(pam_handle_t *pamh)
{
	static const char path[] = SECOND_FACTOR_FOLDER "/" SECOND_FACTOR_FILE;
	struct stat st;
	FILE *file = NULL;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == 0 && (st.st_mode & 022) == 0)
		file = fdopen(fd, "re");
	if (file == NULL) {
		pam_syslog(pamh, LOG_ERR, "%s cannot be read", path);
		if (fd != -1)
			close(fd);
	}
	return file;
}

/*
 * Does a line begin so, or equal it where whole is set?  info has one for each
 * method that was accepted, of a key "publickey TYPE BASE64"; or is NULL.
 */
static bool
has_line(const char *info, const char *begin, const char *rest, bool whole)
{
	size_t len = strlen(begin), more = strlen(rest);

	for (; info != NULL; info = strchr(info, '\n')) {
		info += *info == '\n';
		if (strncmp(info, begin, len) == 0 &&
		    strncmp(info + len, rest, more) == 0 &&
		    (!whole || info[len + more] == '\n' ||
			info[len + more] == '\0'))
			return true;
	}
	return false;
}

static const char *
accepted_so_far(pam_handle_t *pamh)
{
	return pam_getenv(pamh, "SSH_AUTH_INFO_0");
}

/* 0, or -1: it cannot be told. */
static int
look_up(pam_handle_t *pamh, const char *user, struct asked *asked)
{
	size_t size = 0, len = strlen(user);
	char *line = NULL;
	FILE *file;
	ssize_t n;
	int rc;

	*asked = (struct asked){ false };
	if ((file = open_list(pamh)) == NULL)
		return -1;
	while ((n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strcmp(line, SECOND_FACTOR_LOCKOUT) == 0)
			asked->lockout = true;
		if (strncmp(line, user, len) != 0 ||
		    (line[len] != '\0' && line[len] != ' '))
			continue;
		asked->listed = true;
		if (line[len] == '\0')
			continue;
		asked->machine = true;
		if (has_line(accepted_so_far(pamh), KEY, line + len + 1, true))
			asked->known = true;
	}
	rc = ferror(file) ? -1 : 0;
	free(line);
	fclose(file);
	return rc;
}

static int
open_socket(time_t seconds)
{
	const struct timeval patience = { .tv_sec = seconds };
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = SECOND_FACTOR_SOCKET };
	int fd;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A packet of what is asked; its length, or -1: it is longer than that. */
static ssize_t
make_packet(char packet[static SECOND_FACTOR_PACKET], char about,
    const char *user, const char *code, const char *address)
{
	const char *texts[] = { user, code, address };
	size_t len = 2, i, n;

	packet[0] = SECOND_FACTOR_VERSION;
	packet[1] = about;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = strlen(texts[i]) + 1;
		if (n > SECOND_FACTOR_PACKET - len)
			return -1;
		memcpy(packet + len, texts[i], n);
		len += n;
	}
	return (ssize_t)len;
}

/*
 * PAM_SUCCESS, PAM_AUTH_ERR when core says no, PAM_AUTHINFO_UNAVAIL when it
 * says nothing.
 */
static int
put_question(pam_handle_t *pamh, char about, const char *user, const char *code)
{
	char packet[SECOND_FACTOR_PACKET], answer = 0;
	const void *address = NULL;
	ssize_t len, got = -1;
	int fd;

	if (pam_get_item(pamh, PAM_RHOST, &address) != PAM_SUCCESS ||
	    address == NULL)
		address = "";
	len = make_packet(packet, about, user, code, address);
	fd = len == -1 ? -1 :
			 open_socket(about == SECOND_FACTOR_PASSWORD ?
				 SECOND_FACTOR_PATIENCE :
				 SECOND_FACTOR_SECONDS);
	if (fd != -1 && send(fd, packet, (size_t)len, MSG_NOSIGNAL) == len)
		got = recv(fd, &answer, 1, 0);
	if (fd != -1)
		close(fd);
	explicit_bzero(packet, sizeof(packet));
	if (len == -1)
		return PAM_AUTH_ERR;
	if (got != 1)
		return PAM_AUTHINFO_UNAVAIL;
	return answer == SECOND_FACTOR_RIGHT ? PAM_SUCCESS : PAM_AUTH_ERR;
}

/* --- The password --------------------------------------------------------- */

/* An empty one is nobody's guess, and sshd refuses it itself. */
static int
try_password(pam_handle_t *pamh, const char *user)
{
	const char *password = NULL;
	int r;

	r = pam_get_authtok(pamh, PAM_AUTHTOK, &password, NULL);
	if (r != PAM_SUCCESS)
		return r;
	if (password == NULL || *password == '\0')
		return PAM_IGNORE;
	r = put_question(pamh, SECOND_FACTOR_PASSWORD, user, "");
	if (r == PAM_AUTH_ERR)
		pam_error(pamh, "Locked out after failed logins");
	if (r != PAM_SUCCESS) {
		pam_syslog(pamh, LOG_NOTICE, "no password of %s is tried: %s",
		    user,
		    r == PAM_AUTH_ERR ? "locked out" :
					"Holdfast does not answer");
		return r;
	}
	r = pam_set_data(pamh, TRIED, (void *)(uintptr_t)TRIED, NULL);
	return r == PAM_SUCCESS ? PAM_IGNORE : r;
}

static void
password_was_right(pam_handle_t *pamh, const char *user)
{
	const void *tried = NULL;

	if (pam_get_data(pamh, TRIED, &tried) != PAM_SUCCESS || tried == NULL)
		return;
	pam_set_data(pamh, TRIED, NULL, NULL);
	put_question(pamh, SECOND_FACTOR_MATCHED, user, "");
}

/* --- The code ------------------------------------------------------------- */

static int
check_code(pam_handle_t *pamh, const char *user, const char *code)
{
	int r = put_question(pamh, SECOND_FACTOR_CODE, user, code);

	if (r == PAM_AUTHINFO_UNAVAIL)
		pam_syslog(pamh, LOG_ERR,
		    "the second factor of %s cannot be "
		    "checked: Holdfast does not answer",
		    user);
	return r;
}

static int
ask(pam_handle_t *pamh, const char *user)
{
	char *code = NULL;
	int r;

	r = pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &code, "Two-factor code: ");
	if (r == PAM_SUCCESS && code == NULL)
		r = PAM_AUTH_ERR;
	if (r == PAM_SUCCESS)
		r = check_code(pamh, user, code);
	if (code != NULL) {
		explicit_bzero(code, strlen(code));
		free(code);
	}
	if (r == PAM_SUCCESS)
		r = pam_set_data(
		    pamh, ACCEPTED, (void *)(uintptr_t)ACCEPTED, NULL);
	else
		pam_syslog(pamh, LOG_NOTICE,
		    "the second factor of %s was not given", user);
	return r;
}

static const char *
user_of(pam_handle_t *pamh)
{
	const char *user = NULL;

	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL ||
	    *user == '\0')
		return NULL;
	return user;
}

static bool
is_line(int argc, const char **argv, const char *name)
{
	return argc > 0 && strcmp(argv[0], name) == 0;
}

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = user_of(pamh);
	struct asked asked;

	(void)flags;
	if (user == NULL)
		return PAM_USER_UNKNOWN;
	if (is_line(argc, argv, "key") &&
	    !has_line(accepted_so_far(pamh), KEY, "", false))
		return PAM_IGNORE;
	if (look_up(pamh, user, &asked) == -1)
		return PAM_AUTHINFO_UNAVAIL;
	if (is_line(argc, argv, "password"))
		return asked.lockout ? try_password(pamh, user) : PAM_IGNORE;
	password_was_right(pamh, user);
	if (!asked.listed || asked.known)
		return PAM_IGNORE;
	return ask(pamh, user);
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

static int
denied(pam_handle_t *pamh, const char *user)
{
	pam_syslog(pamh, LOG_NOTICE,
	    "%s may not log in without the second factor", user);
	return PAM_PERM_DENIED;
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = user_of(pamh);
	const void *accepted = NULL;
	struct asked asked;

	(void)flags;
	(void)argc;
	(void)argv;
	if (user == NULL)
		return PAM_USER_UNKNOWN;
	if (look_up(pamh, user, &asked) == -1)
		return PAM_AUTHINFO_UNAVAIL;
	if (!asked.listed || asked.known)
		return PAM_IGNORE;
	if (pam_get_data(pamh, ACCEPTED, &accepted) == PAM_SUCCESS &&
	    accepted != NULL)
		return PAM_IGNORE;
	/* Which key it was is told to the session. */
	if (asked.machine && !has_line(accepted_so_far(pamh), KEY, "", false))
		return PAM_IGNORE;
	return denied(pamh, user);
}

/* sshd shows the reason, and ends. */
static int
count_session(pam_handle_t *pamh, const char *user)
{
	switch (put_question(pamh, SECOND_FACTOR_OPEN, user, "")) {
	case PAM_AUTH_ERR:
		pam_error(
		    pamh, "There are as many sessions of %s as may be", user);
		return PAM_PERM_DENIED;
	case PAM_SUCCESS:
		return PAM_IGNORE;
	default:
		pam_syslog(pamh, LOG_NOTICE,
		    "a session of %s is not counted: Holdfast does not answer",
		    user);
		return PAM_IGNORE;
	}
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = user_of(pamh);
	struct asked asked;

	(void)flags;
	if (user == NULL)
		return PAM_USER_UNKNOWN;
	if (is_line(argc, argv, "count"))
		return count_session(pamh, user);
	if (look_up(pamh, user, &asked) == -1)
		return PAM_SESSION_ERR;
	/* Who was prompted gave the code. */
	if (!asked.machine || asked.known ||
	    has_line(accepted_so_far(pamh), PROMPTED, "", false))
		return PAM_IGNORE;
	return denied(pamh, user);
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = user_of(pamh);

	(void)flags;
	if (user != NULL && is_line(argc, argv, "count"))
		put_question(pamh, SECOND_FACTOR_END, user, "");
	return PAM_IGNORE;
}
