/*
 * Reconnect tokens: see reconnect.h.
 *
 * "reconnect": [{hash, address or uid, ttl, wall, boot, stamp, session, class,
 * login_id, login_at, authenticated, second_factor, readonly}], the oldest first.
 */
#include "core/reconnect.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/account_state.h"
#include "core/core.h"
#include "core/lifetime.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define MEMBER "reconnect"
#define HEX (2 * TOKEN_HASH + 1)

/* What a session that is made anew may have been. */
static const enum credential kept_classes[] = { CREDENTIAL_PASSWORD,
	CREDENTIAL_TWOFACTOR };

static void
hex_of(const unsigned char bytes[static TOKEN_HASH], char hex[static HEX])
{
	OPENSSL_buf2hexstr_ex(hex, HEX, NULL, bytes, TOKEN_HASH, '\0');
}

static bool
same(const json_t *entry, const char *member, const char *text)
{
	const char *value = json_str(entry, member, "");

	return strlen(value) == strlen(text) &&
	    CRYPTO_memcmp(value, text, strlen(text)) == 0;
}

/* NULL: it takes no such token. */
static const enum credential *
kept_class(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kept_classes) / sizeof(kept_classes[0]); i++)
		if (strcmp(credential_name(kept_classes[i]), name) == 0)
			return &kept_classes[i];
	return NULL;
}

static bool
over(const json_t *entry)
{
	return lifetime_over(entry, json_int(entry, "ttl", 0));
}

/* Which of the list go, by what is asked of each. */
struct purge {
	bool (*goes)(const json_t *entry, const void *arg);
	const void *arg;
};

/* Writes only when something goes. */
static void
purge(int64_t id, const struct purge *p)
{
	json_t *old = account_state_get(id, MEMBER), *list, *entry;
	size_t i;

	list = json_array();
	json_array_foreach(old, i, entry)
		if (!over(entry) && !p->goes(entry, p->arg))
			json_array_append(list, entry);
	if (json_array_size(list) == json_array_size(old)) {
		json_decref(list);
	} else {
		if (json_array_size(list) == 0) {
			json_decref(list);
			list = NULL;
		}
		if (account_state_set(id, MEMBER, list) == -1)
			log_error("reconnect.end", "%s", strerror(errno));
	}
	json_decref(old);
}

static json_t *
describe(const struct session *s, const struct token_origin *origin,
    int64_t ttl, const char *text)
{
	const struct session *login = session_login(s);
	unsigned char hash[TOKEN_HASH];
	char hex[HEX], stamp[HEX];
	json_t *entry;

	token_hash(text, hash);
	hex_of(hash, hex);
	hex_of(s->stamp, stamp);
	/* clang-format off */
	entry = json_pack("{s:s, s:s?, s:I, s:I, s:s, s:s, s:s, s:s, s:I, s:I, "
	    "s:b, s:b}",
	    "hash", hex, "address", origin->address,
	    "uid", (json_int_t)origin->uid, "ttl", (json_int_t)ttl,
	    "stamp", stamp, "session", s->id,
	    "class", session_class(login), "login_id", login->login_id,
	    "login_at", (json_int_t)login->login_at,
	    "authenticated", (json_int_t)login->authenticated,
	    "second_factor", login->second_factor, "readonly", s->readonly);
	/* clang-format on */
	lifetime_begin(entry);
	return entry;
}

char *
reconnect_new(
    const struct session *s, const struct token_origin *origin, int64_t ttl)
{
	int64_t id = json_int(account_by_uid(s->uid), "id", -1);
	json_t *old, *list;
	char *text;

	if (id == -1 || kept_class(session_class(session_login(s))) == NULL)
		return NULL;
	text = token_text();
	old = account_state_get(id, MEMBER);
	list = old != NULL ? json_copy(old) : json_array();
	json_decref(old);
	while (json_array_size(list) > 0 &&
	    (json_array_size(list) >= RECONNECT_MAX ||
		over(json_array_get(list, 0))))
		json_array_remove(list, 0);
	json_array_append_new(list, describe(s, origin, ttl, text));
	if (account_state_set(id, MEMBER, list) == 0)
		return text;
	log_error("reconnect.new", "%s", strerror(errno));
	freezero_str(text);
	return NULL;
}

struct search {
	char hash[HEX];
	int64_t id;
	json_t *entry;
};

static void
look_at(int64_t id, const json_t *list, void *arg)
{
	struct search *search = arg;
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (same(entry, "hash", search->hash)) {
			search->id = id;
			search->entry = entry;
		}
}

