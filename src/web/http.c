/*
 * The plain HTTP of the two roles: which paths there are, which requests may
 * become a WebSocket, and the answers to all others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "web/http.h"
#include "web/request.h"
#include "web/web.h"

/* Oldest first, as they are listed; one path each. */
static const char *const versions[] = {
	"v25.04.0",
	"v25.04.1",
	"v25.04.2",
	"v25.10.0",
	"v25.10.1",
	"v25.10.2",
	"v25.10.3",
	"v25.10.4",
	"v25.10.5",
	"v26.0.0",
	NULL,
};

/* Served, but not listed: the version that the legacy protocol has. */
static const char hidden_version[] = "v24.10";

enum route {
	ROUTE_NONE,
	ROUTE_API, /* a WebSocket */
	ROUTE_LEGACY, /* one that speaks the protocol before JSON-RPC */
	ROUTE_SHELL, /* one that is a terminal */
	ROUTE_VERSIONS,
	ROUTE_BOOT_ID,
	ROUTE_UPLOAD,
	ROUTE_DOWNLOAD,
	ROUTE_OPENRPC,
	ROUTE_PAGE,
	ROUTE_TO_PAGE /* what is to be asked for instead */
};

/* The paths that are no version's. */
static const struct {
	const char *path;
	enum route route;
} routes[] = {
	{ "/api/current", ROUTE_API },
	{ "/websocket", ROUTE_LEGACY },
	{ "/websocket/shell", ROUTE_SHELL },
	{ "/_shell", ROUTE_SHELL },
	{ "/api/versions", ROUTE_VERSIONS },
	{ "/api/boot_id", ROUTE_BOOT_ID },
	{ "/api/openrpc.json", ROUTE_OPENRPC },
	{ "/_upload", ROUTE_UPLOAD },
	{ "/", ROUTE_TO_PAGE },
	{ "/ui", ROUTE_TO_PAGE },
};

/* With the job's number behind it. */
static const char download[] = "/_download/";

/* With a file's name behind it, or a place in the page. */
static const char page[] = "/ui/";

#define PATH_MAX_LEN 128

/*
 * Origins accepted beside our own, as a browser sends them
 * ("https://nas.example.org"): pages of other hosts that may use this API.
 */
static const char *const origins[] = {
	NULL,
};

static const struct http_answer not_upgraded = { .status = 400,
	.body = "No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to "
		"\"WebSocket\"." };
static const struct http_answer not_allowed = { .status = 405,
	.extra = "Allow: GET, HEAD\r\n" };

/* Sends the whole answer, headers and body in one piece.  0 or -1. */
static int
answer_send(struct web *w, struct web_client *c, const struct http_answer *a,
    bool head, bool keep)
{
	size_t len;
	char *text = http_text(a, w->tls && !c->plain, head, keep, &len);
	int r;

	r = lws_write(
	    c->wsi, (unsigned char *)text, len, LWS_WRITE_HTTP_HEADERS);
	free(text);
	return r < 0 ? -1 : 0;
}

static enum route
route_find(const char *path)
{
	const char *version;
	size_t i;

	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(path, routes[i].path) == 0)
			return routes[i].route;
	if (strncmp(path, download, sizeof(download) - 1) == 0)
		return ROUTE_DOWNLOAD;
	if (strncmp(path, page, sizeof(page) - 1) == 0)
		return ROUTE_PAGE;
	if (strncmp(path, "/api/", 5) != 0)
		return ROUTE_NONE;
	version = path + 5;
	for (i = 0; versions[i] != NULL; i++)
		if (strcmp(version, versions[i]) == 0)
			return ROUTE_API;
	return strcmp(version, hidden_version) == 0 ? ROUTE_API : ROUTE_NONE;
}

/* Its path, or "" when it is none that could be ours. */
static void
request_path(struct web_client *c, char path[static PATH_MAX_LEN])
{
	static const enum lws_token_indexes tokens[] = { WSI_TOKEN_GET_URI,
		WSI_TOKEN_HEAD_URI, WSI_TOKEN_POST_URI };
	size_t i;

	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (request_header(c, path, PATH_MAX_LEN, tokens[i]) == 0)
			return;
	path[0] = '\0';
}

