/*
 * The second factor of accounts: see twofactor.h.
 */
#include "core/twofactor.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account_state.h"
#include "core/call.h"
#include "core/core.h"
#include "core/entry.h"
#include "core/resource.h"
#include "core/security.h"
#include "core/totp.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define ISSUER "Holdfast"
#define USED "otp_used" /* by secret: the steps whose codes were accepted */
#define SECRETS_MAX 4
#define TAG_LEN 16
#define USED_MAX 64 /* more than any window holds */
#define FAILURES "otp_failures" /* wrong codes in a row, and when the last */
#define FAILURES_FREE 10
#define FAILURE_SECONDS 300

static_assert(USED_MAX > 2 * TWOFACTOR_WINDOW_MAX + 1,
    "what is in the window is remembered");

static void check(struct change *);
static json_t *answer(const struct change *);

/* clang-format off */
#define SEED_ROWS							\
	{ .name = "secret", .type = F_STR, .def = "null", .max = 256,	\
	  .flags = FF_NULL | FF_SECRET | FF_GRANTS,			\
	  .source = "RFC 6238", .doc = "The secret, base32." },		\
	{ .name = "interval", .type = F_INT, .def = "30", .min = 5,	\
	  .max = 3600, .unit = "s", .doc = "How long a code stands." },	\
	{ .name = "otp_digits", .type = F_INT, .def = "6",		\
	  .min = TOTP_DIGITS, .max = TOTP_DIGITS_MAX,			\
	  .doc = "How many digits it has." }

static const struct field waiting_fields[] = { SEED_ROWS, FIELD_END };

static const struct field secret_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the user's entry." },
	SEED_ROWS,
	{ .name = "waiting", .type = F_OBJECT, .fields = waiting_fields,
	  .def = "null", .flags = FF_NULL | FF_GRANTS,
	  .doc = "A new one that takes effect once a code of it was "
	  "confirmed." },
	FIELD_END
};

static const struct method no_methods[] = { METHOD_END };

const struct resource twofactor_secret_resource = {
	.name = "twofactor_secret", .doc = "The second factors of users.",
	.kind = RESOURCE_INNER, .role_prefix = "ACCOUNT", .guarded = true,
	.verbose_name = "Second factor", .methods = no_methods,
	.fields = secret_fields, .check = check, .answer = answer
};
/* clang-format on */

/* --- What is stored ------------------------------------------------------- */

static const json_t *
entry_of(const json_t *account)
{
	int64_t id = json_int(account, "id", -1);

	if (id == -1 || core_store() == NULL)
		return NULL;
	return store_get(core_store(), twofactor_secret_resource.name, id);
}

/* False: there is none. */
static bool
seed_of(const json_t *entry, struct totp *seed)
{
	seed->secret = json_str(entry, "secret", NULL);
	seed->interval = json_int(entry, "interval", TOTP_INTERVAL);
	seed->digits = json_int(entry, "otp_digits", TOTP_DIGITS);
	return seed->secret != NULL && seed->interval > 0;
}

static const json_t *
policy(void)
{
	if (core_store() == NULL)
		return NULL;
	return store_get(core_store(), "auth.twofactor", TWOFACTOR_ENTRY);
}

bool
twofactor_configured(const json_t *account)
{
	struct totp seed;

	return seed_of(entry_of(account), &seed);
}

bool
twofactor_enabled(void)
{
	return json_bool(policy(), "enabled", false);
}

bool
twofactor_required(const json_t *account)
{
	return twofactor_enabled() && twofactor_configured(account);
}

bool
twofactor_mandatory(void)
{
	return twofactor_enabled() && security_stig();
}

bool
twofactor_waits(const json_t *account)
{
	return json_is_object(json_object_get(entry_of(account), "waiting"));
}

/* --- Codes ---------------------------------------------------------------- */

