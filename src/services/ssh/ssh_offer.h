/*
 * The client's side of the SSH transport up to the server's KEXINIT: the
 * identification strings (RFC 4253 section 4.2), the binary packet (6) and
 * SSH_MSG_KEXINIT (7.1).  What a server offers is learnt without a key, a
 * name or a secret.
 *
 * The parser takes bytes as they come and knows no socket.
 */
#ifndef HF_SSH_OFFER_H
#define HF_SSH_OFFER_H

#include <stddef.h>
#include <stdint.h>

/* The name-lists of SSH_MSG_KEXINIT, in their order. */
enum ssh_list {
	LIST_KEX,
	LIST_HOST_KEY,
	LIST_CIPHER_IN,
	LIST_CIPHER_OUT,	/* client to server, back */
	LIST_MAC_IN,
	LIST_MAC_OUT,
	LIST_COMPRESSION_IN,
	LIST_COMPRESSION_OUT,
	LIST_LANGUAGE_IN,
	LIST_LANGUAGE_OUT,
	LIST_COUNT
};

struct ssh_offer {
	char	*banner;		/* "SSH-2.0-OpenSSH_9.2p1 ..." */
	char	*lists[LIST_COUNT];	/* comma-separated; "" when empty */
};

/* Ours, sent first. */
#define SSH_OFFER_IDENTIFICATION "SSH-2.0-Holdfast\r\n"

/* More than any server needs before its KEXINIT is whole. */
#define SSH_OFFER_MAX	(64 * 1024)

enum ssh_offer_state { OFFER_MORE, OFFER_DONE, OFFER_BAD };

/*
 * Parses what came so far.  OFFER_DONE: the offer is filled (free it with
 * ssh_offer_free); OFFER_BAD: no such server, *why is static text;
 * OFFER_MORE: bytes are missing, and less than SSH_OFFER_MAX came.
 */
enum ssh_offer_state ssh_offer_parse(const uint8_t *data, size_t len,
    struct ssh_offer *, const char **why);
void	ssh_offer_free(struct ssh_offer *);

/*
 * The exchange with a server, trying again while it refuses or is silent,
 * for the time given; blocking.  The address is numeric, with %scope if any.
 * 1 answered, 0 nobody answered, -1 answered wrongly; *why is static text
 * unless 1.
 */
int	ssh_offer_ask(const char *address, uint16_t port,
	    unsigned int milliseconds, struct ssh_offer *, const char **why);

#endif
