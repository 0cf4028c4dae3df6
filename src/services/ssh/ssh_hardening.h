/*
 * Which algorithms sshd is to offer: the lists of each choice of hardening,
 * less what the installed OpenSSH does not have.
 */
#ifndef HF_SSH_HARDENING_H
#define HF_SSH_HARDENING_H

#include <stdbool.h>
#include <stdint.h>

enum hardening { HARDENING_MODERN, HARDENING_FIPS, HARDENING_COMPATIBLE };

extern const char *const ssh_hardenings[];	/* their names; NULL */

enum ssh_algorithms {
	ALGORITHMS_KEX, ALGORITHMS_HOST_KEY, ALGORITHMS_CIPHER,
	ALGORITHMS_MAC, ALGORITHMS_COUNT
};

/* What the installed OpenSSH is and has: `ssh -V`, `ssh -Q`. */
struct ssh_installed {
	unsigned int	 version;	/* 902 is 9.2; 0: not known */
	const char	*lists[ALGORITHMS_COUNT];	/* comma-separated */
};

/* Comma-separated; "": sshd's own choice is right. */
const char	*ssh_hardening_list(int hardening, enum ssh_algorithms,
		    const struct ssh_installed *);
/*
 * The same less what is not installed (malloc'd).  host_keys: the types, as
 * bits by ssh_host_key_types, that are offered besides.  NULL: sshd's own
 * choice is right, or nothing that is asked for is there.
 */
char		*ssh_hardening_offer(int hardening, enum ssh_algorithms,
		    const struct ssh_installed *, uint32_t host_keys);

/* The types of host keys that are offered, as bits by ssh_host_key_types. */
uint32_t	 ssh_hardening_host_keys(int hardening,
		    const struct ssh_installed *);

/* RSA keys below so many bits are refused; 0: as sshd has it. */
unsigned int	 ssh_hardening_rsa_bits(int hardening);

#endif
