/*
 * The task ssh-login: does another machine's SSH server let us in?  libssh speaks; no file is read or written
 * for it, no configuration but ours counts.
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "worker/libssh.h"
#include "worker/tasks.h"

#define HOST_MAX 256
#define SECONDS_MAX 60
#define NOWHERE "/nonexistent"

/* The algorithms by which a server proves that it has an RSA key. */
#define PROOFS_RSA "rsa-sha2-512,rsa-sha2-256"

/* What the name service would load in the sandbox. */
void
task_reach_prepare(void)
{
	struct addrinfo *list = NULL;

	libssh_load();
	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
}

struct reach {
	char *host, *user;
	uint16_t port;
	uint32_t seconds;
};

static char complaint[256];

/* What libssh says may quote the server: one line of plain text. */
static const char *
complain(ssh_session session)
{
	const char *text = libssh.ssh_get_error(session);
	size_t i;

	for (i = 0; text[i] != '\0' && i < sizeof(complaint) - 1; i++)
		complaint[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	complaint[i] = '\0';
	return i > 0 ? complaint : "no answer";
}

/* NULL when an option is refused. */
static ssh_session
prepare(const struct reach *r, const char *algorithms)
{
	ssh_session s = libssh.ssh_new();
	unsigned int port = r->port;
	bool config = false;
	long seconds = r->seconds;

	if (s == NULL)
		return NULL;
	if (libssh.ssh_options_set(s, SSH_OPTIONS_PROCESS_CONFIG, &config) ==
		0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_SSH_DIR, NOWHERE) == 0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_USER, r->user) == 0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_HOST, r->host) == 0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_PORT, &port) == 0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_TIMEOUT, &seconds) == 0 &&
	    libssh.ssh_options_set(s, SSH_OPTIONS_HOSTKEYS, algorithms) == 0)
		return s;
	libssh.ssh_free(s);
	return NULL;
}

static void
leave(ssh_session s)
{
	libssh.ssh_disconnect(s);
	libssh.ssh_free(s);
}

/* "type base64" of the key that the server proved to have; or NULL. */
static char *
key_of(ssh_session s)
{
	char *base64 = NULL, *text = NULL;
	ssh_key key = NULL;

	if (libssh.ssh_get_server_publickey(s, &key) == SSH_OK &&
	    libssh.ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK)
		text = xasprintf("%s %s",
		    libssh.ssh_key_type_to_char(libssh.ssh_key_type(key)),
		    base64);
	libssh.ssh_string_free_char(base64);
	libssh.ssh_key_free(key);
	return text;
}

/* Names are resolved over TCP: a worker has no other sockets. */
static int
read_target(struct wire_in *in, struct reach *r)
{
	r->host = wire_get_str(in, HOST_MAX);
	r->port = wire_get_u16(in);
	r->user = wire_get_str(in, HOST_MAX);
	r->seconds = wire_get_u32(in);
	if (in->bad || r->seconds == 0 || r->seconds > SECONDS_MAX)
		return EPROTO;
	if (setenv("RES_OPTIONS", "use-vc timeout:5 attempts:2", 1) == -1)
		return errno;
	return 0;
}

static void
free_target(struct reach *r)
{
	free(r->host);
	free(r->user);
}

/* --- Logging in ----------------------------------------------------------- */

struct identity {
	char *private, *passphrase;
	char *known; /* the host's keys, "type base64" a line */
};

/* Nobody is there to be asked. */
static int
tell_nothing(const char *prompt, char *buffer, size_t len, int echo, int verify,
    void *arg)
{
	(void)prompt, (void)buffer, (void)len, (void)echo, (void)verify;
	(void)arg;
	return -1;
}

/* Does one of the lines begin with that key? */
static bool
is_known(const char *lines, const char *key)
{
	size_t len = strlen(key);

	for (;;) {
		lines += strspn(lines, " \t\r\n");
		if (*lines == '\0')
			return false;
		if (strncmp(lines, key, len) == 0 &&
		    strchr(" \t\r\n", lines[len]) != NULL)
			return true;
		lines += strcspn(lines, "\n");
	}
}

/*
 * The algorithms of the keys that are known, so that the server shows one of
 * these; RSA's are not called as the key is.  malloc'd.
 */
static char *
algorithms_of(const char *lines)
{
	char *list = xstrdup(""), *longer;
	const char *name;
	size_t len;

	for (;;) {
		lines += strspn(lines, " \t\r\n");
		if (*lines == '\0')
			return list;
		len = strcspn(lines, " \t");
		name = lines;
		if (len == strlen("ssh-rsa") &&
		    strncmp(lines, "ssh-rsa", len) == 0) {
			name = PROOFS_RSA;
			len = strlen(name);
		}
		longer = xasprintf(
		    "%s%s%.*s", list, *list == '\0' ? "" : ",", (int)len, name);
		free(list);
		list = longer;
		lines += strcspn(lines, "\n");
	}
}

static int
log_in(ssh_session s, const struct identity *id, const char **why)
{
	char *shown = NULL;
	ssh_key key = NULL;
	int error = EHOSTUNREACH;

	if (libssh.ssh_connect(s) != SSH_OK || (shown = key_of(s)) == NULL) {
		*why = complain(s);
		return error;
	}
	*why = "The host shows another key than the one that is known";
	if (!is_known(id->known, shown)) {
		free(shown);
		return EKEYREJECTED;
	}
	free(shown);
	*why = "The private key cannot be read";
	if (libssh.ssh_pki_import_privkey_base64(id->private,
		*id->passphrase != '\0' ? id->passphrase : NULL, tell_nothing,
		NULL, &key) != SSH_OK)
		return ENOKEY;
	*why = "The host does not accept the key of that user";
	error = EACCES;
	if (libssh.ssh_userauth_publickey(s, NULL, key) == SSH_AUTH_SUCCESS)
		error = 0;
	libssh.ssh_key_free(key);
	return error;
}

static int
try(const struct reach *r, const struct identity *id, const char **why)
{
	char *algorithms = algorithms_of(id->known);
	ssh_session s = prepare(r, algorithms);
	int error = EINVAL;

	*why = "The host, or its key, is none";
	if (s != NULL) {
		error = log_in(s, id, why);
		leave(s);
	}
	free(algorithms);
	return error;
}

int
task_ssh_login(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct reach r = { 0 };
	struct identity id = { 0 };
	int error = read_target(in, &r);

	(void)out;
	id.private = wire_get_str(in, KEY_TEXT_MAX);
	id.passphrase = wire_get_str(in, 1024);
	id.known = wire_get_str(in, KEY_TEXT_MAX);
	if (error == 0 && wire_end(in) == -1)
		error = EPROTO;
	if (error == 0)
		error = libssh_is_there(why) ? try(&r, &id, why) : ENOSYS;
	free_target(&r);
	freezero_str(id.private);
	freezero_str(id.passphrase);
	free(id.known);
	return error;
}
