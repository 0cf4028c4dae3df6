/*
 * The connections of a probe, one after the other:
 *
 *	the first	versions, lists, a host key, methods of authentication
 *	one each	for the other types of host keys
 *	one		for the group of a group exchange
 *	one		that knows no cipher but "none"
 *
 * A server may refuse the later ones (it limits how many come from one
 * address); then what they would have shown stays unknown.
 */
#include "services/ssh/ssh_look.h"

#include <netdb.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base64.h"
#include "lib/boottime.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_client.h"
#include "services/ssh/ssh_kex.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_proposal.h"
#include "services/ssh/ssh_reply.h"

#define ADDRESSES_MAX 4
#define FINGERPRINT_LEN 32
#define SPARES_MAX 4

struct look {
	const struct ssh_look *how;
	struct ssh_report *report;
	struct sockaddr_storage address;
	socklen_t address_len;
	int64_t deadline;
	struct timespec begin;
	struct ssh_client *spare[SPARES_MAX];
	size_t nspare;
};

static uint32_t
elapsed(const struct look *look)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((now.tv_sec - look->begin.tv_sec) * 1000000 +
	    (now.tv_nsec - look->begin.tv_nsec) / 1000);
}

static void
set_text(char **at, const char *text)
{
	free(*at);
	*at = xstrdup(text);
}

static char *
first_name(const char *list)
{
	return xstrndup(list, strcspn(list, ","));
}

/* By which key an algorithm signs; its type is the same for several. */
static const char *
key_type(const char *algorithm)
{
	static const char *const rsa[] = { "rsa-sha2-512", "rsa-sha2-256" };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (strcmp(algorithm, rsa[i]) == 0)
			return "ssh-rsa";
		if (strncmp(algorithm, rsa[i], strlen(rsa[i])) == 0 &&
		    strcmp(algorithm + strlen(rsa[i]),
			"-cert-v01@openssh.com") == 0)
			return "ssh-rsa-cert-v01@openssh.com";
	}
	return algorithm;
}

static struct ssh_host_key *
add_host_key(struct ssh_report *r, const char *algorithm)
{
	struct ssh_host_key *key;

	if (r->nhost_keys == SSH_HOST_KEYS_MAX)
		return NULL;
	key = &r->host_keys[r->nhost_keys++];
	key->algorithm = xstrdup(algorithm);
	key->type = xstrdup(key_type(algorithm));
	key->fingerprint = xstrdup("");
	return key;
}

/* As ssh-keygen(1) -l shows it. */
static char *
fingerprint_of(const uint8_t *blob, size_t len)
{
	uint8_t hash[FINGERPRINT_LEN];
	char *text, *with;
	size_t n;

	if (EVP_Digest(blob, len, hash, NULL, EVP_sha256(), NULL) != 1)
		return xstrdup("");
	text = base64_encode(hash, sizeof(hash));
	n = strcspn(text, "=");
	with = xasprintf("SHA256:%.*s", (int)n, text);
	free(text);
	return with;
}

static void
learn_host_key(struct ssh_host_key *key, const struct ssh_client *c)
{
	struct ssh_key_facts facts;
	size_t len;
	const uint8_t *blob = ssh_client_host_key(c, &len);

	if (key == NULL || blob == NULL ||
	    ssh_key_describe(blob, len, &facts) == -1)
		return;
	set_text(&key->type, facts.type);
	key->bits = facts.bits;
	free(key->fingerprint);
	key->fingerprint = fingerprint_of(blob, len);
}

/*
 * The connections that will be needed, so that the server prepares its part of
 * them side by side: one a type of host key but the first, two more.
 */
static void
open_spares(struct look *look)
{
	const char *list = look->report->offer.lists[LIST_HOST_KEY];
	const char *at = NULL, *p;
	size_t len, wanted = look->how->try_none ? 1 : 0;
	struct ssh_client *c;

	while ((p = ssh_names_next(list, &at, &len)) != NULL)
		if (p != list &&
		    !(len == 12 && memcmp(p, "rsa-sha2-256", len) == 0))
			wanted++;
	if (strstr(look->report->offer.lists[LIST_KEX], "group-exchange"))
		wanted++;
	while (look->nspare < wanted && look->nspare < SPARES_MAX &&
	    (c = ssh_client_open(
		 &look->address, look->address_len, look->deadline)) != NULL)
		look->spare[look->nspare++] = c;
}

