/*
 * What a probe saw, on its way from the worker.  Core does not trust it: the
 * worker read a stranger's bytes.
 */
#include "services/ssh/ssh_report.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define TEXT_MAX 512

void
ssh_report_put(struct wire_out *out, const struct ssh_report *r)
{
	const struct ssh_host_key *key;
	size_t i;

	wire_put_str(out, r->address);
	wire_put_str(out, r->problem);
	wire_put_str(out, r->offer.banner);
	for (i = 0; i < LIST_COUNT; i++)
		wire_put_str(out, r->offer.lists[i]);
	wire_put_str(out, r->kex);
	wire_put_str(out, r->cipher);
	wire_put_u32(out, r->nhost_keys);
	for (key = r->host_keys; key < r->host_keys + r->nhost_keys; key++) {
		wire_put_str(out, key->algorithm);
		wire_put_str(out, key->type);
		wire_put_u32(out, key->bits);
		wire_put_str(out, key->fingerprint);
	}
	wire_put_u32(out, r->group_bits);
	wire_put_str(out, r->methods);
	wire_put_u8(out, r->let_in);
	wire_put_u8(out, r->none_cipher);
	wire_put_u32(out, r->connected);
	wire_put_u32(out, r->greeted);
	wire_put_u32(out, r->exchanged);
	wire_put_u32(out, r->finished);
}

/* Printable, or the message is bad. */
static char *
get_text(struct wire_in *in, size_t max)
{
	char *text = wire_get_str(in, max), *p;

	for (p = text; p != NULL && *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			in->bad = true;
	return text;
}

int
ssh_report_get(struct wire_in *in, struct ssh_report *r)
{
	struct ssh_host_key *key;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->address = get_text(in, TEXT_MAX);
	r->problem = get_text(in, TEXT_MAX);
	r->offer.banner = get_text(in, TEXT_MAX);
	for (i = 0; i < LIST_COUNT; i++)
		r->offer.lists[i] = get_text(in, SSH_OFFER_MAX);
	r->kex = get_text(in, TEXT_MAX);
	r->cipher = get_text(in, TEXT_MAX);
	r->nhost_keys = wire_get_u32(in);
	if (r->nhost_keys > SSH_HOST_KEYS_MAX) {
		r->nhost_keys = 0;
		in->bad = true;
	}
	for (key = r->host_keys; key < r->host_keys + r->nhost_keys; key++) {
		key->algorithm = get_text(in, TEXT_MAX);
		key->type = get_text(in, TEXT_MAX);
		key->bits = wire_get_u32(in);
		key->fingerprint = get_text(in, TEXT_MAX);
	}
	r->group_bits = wire_get_u32(in);
	r->methods = get_text(in, SSH_OFFER_MAX);
	r->let_in = wire_get_u8(in) != 0;
	r->none_cipher = wire_get_u8(in);
	r->connected = wire_get_u32(in);
	r->greeted = wire_get_u32(in);
	r->exchanged = wire_get_u32(in);
	r->finished = wire_get_u32(in);
	return wire_end(in) == -1 || r->none_cipher > TRIAL_ACCEPTED ? -1 : 0;
}

void
ssh_report_free(struct ssh_report *r)
{
	struct ssh_host_key *key;

	for (key = r->host_keys; key < r->host_keys + r->nhost_keys; key++) {
		free(key->algorithm);
		free(key->type);
		free(key->fingerprint);
	}
	free(r->address);
	free(r->problem);
	free(r->kex);
	free(r->cipher);
	free(r->methods);
	ssh_offer_free(&r->offer);
	memset(r, 0, sizeof(*r));
}
