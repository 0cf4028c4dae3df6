/*
 * The task hash-password: yescrypt, as crypt(5) names it.
 */
#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "lib/xalloc.h"
#include "worker/tasks.h"

#define PASSWORD_MAX (64 * 1024) /* to read; crypt(3) takes far less */

int
task_hash_password(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct crypt_data *data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char *password = wire_get_str(in, PASSWORD_MAX), *salt, *hash;
	int error = 0;

	if (wire_end(in) == -1) {
		freezero_str(password);
		return EPROTO;
	}
	if (strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE) {
		freezero_str(password);
		*why = "the password is too long";
		return E2BIG;
	}
	data = xcalloc(1, sizeof(*data));
	/* Cost 0: the library's own choice.  Randomness from getrandom. */
	salt = crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting));
	if (salt == NULL) {
		error = errno;
		*why = "no salt could be made";
	} else {
		hash = crypt_rn(password, setting, data, sizeof(*data));
		if (hash == NULL) {
			error = errno != 0 ? errno : EINVAL;
			*why = "the password could not be hashed";
		} else
			wire_put_str(out, hash);
	}
	explicit_bzero(setting, sizeof(setting));
	freezero(data, sizeof(*data));
	freezero_str(password);
	return error;
}
