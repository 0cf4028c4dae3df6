/*
 * The tasks key-make and key-read: key pairs of SSH as people keep them, in the
 * forms of OpenSSH (its PROTOCOL.key) and PEM.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "worker/libssh.h"
#include "worker/tasks.h"

#define PASSPHRASE_MAX 1024
#define BITS_MAX 8192

/* clang-format off */
/* What sshd takes of a machine: no DSA, nothing that needs a token. */
static const struct {
	enum ssh_keytypes_e type;
	const char *name;
	unsigned int least, most; /* bits, where they can be chosen */
} kinds[] = {
	{ SSH_KEYTYPE_ED25519, "ssh-ed25519", 0, 0 },
	{ SSH_KEYTYPE_ECDSA_P256, "ecdsa-sha2-nistp256", 256, 256 },
	{ SSH_KEYTYPE_ECDSA_P384, "ecdsa-sha2-nistp384", 384, 384 },
	{ SSH_KEYTYPE_ECDSA_P521, "ecdsa-sha2-nistp521", 521, 521 },
	{ SSH_KEYTYPE_RSA, "ssh-rsa", 3072, BITS_MAX },
};
/* clang-format on */
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
is_of_ours(ssh_key key)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (kinds[i].type == libssh.ssh_key_type(key))
			return true;
	return false;
}

/* "type base64", malloc'd, or NULL. */
static char *
public_text(ssh_key key)
{
	char *base64 = NULL, *text = NULL;

	if (libssh.ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK)
		text = xasprintf("%s %s",
		    libssh.ssh_key_type_to_char(libssh.ssh_key_type(key)),
		    base64);
	libssh.ssh_string_free_char(base64);
	return text;
}

/* --- Making --------------------------------------------------------------- */

static int
make(const char *type, uint32_t bits, struct wire_out *out, const char **why)
{
	char *private = NULL, *line = NULL;
	ssh_key key = NULL;
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, type) == 0)
			break;
	if (i == KINDS || bits < kinds[i].least || bits > kinds[i].most)
		return EPROTO;
	*why = "libssh cannot make the key";
	if (libssh.ssh_pki_generate(kinds[i].type, (int)bits, &key) == SSH_OK &&
	    libssh.ssh_pki_export_privkey_base64(
		key, NULL, NULL, NULL, &private) == SSH_OK)
		line = public_text(key);
	libssh.ssh_key_free(key);
	if (line != NULL) {
		wire_put_str(out, private);
		wire_put_str(out, line);
	}
	if (private != NULL)
		explicit_bzero(private, strlen(private));
	libssh.ssh_string_free_char(private);
	if (line == NULL)
		return EIO;
	free(line);
	return 0;
}

int
task_key_make(struct wire_in *in, struct wire_out *out, const char **why)
{
	char *type = wire_get_str(in, 64);
	uint32_t bits = wire_get_u32(in);
	int error = EPROTO;

	if (wire_end(in) == 0)
		error =
		    libssh_is_there(why) ? make(type, bits, out, why) : ENOSYS;
	free(type);
	return error;
}

/* --- Reading -------------------------------------------------------------- */

struct reading {
	char *private, *passphrase, *public; /* as given; "": not at all */
	ssh_key key, given; /* the public ones of both */
	bool encrypted;
};

/* The library asks for it where a key turns out to be encrypted. */
static int
tell_passphrase(const char *prompt, char *buffer, size_t len, int echo,
    int verify, void *arg)
{
	struct reading *r = arg;

	(void)prompt, (void)echo, (void)verify;
	r->encrypted = true;
	if (*r->passphrase == '\0' || strlen(r->passphrase) >= len)
		return -1;
	memcpy(buffer, r->passphrase, strlen(r->passphrase) + 1);
	return 0;
}

static int
read_private(struct reading *r, const char **why)
{
	ssh_key private = NULL;
	int rc, error = EINVAL;

	rc = libssh.ssh_pki_import_privkey_base64(
	    r->private, NULL, tell_passphrase, r, &private);
	*why = "This is no private key in a form of OpenSSH or PEM";
	if (rc != SSH_OK && r->encrypted) {
		*why = *r->passphrase != '\0' ?
		    "This is not the passphrase of the private key" :
		    "The private key is encrypted: its passphrase is needed";
		return ENOKEY;
	}
	if (rc != SSH_OK)
		return error;
	*why = "Private keys are of type Ed25519, ECDSA or RSA";
	if (is_of_ours(private) &&
	    libssh.ssh_pki_export_privkey_to_pubkey(private, &r->key) == SSH_OK)
		error = 0;
	libssh.ssh_key_free(private);
	if (error == 0 && !r->encrypted && *r->passphrase != '\0') {
		*why = "The private key is not encrypted";
		error = ENOKEY;
	}
	return error;
}

/* "type base64 comment"; the comment is whatever stands there. */
static int
read_public(struct reading *r, const char **why)
{
	const char *at = r->public + strspn(r->public, " \t");
	size_t len = strcspn(at, " \t"), i;
	char *base64;
	int rc = SSH_ERROR;

	for (i = 0; i < KINDS; i++)
		if (strlen(kinds[i].name) == len &&
		    strncmp(kinds[i].name, at, len) == 0)
			break;
	*why = "This is no public key of type Ed25519, ECDSA or RSA";
	at += len;
	at += strspn(at, " \t");
	base64 = xstrndup(at, strcspn(at, " \t\r\n"));
	if (i < KINDS)
		rc = libssh.ssh_pki_import_pubkey_base64(
		    base64, kinds[i].type, &r->given);
	free(base64);
	return rc == SSH_OK && is_of_ours(r->given) ? 0 : EBADMSG;
}

static int
read_pair(struct reading *r, const char **why)
{
	int error = 0;

	if (*r->private != '\0' && (error = read_private(r, why)) != 0)
		return error;
	if (*r->public != '\0' && (error = read_public(r, why)) != 0)
		return error;
	*why = "Private key and public key do not match";
	if (r->key != NULL && r->given != NULL &&
	    libssh.ssh_key_cmp(r->key, r->given, SSH_KEY_CMP_PUBLIC) != 0)
		return EKEYREJECTED;
	*why = "You must specify a key";
	return r->key != NULL || r->given != NULL ? 0 : EBADMSG;
}

int
task_key_read(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct reading r = { 0 };
	char *text = NULL;
	int error = EPROTO;

	r.private = wire_get_str(in, KEY_TEXT_MAX);
	r.passphrase = wire_get_str(in, PASSPHRASE_MAX);
	r.public = wire_get_str(in, KEY_TEXT_MAX);
	if (wire_end(in) == 0)
		error = libssh_is_there(why) ? read_pair(&r, why) : ENOSYS;
	if (error == 0 &&
	    (text = public_text(r.key != NULL ? r.key : r.given)) == NULL)
		error = EBADMSG;
	if (error == 0) {
		wire_put_str(out, text);
		wire_put_u8(out, r.encrypted);
	}
	free(text);
	if (libssh.ssh_key_free != NULL) {
		libssh.ssh_key_free(r.key);
		libssh.ssh_key_free(r.given);
	}
	freezero_str(r.private);
	freezero_str(r.passphrase);
	free(r.public);
	return error;
}
