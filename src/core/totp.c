/*
 * One-time codes by time: see totp.h.
 */
#include "core/totp.h"

#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/log.h"
#include "lib/xalloc.h"

#define SECRET_BYTES 20

char *
totp_new_secret(void)
{
	char bytes[SECRET_BYTES], *encoded = NULL, *secret;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		fatal("getrandom gives nothing");
	if (oath_base32_encode(bytes, sizeof(bytes), &encoded, NULL) != OATH_OK)
		fatal("a secret cannot be encoded");
	explicit_bzero(bytes, sizeof(bytes));
	secret = xstrdup(encoded);
	freezero_str(encoded);
	return secret;
}

static bool
is_code(const struct totp *t, const char *code)
{
	return strlen(code) == (size_t)t->digits &&
	    strspn(code, "0123456789") == (size_t)t->digits;
}

static bool
is_used(int64_t step, const int64_t *used, size_t nused)
{
	size_t i;

	for (i = 0; i < nused; i++)
		if (used[i] == step)
			return true;
	return false;
}

int64_t
totp_find(const struct totp *t, const char *code, int64_t first, int64_t last,
    const int64_t *used, size_t nused)
{
	char right[TOTP_DIGITS_MAX + 1], *key = NULL;
	int64_t step, found = -1;
	size_t len;
	bool same;

	if (t->digits < TOTP_DIGITS || t->digits > TOTP_DIGITS_MAX ||
	    !is_code(t, code) ||
	    oath_base32_decode(t->secret, strlen(t->secret), &key, &len) !=
		OATH_OK)
		return -1;
	for (step = first < 0 ? 0 : first; step <= last; step++) {
		if (oath_hotp_generate(key, len, (uint64_t)step,
			(unsigned int)t->digits, false,
			OATH_HOTP_DYNAMIC_TRUNCATION, right) != OATH_OK)
			break;
		same = CRYPTO_memcmp(right, code, (size_t)t->digits) == 0;
		if (same && !is_used(step, used, nused))
			found = step;
	}
	explicit_bzero(right, sizeof(right));
	freezero(key, len);
	return found;
}

/* Percent-encoded but for what RFC 3986 section 2.3 calls unreserved. */
static char *
encoded(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	char *out = xcalloc(3 * strlen(text) + 1, 1), *p = out;

	for (; *text != '\0'; text++) {
		if (strchr(unreserved, *text) != NULL) {
			*p++ = *text;
			continue;
		}
		*p++ = '%';
		*p++ = hex[(unsigned char)*text >> 4];
		*p++ = hex[(unsigned char)*text & 15];
	}
	return out;
}

char *
totp_uri(const struct totp *t, const char *issuer, const char *account)
{
	char *by = encoded(issuer), *whose = encoded(account), *uri;

	uri = xasprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&digits=%lld"
			"&period=%lld",
	    by, whose, t->secret, by, (long long)t->digits,
	    (long long)t->interval);
	free(by);
	free(whose);
	return uri;
}
