/*
 * SCRAM-SHA-512, the server's side: one exchange of RFC 5802 with SHA-512 in
 * place of SHA-1, as RFC 7677 does it with SHA-256.  Texts in, texts out; it
 * neither looks keys up nor knows what a connection is.
 *
 *	scram_begin() <- client-first-message
 *	scram_challenge() -> server-first-message
 *	scram_finish() <- client-final-message, -> server-final-message
 */
#ifndef HF_SCRAM_H
#define HF_SCRAM_H

#include <stddef.h>
#include <stdint.h>

#define SCRAM_KEY_LEN		64	/* SHA-512 */
#define SCRAM_SALT_LEN		16
#define SCRAM_ITERATIONS	500000	/* protocol.json, api_key */
#define SCRAM_MESSAGE_MAX	1024	/* bytes of one that is read */

/* What a server keeps of a secret (RFC 5802 section 3); texts are base64. */
struct scram_keys {
	const char	*salt;
	unsigned int	 iterations;
	uint8_t		 stored_key[SCRAM_KEY_LEN];
	uint8_t		 server_key[SCRAM_KEY_LEN];
};

/* "tls-server-end-point" of RFC 5929: the hash of our certificate. */
struct scram_binding {
	const uint8_t	*data;
	size_t		 len;		/* 0: this connection has none */
};

struct scram;

/*
 * NULL with *whyp (static) when it is no client-first-message, or wants what
 * is not known: another identity, an extension, another channel binding.
 */
struct scram	*scram_begin(const char *client_first, const char **whyp);
void		 scram_free(struct scram *);	/* NULL is fine */
/* As the client gave it, borrowed. */
const char	*scram_username(const struct scram *);
/*
 * The server-first-message, borrowed.  nonce: the server's part, printable and
 * without a comma.  Once.
 */
const char	*scram_challenge(struct scram *, const char *nonce,
		    const char *salt, unsigned int iterations);
/*
 * The server-final-message, malloc'd, when the client proved that it has the
 * secret; NULL with *whyp (static) else.  After that the exchange is over.
 */
char		*scram_finish(struct scram *, const char *client_final,
		    const struct scram_keys *, const struct scram_binding *,
		    const char **whyp);

#endif
