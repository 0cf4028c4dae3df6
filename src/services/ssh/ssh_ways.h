/*
 * By which ways sshd would let an account in, told from its effective
 * configuration for it (`sshd -T -C user=...`): pure.
 */
#ifndef HF_SSH_WAYS_H
#define HF_SSH_WAYS_H

#include <stdbool.h>

enum ssh_way {
	SSH_WAY_KEY	 = 1 << 0,
	SSH_WAY_PASSWORD = 1 << 1,
	/* Whether anybody has a certificate for it, nobody knows. */
	SSH_WAY_CERTIFICATE = 1 << 2,
	/* Nor whether the realm has such a principal. */
	SSH_WAY_TICKET = 1 << 3
};

struct ssh_account {
	const char		*name;
	bool			 root;
	const char *const	*groups;	/* names; NULL ends */
	bool			 has_key, has_password;
	bool			 has_realm;	/* and the machine a keytab */
};

/*
 * A set of enum ssh_way.  From where somebody comes is not known: what holds
 * for some addresses only (AllowUsers name@address) counts as open.
 */
unsigned int	ssh_ways(const char *effective, const struct ssh_account *);

#endif
