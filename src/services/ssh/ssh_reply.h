/*
 * What an SSH server sends after its KEXINIT, as a probe needs it: the reply
 * of a key exchange with its host key, the group of a group exchange, the
 * methods of authentication.  Pure parsers of a peer's bytes; pointers are
 * into what was given.
 */
#ifndef HF_SSH_REPLY_H
#define HF_SSH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 4251 section 5.  After any failed getter all later ones fail. */
struct ssh_in {
	const uint8_t	*data;
	size_t		 len, at;
	bool		 bad;
};
uint8_t		 ssh_get_u8(struct ssh_in *);
uint32_t	 ssh_get_u32(struct ssh_in *);
/* Never NULL; *lenp 0 when it is bad. */
const uint8_t	*ssh_get_string(struct ssh_in *, size_t *lenp);

struct ssh_bytes {
	const uint8_t	*data;
	size_t		 len;
};

/* RFC 5656 section 4, RFC 4253 section 8: 0 or -1. */
int	ssh_reply_parse(const uint8_t *payload, size_t, struct ssh_bytes *key,
	    struct ssh_bytes *value, struct ssh_bytes *signature);
/* RFC 4419 section 3: the size of its prime in bits, 0 when malformed. */
unsigned int ssh_reply_group_bits(const uint8_t *payload, size_t);
/*
 * RFC 4252 section 5.1: the methods that can continue (malloc'd, printable),
 * or NULL when malformed.
 */
char	*ssh_reply_methods(const uint8_t *payload, size_t);

#define SSH_KEY_TYPE_MAX 64

struct ssh_key_facts {
	char		 type[SSH_KEY_TYPE_MAX + 1];	/* "ssh-rsa" */
	unsigned int	 bits;	/* 0: of a type that is not known here */
};

/* A public key as it goes over the wire; RFC 4253 section 6.6.  0 or -1. */
int	ssh_key_describe(const uint8_t *blob, size_t, struct ssh_key_facts *);

#endif
