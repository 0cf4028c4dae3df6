/*
 * API keys as logins see them: entries of the store's "api_key", each the
 * SCRAM-SHA-512 data of a secret that nobody has but its owner, who was shown
 * it once.  Written out a key is "<id>-<secret>".
 */
#ifndef HF_API_KEY_H
#define HF_API_KEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/op.h"
#include "core/scram.h"

#define API_KEY_SECRET_LEN	64	/* letters and digits: 381 bits */

enum api_key_state { API_KEY_GOOD, API_KEY_EXPIRED, API_KEY_REVOKED };

/* A new secret; free with freezero_str(). */
char		*api_key_secret(void);
/* "<id>-<secret>", borrowed from text; false: that is no key. */
bool		 api_key_split(const char *text, int64_t *idp,
		    const char **secretp);

/* The entry, borrowed; NULL: there is none. */
const json_t	*api_key_get(int64_t id);
/* Whose it is: the user's entry, borrowed; NULL: nobody's any more. */
const json_t	*api_key_account(const json_t *key);
/* The same by id; revoked when there is none. */
enum api_key_state api_key_state(int64_t id);
/* When it expires, in ms since the epoch; INT64_MAX: never. */
int64_t		 api_key_expires(const json_t *key);
/* In how many ms; 0: it is over, or revoked. */
int64_t		 api_key_left(int64_t id);
/*
 * What SCRAM needs of it, its salt borrowed from it.  0, or -1 when what is
 * stored is no such data.
 */
int		 api_key_scram(const json_t *key, struct scram_keys *);
/*
 * For what is no key: data that look like one's and are always the same for
 * that name, so that nobody learns which there are.  salt holds its text.
 */
#define API_KEY_SALT_TEXT	25	/* with the NUL */
void		 api_key_made_up(const char *name,
		    char salt[static API_KEY_SALT_TEXT], struct scram_keys *);

/*
 * Derives the keys of a secret in a worker; salt (base64) NULL: a new one.
 * done gets them with the salt's text; keys NULL: error and text.  They are
 * erased when it returns.
 */
struct api_key_derived {
	struct scram_keys	 keys;
	uint8_t			 client_key[SCRAM_KEY_LEN];
};
void		 api_key_derive(const char *secret, const char *salt,
		    unsigned int iterations,
		    void (*done)(const struct api_key_derived *, int error,
			const char *text, void *), void *);

/*
 * It may never be used again, from now on and for this reason, which is told
 * by an event and an alert; sessions that it began end.  Is stored as soon as
 * that is possible.
 */
void		 api_key_revoke(int64_t id, const char *reason);

/* Ids of a user's keys; of those made in a login.  New references. */
json_t		*api_keys_of(int64_t user_id);
json_t		*api_keys_made_in(const char *login_id);

#endif
