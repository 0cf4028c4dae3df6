/*
 * Secrets at rest: see seal.h.  A sealed text is
 *
 *	"1:" base64(nonce (12) tag (16) ciphertext)
 *
 * and authenticates "holdfast-seal-1", NUL, place.
 */
#include "core/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base64.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define FILE_NAME "seal.key"
#define REPLACED "seal.key.old"
#define TEMPORARY "seal.key.new"
#define VERSION "1:"
#define CONTEXT "holdfast-seal-1"
#define NONCE_LEN 12
#define TAG_LEN 16
#define HEAD_LEN (NONCE_LEN + TAG_LEN)
#define SEALED_MAX (64 << 20) /* far above any document */

static uint8_t own_key[SEAL_KEY_LEN];
static bool have_key;

static int
complain(const char *folder, const char *what, char **whyp)
{
	*whyp = xasprintf("%s/" FILE_NAME " %s", folder, what);
	return -1;
}

static int
complain_errno(const char *folder, const char *what, char **whyp)
{
	char *text = xasprintf("%s (%s)", what, strerror(errno));

	complain(folder, text, whyp);
	free(text);
	return -1;
}

int
seal_open(const char *folder, char **whyp)
{
	char *data = NULL;
	size_t len = 0;
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = file_read_at(dir, FILE_NAME, SEAL_KEY_LEN, &data, &len);
	int error = errno;

	*whyp = NULL;
	if (dir != -1)
		close(dir);
	errno = error;
	if (rc == -1 && errno == ENOENT)
		return 0;
	if (rc == -1 && errno != EFBIG)
		return complain_errno(folder, "can not be read", whyp);
	if (rc == -1 || len != SEAL_KEY_LEN) {
		freezero(data, len);
		return complain(folder,
		    "is no key: put the right one back, or restore a copy of "
		    "the configuration",
		    whyp);
	}
	memcpy(own_key, data, SEAL_KEY_LEN);
	freezero(data, len);
	have_key = true;
	return 1;
}

/* Not file_install(): core may not give files to others, nor has to. */
static int
write_key(int dir, const uint8_t fresh[static SEAL_KEY_LEN])
{
	int fd = openat(dir, TEMPORARY,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd == -1)
		return -1;
	rc = file_write_all(fd, fresh, SEAL_KEY_LEN);
	if (rc == 0)
		rc = fsync(fd);
	close(fd);
	if (rc == 0 && renameat(dir, FILE_NAME, dir, REPLACED) == -1 &&
	    errno != ENOENT)
		rc = -1;
	if (rc == 0)
		rc = renameat(dir, TEMPORARY, dir, FILE_NAME);
	return rc == 0 ? fsync(dir) : -1;
}

int
seal_make(const char *folder, char **whyp)
{
	uint8_t fresh[SEAL_KEY_LEN];
	int dir, rc;

	*whyp = NULL;
	if (RAND_priv_bytes(fresh, sizeof(fresh)) != 1)
		fatal("seal: no randomness");
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = write_key(dir, fresh);
	if (rc == -1)
		complain_errno(folder, "can not be made", whyp);
	if (dir != -1)
		close(dir);
	if (rc == 0) {
		memcpy(own_key, fresh, SEAL_KEY_LEN);
		have_key = true;
	}
	explicit_bzero(fresh, sizeof(fresh));
	return rc;
}

void
seal_forget(void)
{
	explicit_bzero(own_key, sizeof(own_key));
	have_key = false;
}

const uint8_t *
seal_key(void)
{
	return have_key ? own_key : NULL;
}

/* Begins either direction: key, nonce, and what is authenticated with it. */
static EVP_CIPHER_CTX *
begin(const uint8_t *with, const uint8_t *nonce, const char *place, int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const uint8_t *aad = (const uint8_t *)place;
	size_t len = strlen(place);
	int n;

	if (ctx == NULL || len > INT_MAX ||
	    EVP_CipherInit_ex(
		ctx, EVP_aes_256_gcm(), NULL, with, nonce, encrypt) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)CONTEXT,
		sizeof(CONTEXT)) != 1 ||
	    EVP_CipherUpdate(ctx, NULL, &n, aad, (int)len) != 1)
		fatal("seal: AES-256-GCM does not start");
	return ctx;
}

char *
seal_with(const uint8_t key[static SEAL_KEY_LEN], const char *place,
    const void *plain, size_t len)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t *data;
	char *text, *encoded;
	int n;

	if (len > SEALED_MAX)
		fatal("seal: a secret of %zu bytes", len);
	data = xmalloc(HEAD_LEN + len);
	if (RAND_bytes(data, NONCE_LEN) != 1)
		fatal("seal: no randomness");
	ctx = begin(key, data, place, 1);
	if (EVP_EncryptUpdate(ctx, data + HEAD_LEN, &n, plain, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, data + HEAD_LEN + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, data + NONCE_LEN) != 1)
		fatal("seal: AES-256-GCM failed");
	EVP_CIPHER_CTX_free(ctx);
	encoded = base64_encode(data, HEAD_LEN + len);
	text = xasprintf("%s%s", VERSION, encoded);
	free(encoded);
	free(data);
	return text;
}

/* The bytes of a sealed text, NULL when it is none. */
static uint8_t *
decode(const char *sealed, size_t *lenp)
{
	uint8_t *data;

	if (strncmp(sealed, VERSION, sizeof(VERSION) - 1) != 0)
		return NULL;
	data = base64_decode(
	    sealed + sizeof(VERSION) - 1, SEALED_MAX + HEAD_LEN, lenp);
	if (data != NULL && *lenp < HEAD_LEN) {
		free(data);
		return NULL;
	}
	return data;
}

char *
unseal_with(const uint8_t key[static SEAL_KEY_LEN], const char *place,
    const char *sealed, size_t *lenp)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t *data;
	size_t len = 0;
	char *plain;
	int n, rest;
	bool good;

	*lenp = 0;
	if ((data = decode(sealed, &len)) == NULL)
		return NULL;
	len -= HEAD_LEN;
	plain = xcalloc(1, len + 1);
	ctx = begin(key, data, place, 0);
	good = EVP_DecryptUpdate(
		   ctx, (uint8_t *)plain, &n, data + HEAD_LEN, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(
		ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, data + NONCE_LEN) == 1 &&
	    EVP_DecryptFinal_ex(ctx, (uint8_t *)plain + n, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	free(data);
	if (!good) {
		freezero(plain, len);
		return NULL;
	}
	*lenp = len;
	return plain;
}

char *
seal_at(const char *place, const char *plain)
{
	if (!have_key)
		fatal("seal: there is no key");
	return seal_with(own_key, place, plain, strlen(plain));
}

char *
unseal_at(const char *place, const char *sealed)
{
	size_t len;

	return have_key ? unseal_with(own_key, place, sealed, &len) : NULL;
}

char *
seal_text(const char *plain)
{
	return seal_at("", plain);
}

char *
unseal_text(const char *sealed)
{
	return unseal_at("", sealed);
}
