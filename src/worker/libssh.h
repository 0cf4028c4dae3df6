/*
 * libssh, for the workers that read keys or speak SSH: it is loaded by them
 * alone, no other process of Holdfast has it mapped.
 */
#ifndef HF_WORKER_LIBSSH_H
#define HF_WORKER_LIBSSH_H

#include <libssh/libssh.h>
#include <stdbool.h>

/* X(name): a function of the library that is used. */
/* clang-format off */
#define LIBSSH_FUNCTIONS(X)						\
	X(ssh_connect)							\
	X(ssh_disconnect)						\
	X(ssh_free)							\
	X(ssh_get_error)						\
	X(ssh_get_server_publickey)					\
	X(ssh_key_cmp)							\
	X(ssh_key_free)							\
	X(ssh_key_type)							\
	X(ssh_key_type_to_char)						\
	X(ssh_new)							\
	X(ssh_options_set)						\
	X(ssh_pki_export_privkey_base64)				\
	X(ssh_pki_export_privkey_to_pubkey)				\
	X(ssh_pki_export_pubkey_base64)					\
	X(ssh_pki_generate)						\
	X(ssh_pki_import_privkey_base64)				\
	X(ssh_pki_import_pubkey_base64)					\
	X(ssh_string_free_char)						\
	X(ssh_userauth_publickey)
/* clang-format on */

#define LIBSSH_MEMBER(name) __typeof__(name) *name;

/* As they are called: libssh.ssh_key_free(key). */
extern struct libssh { LIBSSH_FUNCTIONS(LIBSSH_MEMBER) } libssh;

/* Before the sandbox, in which nothing can be mapped executable. */
void	 libssh_load(void);
/* False: it is not installed, *why says so. */
bool	 libssh_is_there(const char **why);

#endif
