/*
 * API keys: see api_key.h.
 */
#include "core/api_key.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alert.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/resource.h"
#include "core/serial.h"
#include "core/sessions.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define RESOURCE "api_key"
#define VALUE_PEPPER "api_key.pepper"
#define REVOKE_AGAIN_MS 5000

char *
api_key_secret(void)
{
	static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789";
	char *secret = xcalloc(1, API_KEY_SECRET_LEN + 1);
	size_t i;

	for (i = 0; i < API_KEY_SECRET_LEN; i++)
		secret[i] = symbols[core_random(sizeof(symbols) - 1)];
	return secret;
}

bool
api_key_split(const char *text, int64_t *idp, const char **secretp)
{
	const char *dash = strchr(text, '-'), *c;
	int64_t id = 0;

	if (dash == NULL || dash == text || dash - text > 15 || text[0] == '0')
		return false;
	for (c = text; c < dash; c++) {
		if (*c < '0' || *c > '9')
			return false;
		id = id * 10 + (*c - '0');
	}
	for (c = dash + 1; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c))
			return false;
	if (c - dash - 1 != API_KEY_SECRET_LEN)
		return false;
	*idp = id;
	*secretp = dash + 1;
	return true;
}

const json_t *
api_key_get(int64_t id)
{
	return core_store() != NULL ? store_get(core_store(), RESOURCE, id) :
				      NULL;
}

const json_t *
api_key_account(const json_t *key)
{
	int64_t id = json_int(key, "user_identifier", -1);

	return store_get(core_store(), "user", id);
}

int64_t
api_key_expires(const json_t *key)
{
	return json_int(json_object_get(key, "expires_at"), "$date", INT64_MAX);
}

/* --- What SCRAM needs ----------------------------------------------------- */

int
api_key_scram(const json_t *key, struct scram_keys *keys)
{
	keys->salt = json_str(key, "salt", "");
	keys->iterations = (unsigned int)json_int(key, "iterations", 0);
	if (base64_decode_exact(json_str(key, "stored_key", ""),
		keys->stored_key, sizeof(keys->stored_key)) == -1 ||
	    base64_decode_exact(json_str(key, "server_key", ""),
		keys->server_key, sizeof(keys->server_key)) == -1)
		return -1;
	return 0;
}

/* Kept: salts that change when core starts anew would tell them apart. */
static char *
pepper(void)
{
	uint8_t random[32];
	char *text = NULL;

	if (core_store() != NULL)
		text = store_value(core_store(), VALUE_PEPPER);
	if (text != NULL)
		return text;
	if (RAND_bytes(random, sizeof(random)) != 1)
		fatal("api_key: no randomness");
	text = base64_encode(random, sizeof(random));
	if (core_store() != NULL)
		store_set_value(core_store(), VALUE_PEPPER, text);
	return text;
}

void
api_key_made_up(const char *name, char salt[static API_KEY_SALT_TEXT],
    struct scram_keys *keys)
{
	static char *secret;
	uint8_t hash[SCRAM_KEY_LEN];
	char *text;

	if (secret == NULL)
		secret = pepper();
	if (HMAC(EVP_sha512(), secret, (int)strlen(secret),
		(const uint8_t *)name, strlen(name), hash, NULL) == NULL ||
	    RAND_bytes(keys->stored_key, sizeof(keys->stored_key)) != 1 ||
	    RAND_bytes(keys->server_key, sizeof(keys->server_key)) != 1)
		fatal("api_key: no salt could be made up");
	text = base64_encode(hash, SCRAM_SALT_LEN);
	snprintf(salt, API_KEY_SALT_TEXT, "%s", text);
	free(text);
	keys->salt = salt;
	keys->iterations = SCRAM_ITERATIONS;
}

struct derivation {
	void (*done)(const struct api_key_derived *, int, const char *, void *);
	void *arg;
};

/* Exactly as many bytes as are meant; *goodp false else. */
static void
take(struct wire_in *in, uint8_t *out, size_t len, bool *goodp)
{
	size_t found;
	const void *bytes = wire_get_bytes(in, &found);

	if (bytes != NULL && found == len)
		memcpy(out, bytes, len);
	else
		*goodp = false;
}

static void
derived(const struct op_reply *reply, void *arg)
{
	struct derivation *d = arg;
	struct wire_in body = reply->body;
	struct api_key_derived a = { .keys.iterations = 0 };
	uint8_t salt[SCRAM_SALT_LEN];
	char *text = NULL;
	bool good = reply->error == 0;

	if (good) {
		take(&body, salt, sizeof(salt), &good);
		take(&body, a.keys.stored_key, SCRAM_KEY_LEN, &good);
		take(&body, a.keys.server_key, SCRAM_KEY_LEN, &good);
		take(&body, a.client_key, SCRAM_KEY_LEN, &good);
	}
	if (good && wire_end(&body) == 0) {
		a.keys.salt = text = base64_encode(salt, sizeof(salt));
		d->done(&a, 0, "", d->arg);
	} else
		d->done(NULL, reply->error != 0 ? reply->error : EPROTO,
		    reply->error != 0 ? reply->text : "malformed", d->arg);
	explicit_bzero(&a, sizeof(a));
	free(text);
	free(d);
}

