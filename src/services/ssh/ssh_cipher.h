/*
 * Packets of the SSH transport once keys are in use, one direction each: AES
 * in GCM (RFC 5647, as OpenSSH has it) and in counter mode (RFC 4344) with a
 * hash that is over the plain packet (RFC 6668) or over the encrypted one
 * (OpenSSH's -etm).  By OpenSSL.
 */
#ifndef HF_SSH_CIPHER_H
#define HF_SSH_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/ssh/ssh_offer.h"

struct ssh_cipher;

struct ssh_cipher_choice {
	const char	*cipher;	/* NULL: nothing in common; static */
	const char	*mac;		/* also where the cipher needs none */
	size_t		 key_len, iv_len, mac_key_len;
};

/* The first of ours that are in the comma-separated lists. */
struct ssh_cipher_choice ssh_cipher_choose(const char *cipher_list,
    const char *mac_list);

/* NULL when OpenSSL fails. */
struct ssh_cipher *ssh_cipher_new(const struct ssh_cipher_choice *,
    bool encrypt, const uint8_t *key, const uint8_t *iv,
    const uint8_t *mac_key);
void	 ssh_cipher_free(struct ssh_cipher *);

/* The packet of a payload (malloc'd), or NULL; sequence numbers from 0. */
uint8_t	*ssh_cipher_seal(struct ssh_cipher *, uint32_t sequence,
	    const uint8_t *payload, size_t len, size_t *packet_len);
/*
 * The payload of the packet that data begins with (malloc'd), and how many
 * bytes it took; OFFER_MORE: it is not whole.  Between calls data may grow,
 * not change.
 */
enum ssh_offer_state ssh_cipher_open(struct ssh_cipher *, uint32_t sequence,
    const uint8_t *data, size_t len, uint8_t **payload, size_t *payload_len,
    size_t *used, const char **why);

#endif
