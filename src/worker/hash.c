/*
 * The task hash-password: a crypt(5) hash of a new password, unless one of
 * those that were had before is of the same.
 */
#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "lib/xalloc.h"
#include "worker/tasks.h"

#define PASSWORD_MAX (64 * 1024) /* to read; crypt(3) takes far less */
#define KEPT_MAX 16
#define HASH_MAX 512

/* clang-format off */
static const struct {
	const char *prefix;
	unsigned long rounds;	/* 0: the library's own choice */
} schemes[HASH_SCHEME_COUNT] = {
	[HASH_YESCRYPT] = { "$y$", 0 },
	[HASH_SHA512] = { "$6$", 656000 },
};
/* clang-format on */

/* In a time that does not tell where they differ. */
static bool
same_text(const char *a, const char *b)
{
	size_t i, len = strlen(a);
	unsigned char difference = 0;

	if (strlen(b) != len)
		return false;
	for (i = 0; i < len; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

/* Reads all of the kept hashes, whatever the first ones say. */
static bool
is_kept(
    const char *password, struct wire_in *in, struct crypt_data *data, int *r)
{
	uint32_t i, count = wire_get_u32(in);
	bool kept = false;
	char *hash, *again;

	if (count > KEPT_MAX)
		in->bad = true;
	for (i = 0; i < count && !in->bad; i++) {
		hash = wire_get_str(in, HASH_MAX);
		/* What no crypt(3) makes ("!", "*") is nobody's password. */
		again = hash == NULL || hash[0] != '$' ?
		    NULL :
		    crypt_rn(password, hash, data, sizeof(*data));
		kept |= again != NULL && same_text(again, hash);
		freezero_str(hash);
	}
	*r = wire_end(in) == -1 ? EPROTO : 0;
	return kept;
}

static int
hash_new(const char *password, enum hash_scheme scheme, struct wire_out *out,
    struct crypt_data *data, const char **why)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], *salt, *hash;
	int error = 0;

	/* Randomness from getrandom. */
	salt = crypt_gensalt_rn(schemes[scheme].prefix, schemes[scheme].rounds,
	    NULL, 0, setting, sizeof(setting));
	if (salt == NULL) {
		*why = "no salt could be made";
		return errno;
	}
	hash = crypt_rn(password, setting, data, sizeof(*data));
	if (hash == NULL) {
		error = errno != 0 ? errno : EINVAL;
		*why = "the password could not be hashed";
	} else
		wire_put_str(out, hash);
	explicit_bzero(setting, sizeof(setting));
	return error;
}

int
task_hash_password(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	uint8_t scheme = wire_get_u8(in);
	char *password = wire_get_str(in, PASSWORD_MAX);
	int error = 0;
	bool kept;

	if (password == NULL || scheme >= HASH_SCHEME_COUNT) {
		error = EPROTO;
	} else if (strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE) {
		*why = "the password is too long";
		error = E2BIG;
	} else {
		kept = is_kept(password, in, data, &error);
		if (error == 0) {
			wire_put_u8(out, kept);
			if (kept)
				wire_put_str(out, "");
			else
				error =
				    hash_new(password, scheme, out, data, why);
		}
	}
	freezero(data, sizeof(*data));
	freezero_str(password);
	return error;
}
