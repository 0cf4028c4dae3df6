/*
 * Logging in with an API key as it was shown.  The keys of what was sent are
 * derived by a worker, for a key that does not exist as well: the same time,
 * the same answer.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/api_key.h"
#include "core/connection.h"
#include "core/limits.h"
#include "core/turn.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/login.h"

#define SENT_OPENLY "It was sent over a connection that is not encrypted"

struct attempt {
	struct call *call;
	int64_t id;
	char *secret;
	char *username; /* NULL: not said */
};

static struct turns turns = { .at_once = LIMIT_LOGINS_RUNNING };

static void
attempt_free(struct attempt *a)
{
	freezero_str(a->secret);
	free(a->username);
	free(a);
}

json_t *
login_key_data(const char *username, const json_t *key)
{
	json_t *shown;

	if (username == NULL)
		username = json_str(api_key_account(key), "username", NULL);
	if (key == NULL)
		shown = json_string("<INVALID>");
	else
		shown =
		    json_pack("{s:O, s:O}", "id", json_object_get(key, "id"),
			"name", json_object_get(key, "name"));
	return json_pack("{s:s?, s:o}", "username", username, "api_key", shown);
}

void
login_with_key(struct call *call, const json_t *key, json_t *response)
{
	const json_t *account = api_key_account(key);
	int64_t id = json_int(key, "id", -1);
	enum api_key_state state = api_key_state(id);
	char *origin = connection_origin(call->connection);
	struct session *s = NULL;

	if (state == API_KEY_GOOD && account != NULL)
		s = account_session(account, origin);
	free(origin);
	if (s != NULL) {
		s->credential = CREDENTIAL_API_KEY;
		s->api_key = id;
		s->api_key_name = xstrdup(json_str(key, "name", ""));
		s->scram = response != NULL;
		login_succeeded_with(call, s, response);
		return;
	}
	json_decref(response);
	if (state == API_KEY_GOOD)
		login_failed(call, LOGIN_DENIED, CREDENTIAL_API_KEY,
		    login_key_data(NULL, key), "User lacks API access");
	else
		login_failed(call, LOGIN_EXPIRED, CREDENTIAL_API_KEY,
		    login_key_data(NULL, key),
		    state == API_KEY_EXPIRED ? "The API key has expired" :
					       "The API key is revoked");
}

/* Is it that key's secret? */
static bool
is_secret(const json_t *key, const struct scram_keys *derived)
{
	struct scram_keys stored = { .iterations = 0 };
	bool same = key != NULL && api_key_scram(key, &stored) == 0 &&
	    CRYPTO_memcmp(
		stored.stored_key, derived->stored_key, SCRAM_KEY_LEN) == 0;

	explicit_bzero(&stored, sizeof(stored));
	return same;
}

static bool
is_owner(const json_t *key, const char *username)
{
	return username == NULL ||
	    strcmp(json_str(api_key_account(key), "username", ""), username) ==
	    0;
}

/* The worker has answered: what was sent was, or was not, that key. */
static void
judge(const struct attempt *a, const struct scram_keys *derived)
{
	const json_t *key = api_key_get(a->id);
	bool right = is_secret(key, derived);
	json_t *data = login_key_data(a->username, key);

	if (a->call->connection == NULL)
		login_failed(a->call, LOGIN_WRONG, CREDENTIAL_API_KEY, data,
		    "The client is gone");
	else if (right && !connection_secure(a->call->connection)) {
		/* The entry is another one from here on. */
		api_key_revoke(a->id, SENT_OPENLY);
		login_failed(a->call, LOGIN_EXPIRED, CREDENTIAL_API_KEY, data,
		    SENT_OPENLY);
	} else if (!right || !is_owner(key, a->username))
		login_failed(a->call, LOGIN_WRONG, CREDENTIAL_API_KEY, data,
		    "Invalid API key");
	else {
		json_decref(data);
		login_with_key(a->call, key, NULL);
	}
}

static void
derived(const struct api_key_derived *d, int error, const char *text, void *arg)
{
	struct attempt *a = arg;

	if (d != NULL) {
		judge(a, &d->keys);
	} else {
		log_error("login.api_key", "%s", text);
		call_fail(a->call, error, "The API key could not be verified");
	}
	attempt_free(a);
	turn_leave(&turns);
}

static void
begin(void *arg)
{
	struct attempt *a = arg;
	const json_t *key = api_key_get(a->id);
	char salt[API_KEY_SALT_TEXT], id[24];
	struct scram_keys keys;

	snprintf(id, sizeof(id), "%lld", (long long)a->id);
	if (key == NULL || api_key_scram(key, &keys) == -1)
		api_key_made_up(id, salt, &keys);
	api_key_derive(a->secret, keys.salt, keys.iterations, derived, a);
	explicit_bzero(&keys, sizeof(keys));
}

/* Without an account's name it is the key whose turns are counted. */
void
login_api_key(struct call *call)
{
	const char *text = login_given(call, "api_key", 0);
	const char *username = json_str(call_param(call, 0), "username", NULL);
	const char *secret;
	struct attempt *a;
	int64_t id;
	char number[24];

	if (!api_key_split(text, &id, &secret)) {
		login_failed(call, LOGIN_WRONG, CREDENTIAL_API_KEY,
		    login_key_data(username, NULL), "Not an API key");
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->call = call;
	a->id = id;
	a->secret = xstrdup(secret);
	a->username = username != NULL ? xstrdup(username) : NULL;
	snprintf(number, sizeof(number), "%lld", (long long)id);
	if (turn_enter(&turns, call->connection->address, number, begin, a) ==
	    -1) {
		attempt_free(a);
		call_fail(call, EBUSY, "Too many logins at the same time");
	}
}
