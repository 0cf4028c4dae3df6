/*
 * What is proposed to a server whose lists are known, so that it accepts.
 */
#ifndef HF_SSH_PROPOSAL_H
#define HF_SSH_PROPOSAL_H

#include <stdbool.h>

#include "services/ssh/ssh_client.h"

struct ssh_proposing {
	struct ssh_proposal	 names;
	struct ssh_cipher_choice choice;
	char			*cipher, *mac;	/* the server's own first
						   ones, if need be */
};

/*
 * With that algorithm of the host key, which has to outlive it.  False: there
 * is no key exchange that we have as well.  Free it in both cases.
 */
bool	ssh_proposing_make(const struct ssh_offer *, const char *algorithm,
	    struct ssh_proposing *);
void	ssh_proposing_free(struct ssh_proposing *);

#endif
