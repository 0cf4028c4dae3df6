/*
 * Passwords of accounts: see password.h.
 */
#include "core/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unictype.h>
#include <unistr.h>

#include "core/account.h"
#include "core/change.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/security.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define DAY 86400
#define PROMPT_DAYS 6 /* stig.json, "prompt_days_before" */
#define HASH_MAX 512

struct hashing {
	password_hashed *done;
	void *arg;
};

static void
hashed(const struct op_reply *reply, void *arg)
{
	struct hashing *h = arg;
	struct wire_in body = reply->body;
	bool reused;
	char *hash;

	if (reply->error != 0) {
		h->done(reply->error, reply->text, NULL, false, h->arg);
		free(h);
		return;
	}
	reused = wire_get_u8(&body) != 0;
	hash = wire_get_str(&body, HASH_MAX);
	if (wire_end(&body) == -1)
		h->done(EPROTO, "the worker's answer is malformed", NULL, false,
		    h->arg);
	else
		h->done(0, NULL, hash, reused, h->arg);
	freezero_str(hash);
	free(h);
}

/* The present one and those before it, as far back as the rules look. */
static void
put_kept(struct wire_out *out, const json_t *account)
{
	struct password_rules rules;
	const char *present = json_str(account, "unixhash", NULL);
	json_t *history = json_object_get(account, "password_history");
	size_t i, count = json_array_size(history), older;

	security_password_rules(NULL, &rules);
	if (rules.history == 0 || present == NULL) {
		wire_put_u32(out, 0);
		return;
	}
	older = (size_t)rules.history - 1;
	if (older > count)
		older = count;
	wire_put_u32(out, (uint32_t)older + 1);
	wire_put_str(out, present);
	for (i = count - older; i < count; i++)
		wire_put_str(
		    out, json_string_value(json_array_get(history, i)));
}

void
password_hash(const char *password, const json_t *account,
    password_hashed *done, void *arg)
{
	struct hashing *h = xcalloc(1, sizeof(*h));
	struct wire_out out = { 0 };

	h->done = done;
	h->arg = arg;
	wire_put_u8(&out, security_fips() ? HASH_SHA512 : HASH_YESCRYPT);
	wire_put_str(&out, password);
	put_kept(&out, account);
	op_worker(TASK_HASH_PASSWORD, &out, hashed, h);
	wire_free(&out);
}

static bool
is_special(ucs4_t c)
{
	return c > ' ' && c < 0x7f && !uc_is_alnum(c);
}

static bool
is_digit(ucs4_t c)
{
	return c >= '0' && c <= '9';
}

/* clang-format off */
static const struct {
	unsigned int	  class;
	bool		(*is)(ucs4_t);
	const char	 *text;
} classes[] = {
	{ CLASS_UPPER, uc_is_upper, "an upper case letter" },
	{ CLASS_LOWER, uc_is_lower, "a lower case letter" },
	{ CLASS_NUMBER, is_digit, "a digit" },
	{ CLASS_SPECIAL, is_special, "a special character" },
};
/* clang-format on */

#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static unsigned int
classes_in(const char *password)
{
	const uint8_t *at = (const uint8_t *)password;
	unsigned int found = 0;
	ucs4_t c;
	size_t i;

	while ((at = u8_next(&c, at)) != NULL)
		for (i = 0; i < CLASSES; i++)
			if (classes[i].is(c))
				found |= classes[i].class;
	return found;
}

void
password_check(const char *password, struct verr *errors, const char *attribute)
{
	struct password_rules rules;
	size_t i,
	    length = u8_mbsnlen((const uint8_t *)password, strlen(password));
	unsigned int lacks;

	if (strlen(password) > PASSWORD_BYTES_MAX)
		verr_add(errors, attribute, "At most %d bytes are possible",
		    PASSWORD_BYTES_MAX);
	if (strpbrk(password, "\r\n") != NULL)
		verr_add(errors, attribute,
		    "A line break cannot be typed in at a login prompt");
	security_password_rules(NULL, &rules);
	if (length < (size_t)rules.min_length)
		verr_add(errors, attribute,
		    "It has %zu characters, and needs at least %lld", length,
		    (long long)rules.min_length);
	lacks = rules.classes & ~classes_in(password);
	for (i = 0; i < CLASSES; i++)
		if (lacks & classes[i].class)
			verr_add(
			    errors, attribute, "It needs %s", classes[i].text);
}

void
password_reused(struct verr *errors, const char *attribute)
{
	struct password_rules rules;

	security_password_rules(NULL, &rules);
	verr_add(errors, attribute,
	    "It is one of the account's last %lld passwords",
	    (long long)rules.history);
}

static int64_t
changed_at(const json_t *account)
{
	return json_int(account, "last_password_change", -1);
}

int64_t
password_too_young(const json_t *account)
{
	struct password_rules rules;
	int64_t age = password_age(account);

	security_password_rules(NULL, &rules);
	if (age == -1 || rules.min_age == 0 || age >= rules.min_age)
		return 0;
	return rules.min_age - age;
}

json_t *
password_history_next(const json_t *account)
{
	json_t *history =
	    json_copy(json_object_get(account, "password_history"));
	const char *present = json_str(account, "unixhash", NULL);

	if (!json_is_array(history)) {
		json_decref(history);
		history = json_array();
	}
	if (present != NULL && present[0] == '$')
		json_array_append_new(history, json_string(present));
	while (json_array_size(history) > PASSWORD_HISTORY_MAX)
		json_array_remove(history, 0);
	return history;
}

int64_t
password_age(const json_t *account)
{
	int64_t changed = changed_at(account), now = time(NULL);

	if (changed == -1)
		return -1;
	return now > changed ? (now - changed) / DAY : 0;
}

static bool
has_password(const json_t *account)
{
	const char *hash = json_str(account, "unixhash", NULL);

	return hash != NULL && hash[0] == '$' &&
	    !json_bool(account, "password_disabled", false);
}

/*
 * Of those who may do everything, whoever changed his password last: were all
 * of them to expire, nobody could come in to change one.
 */
static bool
is_last_administrator(const struct change *c, const json_t *account)
{
	json_t *users = change_view_all(c, resource_find("user")), *other;
	bool last = true;
	size_t i;

	json_array_foreach(users, i, other)
		if (changed_at(other) > changed_at(account) &&
		    has_password(other) && !json_bool(other, "locked", false) &&
		    account_is_administrator(other))
			last = false;
	json_decref(users);
	return last;
}

int64_t
password_max_age(const struct change *c, const json_t *account)
{
	struct password_rules rules;

	security_password_rules(c, &rules);
	if (rules.max_age == 0 || json_int(account, "uid", -1) == 0 ||
	    changed_at(account) == -1 || !has_password(account))
		return -1;
	if (account_is_administrator(account) &&
	    !json_bool(account, "locked", false) &&
	    is_last_administrator(c, account))
		return -1;
	return rules.max_age;
}

bool
password_change_required(const json_t *account)
{
	int64_t max = password_max_age(NULL, account);

	return max != -1 && password_age(account) >= max - PROMPT_DAYS;
}
