/*
 * One-time codes by time (RFC 6238, HMAC-SHA-1), computed by liboath, and what
 * an authenticator app learns of a secret.
 */
#ifndef HF_TOTP_H
#define HF_TOTP_H

#include <stddef.h>
#include <stdint.h>

#define TOTP_DIGITS	6
#define TOTP_DIGITS_MAX	8
#define TOTP_INTERVAL	30	/* seconds */

struct totp {
	const char	*secret;	/* base32, RFC 4648 */
	int64_t		 interval;	/* seconds that a code stands for */
	int64_t		 digits;	/* TOTP_DIGITS to TOTP_DIGITS_MAX */
};

/* 160 random bits (RFC 4226 section 4, R6); free with freezero_str(). */
char	*totp_new_secret(void);

/*
 * The step of time whose code this is, among those from first to last but not
 * among used; -1: none.  Takes as long whichever it is.
 */
int64_t	 totp_find(const struct totp *, const char *code, int64_t first,
	    int64_t last, const int64_t *used, size_t nused);

/*
 * otpauth://totp/ISSUER:ACCOUNT?..., as authenticator apps read it from a QR
 * code; it holds the secret: free with freezero_str().
 */
char	*totp_uri(const struct totp *, const char *issuer, const char *account);

#endif
