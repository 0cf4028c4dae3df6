/*
 * Logging in with an API key by SCRAM-SHA-512: the client proves that it has
 * the key and learns that we know it, and nobody in between gets it.  The name
 * it gives is "user:<id of the key>".
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "core/api_key.h"
#include "core/connection.h"
#include "core/scram.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/login.h"

#define NONCE_LEN 24 /* bytes: 32 characters */

/* The key that the name tells, when it is that user's; NULL. */
static const json_t *
named_key(const char *name)
{
	const char *colon = strrchr(name, ':'), *owner;
	const json_t *key;
	char *end;
	long long id;

	if (colon == NULL || colon[1] < '1' || colon[1] > '9')
		return NULL;
	errno = 0;
	id = strtoll(colon + 1, &end, 10);
	if (errno != 0 || *end != '\0' || (key = api_key_get(id)) == NULL)
		return NULL;
	owner = json_str(api_key_account(key), "username", "");
	if (strlen(owner) != (size_t)(colon - name) ||
	    strncmp(owner, name, strlen(owner)) != 0)
		return NULL;
	return key;
}

/* The key's data, or such as look like some; salt is room for theirs. */
static const json_t *
keys_of(const char *name, struct scram_keys *keys,
    char salt[static API_KEY_SALT_TEXT])
{
	const json_t *key = named_key(name);

	if (key != NULL && api_key_scram(key, keys) == 0)
		return key;
	api_key_made_up(name, salt, keys);
	return NULL;
}

static void
wrong(struct call *call, const char *name, const char *why)
{
	const json_t *key = name != NULL ? named_key(name) : NULL;

	login_failed(call, LOGIN_WRONG, CREDENTIAL_API_KEY,
	    login_key_data(name, key), why);
}

static json_t *
answer(const char *type, const char *text)
{
	return json_pack("{s:s, s:s, s:s, s:n}", "response_type",
	    "SCRAM_RESPONSE", "scram_type", type, "rfc_str", text, "user_info");
}

static void
first(struct call *call, const char *message)
{
	struct connection *c = call->connection;
	struct scram_keys keys;
	char salt[API_KEY_SALT_TEXT], *nonce;
	uint8_t random[NONCE_LEN];
	const char *why;

	scram_free(c->scram);
	c->scram = scram_begin(message, &why);
	if (c->scram == NULL) {
		wrong(call, NULL, why);
		return;
	}
	keys_of(scram_username(c->scram), &keys, salt);
	if (RAND_bytes(random, sizeof(random)) != 1)
		fatal("scram: no randomness");
	nonce = base64_encode(random, sizeof(random));
	call_reply(call,
	    answer("SERVER_FIRST_RESPONSE",
		scram_challenge(c->scram, nonce, keys.salt, keys.iterations)));
	explicit_bzero(&keys, sizeof(keys));
	free(nonce);
}

static void
final(struct call *call, const char *message)
{
	struct connection *c = call->connection;
	struct scram *scram = c->scram;
	struct scram_keys keys;
	struct scram_binding binding = connection_binding(c);
	char salt[API_KEY_SALT_TEXT], *text;
	const json_t *key;
	const char *why;

	if (scram == NULL) {
		call_fail(call, EFAULT,
		    "CLIENT_FINAL_MESSAGE: no authentication in progress");
		return;
	}
	c->scram = NULL;
	key = keys_of(scram_username(scram), &keys, salt);
	text = scram_finish(scram, message, &keys, &binding, &why);
	explicit_bzero(&keys, sizeof(keys));
	if (text == NULL || key == NULL)
		wrong(call, scram_username(scram), why);
	else
		login_with_key(
		    call, key, answer("SERVER_FINAL_RESPONSE", text));
	free(text);
	scram_free(scram);
}

void
login_scram(struct call *call)
{
	const char *message = login_given(call, "rfc_str", 0);

	if (strcmp(login_given(call, "scram_type", 0),
		"CLIENT_FIRST_MESSAGE") == 0)
		first(call, message);
	else
		final(call, message);
}