static bool
from_there(const json_t *entry, const struct token_origin *origin)
{
	const char *address =
	    json_string_value(json_object_get(entry, "address"));

	if (address == NULL || origin->address == NULL)
		return address == NULL && origin->address == NULL &&
		    json_int(entry, "uid", -1) == (json_int_t)origin->uid;
	return strcmp(address, origin->address) == 0;
}

/* As old as the login that it goes back to, by either clock. */
static void
set_login(struct session *s, const json_t *entry)
{
	const enum credential *class = kept_class(json_str(entry, "class", ""));
	int64_t now = boottime_ms(), wall;

	if (class != NULL)
		s->credential = *class;
	s->second_factor = json_bool(entry, "second_factor", false);
	snprintf(s->login_id, sizeof(s->login_id), "%s",
	    json_str(entry, "login_id", ""));
	snprintf(s->id, sizeof(s->id), "%s", json_str(entry, "session", ""));
	s->login_at = json_int(entry, "login_at", 0);
	wall = now - ((int64_t)time(NULL) - s->login_at) * 1000;
	s->authenticated = json_int(entry, "authenticated", 0);
	if (s->authenticated > now || s->authenticated > wall)
		s->authenticated = wall;
	if (json_bool(entry, "readonly", false))
		session_become_readonly(s);
}

static struct session *
session_of(int64_t id, const json_t *entry)
{
	const json_t *account = store_get(core_store(), "user", id);
	struct session *s;
	char stamp[HEX];

	if (account == NULL || (s = account_session(account, "")) == NULL)
		return NULL;
	hex_of(s->stamp, stamp);
	if (same(entry, "stamp", stamp)) {
		set_login(s, entry);
		if (!session_expired(s))
			return s;
	}
	session_release(s);
	return NULL;
}

static bool
is_this(const json_t *entry, const void *arg)
{
	return strcmp(json_str(entry, "hash", ""), arg) == 0;
}

struct session *
reconnect_use(const char *text, const struct token_origin *origin)
{
	struct search search = { .id = -1 };
	struct purge used = { is_this, search.hash };
	unsigned char hash[TOKEN_HASH];
	struct session *s = NULL;
	json_t *entry;

	token_hash(text, hash);
	hex_of(hash, search.hash);
	account_state_each(MEMBER, look_at, &search);
	if (search.entry == NULL || over(search.entry) ||
	    !from_there(search.entry, origin))
		return NULL;
	entry = json_incref(search.entry);
	purge(search.id, &used);
	/* What could not be used up would be good again. */
	search.entry = NULL;
	account_state_each(MEMBER, look_at, &search);
	if (search.entry == NULL)
		s = session_of(search.id, entry);
	json_decref(entry);
	return s;
}

static bool
made_by(const json_t *entry, const void *arg)
{
	const struct session *s = arg;

	return strcmp(json_str(entry, "session", ""), s->id) == 0 ||
	    strcmp(json_str(entry, "login_id", ""), s->login_id) == 0;
}

void
reconnect_end_of(const struct session *s)
{
	struct purge p = { made_by, s };
	int64_t id = json_int(account_by_uid(s->uid), "id", -1);

	if (id != -1)
		purge(id, &p);
}

void
reconnect_end_account(uid_t uid)
{
	int64_t id = json_int(account_by_uid(uid), "id", -1);

	if (account_state_set(id, MEMBER, NULL) == -1)
		log_error("reconnect.end", "%s", strerror(errno));
}

static bool
rests_on_other(const json_t *entry, const void *arg)
{
	return !same(entry, "stamp", arg);
}

/* Those who have any, as ids: what is gone through must not change. */
static void
collect(int64_t id, const json_t *list, void *arg)
{
	(void)list;
	json_array_append_new(arg, json_integer(id));
}

void
reconnect_review(void)
{
	json_t *ids = json_array(), *id;
	const json_t *account;
	struct session *s;
	struct purge p = { rests_on_other, NULL };
	char stamp[HEX];
	size_t i;

	account_state_each(MEMBER, collect, ids);
	json_array_foreach(ids, i, id) {
		account =
		    store_get(core_store(), "user", json_integer_value(id));
		s = account != NULL ? account_session(account, "") : NULL;
		stamp[0] = '\0';
		if (s != NULL)
			hex_of(s->stamp, stamp);
		session_release(s);
		p.arg = stamp;
		purge(json_integer_value(id), &p);
	}
	json_decref(ids);
}
