/*
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the key in seal.key
 * beside the store, which only core can read.  A random nonce of 96 bits each
 * time: good for 2^32 secrets of one key.
 *
 * What it is for: whoever gets the database file alone, from a backup or a
 * stolen copy, learns no secret, and nobody without the key can make one or
 * move one to another place.  Who can read core's folder has both.
 */
#ifndef HF_SEAL_H
#define HF_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_LEN	32

/*
 * Reads the key of the store in that folder: 1; 0: there is none; -1 with
 * *whyp (malloc'd, one line).  It stays in memory until seal_forget(), which
 * zeroes it.
 */
int	 seal_open(const char *folder, char **whyp);
/*
 * Makes a new key (file of mode 0600, on disk before this returns); one that
 * was there is kept as seal.key.old.  0 or -1 with *whyp.
 */
int	 seal_make(const char *folder, char **whyp);
void	 seal_forget(void);

/*
 * Seals and opens a text; both malloc'd, the plain one to be freed with
 * freezero_str().  place is authenticated with it: it opens there only.  NULL
 * from unseal: another key or place, or damaged.  There has to be a key
 * (seal_open gave 1, or seal_make was called): else sealing is fatal, as a
 * secret must not be lost nor written as it is.
 */
char	*seal_at(const char *place, const char *plain);
char	*unseal_at(const char *place, const char *sealed);
/* The same where the place is no concern. */
char	*seal_text(const char *plain);
char	*unseal_text(const char *sealed);

/* Under a key of the caller's: another machine's, or one of a passphrase. */
char	*seal_with(const uint8_t key[static SEAL_KEY_LEN], const char *place,
	    const void *plain, size_t len);
/* Terminated beyond *lenp; free with freezero(text, *lenp). */
char	*unseal_with(const uint8_t key[static SEAL_KEY_LEN], const char *place,
	    const char *sealed, size_t *lenp);

/* The key itself, for a backup that shall have it; borrowed, NULL: none. */
const uint8_t	*seal_key(void);

#endif
