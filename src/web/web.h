/*
 * What the files of this folder share: the server (one in a process, role web
 * or local) and its clients.
 */
#ifndef HF_WEB_H
#define HF_WEB_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <libwebsockets.h>
#include <uv.h>

#include "lib/ipc.h"
#include "lib/network.h"
#include "lib/role.h"
#include "web/assembly.h"
#include "web/page.h"

/* Bounds; a client can not grow anything that is not here. */
#define WEB_CLIENTS_MAX		1024	/* connections, whatever their state */
#define WEB_ADDRESS_MAX		64	/* of them from one address */
#define WEB_TRANSFERS_MAX	64	/* up- and downloads */
#define WEB_TRANSFERS_ADDRESS	16	/* of them from one address */
/* Descriptors kept for ourselves; a transfer has two besides its client's. */
#define WEB_FDS_SPARE		(64 + 2 * WEB_TRANSFERS_MAX)
#define WEB_HEADERS_MAX		8192	/* bytes of one request's headers */
#define WEB_QUEUE_BYTES		((size_t)8 << 20)
#define WEB_QUEUE_FRAMES	4096
#define WEB_CORE_BYTES		((size_t)8 << 20)	/* waiting for core */
#define WEB_CALLS_MAX 32 /* of one client in core, above the API's 20 */
#define WEB_FRAGMENT		((size_t)64 << 10)	/* of a long frame */
#define WEB_REASON_MAX		123	/* of a close, RFC 6455 section 5.5 */

/*
 * Core went away: "going away".  The registered code for it, 1012, is an error
 * of protocol to clients that know only RFC 6455's own (Debian 12's
 * python3-websocket, libwebsockets).
 */
#define WEB_RESTART_CODE	1001
#define WEB_RESTART_REASON	"Service Restart"

/* Milliseconds. */
#define WEB_HANDSHAKE_TIME	10000	/* TLS and the request */
#define WEB_KEEPALIVE_TIME	5000	/* until the next plain request */
#define WEB_PING_TIME		30000	/* of silence */
#define WEB_DEAD_TIME		90000	/* without any sign */
#define WEB_STALL_TIME		60000	/* socket takes nothing */
#define WEB_IDLE_TIME		600000	/* of no call and no session; ... */
#define WEB_SPARE_TIME		5000	/* ... when there is no room for more */
#define WEB_CLOSE_TIME		10000	/* for the close handshake */
#define WEB_LINGER_TIME		2000	/* after the answer to a transfer */
#define WEB_STOP_TIME		1500	/* until exit after MSG_STOP */
#define WEB_PAUSE_TIME		250	/* no accepting, then again */

enum web_client_state {
	WEB_CLIENT_HTTP,	/* TLS handshake, requests */
	WEB_CLIENT_TRANSFER,	/* an up- or download: transfer.h */
	WEB_CLIENT_OPEN,	/* a WebSocket */
	WEB_CLIENT_CLOSING,	/* a close frame waits or was sent */
	WEB_CLIENT_ENDED	/* only its destruction is left */
};

/* Of a frame: which kind of frame it is, and what else is to be done. */
enum web_frame_kind {
	FRAME_ANSWER,
	FRAME_EVENT,	/* core wants to know when it is out */
	FRAME_BYTES	/* binary */
};

/* A frame on its way out; libwebsockets writes its header before it. */
struct web_frame {
	STAILQ_ENTRY(web_frame) next;
	size_t	len, sent;
	enum web_frame_kind kind;
	uint8_t	data[];	/* LWS_PRE, then len bytes */
};

struct web;
struct transfer;
struct shell;

struct web_client {
	TAILQ_ENTRY(web_client) all;
	LIST_ENTRY(web_client) bucket; /* when id is not 0 */
	struct web	*web;
	struct lws	*wsi;		/* NULL once destroyed */
	uint32_t	 id;		/* 0: not a WebSocket yet */
	enum web_client_state state;
	enum client_protocol protocol;	/* by the path it asked for */
	bool		 plain;		/* without TLS: redirect.c */
	bool		 greeted;	/* PROTOCOL_LEGACY: it said connect */
	bool		 announced;	/* the present core knows it */
	bool		 held;		/* not read until core knows the peer */
	unsigned int	 calls;		/* in progress in core */
	uint64_t	 called;	/* when it last called something */
	bool		 busy;		/* too many: not read until half of them
					   are done */
	bool		 adopting;	/* see accept.c */
	struct in6_addr	 source;	/* for counting */
	char		 address[INET6_ADDRSTRLEN];
	uint16_t	 port;

