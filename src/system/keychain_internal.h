/* What the files of keychaincredential.* share. */
#ifndef HF_KEYCHAIN_INTERNAL_H
#define HF_KEYCHAIN_INTERNAL_H

#include "core/change.h"
#include "core/method.h"

#define KEY_PAIR	"SSH_KEY_PAIR"
#define CONNECTION	"SSH_CREDENTIALS"
/* The prefix of a new entry's errors. */
#define CREATE_PREFIX	"keychain_credential_create"

/* The attributes of each of them (keychain.c). */
extern const struct field key_pair_fields[];
extern const struct field connection_fields[];
/* What an answer of one entry looks like (keychain.c). */
extern const struct field keychain_shown;

/* keychain_check.c: struct resource's. */
void	keychain_check(struct change *);
void	keychain_lookup(struct change *);

/*
 * The connections that use the key pair, as the change leaves them (NULL: as
 * they are stored); a new reference.
 */
json_t	*keychain_users(const struct change *, int64_t pair);

/* Is it of that type? */
bool	keychain_is(const json_t *entry, const char *type);

/* keychain.delete's own run, and what it asks of others. */
void	keychain_delete_run(struct call *);

/* keychain_make.c */
void	keychain_generate_run(struct call *);
extern const struct field keychain_generate_params[];
extern const struct field keychain_generated;

#endif
