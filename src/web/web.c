/*
 * The roles web and local: what faces the network, or the Unix socket, and
 * has nothing but that.  Takes text messages, checks their envelope, passes
 * them to core and core's frames back.
 */
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/startup.h"
#include "lib/xalloc.h"
#include "roles.h"
#include "web/web.h"

void
web_tick(uv_timer_t *timer)
{
	struct web *w = timer->data;
	struct web_client *c, *next;

	for (c = TAILQ_FIRST(&w->clients); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		web_client_tick(c, uv_now(&w->loop));
	}
	if (w->paused && w->nclients >= w->clients_max)
		web_client_make_room(w);
	if (w->stopping && w->nclients == 0)
		uv_stop(&w->loop);
	else if (w->nclients == 0)
		uv_timer_stop(&w->tick_timer);
}

static void
stop_over(uv_timer_t *timer)
{
	struct web *w = timer->data;

	uv_stop(&w->loop);
}

void
web_stop(struct web *w)
{
	struct web_client *c;

	if (w->stopping)
		return;
	w->stopping = true;
	web_accept_stop(w);
	TAILQ_FOREACH(c, &w->clients, all)
	web_client_close(c, 1001, "Going Away", true);
	/* Look often now whether the last one went. */
	uv_timer_start(&w->tick_timer, web_tick, 1, 20);
	uv_timer_start(&w->stop_timer, stop_over, WEB_STOP_TIME, 0);
}

/*
 * A descriptor for each client that may come, plus our own; not many more, as
 * libwebsockets' tables are as large as that limit.
 */
static void
limit_descriptors(struct web *w)
{
	struct rlimit limit;
	rlim_t most = WEB_CLIENTS_MAX + WEB_FDS_SPARE;

	w->clients_max = WEB_CLIENTS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("getrlimit: %s", strerror(errno));
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		fatal("setrlimit: %s", strerror(errno));
	if (limit.rlim_max >= most)
		return;
	if (limit.rlim_max < 2 * WEB_FDS_SPARE)
		fatal(
		    "only %ju descriptors allowed", (uintmax_t)limit.rlim_max);
	w->clients_max = (unsigned int)(limit.rlim_max - WEB_FDS_SPARE);
	log_warn("web.limit", "room for %u connections only", w->clients_max);
}

static void
web_prepare(struct web *w, enum role self)
{
	size_t i;

	w->role = self;
	w->tls = self == ROLE_WEB;
	TAILQ_INIT(&w->clients);
	LIST_INIT(&w->listeners);
	for (i = 0; i < WEB_BUCKETS; i++)
		LIST_INIT(&w->buckets[i]);
	if (uv_loop_init(&w->loop) != 0)
		fatal("no event loop");
	uv_timer_init(&w->loop, &w->pause_timer);
	uv_timer_init(&w->loop, &w->close_timer);
	uv_timer_init(&w->loop, &w->tick_timer);
	uv_timer_init(&w->loop, &w->throttle_timer);
	uv_timer_init(&w->loop, &w->stop_timer);
	uv_timer_init(&w->loop, &w->transfer_timer);
	w->pause_timer.data = w;
	w->close_timer.data = w;
	w->tick_timer.data = w;
	w->throttle_timer.data = w;
	w->stop_timer.data = w;
	w->transfer_timer.data = w;
}

/* Without a page the API is served alone. */
static void
page_take(struct web *w, int fd)
{
	void *pack;
	size_t len;

	if (fd == -1)
		return;
	if (memfd_map(fd, STARTUP_PAGE_MAX, &pack, &len) == -1 ||
	    page_read(&w->page, pack, len) == -1) {
		page_free(&w->page);
		log_error("web.page",
		    "the web interface is not what this "
		    "version packs; it is not served");
	}
	close(fd);
}

static void
web_take(struct web *w, struct startup *s)
{
	size_t i;

	if (s->nlisteners == 0 || s->peer_fds[ROLE_CORE] == -1 ||
	    s->boot_id == NULL ||
	    (w->tls && (s->certificate == NULL || s->key == NULL)))
		fatal("the monitor's set-up is not complete");
	page_take(w, s->page_fd);
	w->certificate = s->certificate;
	w->key = s->key;
	w->boot_id = s->boot_id;
	s->boot_id = NULL; /* transferred */
	for (i = 0; i < s->nlisteners; i++)
		web_accept_add(w, s->listeners[i].address, s->listeners[i].fd);
}

int
web_main(enum role self)
{
	static struct web web;
	static const struct sandbox_path no_paths[] = { { .fd = -1 } };
	struct startup startup;
	struct wire_out ready = { 0 };
	struct web *w = &web;
	int core_fd;

	json_secure();
	signal(SIGPIPE, SIG_IGN);
	limit_descriptors(w);
	startup_receive(self, &startup);
	web_prepare(w, self);
	web_take(w, &startup);
	if (web_server_create(w) == -1)
		return 1;
	core_fd = startup.peer_fds[ROLE_CORE];
	w->certificate = w->key = NULL;
	startup_free(&startup);

	sandbox_enter(self, no_paths, SANDBOX_NO_NETWORK);

	web_monitor_connect(w, STARTUP_FD);
	web_core_connect(w, core_fd);
	/* Of TCP, when core has said who may come in. */
	if (w->role == ROLE_LOCAL)
		web_accept_start(w);
	wire_put_str(&ready, "");
	ipc_send(w->monitor, MSG_READY, 0, &ready, NULL, 0);
	wire_free(&ready);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	return 0;
}
