/*
 * One-time passwords: see onetime.h.
 *
 * "onetime": {next, list: [{n, mac, wall, boot}]}, the oldest first.
 */
#include "core/onetime.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account_state.h"
#include "core/core.h"
#include "core/lifetime.h"
#include "core/seal.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define MEMBER "onetime"
#define GROUPS 4
#define GROUP_LEN 6
#define MAC_LEN 32
#define MAC_HEX (2 * MAC_LEN + 1)

/* "3_xxxxxx-xxxxxx-xxxxxx-xxxxxx" */
static char *
make_text(json_int_t n)
{
	static const char symbols[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789";
	char random[GROUPS * (GROUP_LEN + 1)], *text;
	size_t i;

	for (i = 0; i < sizeof(random) - 1; i++)
		random[i] = i % (GROUP_LEN + 1) == GROUP_LEN ?
		    '-' :
		    symbols[core_random(sizeof(symbols) - 1)];
	random[i] = '\0';
	text = xasprintf("%" JSON_INTEGER_FORMAT "_%s", n, random);
	explicit_bzero(random, sizeof(random));
	return text;
}

/* With whose it is, and the password that it stands in for. */
static void
mac_of(int64_t user_id, const char *text, char hex[static MAC_HEX])
{
	const json_t *account = store_get(core_store(), "user", user_id);
	char *data = xasprintf("onetime %lld %s %s", (long long)user_id, text,
	    json_str(account, "unixhash", ""));
	unsigned char mac[MAC_LEN];
	size_t i;

	if (HMAC(EVP_sha256(), seal_key(), SEAL_KEY_LEN,
		(const unsigned char *)data, strlen(data), mac, NULL) == NULL)
		fatal("onetime: no HMAC");
	for (i = 0; i < MAC_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	freezero_str(data);
}

/* What is kept of the account, to be changed. */
static json_t *
kept(int64_t user_id)
{
	json_t *old = account_state_get(user_id, MEMBER), *state, *list;
	size_t i;

	state = old != NULL ? json_deep_copy(old) :
			      json_pack("{s:i, s:[]}", "next", 1, "list");
	json_decref(old);
	list = json_object_get(state, "list");
	for (i = json_array_size(list); i > 0; i--)
		if (lifetime_over(json_array_get(list, i - 1), ONETIME_SECONDS))
			json_array_remove(list, i - 1);
	return state;
}

char *
onetime_new(int64_t user_id)
{
	json_t *state, *list, *entry;
	json_int_t n;
	char mac[MAC_HEX], *text;

	if (seal_key() == NULL) {
		errno = EIO;
		return NULL;
	}
	state = kept(user_id);
	list = json_object_get(state, "list");
	n = json_int(state, "next", 1);
	text = make_text(n);
	mac_of(user_id, text, mac);
	while (json_array_size(list) >= ONETIME_MAX)
		json_array_remove(list, 0);
	entry = json_pack("{s:I, s:s}", "n", n, "mac", mac);
	lifetime_begin(entry);
	json_array_append_new(list, entry);
	json_object_set_new(state, "next", json_integer(n + 1));
	if (account_state_set(user_id, MEMBER, state) == 0)
		return text;
	freezero_str(text);
	return NULL;
}

static bool
same(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && CRYPTO_memcmp(a, b, strlen(a)) == 0;
}

bool
onetime_use(int64_t user_id, const char *text)
{
	json_t *state, *list, *entry;
	char mac[MAC_HEX];
	size_t i;
	bool good = false;

	if (seal_key() == NULL)
		return false;
	state = kept(user_id);
	list = json_object_get(state, "list");
	mac_of(user_id, text, mac);
	json_array_foreach(list, i, entry)
		if (same(json_str(entry, "mac", ""), mac))
			break;
	if (i == json_array_size(list)) {
		json_decref(state);
		return false;
	}
	json_array_remove(list, i);
	/* Used up before anybody is let in by it. */
	good = account_state_set(user_id, MEMBER, state) == 0;
	if (!good)
		log_error("onetime.use", "%s", strerror(errno));
	return good;
}
