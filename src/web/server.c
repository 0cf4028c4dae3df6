/*
 * libwebsockets as the two roles use it: no listening, no files, no
 * extensions, HTTP/1.1 only; its callbacks lead to http.c and client.c.
 */
#include <string.h>

#include "lib/log.h"
#include "web/web.h"

/* Refusals logged in a second; an attacker does not get to fill the disk. */
#define REFUSALS_LOGGED 5

void
web_refused(struct web *w, const struct web_client *c, const char *reason)
{
	uint64_t now = uv_now(&w->loop);
	char origin[WEB_ORIGIN_MAX];

	if (now - w->refusals_since >= 1000) {
		if (w->refusals > REFUSALS_LOGGED)
			log_info("client.refused", "and %u more",
			    w->refusals - REFUSALS_LOGGED);
		w->refusals_since = now;
		w->refusals = 0;
	}
	if (++w->refusals > REFUSALS_LOGGED)
		return;
	web_client_origin(c, origin);
	log_info("client.refused", "%s: %s", origin, reason);
}

/* The end of the connection: nothing is called back after it. */
static void
client_destroyed(struct web_client *c)
{
	c->wsi = NULL;
	web_client_ended(c);
	if (!c->adopting)
		web_client_free(c);
}

/* What comes before a client is known, or without one. */
static int
server_event(struct web *w, struct lws *wsi, enum lws_callback_reasons reason,
    void *user)
{
	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		w->tls_context = user;
		return web_tls_setup(user, w->certificate, w->key);
	case LWS_CALLBACK_WSI_CREATE:
		/* libwebsockets' own event pipe is one without a client. */
		if (w->adopted != NULL)
			w->adopted->wsi = wsi;
		return 0;
	default:
		return 0;
	}
}

static int
server_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct web *w = lws_context_user(lws_get_context(wsi));
	struct web_client *c;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_RECEIVE_PONG:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		break;
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
		return -1; /* nobody asked for that */
	default:
		return server_event(w, wsi, reason, user);
	}

	c = lws_get_opaque_user_data(wsi);
	if (c == NULL)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return web_http_request(w, c);
	case LWS_CALLBACK_HTTP_BODY:
		return web_transfer_body(c, in, len);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return web_page_writable(c);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return web_http_upgrade(w, c);
	case LWS_CALLBACK_ESTABLISHED:
		web_client_established(c);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return web_client_received(c, in, len);
	case LWS_CALLBACK_RECEIVE_PONG:
		c->heard = uv_now(&w->loop);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return web_client_writable(c);
	case LWS_CALLBACK_WSI_DESTROY:
		client_destroyed(c);
		return 0;
	default:
		web_client_ended(c);
		return 0;
	}
}

static const struct lws_protocols protocols[] = {
	{
	    .name = "jsonrpc",
	    .callback = server_callback,
	    /* Not used, but without it some events are not reported. */
	    .per_session_data_size = sizeof(void *),
	    .rx_buffer_size = 16384,
	    .tx_packet_size = WEB_FRAGMENT + LWS_PRE,
	},
	{ .name = NULL },
};

/* No pings of the library's own: client.c has them. */
static const lws_retry_bo_t no_policy;

static void
library_log(int level, const char *line)
{
	(void)level;
	log_warn("web.library", "%.*s", (int)strcspn(line, "\n"), line);
}

int
web_server_create(struct web *w)
{
	struct lws_context_creation_info info;
	void *loops[1];

	lws_set_log_level(LLL_ERR, library_log);
	memset(&info, 0, sizeof(info));
	loops[0] = &w->loop;
	info.foreign_loops = loops;
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = protocols;
	info.user = w;
	info.gid = (__typeof__(info.gid))-1;
	info.uid = (__typeof__(info.uid))-1;
	/* No client shows a certificate: whom others trust is not read. */
	info.options = LWS_SERVER_OPTION_LIBUV |
	    LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
	    LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
	info.max_http_header_data2 = WEB_HEADERS_MAX;
	info.pt_serv_buf_size = 16384 + 4096;
	info.timeout_secs = WEB_HANDSHAKE_TIME / 1000;
	info.timeout_secs_ah_idle = WEB_HANDSHAKE_TIME / 1000;
	info.keepalive_timeout = WEB_KEEPALIVE_TIME / 1000;
	info.retry_and_idle_policy = &no_policy;
	info.alpn = "http/1.1";
	/* Of its own few answers; 4.1 asserts that there is one. */
	info.server_string = "Holdfast";
	if (w->tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;

	w->context = lws_create_context(&info);
	if (w->context == NULL) {
		log_error("web.start", "libwebsockets does not start");
		return -1;
	}
	/* The certificate is loaded by the vhost's callback. */
	if (w->tls)
		info.options |= LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
	w->vhost = lws_create_vhost(w->context, &info);
	if (w->vhost == NULL) {
		log_error("web.start", "libwebsockets has no virtual host");
		return -1;
	}
	/* From here on it would only tell what clients did wrong. */
	lws_set_log_level(0, library_log);
	return 0;
}
