/*
 * One connection to an SSH server as a client that never logs in: what it
 * offers, its host key from a real key exchange, the size of its groups, the
 * methods of authentication it names.  Blocking, until a deadline.  No trust
 * is put into the host key: nothing secret is ever sent.  Whether it is the
 * server's own says ssh_client_is_proven().
 */
#ifndef HF_SSH_CLIENT_H
#define HF_SSH_CLIENT_H

#include <sys/socket.h>
#include <stdbool.h>
#include <stdint.h>

#include "services/ssh/ssh_cipher.h"
#include "services/ssh/ssh_offer.h"

struct ssh_client;

/* What is proposed to the server: one name of each. */
struct ssh_proposal {
	const char	*kex, *host_key, *cipher, *mac;
};

/*
 * Connects and says who we are.  NULL: it does not answer.  deadline:
 * boottime_ms()
 */
struct ssh_client *ssh_client_open(const struct sockaddr_storage *, socklen_t,
    int64_t deadline);
void	 ssh_client_free(struct ssh_client *);
/* Why the last of these failed; static. */
const char *ssh_client_why(const struct ssh_client *);

/* The server's identification and KEXINIT: 1, 0 no answer, -1 a wrong one. */
int	 ssh_client_hello(struct ssh_client *);
const struct ssh_offer *ssh_client_offer(const struct ssh_client *);
/* Our KEXINIT: 0 or -1. */
int	 ssh_client_propose(struct ssh_client *, const struct ssh_proposal *);
/* Does the server go on with it, rather than end the connection? */
bool	 ssh_client_is_accepted(struct ssh_client *);
/* The key exchange that was proposed; the host key is kept: 0 or -1. */
int	 ssh_client_exchange(struct ssh_client *);
/* After that: did it sign with the host key that it showed? */
bool	 ssh_client_is_proven(const struct ssh_client *);
const uint8_t *ssh_client_host_key(const struct ssh_client *, size_t *lenp);
/* The size of the group that a group exchange gets: bits, or 0. */
unsigned int ssh_client_group_bits(struct ssh_client *);
/* From here on encrypted: 0 or -1. */
int	 ssh_client_secure(struct ssh_client *,
	    const struct ssh_cipher_choice *);
/*
 * RFC 4252 section 5.2: the methods for that user (malloc'd), or NULL.
 * *acceptedp: he is in already.
 */
char	*ssh_client_methods(struct ssh_client *, const char *user,
	    bool *acceptedp);
/* RFC 4253 section 11.1, with a text that the server writes down. */
void	 ssh_client_leave(struct ssh_client *, const char *text);

#endif
