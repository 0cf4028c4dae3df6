/*
 * Tokens: another way in for somebody who is logged in, for a while
 * (protocol.json "token").  Only hashes of them are kept, in memory; they end
 * with us, with the session that made them when somebody ends that, and with
 * what they rest on.  Those to reconnect with outlive us: reconnect.h.
 */
#ifndef HF_TOKEN_H
#define HF_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/session.h"

#define TOKEN_TTL	600	/* seconds, where nothing is said */
#define TOKEN_LENGTH	64	/* characters: 48 random bytes in base64url */

/* Where a request comes from. */
struct token_origin {
	const char	*address;	/* NULL: the Unix socket */
	uid_t		 uid;		/* of the peer there */
};

struct token_options {
	const struct token_origin *origin;	/* only from there; NULL: any */
	int64_t		 ttl;		/* seconds since its last use */
	bool		 single_use;
	const json_t	*attributes;	/* what it is for; NULL, {}: a login */
};

/*
 * A new token of that session, or NULL when its user has too many: the text,
 * a secret, the only copy.  Free with freezero_str().
 */
char	*token_new(struct session *, const struct token_options *);
/*
 * The session that made the token, if it is good there and for exactly these
 * attributes; NULL else.  This counts as its use.  The reference is the
 * caller's.  hash (may be NULL) gets what token_end() wants.
 */
struct session *token_use(const char *text, const struct token_origin *,
	    const json_t *attributes, unsigned char hash[TOKEN_HASH]);
/*
 * Ends one token; those that a session made, or one that a token of it logged
 * in.  No matter if there are none.
 */
void	 token_end(const unsigned char hash[static TOKEN_HASH]);
void	 token_end_of(const struct session *maker);
/* Ends those of an account but what root made on the Unix socket. */
void	 token_end_account(uid_t);
/*
 * Accounts changed: a token ends when its account's password, lock or rights
 * are not those that it had (session.stamp).
 */
void	 token_review(void);

/* Fresh random text for one; what is kept of it. */
char	*token_text(void);
void	 token_hash(const char *text, unsigned char [static TOKEN_HASH]);

#endif
