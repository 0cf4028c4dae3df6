/*
 * The task https-post: hands a text to a server over HTTPS.
 *
 * libcurl is loaded by this task alone: no other process of Holdfast has it, or
 * the dozen libraries that come with it, mapped.  It follows no redirect, uses
 * no proxy and no file of credentials, and believes the machine's own
 * authorities only.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "worker/tasks.h"

#define LIBRARY "libcurl.so.4"
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define URL_MAX 4096
#define TEXT_MAX ((size_t)64 * 1024)
#define ANSWER_MAX ((size_t)64 * 1024) /* head and body, each */
#define CONNECT_MS 10000L
#define WHOLE_MS 30000L
#define ADDRESSES_MAX 8

static struct {
	CURLcode (*global_init)(long);
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
	CURLcode (*getinfo)(CURL *, CURLINFO, ...);
	void (*cleanup)(CURL *);
	const char *(*strerror)(CURLcode);
	struct curl_slist *(*append)(struct curl_slist *, const char *);
	void (*free_list)(struct curl_slist *);
	CURLU *(*url)(void);
	CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned int);
	CURLUcode (*url_get)(const CURLU *, CURLUPart, char **, unsigned int);
	void (*url_cleanup)(CURLU *);
	void (*free)(void *);
} curl;

/* clang-format off */
static const struct {
	const char *name;
	void *slot;
} functions[] = {
	{ "curl_global_init",	&curl.global_init },
	{ "curl_easy_init",	&curl.init },
	{ "curl_easy_setopt",	&curl.setopt },
	{ "curl_easy_perform",	&curl.perform },
	{ "curl_easy_getinfo",	&curl.getinfo },
	{ "curl_easy_cleanup",	&curl.cleanup },
	{ "curl_easy_strerror",	&curl.strerror },
	{ "curl_slist_append",	&curl.append },
	{ "curl_slist_free_all", &curl.free_list },
	{ "curl_url",		&curl.url },
	{ "curl_url_set",	&curl.url_set },
	{ "curl_url_get",	&curl.url_get },
	{ "curl_url_cleanup",	&curl.url_cleanup },
	{ "curl_free",		&curl.free },
};
/* clang-format on */

/* Nothing can be mapped executable in the sandbox. */
void
task_post_prepare(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *function;
	size_t i;

	if (library == NULL)
		return; /* the task says so */
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		function = dlsym(library, functions[i].name);
		if (function == NULL)
			fatal("%s has no %s", LIBRARY, functions[i].name);
		memcpy(functions[i].slot, &function, sizeof(function));
	}
	if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("%s does not start", LIBRARY);
}

/* --- Names ------------------------------------------------------------------ */

