/*
 * Proposals that a server accepts: see ssh_proposal.h.
 */
#include "services/ssh/ssh_proposal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_kex.h"
#include "services/ssh/ssh_names.h"

static char *
first_name(const char *list)
{
	return xstrndup(list, strcspn(list, ","));
}

bool
ssh_proposing_make(const struct ssh_offer *offer, const char *algorithm,
    struct ssh_proposing *p)
{
	const char *ciphers = offer->lists[LIST_CIPHER_IN];
	const char *macs = offer->lists[LIST_MAC_IN];

	memset(p, 0, sizeof(*p));
	p->choice = ssh_cipher_choose(ciphers, macs);
	p->cipher = first_name(ciphers);
	p->mac = first_name(macs);
	p->names.kex = ssh_kex_choose(offer->lists[LIST_KEX]);
	p->names.host_key = algorithm;
	p->names.cipher =
	    p->choice.cipher != NULL ? p->choice.cipher : p->cipher;
	p->names.mac = p->choice.cipher != NULL &&
		ssh_names_have(macs, p->choice.mac, strlen(p->choice.mac)) ?
	    p->choice.mac :
	    p->mac;
	return p->names.kex != NULL;
}

void
ssh_proposing_free(struct ssh_proposing *p)
{
	free(p->cipher);
	free(p->mac);
}