void
api_key_derive(const char *secret, const char *salt, unsigned int iterations,
    void (*done)(const struct api_key_derived *, int, const char *, void *),
    void *arg)
{
	struct derivation *d = xcalloc(1, sizeof(*d));
	struct wire_out out = { 0 };
	uint8_t bytes[SCRAM_SALT_LEN];
	bool given = salt != NULL &&
	    base64_decode_exact(salt, bytes, sizeof(bytes)) == 0;

	d->done = done;
	d->arg = arg;
	wire_put_str(&out, secret);
	wire_put_bytes(&out, bytes, given ? sizeof(bytes) : 0);
	wire_put_u32(&out, iterations);
	op_worker(TASK_DERIVE_KEYS, &out, derived, d);
	wire_free(&out);
}

/* --- Revoking ------------------------------------------------------------- */

/* Those whose revocation is not stored yet: {id: reason}. */
static json_t *revoking;

static const char *
id_text(int64_t id, char text[static 24])
{
	snprintf(text, 24, "%" PRId64, id);
	return text;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

enum api_key_state
api_key_state(int64_t id)
{
	const json_t *key = api_key_get(id);
	char text[24];

	if (key == NULL || json_bool(key, "revoked", true) ||
	    json_object_get(revoking, id_text(id, text)) != NULL)
		return API_KEY_REVOKED;
	return now_ms() >= api_key_expires(key) ? API_KEY_EXPIRED :
						  API_KEY_GOOD;
}

int64_t
api_key_left(int64_t id)
{
	int64_t expires;

	if (api_key_state(id) != API_KEY_GOOD)
		return 0;
	expires = api_key_expires(api_key_get(id));
	return expires != INT64_MAX ? expires - now_ms() : INT64_MAX;
}

/* 0 or -1 with errno. */
static int
store_revoked(int64_t id, const json_t *key, const char *reason)
{
	json_t *after = json_copy((json_t *)(uintptr_t)key);
	struct revision change = { .time = time(NULL),
		.who = (char *)(uintptr_t) "root",
		.origin = (char *)(uintptr_t) "",
		.resource = (char *)(uintptr_t)RESOURCE,
		.entry = id,
		.before = (json_t *)(uintptr_t)key,
		.after = after };
	int rc = 0;

	json_object_set_new(after, "revoked", json_true());
	json_object_set_new(after, "revoked_reason", json_string(reason));
	json_incref((json_t *)(uintptr_t)key);
	if (store_change(core_store(), &change, 1, NULL, NULL) == -1)
		rc = -1;
	else
		entry_changed(resource_find(RESOURCE), id, key, after);
	json_decref((json_t *)(uintptr_t)key);
	json_decref(after);
	return rc;
}

static void revoke_later(void *);

/* In its turn, as another change of the key may be on its way. */
static void
revoke_now(void *arg)
{
	char *id = arg;
	int64_t number = strtoll(id, NULL, 10);
	const json_t *key = api_key_get(number);
	const char *reason = json_str(revoking, id, "");

	if (key != NULL && store_revoked(number, key, reason) == -1) {
		log_error("api_key.revoke", "key %s: %s", id, strerror(errno));
		core_after(REVOKE_AGAIN_MS, revoke_later, id);
	} else {
		json_object_del(revoking, id);
		free(id);
	}
	serial_leave();
}

static void
revoke_later(void *arg)
{
	serial_enter(revoke_now, arg);
}

void
api_key_revoke(int64_t id, const char *reason)
{
	const json_t *key = api_key_get(id);
	char text[24];

	if (key == NULL || api_key_state(id) == API_KEY_REVOKED)
		return;
	if (revoking == NULL)
		revoking = json_object();
	json_object_set_new(revoking, id_text(id, text), json_string(reason));
	log_warn("api_key.revoked", "\"%s\" (%s): %s",
	    json_str(key, "name", ""), text, reason);
	alert_raise("ApiKeyRevoked", text,
	    json_pack("{s:s, s:s}", "name", json_str(key, "name", ""), "reason",
		reason));
	sessions_review();
	serial_enter(revoke_now, xstrdup(text));
}

/* --- Whose keys, and made where ------------------------------------------- */

struct listing {
	json_t *of_user, *made_in; /* {id: [key, ...]} */
};

static void
append(json_t *lists, const char *name, int64_t id)
{
	json_t *list = json_object_get(lists, name);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(lists, name, list);
	}
	json_array_append_new(list, json_integer(id));
}

static void
list_key(int64_t id, const json_t *key, void *arg)
{
	struct listing *l = arg;
	const char *login = json_str(key, "made_in", NULL);
	char user[24];

	append(l->of_user, id_text(json_int(key, "user_identifier", -1), user),
	    id);
	if (login != NULL)
		append(l->made_in, login, id);
}

/* Made anew when a key was changed. */
static const struct listing *
listing(void)
{
	static struct listing all;
	static uint64_t made_of;
	uint64_t generation = store_generation(core_store(), RESOURCE);

	if (all.of_user != NULL && made_of == generation)
		return &all;
	json_decref(all.of_user);
	json_decref(all.made_in);
	all.of_user = json_object();
	all.made_in = json_object();
	made_of = generation;
	store_each(core_store(), RESOURCE, list_key, &all);
	return &all;
}

static json_t *
list_of(const json_t *lists, const char *name)
{
	json_t *list = json_object_get(lists, name);

	return list != NULL ? json_copy(list) : json_array();
}

json_t *
api_keys_of(int64_t user_id)
{
	char text[24];

	if (core_store() == NULL)
		return json_array();
	return list_of(listing()->of_user, id_text(user_id, text));
}

json_t *
api_keys_made_in(const char *login_id)
{
	if (core_store() == NULL)
		return json_array();
	return list_of(listing()->made_in, login_id);
}
