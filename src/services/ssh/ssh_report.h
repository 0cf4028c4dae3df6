/*
 * What a probe of an SSH server saw: filled by the worker, read by core.
 */
#ifndef HF_SSH_REPORT_H
#define HF_SSH_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire.h"
#include "services/ssh/ssh_offer.h"

#define SSH_HOST_KEYS_MAX 16

struct ssh_host_key {
	char		*algorithm;	/* by which it was proven */
	char		*type;		/* of the key itself */
	uint32_t	 bits;		/* 0: not known */
	char		*fingerprint;	/* "SHA256:..." */
};

enum ssh_trial { TRIAL_NONE, TRIAL_REFUSED, TRIAL_ACCEPTED };

struct ssh_report {
	char		*address;	/* that answered, numeric */
	char		*problem;	/* why it saw no more; "" */
	struct ssh_offer offer;		/* banner "": nobody answered */
	char		*kex, *cipher;	/* that were used; "" */
	struct ssh_host_key host_keys[SSH_HOST_KEYS_MAX];
	uint32_t	 nhost_keys;
	uint32_t	 group_bits;	/* of a group exchange; 0: none */
	char		*methods;	/* of authentication; "": not seen */
	bool		 let_in;	/* without any */
	uint8_t		 none_cipher;	/* enum ssh_trial */
	/* Microseconds since the beginning; 0: not reached. */
	uint32_t	 connected, greeted, exchanged, finished;
};

void	ssh_report_put(struct wire_out *, const struct ssh_report *);
/* 0, or -1 when it is malformed; free it in both cases. */
int	ssh_report_get(struct wire_in *, struct ssh_report *);
void	ssh_report_free(struct ssh_report *);

#endif