/*
 * A path with a slash too many at its end is that without it.  Several in a
 * row are one: libwebsockets has seen to it before.
 */
static bool
path_redirect(struct web_client *c, char path[static PATH_MAX_LEN],
    char extra[static PATH_MAX_LEN + 16])
{
	size_t len = strlen(path);

	/* What follows the path would have to be quoted again. */
	if (len < 2 || path[len - 1] != '/' ||
	    lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_URI_ARGS) > 0)
		return false;
	path[len - 1] = '\0';
	if (route_find(path) == ROUTE_NONE)
		return false;
	snprintf(extra, PATH_MAX_LEN + 16, "Location: %s\r\n", path);
	return true;
}

static char *
versions_text(void)
{
	json_t *list = json_array();
	char *text;
	size_t i;

	for (i = 0; versions[i] != NULL; i++)
		json_array_append_new(list, json_string(versions[i]));
	text = json_text(list);
	json_decref(list);
	return text;
}

/*
 * A browser states the page's origin and can not be made to lie about it; it
 * keeps other sites from using a session of the administrator's.  Programs
 * send none, or make one up from the host, as Python's websocket-client does,
 * with http:// whatever it speaks; so the scheme is not compared.
 */
static bool
origin_allowed(struct web_client *c)
{
	char origin[512], host[512], *name;
	size_t i;

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	if (request_header(c, origin, sizeof(origin), WSI_TOKEN_ORIGIN) == -1 ||
	    request_header(c, host, sizeof(host), WSI_TOKEN_HOST) == -1)
		return false;
	for (i = 0; origins[i] != NULL; i++)
		if (strcasecmp(origin, origins[i]) == 0)
			return true;
	name = strstr(origin, "://");
	return name != NULL && strcasecmp(name + 3, host) == 0;
}

static bool
has_body(struct web_client *c)
{
	char length[16];

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return true;
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return false;
	return request_header(c, length, sizeof(length),
		   WSI_TOKEN_HTTP_CONTENT_LENGTH) == -1 ||
	    strcmp(length, "0") != 0;
}

/* What GET and HEAD of this path are answered; *textp is to be freed. */
static struct http_answer
answer_get(struct web *w, struct web_client *c, char **textp)
{
	char path[PATH_MAX_LEN], extra[PATH_MAX_LEN + 16];
	struct http_answer a = { .type = "application/json", .status = 200 };

	request_path(c, path);
	switch (route_find(path)) {
	case ROUTE_API:
	case ROUTE_LEGACY:
	case ROUTE_SHELL:
		return not_upgraded;
	case ROUTE_VERSIONS:
		a.body = *textp = versions_text();
		return a;
	case ROUTE_BOOT_ID:
		a.body = *textp = xasprintf("\"%s\"", w->boot_id);
		return a;
	case ROUTE_UPLOAD:
		a.extra = "Allow: POST\r\n";
		a.type = NULL;
		a.status = 405;
		return a;
	case ROUTE_TO_PAGE:
		if (w->page.nfiles == 0)
			break;
		return (struct http_answer){ .status = 308,
			.extra = "Location: /ui/\r\n" };
	case ROUTE_PAGE: /* no file of it */
		return (struct http_answer){ .status = 404 };
	case ROUTE_DOWNLOAD: /* by HEAD, for which nothing is begun */
	case ROUTE_OPENRPC:
	case ROUTE_NONE:
		break;
	}
	a = (struct http_answer){ .status = 404 };
	if (path_redirect(c, path, extra)) {
		a.status = 308;
		a.extra = *textp = xstrdup(extra);
	}
	return a;
}

/*
 * An up- or download, or the document for who logs in: 0, it is begun and
 * answered elsewhere; or the status
 * that refuses it, or -1: it is none.
 */