/* A connection of which the server's KEXINIT is there; NULL: none. */
static struct ssh_client *
begin(struct look *look)
{
	struct ssh_client *c;

	if (look->nspare > 0)
		c = look->spare[--look->nspare];
	else
		c = ssh_client_open(
		    &look->address, look->address_len, look->deadline);
	if (c == NULL || ssh_client_hello(c) == 1)
		return c;
	ssh_client_free(c);
	return NULL;
}

static void
copy_offer(struct ssh_offer *to, const struct ssh_offer *from)
{
	size_t i;

	to->banner = xstrdup(from->banner);
	for (i = 0; i < LIST_COUNT; i++)
		to->lists[i] = xstrdup(from->lists[i]);
}

/* With keys in use: who may log in by what? */
static void
ask_methods(
    struct look *look, struct ssh_client *c, const struct ssh_proposing *p)
{
	struct ssh_report *r = look->report;
	char *methods;

	if (p->choice.cipher == NULL) {
		set_text(&r->problem,
		    "no cipher in common: authentication was not seen");
		return;
	}
	if (ssh_client_secure(c, &p->choice) == -1) {
		set_text(&r->problem, ssh_client_why(c));
		return;
	}
	r->exchanged = elapsed(look);
	set_text(&r->cipher, p->choice.cipher);
	methods = ssh_client_methods(c, look->how->user, &r->let_in);
	if (look->how->farewell[0] != '\0')
		ssh_client_leave(c, look->how->farewell);
	if (methods == NULL)
		set_text(&r->problem, ssh_client_why(c));
	else
		set_text(&r->methods, methods);
	free(methods);
}

/* The first connection, from its KEXINIT on. */
static void
look_first(struct look *look, struct ssh_client *c)
{
	struct ssh_report *r = look->report;
	char *algorithm = first_name(r->offer.lists[LIST_HOST_KEY]);
	struct ssh_proposing p;

	if (!ssh_proposing_make(&r->offer, algorithm, &p))
		set_text(&r->problem,
		    "no key exchange in common: host keys and authentication "
		    "were not seen");
	else if (ssh_client_propose(c, &p.names) == -1 ||
	    ssh_client_exchange(c) == -1)
		set_text(&r->problem, ssh_client_why(c));
	else {
		set_text(&r->kex, p.names.kex);
		learn_host_key(add_host_key(r, algorithm), c);
		ask_methods(look, c, &p);
	}
	ssh_proposing_free(&p);
	free(algorithm);
}

/* A host key of that type was seen: the same for another algorithm. */
static bool
copy_host_key(struct ssh_report *r, const char *algorithm)
{
	const char *type = key_type(algorithm);
	struct ssh_host_key *key, *known;
	uint32_t i;

	for (i = 0; i < r->nhost_keys; i++) {
		known = &r->host_keys[i];
		if (strcmp(key_type(known->algorithm), type) != 0)
			continue;
		if (strcmp(known->algorithm, algorithm) == 0 ||
		    (key = add_host_key(r, algorithm)) == NULL)
			return true;
		set_text(&key->type, known->type);
		key->bits = known->bits;
		set_text(&key->fingerprint, known->fingerprint);
		return true;
	}
	return false;
}

static void
look_host_key(struct look *look, const char *algorithm)
{
	struct ssh_report *r = look->report;
	struct ssh_host_key *key;
	struct ssh_client *c;
	struct ssh_proposing p;

	if (copy_host_key(r, algorithm) ||
	    (key = add_host_key(r, algorithm)) == NULL || *r->kex == '\0')
		return;
	if ((c = begin(look)) == NULL)
		return;
	if (ssh_proposing_make(&r->offer, algorithm, &p) &&
	    ssh_client_propose(c, &p.names) == 0 && ssh_client_exchange(c) == 0)
		learn_host_key(key, c);
	ssh_proposing_free(&p);
	ssh_client_free(c);
}

static void
look_host_keys(struct look *look)
{
	const char *list = look->report->offer.lists[LIST_HOST_KEY];
	const char *at = NULL, *p;
	char *name;
	size_t len;

	while ((p = ssh_names_next(list, &at, &len)) != NULL) {
		name = xstrndup(p, len);
		look_host_key(look, name);
		free(name);
	}
}

