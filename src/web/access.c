/*
 * Who may come in by TCP, and with which TLS, as core says it (MSG_ACCESS):
 * system.general's allow-list and HTTPS protocols; and whose frames the page
 * may be in.  Nobody is accepted before
 * core said so for the first time.
 */
#include <stdlib.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "web/http.h"
#include "web/web.h"

#define NETWORKS_MAX 1024
#define TEXT_MAX 64
#define TLS12 1
#define TLS13 2

void
web_access_message(struct web *w, struct ipc_msg *msg)
{
	uint8_t versions = wire_get_u8(&msg->body);
	uint8_t frames = wire_get_u8(&msg->body);
	uint16_t port = wire_get_u16(&msg->body);
	uint32_t n = wire_get_u32(&msg->body), i;
	struct network *list;
	char *text;

	if (msg->body.bad || frames >= FRAMES_COUNT || n > NETWORKS_MAX)
		fatal("wrong access from core");
	list = xcalloc((size_t)n + 1, sizeof(*list));
	for (i = 0; i < n; i++) {
		text = wire_get_str(&msg->body, TEXT_MAX);
		if (text == NULL || network_parse(text, &list[i]) == -1)
			fatal("wrong network from core");
		free(text);
	}
	if (wire_end(&msg->body) == -1)
		fatal("wrong access from core");
	free(w->allowed);
	w->allowed = list;
	w->nallowed = n;
	w->https_port = port;
	http_frames((enum access_frames)frames);
	if (w->tls_context != NULL)
		web_tls_versions(w->tls_context, (versions & TLS12) != 0,
		    (versions & TLS13) != 0);
	web_accept_start(w);
}

bool
web_access_allows(const struct web *w, const struct web_client *c)
{
	size_t i;

	if (w->role == ROLE_LOCAL || w->nallowed == 0)
		return true;
	for (i = 0; i < w->nallowed; i++)
		if (network_has(&w->allowed[i], c->address))
			return true;
	return false;
}