/* What tells one secret from another where its used codes are kept. */
static void
tag_of(const struct totp *seed, char tag[static TAG_LEN + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int i;

	if (EVP_Digest(seed->secret, strlen(seed->secret), hash, NULL,
		EVP_sha256(), NULL) != 1)
		fatal("SHA-256 failed");
	for (i = 0; i < TAG_LEN / 2; i++)
		snprintf(tag + 2 * i, 3, "%02x", hash[i]);
	explicit_bzero(hash, sizeof(hash));
}

static size_t
used_steps(int64_t id, const char *tag, int64_t steps[static USED_MAX])
{
	json_t *all = account_state_get(id, USED), *step;
	size_t i, n = 0;

	json_array_foreach(json_object_get(all, tag), i, step)
		if (n < USED_MAX)
			steps[n++] = json_integer_value(step);
	json_decref(all);
	return n;
}

/* The newest first; what falls out is older than any window. */
static int
remember(
    int64_t id, const char *tag, int64_t step, const int64_t *steps, size_t n)
{
	json_t *before = account_state_get(id, USED);
	json_t *all = before != NULL ? json_copy(before) : json_object();
	json_t *list = json_pack("[I]", (json_int_t)step);
	size_t i;

	json_decref(before);
	for (i = 0; i < n && i + 1 < USED_MAX; i++)
		json_array_append_new(list, json_integer(steps[i]));
	json_object_set_new(all, tag, list);
	if (json_object_size(all) > SECRETS_MAX)
		json_object_del(
		    all, json_object_iter_key(json_object_iter(all)));
	return account_state_set(id, USED, all);
}

static bool
is_delayed(int64_t id)
{
	json_t *failures = account_state_get(id, FAILURES);
	int64_t count = json_int(failures, "count", 0);
	int64_t past = time(NULL) - json_int(failures, "at", 0);

	json_decref(failures);
	/* A clock that was put back is no reason to wait for long. */
	return count >= FAILURES_FREE && past >= 0 && past < FAILURE_SECONDS;
}

static void
count_failure(int64_t id)
{
	json_t *failures = account_state_get(id, FAILURES);
	int64_t count = json_int(failures, "count", 0) + 1;

	json_decref(failures);
	if (count == FAILURES_FREE)
		log_warn("twofactor.delayed",
		    "%lld wrong codes in a row for the user with id %lld: one "
		    "is looked at every %d s from now on",
		    (long long)count, (long long)id, FAILURE_SECONDS);
	account_state_set(id, FAILURES,
	    json_pack("{s:I, s:I}", "count", (json_int_t)count, "at",
		(json_int_t)time(NULL)));
}

/* True: it is one of the secret's, for now, and used from now on. */
static bool
use_code(int64_t id, const struct totp *seed, const char *code)
{
	int64_t window = json_int(policy(), "window", 0);
	int64_t now = time(NULL) / seed->interval, steps[USED_MAX], step;
	char tag[TAG_LEN + 1];
	json_t *failures;
	size_t n;

	if (is_delayed(id))
		return false;
	tag_of(seed, tag);
	n = used_steps(id, tag, steps);
	step = totp_find(seed, code, now - window, now + window, steps, n);
	if (step == -1) {
		count_failure(id);
		return false;
	}
	failures = account_state_get(id, FAILURES);
	if (failures != NULL)
		account_state_set(id, FAILURES, NULL);
	json_decref(failures);
	return remember(id, tag, step, steps, n) == 0;
}

bool
twofactor_check(const json_t *account, const char *code)
{
	struct totp seed;

	return seed_of(entry_of(account), &seed) &&
	    use_code(json_int(account, "id", -1), &seed, code);
}

/* --- Changing ------------------------------------------------------------- */

static json_t *
seed_json(char *secret, int64_t interval, int64_t digits)
{
	json_t *seed = json_pack("{s:s, s:I, s:I}", "secret", secret,
	    "interval", (json_int_t)interval, "otp_digits", (json_int_t)digits);

	freezero_str(secret);
	return seed;
}

json_t *
twofactor_renewal(int64_t interval, int64_t digits, bool confirm)
{
	json_t *seed = seed_json(totp_new_secret(), interval, digits);

	if (confirm)
		return json_pack("{s:o}", "waiting", seed);
	json_object_set_new(seed, "waiting", json_null());
	return seed;
}

json_t *
twofactor_confirmation(const json_t *account, const char *code)
{
	const json_t *waiting = json_object_get(entry_of(account), "waiting");
	struct totp seed;
	json_t *entry;

	if (!seed_of(waiting, &seed) ||
	    !use_code(json_int(account, "id", -1), &seed, code))
		return NULL;
	entry = json_copy((json_t *)(uintptr_t)waiting);
	json_object_set_new(entry, "waiting", json_null());
	return entry;
}

void
twofactor_replaced(struct change *c)
{
	account_state_set(c->id, FAILURES, NULL);
}

void
twofactor_forget(struct change *c, int64_t user_id)
{
	change_remove(c, &twofactor_secret_resource, user_id);
}

static bool
same_account(const json_t *a, const json_t *b)
{
	return a != NULL && b != NULL &&
	    json_equal(json_object_get(a, "uid"), json_object_get(b, "uid")) &&
	    json_equal(
		json_object_get(a, "username"), json_object_get(b, "username"));
}

/*
 * Of a whole configuration: whoever is there keeps what he has, or lacks.  Else
 * a second factor that was taken away, lost or stolen, would be back.
 */
static void
check(struct change *c)
{
	const struct resource *users = resource_find("user");
	const json_t *was, *is;
	size_t i;

	if (c->all == NULL)
		return;
	was = store_get(core_store(), users->name, c->id);
	is = change_view(c, users, c->id);
	if (is != NULL && !same_account(was, is))
		return;
	for (i = 0; i < c->nedits; i++)
		if (c->edits[i].resource == &twofactor_secret_resource &&
		    c->edits[i].id == c->id) {
			json_decref(c->edits[i].after);
			c->edits[i].after = is == NULL ?
			    NULL :
			    json_deep_copy(c->edits[i].before);
			c->after = c->edits[i].after;
		}
}

/* --- Showing -------------------------------------------------------------- */

static json_t *
shown(const json_t *entry, const struct totp *seed, json_t *uri)
{
	struct totp in_force;

	return json_pack("{s:o, s:b, s:I, s:I}", "provisioning_uri", uri,
	    "secret_configured", seed_of(entry, &in_force), "interval",
	    (json_int_t)seed->interval, "otp_digits", (json_int_t)seed->digits);
}

json_t *
twofactor_config(const json_t *account)
{
	const json_t *entry = entry_of(account);
	struct totp seed;

	seed_of(entry, &seed);
	return shown(entry, &seed, json_null());
}

/* As it is shown once: with what an authenticator scans. */
static json_t *
newest(const json_t *account)
{
	const json_t *entry = entry_of(account);
	const json_t *made = json_object_get(entry, "waiting");
	struct totp seed;
	json_t *value;
	char *whose, *uri;

	if (!json_is_object(made))
		made = entry;
	if (!seed_of(made, &seed))
		return twofactor_config(account);
	whose = xasprintf(
	    "%s@%s", json_str(account, "username", ""), core_facts()->hostname);
	uri = totp_uri(&seed, ISSUER, whose);
	value = json_string(uri);
	freezero_str(uri);
	free(whose);
	return shown(entry, &seed, value);
}

static json_t *
answer(const struct change *c)
{
	const struct resource *users = resource_find("user");
	json_t *kept = entry_shown(users, c->id,
		   resource_shows_secrets(users, c->call->session)),
	       *user = json_copy(kept);

	json_decref(kept);
	json_object_set_new(user, "twofactor_config",
	    newest(store_get(core_store(), users->name, c->id)));
	return user;
}