	uint64_t	 deadline;	/* of HTTP and CLOSING */
	uint64_t	 heard;		/* last sign of life */
	uint64_t	 pinged;
	uint64_t	 moved;		/* the socket took something */

	struct transfer	*transfer;	/* or NULL */
	struct shell	*shell;		/* or NULL */
	const uint8_t	*content;	/* of the page, still to be written */
	size_t		 content_len;
	struct assembly	 in;
	STAILQ_HEAD(, web_frame) queue;
	size_t		 queued_bytes, queued_frames;
	size_t		 taken;		/* of its events, core not yet told */
	bool		 close_due;
	uint16_t	 close_code;
	char		 close_reason[WEB_REASON_MAX + 1];
};

struct web_listener {
	LIST_ENTRY(web_listener) next;
	uv_poll_t	 poll;
	struct web	*web;
	int		 fd;
	char		*address;
	bool		 plain;		/* without TLS: to be sent on */
};

#define WEB_BUCKETS	1024

struct web {
	enum role		 role;
	bool			 tls;
	const char		*certificate, *key;	/* during set-up only */
	char			*boot_id;
	struct page		 page;
	uv_loop_t		 loop;
	struct lws_context	*context;
	struct lws_vhost	*vhost;
	struct ipc		*monitor;
	/* NULL while it restarts */
	struct ipc		*core;

	LIST_HEAD(, web_listener) listeners;
	bool			 accepting;	/* core said who may come in */
	uint16_t		 https_port;	/* as core says */
	struct network		*allowed;	/* none: everybody */
	size_t			 nallowed;
	SSL_CTX			*tls_context;	/* the vhost's */
	struct web_client	*adopted;		/* being handed over */
	unsigned int		 clients_max;
	bool			 paused;		/* not accepting */
	uv_timer_t		 pause_timer;

	TAILQ_HEAD(, web_client) clients;
	unsigned int		 nclients;
	unsigned int		 ntransfers;
	/* runs when some have more to do */
	uv_timer_t		 transfer_timer;
	LIST_HEAD(, web_client) buckets[WEB_BUCKETS];
	uint32_t		 last_id;
	uv_timer_t		 close_timer;
	/* runs while there are some */
	uv_timer_t		 tick_timer;
	/* core has too much to read */
	bool			 throttled;
	uv_timer_t		 throttle_timer;

	bool			 stopping;
	uv_timer_t		 stop_timer;
	uint64_t		 refusals_since;
	unsigned int		 refusals;
};

/* server.c: the libwebsockets context, and the rules of HTTP. */
int	web_server_create(struct web *);
/* Logs a connection or request that was turned away, so many a second. */
void	web_refused(struct web *, const struct web_client *,
	    const char *reason);

/* tls.c: certificate, key and what TLS may be, into a fresh context. */
int	web_tls_setup(SSL_CTX *, const char *certificate, const char *key);
/* Which versions there are for who comes from now on. */
void	web_tls_versions(SSL_CTX *, bool tls12, bool tls13);
/* Its "tls-server-end-point", RFC 5929 section 4.1; 0: it has none. */
#define WEB_END_POINT_MAX	64
size_t	web_tls_end_point(const X509 *,
	    uint8_t hash[static WEB_END_POINT_MAX]);

/* certificate.c: the chosen one, as core says it. */
void	web_certificate_setup(SSL_CTX *);
void	web_certificate_message(struct web *, struct ipc_msg *);
/* What who comes now is shown; borrowed. */
const X509 *web_certificate_present(const struct web *);

/* http.c */
/* A plain request: answers it.  What the callback has to return. */
int	web_http_request(struct web *, struct web_client *);
/* An upgrade: 0 to go on, or -1: answered, and the connection is to end. */
int	web_http_upgrade(struct web *, struct web_client *);

