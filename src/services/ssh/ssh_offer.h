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

#include <sys/socket.h>
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
	/* Of the bytes that were parsed: */
	size_t	 used;			/* up to the end of KEXINIT's packet */
	size_t	 kexinit, kexinit_len;	/* where its payload is */
	uint32_t packets;		/* so many, with it */
};

/* Ours, sent first. */
#define SSH_IDENTIFICATION	"SSH-2.0-Holdfast"
#define SSH_OFFER_IDENTIFICATION SSH_IDENTIFICATION "\r\n"

/* Why one leaves; RFC 4253 section 11.1. */
#define SSH_DISCONNECT_BY_APPLICATION	11

/* Numbers of messages; RFC 4253 section 12, RFC 4252 section 6. */
enum {
	SSH_MSG_DISCONNECT = 1, SSH_MSG_IGNORE = 2, SSH_MSG_DEBUG = 4,
	SSH_MSG_SERVICE_REQUEST = 5, SSH_MSG_SERVICE_ACCEPT = 6,
	SSH_MSG_EXT_INFO = 7, SSH_MSG_KEXINIT = 20, SSH_MSG_NEWKEYS = 21,
	SSH_MSG_KEX_INIT = 30, SSH_MSG_KEX_REPLY = 31,
	SSH_MSG_GEX_GROUP = 31, SSH_MSG_GEX_REQUEST = 34,
	SSH_MSG_USERAUTH_REQUEST = 50, SSH_MSG_USERAUTH_FAILURE = 51,
	SSH_MSG_USERAUTH_SUCCESS = 52, SSH_MSG_USERAUTH_BANNER = 53
};

#define SSH_COOKIE_LEN	16
#define SSH_PACKET_MAX	35000	/* RFC 4253 section 6.1 */

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
 * One packet as it is before keys are in use: its payload, and how many bytes
 * it took.
 */
enum ssh_offer_state ssh_packet_parse(const uint8_t *data, size_t len,
    const uint8_t **payload, size_t *payload_len, size_t *used,
    const char **why);

/* "192.0.2.1" or "fe80::1%3", numeric with the scope if any: 0 or -1. */
int	ssh_offer_address(const char *text, uint16_t port,
	    struct sockaddr_storage *, socklen_t *);

/*
 * The exchange with a server, trying again while it refuses or is silent,
 * for the time given; blocking.  The address is numeric, with %scope if any.
 * 1 answered, 0 nobody answered, -1 answered wrongly; *why is static text
 * unless 1.
 */
int	ssh_offer_ask(const char *address, uint16_t port,
	    unsigned int milliseconds, struct ssh_offer *, const char **why);

#endif