/* "host:port:1.2.3.4,[::1]", malloc'd; what libcurl takes for an answer. */
static char *
answer_of(const char *host, const char *port, const struct addrinfo *list)
{
	char *text = xasprintf("%s:%s:", host, port), *longer;
	char address[NI_MAXHOST];
	unsigned int n = 0;

	for (; list != NULL && n < ADDRESSES_MAX; list = list->ai_next) {
		if (getnameinfo(list->ai_addr, list->ai_addrlen, address,
			sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		longer = xasprintf(
		    list->ai_family == AF_INET6 ? "%s%s[%s]" : "%s%s%s", text,
		    n++ > 0 ? "," : "", address);
		free(text);
		text = longer;
	}
	return text;
}

/*
 * libcurl would resolve in a thread, which the sandbox does not have.  0, or an
 * errno with *why.
 */
static int
resolve(const char *host, const char *port, struct curl_slist **answers,
    const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	struct in_addr address;
	char *text;
	int error;

	if (*host == '[' || inet_pton(AF_INET, host, &address) == 1)
		return 0;
	/* Over TCP: a worker has no other sockets. */
	if (setenv("RES_OPTIONS", "use-vc timeout:5 attempts:2", 1) == -1)
		return errno;
	if ((error = getaddrinfo(host, port, &hints, &list)) != 0) {
		*why = gai_strerror(error);
		return EHOSTUNREACH;
	}
	text = answer_of(host, port, list);
	freeaddrinfo(list);
	*answers = curl.append(NULL, text);
	free(text);
	return 0;
}

static int
resolve_url(const char *url, struct curl_slist **answers, const char **why)
{
	char *host = NULL, *port = NULL;
	CURLU *parts = curl.url();
	int error = EINVAL;

	*why = "the URL is none";
	if (parts != NULL &&
	    curl.url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl.url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl.url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		CURLUE_OK)
		error = resolve(host, port, answers, why);
	curl.free(host);
	curl.free(port);
	curl.url_cleanup(parts);
	return error;
}

/* --- The request ------------------------------------------------------------ */

/* What the server says is of no interest beyond its status. */
static size_t
pass_over(char *data, size_t size, size_t count, void *arg)
{
	size_t *seen = arg;

	(void)data;
	*seen += size * count;
	return *seen <= ANSWER_MAX ? size * count : 0;
}

struct request {
	char *url, *text;
	struct curl_slist *answers, *headers;
	size_t head_seen, body_seen;
};

static CURLcode
set_text(CURL *c, const struct request *r)
{
	curl.setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(r->text));
	curl.setopt(c, CURLOPT_POSTFIELDS, r->text);
	curl.setopt(c, CURLOPT_HTTPHEADER, r->headers);
	curl.setopt(c, CURLOPT_RESOLVE, r->answers);
	return curl.setopt(c, CURLOPT_URL, r->url);
}

static CURLcode
set_bounds(CURL *c, struct request *r)
{
	curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl.setopt(c, CURLOPT_TIMEOUT_MS, WHOLE_MS);
	curl.setopt(c, CURLOPT_WRITEFUNCTION, pass_over);
	curl.setopt(c, CURLOPT_WRITEDATA, &r->body_seen);
	curl.setopt(c, CURLOPT_HEADERFUNCTION, pass_over);
	return curl.setopt(c, CURLOPT_HEADERDATA, &r->head_seen);
}

/* Each of these must be known to the library: none is left out silently. */
static CURLcode
set_trust(CURL *c)
{
	CURLcode rc;

	if ((rc = curl.setopt(c, CURLOPT_PROTOCOLS_STR, "https")) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_FOLLOWLOCATION, 0L)) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_PROXY, "")) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_HTTP_VERSION,
		 (long)CURL_HTTP_VERSION_1_1)) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_SSLVERSION,
		 (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_SSL_VERIFYPEER, 1L)) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_SSL_VERIFYHOST, 2L)) != CURLE_OK ||
	    (rc = curl.setopt(c, CURLOPT_CAPATH, NULL)) != CURLE_OK)
		return rc;
	return curl.setopt(c, CURLOPT_CAINFO, AUTHORITIES);
}

/* 0 with the server's status, or an errno with *why. */
static int
perform(struct request *r, long *statusp, const char **why)
{
	CURL *c = curl.init();
	CURLcode rc = CURLE_FAILED_INIT;

	if (c != NULL && (rc = set_trust(c)) == CURLE_OK &&
	    (rc = set_bounds(c, r)) == CURLE_OK &&
	    (rc = set_text(c, r)) == CURLE_OK &&
	    (rc = curl.perform(c)) == CURLE_OK)
		rc = curl.getinfo(c, CURLINFO_RESPONSE_CODE, statusp);
	*why = curl.strerror(rc); /* static */
	curl.cleanup(c);
	return rc == CURLE_OK ? 0 : EIO;
}

static int
post(struct request *r, long *statusp, const char **why)
{
	int error;

	if (curl.init == NULL) {
		*why = "libcurl is not there (Debian's libcurl4)";
		return ENOSYS;
	}
	if ((error = resolve_url(r->url, &r->answers, why)) == 0) {
		r->headers =
		    curl.append(NULL, "Content-Type: application/json");
		r->headers = curl.append(r->headers, "Expect:");
		error = perform(r, statusp, why);
	}
	curl.free_list(r->answers);
	curl.free_list(r->headers);
	return error;
}

int
task_post(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct request r = { 0 };
	long status = 0;
	int error = EPROTO;

	r.url = wire_get_str(in, URL_MAX);
	r.text = wire_get_str(in, TEXT_MAX);
	if (wire_end(in) == 0)
		error = post(&r, &status, why);
	if (error == 0)
		wire_put_u16(out, (uint16_t)status);
	freezero_str(r.url);
	free(r.text);
	return error;
}