/* redirect.c */
struct http_answer;
/* What who came without TLS is answered; *textp is to be freed. */
struct http_answer web_redirect(struct web *, struct web_client *,
	    char **textp);

/* page_answer.c */
/* A GET or HEAD of that file; what the callback has to return. */
int	web_page_answer(struct web_client *, const struct page_file *);
/* The socket takes more of it; the same. */
int	web_page_writable(struct web_client *);

/* accept.c */
/* Once; not before it is known who may come in. */
void	web_accept_start(struct web *);
void	web_accept_stop(struct web *);
/* One more, whose descriptor is taken; and one that goes. */
void	web_accept_add(struct web *, const char *address, int fd);
void	web_accept_remove(struct web *, const char *address);
/* After a client went: accept again when that was what it waited for. */
void	web_accept_resume(struct web *);

/* client.c */
struct web_client *web_client_new(struct web *);
/* "192.0.2.1 port 4711" or "the Unix socket", for logs. */
#define WEB_ORIGIN_MAX	(INET6_ADDRSTRLEN + 16)
void	web_client_origin(const struct web_client *,
	    char origin[static WEB_ORIGIN_MAX]);
void	web_client_free(struct web_client *);
struct web_client *web_client_find(struct web *, uint32_t id);
/* Gives it a number and tells core of it, which must be there. */
void	web_client_announce(struct web_client *);
void	web_client_established(struct web_client *);
int	web_client_received(struct web_client *, void *data, size_t len);
int	web_client_writable(struct web_client *);
/*
 * A frame: queued, and written at once when the socket takes it.  How much of
 * events waits is bounded by core, which is told what was taken.
 */
void	web_client_send(struct web_client *, const void *data, size_t len,
	    enum web_frame_kind);
/* Reads on or not, by what was decided of it. */
void	web_client_flow(struct web_client *);
/* Core has done so many of its calls. */
void	web_client_finished(struct web_client *, uint32_t calls);
/*
 * Closes with that code once what is queued has been written; flush false
 * drops the queue.  The first close counts.
 */
void	web_client_close(struct web_client *, uint16_t code, const char *reason,
	    bool flush);
/* Has libwebsockets close those whose last frame is out. */
void	web_close_due(uv_timer_t *);
/* Cuts it without a word. */
void	web_client_kill(struct web_client *);
/* libwebsockets closes it: tells core, once. */
void	web_client_ended(struct web_client *);
/*
 * There is no room for another one: ends the one that goes without a call for
 * longest, of those that have no session.
 */
void	web_client_make_room(struct web *);
/* Once a second: time limits and pings. */
void	web_client_tick(struct web_client *, uint64_t now);

/* channel.c: the messages with monitor and core. */
void	web_core_connect(struct web *, int fd);
void	web_core_disconnect(struct web *);
void	web_monitor_connect(struct web *, int fd);
/* Tells core of the present certificate's web_tls_end_point(). */
void	web_end_point_tell(struct web *);
/* After each message to core: stop reading while too much waits. */
void	web_core_throttle(struct web *);

/* transfer.c: up- and downloads; what http.c begins and core says of them. */
struct transfer *web_transfer_new(struct web_client *, enum transfer_kind);
void	web_transfer_free(struct transfer *);	/* NULL is fine */
/* What of the body came with the headers; 0 or -1. */
int	web_transfer_body(struct web_client *, const void *, size_t);
/* Core's answer; the descriptor is taken when *fdp becomes -1. */
void	web_transfer_file(struct web_client *, const char *filename,
	    bool whole, int *fdp);
void	web_transfer_status(struct web_client *, unsigned int status,
	    const char *type, const void *body, size_t len);
/* Core knows who is on the Unix socket; core is gone. */
void	web_transfer_identified(struct web_client *);
void	web_transfer_core_gone(struct web_client *);
void	web_transfer_tick(struct web_client *, uint64_t now);
void	web_transfers_go_on(uv_timer_t *);

/* access.c: who may come in, as core says it. */
void	web_access_message(struct web *, struct ipc_msg *);
bool	web_access_allows(const struct web *, const struct web_client *);

/* web.c */
void	web_tick(uv_timer_t *);
/* Closes all clients; the loop ends when they are gone, or soon after. */
void	web_stop(struct web *);

#endif
