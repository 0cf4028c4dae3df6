/*
 * Tokens: see token.h.
 */
#include "core/token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/limits.h"
#include "lib/boottime.h"
#include "lib/xalloc.h"

struct token {
	struct token *next;
	unsigned char hash[TOKEN_HASH];
	struct session *maker;
	unsigned char stamp[TOKEN_HASH]; /* the account's, when it was made */
	char *address; /* NULL: the Unix socket, of uid */
	uid_t uid;
	bool anywhere, single_use;
	int64_t ttl, used; /* ms; by boottime_ms() */
	json_t *attributes;
};

static struct token *tokens;

void
token_hash(const char *text, unsigned char hash[static TOKEN_HASH])
{
	SHA256((const unsigned char *)text, strlen(text), hash);
}

/* Every 6 random bits one character of RFC 4648's base64url. */
char *
token_text(void)
{
	static const char symbols[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"abcdefghijklmnopqrstuvwxyz"
					"0123456789-_";
	char *text = xcalloc(1, TOKEN_LENGTH + 1);
	size_t i;

	for (i = 0; i < TOKEN_LENGTH; i++)
		text[i] = symbols[core_random(64)];
	return text;
}

static void
token_free(struct token **at)
{
	struct token *t = *at;

	*at = t->next;
	session_release(t->maker);
	free(t->address);
	json_decref(t->attributes);
	freezero(t, sizeof(*t));
}

/* It lives no longer than the login that it goes back to may. */
static bool
over(const struct token *t)
{
	int64_t now = boottime_ms();

	return now - t->used >= t->ttl ||
	    (session_limits.age != 0 &&
		now - session_login(t->maker)->authenticated >=
		    session_limits.age * 1000);
}

static void
forget_old(void)
{
	struct token **at = &tokens;

	while (*at != NULL) {
		if (over(*at))
			token_free(at);
		else
			at = &(*at)->next;
	}
}

static bool
too_many(const struct session *maker)
{
	const struct token *t;
	unsigned int n = 0;

	for (t = tokens; t != NULL; t = t->next)
		n += t->maker->uid == maker->uid;
	return n >= LIMIT_TOKENS;
}

char *
token_new(struct session *maker, const struct token_options *o)
{
	struct token *t;
	char *text;

	forget_old();
	if (too_many(maker))
		return NULL;
	text = token_text();
	t = xcalloc(1, sizeof(*t));
	token_hash(text, t->hash);
	t->maker = session_keep(maker);
	memcpy(t->stamp, maker->stamp, TOKEN_HASH);
	t->anywhere = o->origin == NULL;
	if (o->origin != NULL && o->origin->address != NULL)
		t->address = xstrdup(o->origin->address);
	if (o->origin != NULL)
		t->uid = o->origin->uid;
	t->single_use = o->single_use;
	/* Longer than a session may be old is as good as that. */
	t->ttl = o->ttl > INT32_MAX ? INT64_MAX : o->ttl * 1000;
	t->used = boottime_ms();
	t->attributes = o->attributes != NULL ? json_deep_copy(o->attributes) :
						json_object();
	t->next = tokens;
	tokens = t;
	return text;
}

static bool
good_for(const struct token *t, const struct token_origin *origin,
    const json_t *attributes)
{
	if (!t->anywhere) {
		if ((t->address == NULL) != (origin->address == NULL))
			return false;
		if (t->address == NULL && t->uid != origin->uid)
			return false;
		if (t->address != NULL &&
		    strcmp(t->address, origin->address) != 0)
			return false;
	}
	if (attributes == NULL)
		return json_object_size(t->attributes) == 0;
	return json_equal(t->attributes, attributes);
}

struct session *
token_use(const char *text, const struct token_origin *origin,
    const json_t *attributes, unsigned char hash[TOKEN_HASH])
{
	unsigned char wanted[TOKEN_HASH];
	struct token **at;
	struct session *maker;

	forget_old();
	token_hash(text, wanted);
	for (at = &tokens; *at != NULL; at = &(*at)->next)
		if (CRYPTO_memcmp((*at)->hash, wanted, TOKEN_HASH) == 0)
			break;
	if (*at == NULL || !good_for(*at, origin, attributes))
		return NULL;
	maker = session_keep((*at)->maker);
	if (hash != NULL)
		memcpy(hash, wanted, TOKEN_HASH);
	(*at)->used = boottime_ms();
	if ((*at)->single_use)
		token_free(at);
	return maker;
}

void
token_end(const unsigned char hash[static TOKEN_HASH])
{
	struct token **at = &tokens;

	while (*at != NULL && memcmp((*at)->hash, hash, TOKEN_HASH) != 0)
		at = &(*at)->next;
	if (*at != NULL)
		token_free(at);
}

void
token_end_of(const struct session *maker)
{
	struct token **at = &tokens;

	while (*at != NULL) {
		if ((*at)->maker == maker || (*at)->maker->parent == maker)
			token_free(at);
		else
			at = &(*at)->next;
	}
}

void
token_end_account(uid_t uid)
{
	struct token **at = &tokens;

	while (*at != NULL) {
		if ((*at)->maker->uid == uid &&
		    !session_internal(session_login((*at)->maker)))
			token_free(at);
		else
			at = &(*at)->next;
	}
}

/* Does the account still have what it had when the token was made? */
static bool
rests(const struct token *t)
{
	struct session *now = account_session_again(t->maker, "");
	bool same =
	    now != NULL && memcmp(now->stamp, t->stamp, TOKEN_HASH) == 0;

	session_release(now);
	return same;
}

void
token_review(void)
{
	struct token **at = &tokens;

	while (*at != NULL) {
		if (rests(*at))
			at = &(*at)->next;
		else
			token_free(at);
	}
}
