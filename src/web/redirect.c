/*
 * HTTP without TLS, where it is switched on (system.general's ui_httpsredirect):
 * every request is sent to the page by HTTPS, nothing else is answered, and no
 * word of a request but the name of a host that is ours comes back.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/x509v3.h>

#include "lib/xalloc.h"
#include "web/http.h"
#include "web/request.h"
#include "web/web.h"

#define HOST_MAX 254

/* The address that the client came to; false: it is none for a URL. */
static bool
own_address(struct web_client *c, char text[static INET6_ADDRSTRLEN])
{
	struct sockaddr_storage here = { 0 };
	const struct sockaddr_in *four = (const void *)&here;
	const struct sockaddr_in6 *six = (const void *)&here;
	socklen_t len = sizeof(here);

	if (getsockname(lws_get_socket_fd(c->wsi), (struct sockaddr *)&here,
		&len) == -1)
		return false;
	if (here.ss_family == AF_INET)
		return inet_ntop(AF_INET, &four->sin_addr, text,
			   INET6_ADDRSTRLEN) != NULL;
	if (here.ss_family != AF_INET6 ||
	    IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text,
			   INET6_ADDRSTRLEN) != NULL;
	return inet_ntop(AF_INET6, &six->sin6_addr, text, INET6_ADDRSTRLEN) !=
	    NULL;
}

/* The request's host without its port; false: there is none to speak of. */
static bool
asked_host(struct web_client *c, char host[static HOST_MAX])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-";
	size_t len;

	if (request_header(c, host, HOST_MAX, WSI_TOKEN_HOST) == -1)
		return false;
	host[strcspn(host, ":")] = '\0';
	len = strlen(host);
	return len > 0 && strspn(host, allowed) == len;
}

/* Is it a name, or an address, that the certificate is for? */
static bool
is_ours(struct web *w, const char *host)
{
	X509 *certificate = (X509 *)(uintptr_t)web_certificate_present(w);

	return X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
	    X509_check_ip_asc(certificate, host, 0) == 1;
}

struct http_answer
web_redirect(struct web *w, struct web_client *c, char **textp)
{
	char host[HOST_MAX], address[INET6_ADDRSTRLEN];
	bool six;

	/* Temporary, as it may be switched off again. */
	if (asked_host(c, host) && is_ours(w, host)) {
		*textp = xasprintf(
		    "Location: https://%s:%u/ui/\r\n", host, w->https_port);
	} else if (own_address(c, address)) {
		six = strchr(address, ':') != NULL;
		*textp = xasprintf("Location: https://%s%s%s:%u/ui/\r\n",
		    six ? "[" : "", address, six ? "]" : "", w->https_port);
	} else
		return (struct http_answer){ .status = 400 };
	return (struct http_answer){ .status = 307, .extra = *textp };
}
