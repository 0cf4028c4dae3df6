/*
 * Certificates of OpenSSH (its PROTOCOL.certkeys) as one line of text,
 * "type base64 comment", taken apart.  What a certificate says is said by who
 * signed it: the signature is not looked at here.
 */
#ifndef HF_SSH_CERTIFICATE_H
#define HF_SSH_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSH_CERTIFICATE_MAX	((size_t)16 * 1024) /* characters of its line */
#define SSH_CERTIFICATE_NAMES	256
#define SSH_CERTIFICATE_FOREVER	UINT64_MAX	/* of before */

struct ssh_certificate {
	bool		 host;		/* of a host; else of a user */
	char		*type;		/* "ssh-ed25519-cert-v01@openssh.com" */
	char		*public;	/* the key it is about: "type base64" */
	char		*ca;		/* and the one that signed it */
	char		*key_id;	/* printable ASCII; '?' for the rest */
	uint64_t	 serial;
	uint64_t	 after, before;	/* valid from, and until: time(2) */
	size_t		 nprincipals;	/* 0: of anybody */
	char		*principals[SSH_CERTIFICATE_NAMES]; /* as key_id */
	bool		 critical;	/* there are critical options */
	/*
	 * As it goes over the wire: what is signed is its beginning; who
	 * signed it, and the signature, are within.
	 */
	uint8_t		*blob;
	size_t		 signed_len;
	const uint8_t	*ca_key, *signature;
	size_t		 ca_key_len, signature_len;
};

/* Does a line begin as one? */
bool	 ssh_certificate_is(const char *line);
/*
 * Fills a zeroed struct, to be freed in any case.  0, or -1 with *why
 * (static), which completes "it ...".
 */
int	 ssh_certificate_read(const char *line, struct ssh_certificate *,
	    const char **why);
void	 ssh_certificate_free(struct ssh_certificate *);

#endif