/* The smallest group that is given to who asks for little. */
static void
look_group(struct look *look)
{
	static const char *const names[] = {
		"diffie-hellman-group-exchange-sha256",
		"diffie-hellman-group-exchange-sha1"
	};
	struct ssh_report *r = look->report;
	char *algorithm = first_name(r->offer.lists[LIST_HOST_KEY]);
	struct ssh_client *c;
	struct ssh_proposing p;
	size_t i;

	(void)ssh_proposing_make(&r->offer, algorithm, &p);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!ssh_names_have(
			r->offer.lists[LIST_KEX], names[i], strlen(names[i])) ||
		    (c = begin(look)) == NULL)
			continue;
		p.names.kex = names[i];
		if (ssh_client_propose(c, &p.names) == 0)
			r->group_bits = ssh_client_group_bits(c);
		ssh_client_free(c);
		break;
	}
	ssh_proposing_free(&p);
	free(algorithm);
}

static void
look_none(struct look *look)
{
	struct ssh_report *r = look->report;
	char *algorithm = first_name(r->offer.lists[LIST_HOST_KEY]);
	struct ssh_client *c;
	struct ssh_proposing p;

	if (ssh_proposing_make(&r->offer, algorithm, &p) &&
	    (c = begin(look)) != NULL) {
		p.names.cipher = "none";
		if (ssh_client_propose(c, &p.names) == 0)
			r->none_cipher = ssh_client_is_accepted(c) ?
			    TRIAL_ACCEPTED :
			    TRIAL_REFUSED;
		ssh_client_free(c);
	}
	ssh_proposing_free(&p);
	free(algorithm);
}

/* An address and the connection to it; NULL with the report's problem. */
static struct ssh_client *
connect_to(struct look *look, const struct sockaddr *address, socklen_t len)
{
	struct ssh_client *c;
	char text[NI_MAXHOST];

	if (len > sizeof(look->address))
		return NULL;
	memcpy(&look->address, address, len);
	look->address_len = len;
	if (getnameinfo(
		address, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
		set_text(&look->report->address, text);
	c = ssh_client_open(&look->address, len, look->deadline);
	if (c == NULL)
		set_text(&look->report->problem, "nobody answers");
	return c;
}

static struct ssh_client *
resolve(struct look *look, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *a;
	struct ssh_client *c = NULL;
	char port[8];
	int n = 0;

	snprintf(port, sizeof(port), "%u", (unsigned int)look->how->port);
	if (getaddrinfo(look->how->host, port, &hints, &list) != 0) {
		*why = "the name has no address";
		return NULL;
	}
	for (a = list; a != NULL && c == NULL && n < ADDRESSES_MAX;
	     a = a->ai_next, n++)
		c = connect_to(look, a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	return c;
}

static struct ssh_client *
connect_host(struct look *look, const char **why)
{
	struct sockaddr_storage ss;
	socklen_t len;

	if (ssh_offer_address(look->how->host, look->how->port, &ss, &len) == 0)
		return connect_to(look, (struct sockaddr *)&ss, len);
	if (look->how->resolve)
		return resolve(look, why);
	*why = "this is no address";
	return NULL;
}

static void
look_all(struct look *look, struct ssh_client *c)
{
	struct ssh_report *r = look->report;

	r->connected = elapsed(look);
	if (ssh_client_hello(c) != 1) {
		set_text(&r->problem, ssh_client_why(c));
		ssh_client_free(c);
		return;
	}
	r->greeted = elapsed(look);
	copy_offer(&r->offer, ssh_client_offer(c));
	open_spares(look);
	look_first(look, c);
	ssh_client_free(c);
	look_host_keys(look);
	look_group(look);
	if (look->how->try_none)
		look_none(look);
	while (look->nspare > 0)
		ssh_client_free(look->spare[--look->nspare]);
	r->finished = elapsed(look);
}

int
ssh_look(
    const struct ssh_look *how, struct ssh_report *report, const char **why)
{
	struct look look = { .how = how,
		.report = report,
		.deadline = boottime_ms() + how->milliseconds };
	struct ssh_client *c;

	set_text(&report->problem, "");
	set_text(&report->kex, "");
	clock_gettime(CLOCK_MONOTONIC, &look.begin);
	c = connect_host(&look, why);
	if (c != NULL)
		look_all(&look, c);
	return c == NULL && report->address == NULL ? -1 : 0;
}
