/* The certificate that the web role shows: see page_certificate.h. */
#include "core/page_certificate.h"

#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define WHY_MAX 1024

/* Ids of MSG_CERTIFICATE: what is so already, and what is tried. */
enum { PRESENT = 0, TRIED = 1 };

struct pair {
	char *chain, *key;
};

static struct pair present, tried;
static void (*tried_done)(const char *why, void *);
static void *tried_arg;

static void
take(struct pair *p, const char *chain, const char *key)
{
	struct pair old = *p;

	p->chain = chain != NULL ? xstrdup(chain) : NULL;
	p->key = key != NULL ? xstrdup(key) : NULL;
	free(old.chain);
	freezero_str(old.key);
}

static void
send_pair(struct ipc *web, uint32_t id, const struct pair *p)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, p->chain);
	wire_put_str(&out, p->key);
	ipc_send(web, MSG_CERTIFICATE, id, &out, NULL, 0);
	wire_free(&out);
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void
page_certificate_set(const char *chain, const char *key)
{
	struct ipc *web = core_peer(ROLE_WEB);

	if (is_same(present.chain, chain) && is_same(present.key, key))
		return;
	take(&present, chain, key);
	if (web != NULL)
		send_pair(web, PRESENT, &present);
}

static void
no_web(void *arg)
{
	(void)arg;
	page_certificate_gone();
}

void
page_certificate_try(const char *chain, const char *key,
    void (*done)(const char *why, void *), void *arg)
{
	struct ipc *web = core_peer(ROLE_WEB);

	take(&tried, chain, key);
	tried_done = done;
	tried_arg = arg;
	if (web != NULL)
		send_pair(web, TRIED, &tried);
	else
		core_after(0, no_web, NULL);
}

/* What was tried is over. */
static void
answer(const char *why)
{
	void (*done)(const char *, void *) = tried_done;

	if (done == NULL)
		return;
	if (why == NULL)
		take(&present, tried.chain, tried.key);
	take(&tried, NULL, NULL);
	tried_done = NULL;
	done(why, tried_arg);
}

void
page_certificate_connected(struct ipc *web)
{
	send_pair(web, PRESENT, &present);
}

void
page_certificate_gone(void)
{
	answer("The web role is starting again: try it once more");
}

void
page_certificate_message(struct ipc_msg *msg)
{
	char *why = wire_get_str(&msg->body, WHY_MAX);

	if (wire_end(&msg->body) == -1) {
		log_warn("front.breach", "a wrong answer of the web role");
		free(why);
		return;
	}
	if (msg->id == TRIED)
		answer(*why != '\0' ? why : NULL);
	else if (*why != '\0') {
		log_error("page.certificate", "%s", why);
		alert_raise("WebUiCertificateSetupFailed", NULL,
		    json_pack("{s:s}", "error", why));
	}
	if (*why == '\0')
		alert_clear("WebUiCertificateSetupFailed", NULL);
	free(why);
}
