/*
 * A TLS connection as a client: see api_tls.h.
 */
#include "worker/api_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_socket.h"

#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define FINGERPRINT_SIZE (EVP_MAX_MD_SIZE * 3)

struct api_tls {
	SSL *ssl;
	int fd;
	int64_t deadline;
};

static SSL_CTX *context;
static char complaint[512];

/* Nothing of the library's configuration is read in the sandbox. */
void
api_tls_prepare(void)
{
	struct addrinfo *list = NULL;

	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		fatal("OpenSSL does not start");
	/* Where there are none, no certificate is believed. */
	if (access(AUTHORITIES, R_OK) == 0 &&
	    SSL_CTX_load_verify_file(context, AUTHORITIES) != 1)
		fatal("%s cannot be read", AUTHORITIES);
	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
}

/* --- Connecting ----------------------------------------------------------- */

static int
connect_any(const struct api_server *server, int *fdp, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL, *at;
	struct sockaddr_storage address;
	char port[8];
	int error;

	/* Over TCP: a worker has no other sockets. */
	if (setenv("RES_OPTIONS", "use-vc timeout:5 attempts:2", 1) == -1)
		return errno;
	snprintf(port, sizeof(port), "%u", (unsigned int)server->port);
	if ((error = getaddrinfo(server->host, port, &hints, &list)) != 0) {
		*why = gai_strerror(error);
		return EHOSTUNREACH;
	}
	*fdp = -1;
	for (at = list; at != NULL && *fdp == -1; at = at->ai_next) {
		memset(&address, 0, sizeof(address));
		memcpy(&address, at->ai_addr, at->ai_addrlen);
		*fdp =
		    ssh_socket_open(&address, at->ai_addrlen, server->deadline);
	}
	freeaddrinfo(list);
	*why = "it does not answer";
	return *fdp != -1 ? 0 : EHOSTUNREACH;
}

/* Whose certificate it has to be, in the handshake and out of it. */
static bool
set_name(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char binary[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, binary) == 1 ||
	    inet_pton(AF_INET6, host, binary) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	    X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* Waits for what the last call wanted; false: it failed for another reason. */
static bool
wait_for(struct api_tls *t, int rc)
{
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return ssh_socket_wait(t->fd, POLLIN, t->deadline);
	case SSL_ERROR_WANT_WRITE:
		return ssh_socket_wait(t->fd, POLLOUT, t->deadline);
	default:
		return false;
	}
}

/* --- Whose certificate it is ---------------------------------------------- */

static bool
fingerprint_of(const X509 *certificate, char text[static FINGERPRINT_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;

	if (certificate == NULL ||
	    X509_digest(certificate, EVP_sha256(), md, &len) != 1)
		return false;
	for (i = 0; i < len; i++)
		snprintf(text + (size_t)3 * i, 4,
		    i + 1 < len ? "%02X:" : "%02X", md[i]);
	return true;
}

/*
 * After the handshake, so that there is a certificate to show; nothing was
 * sent yet that anybody may not know.
 */
static int
check_certificate(
    const struct api_tls *t, const struct api_server *server, const char **why)
{
	X509 *certificate = SSL_get1_peer_certificate(t->ssl);
	long verified = SSL_get_verify_result(t->ssl);
	char fingerprint[FINGERPRINT_SIZE];
	bool known = fingerprint_of(certificate, fingerprint);
	int error = 0;

	X509_free(certificate);
	if (!known)
		error = EKEYREJECTED;
	else if (*server->fingerprint != '\0')
		error = strcasecmp(server->fingerprint, fingerprint) == 0 ?
		    0 :
		    EKEYREJECTED;
	else if (server->verify && verified != X509_V_OK)
		error = EKEYREJECTED;
	if (error == 0)
		return 0;
	snprintf(complaint, sizeof(complaint),
	    "its certificate is not trusted (%s); its SHA-256 fingerprint is "
	    "%s",
	    *server->fingerprint != '\0' || verified == X509_V_OK ?
		"another one than was said" :
		X509_verify_cert_error_string(verified),
	    known ? fingerprint : "unknown");
	*why = complaint;
	return error;
}

static int
handshake(struct api_tls *t, const struct api_server *server, const char **why)
{
	int rc;

	*why = "OpenSSL does not start";
	if ((t->ssl = SSL_new(context)) == NULL ||
	    !set_name(t->ssl, server->host) || SSL_set_fd(t->ssl, t->fd) != 1)
		return EINVAL;
	/* Looked at by check_certificate(), which ends it. */
	SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
	while ((rc = SSL_connect(t->ssl)) != 1)
		if (!wait_for(t, rc)) {
			*why = "it speaks no TLS there, or not in time";
			return EHOSTUNREACH;
		}
	return check_certificate(t, server, why);
}

int
api_tls_open(
    const struct api_server *server, struct api_tls **tp, const char **why)
{
	struct api_tls *t = xcalloc(1, sizeof(*t));
	int error;

	*tp = NULL;
	t->deadline = server->deadline;
	if ((error = connect_any(server, &t->fd, why)) == 0)
		error = handshake(t, server, why);
	else
		t->fd = -1;
	if (error != 0) {
		api_tls_free(t);
		return error;
	}
	t->deadline = server->end;
	*tp = t;
	return 0;
}

void
api_tls_free(struct api_tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	if (t->fd != -1)
		close(t->fd);
	free(t);
}

/* --- Bytes ---------------------------------------------------------------- */

int
api_tls_send(struct api_tls *t, const void *data, size_t len)
{
	const unsigned char *at = data;
	int n;

	while (len > 0) {
		n = SSL_write(t->ssl, at, len > INT_MAX ? INT_MAX : (int)len);
		if (n <= 0) {
			if (!wait_for(t, n))
				return -1;
			continue;
		}
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
api_tls_recv(struct api_tls *t, void *data, size_t size)
{
	int n;

	while ((n = SSL_read(
		    t->ssl, data, size > INT_MAX ? INT_MAX : (int)size)) <= 0) {
		if (SSL_get_error(t->ssl, n) == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (!wait_for(t, n))
			return -1;
	}
	return n;
}