static int
transfer_request(struct web *w, struct web_client *c)
{
	enum transfer_kind kind = TRANSFER_DOWNLOAD;
	char path[PATH_MAX_LEN];
	const char *number = "";

	request_path(c, path);
	switch (route_find(path)) {
	case ROUTE_UPLOAD:
		kind = TRANSFER_UPLOAD;
		break;
	case ROUTE_OPENRPC:
		kind = TRANSFER_OPENRPC;
		break;
	case ROUTE_DOWNLOAD:
		number = path + sizeof(download) - 1;
		break;
	default:
		return -1;
	}
	if (kind == TRANSFER_UPLOAD ?
		lws_hdr_total_length(c->wsi, WSI_TOKEN_POST_URI) <= 0 :
		lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) <= 0 ||
		    has_body(c))
		return -1;
	if (!origin_allowed(c) || !web_access_allows(w, c))
		return 403;
	if (!request_transfer_room(w, c))
		return 503;
	request_transfer(c, kind, number);
	return 0;
}

/* What a request that is no transfer is answered; *keepp: another may come. */
static struct http_answer
plain_answer(struct web *w, struct web_client *c, char **textp, bool *keepp)
{
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) <= 0 &&
	    lws_hdr_total_length(c->wsi, WSI_TOKEN_HEAD_URI) <= 0)
		return not_allowed;
	if (has_body(c))
		return (struct http_answer){ .status = 400 };
	if (!web_access_allows(w, c))
		return (struct http_answer){ .status = 403 };
	if (c->plain)
		return web_redirect(w, c, textp);
	*keepp = !w->stopping;
	return answer_get(w, c, textp);
}

/* The page's file that it asks for; NULL: it is another request. */
static const struct page_file *
page_request(struct web *w, struct web_client *c)
{
	char path[PATH_MAX_LEN];

	request_path(c, path);
	if (route_find(path) != ROUTE_PAGE || !web_access_allows(w, c) ||
	    lws_hdr_total_length(c->wsi, WSI_TOKEN_POST_URI) > 0 || has_body(c))
		return NULL;
	return page_find(&w->page, path + sizeof(page) - 1);
}

int
web_http_request(struct web *w, struct web_client *c)
{
	const struct page_file *file = c->plain ? NULL : page_request(w, c);
	struct http_answer a = { 0 };
	int refusal = c->plain ? -1 : transfer_request(w, c), r;
	bool head, keep = false;
	char *text = NULL;

	if (refusal == 0)
		return 0;
	if (file != NULL)
		return web_page_answer(c, file);
	if (refusal != -1)
		a.status = (unsigned int)refusal;
	else
		a = plain_answer(w, c, &text, &keep);
	if (a.status >= 400)
		web_refused(w, c, http_phrase(a.status));
	head = lws_hdr_total_length(c->wsi, WSI_TOKEN_HEAD_URI) > 0;
	r = answer_send(w, c, &a, head, keep);
	free(text);
	if (r == -1 || !keep)
		return -1;
	c->deadline = uv_now(&w->loop) + WEB_KEEPALIVE_TIME;
	return lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

/* Why it may not become a WebSocket; status 0: it may. */
static struct http_answer
upgrade_refusal(struct web *w, struct web_client *c, const char *upgrade)
{
	char path[PATH_MAX_LEN];
	unsigned int status = 0;
	enum route route;

	if (strcasecmp(upgrade, "websocket") != 0)
		return not_upgraded;
	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_GET_URI) <= 0)
		return not_allowed;
	request_path(c, path);
	route = route_find(path);
	c->protocol = route == ROUTE_LEGACY ? PROTOCOL_LEGACY :
	    route == ROUTE_SHELL            ? PROTOCOL_SHELL :
					      PROTOCOL_JSONRPC;
	if (route != ROUTE_API && route != ROUTE_LEGACY && route != ROUTE_SHELL)
		status = 404;
	else if (!origin_allowed(c))
		status = 403;
	else if (w->core == NULL || w->stopping)
		status = 503;
	return (struct http_answer){ .status = status };
}

int
web_http_upgrade(struct web *w, struct web_client *c)
{
	struct http_answer a;
	char upgrade[32];

	if (c->plain)
		return -1;
	/*
	 * For another protocol than WebSocket, libwebsockets 4.1 asks after
	 * having answered by itself: then the headers are gone.
	 */
	if (request_header(c, upgrade, sizeof(upgrade), WSI_TOKEN_UPGRADE) ==
	    -1)
		return -1;
	a = upgrade_refusal(w, c, upgrade);
	if (a.status == 0)
		return 0;
	web_refused(w, c, http_phrase(a.status));
	answer_send(w, c, &a, false, false);
	return -1;
}
