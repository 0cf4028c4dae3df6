/*
 * When credentials were used, and how that went: no configuration, so without
 * a revision; a value of the store each ("keychain/7"), gone with the entry.
 * keychaincredential.stale lists what should be looked at.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/call.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"
#include "lib/ssh_key.h"
#include "system/system.h"

#define PREFIX "keychain/"
#define RSA_BITS_MIN 3072
#define DAY 86400

/* clang-format off */
static const struct field options[] = {
	{ .name = "days", .type = F_INT, .def = "90", .unit = "d", .min = 1,
	  .max = 36500, .doc = "What was not used for so long is listed." },
	FIELD_END
};
const struct field keychain_stale_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = options, .def = "{}",
	  .doc = "What counts as stale." },
	FIELD_END
};

enum finding { NEVER_USED, NOT_USED, NO_PASSPHRASE, SHORT_KEY, UNREACHABLE,
    HOST_KEY_CHANGED, REFUSED, FINDINGS };
static const struct {
	const char *code, *text;
} findings[FINDINGS] = {
	[NEVER_USED] = { "NEVER_USED", "It was never used." },
	[NOT_USED] = { "NOT_USED", "It was not used for so many days." },
	[NO_PASSPHRASE] = { "NO_PASSPHRASE",
	  "The private key is not encrypted." },
	[SHORT_KEY] = { "SHORT_KEY", "RSA keys should have 3072 bits." },
	[UNREACHABLE] = { "UNREACHABLE",
	  "The host did not answer when it was last tried." },
	[HOST_KEY_CHANGED] = { "HOST_KEY_CHANGED",
	  "The host showed another key when it was last tried." },
	[REFUSED] = { "REFUSED",
	  "The host did not accept the key when it was last tried." },
};
static const char *const codes[] = { "NEVER_USED", "NOT_USED", "NO_PASSPHRASE",
	"SHORT_KEY", "UNREACHABLE", "HOST_KEY_CHANGED", "REFUSED", NULL };

static const struct field finding_fields[] = {
	{ .name = "code", .type = F_ENUM, .choices = codes,
	  .doc = "What is found." },
	{ .name = "text", .type = F_STR, .doc = "The same for people." },
	FIELD_END
};
static const struct field finding = { .name = "finding", .type = F_OBJECT,
	.fields = finding_fields, .doc = "One finding." };
static const struct field stale_fields[] = {
	{ .name = "id", .type = F_INT, .doc = "Id of the entry." },
	{ .name = "name", .type = F_STR, .doc = "What it is called." },
	{ .name = "type", .type = F_STR, .doc = "Its type." },
	{ .name = "last_used", .type = F_ANY, .flags = FF_NULL | FF_DATE,
	  .doc = "When it last let this machine in somewhere." },
	{ .name = "findings", .type = F_ARRAY, .fields = &finding,
	  .doc = "Why it is listed." },
	FIELD_END
};
static const struct field stale = { .name = "result", .type = F_OBJECT,
	.fields = stale_fields, .doc = "A credential to look at." };
const struct field keychain_stale_result = { .name = "result",
	.type = F_ARRAY, .fields = &stale, .flags = FF_REQUIRED,
	.doc = "The credentials to look at." };
/* clang-format on */

/* --- What is remembered --------------------------------------------------- */

static char *
name_of(int64_t id)
{
	return xasprintf(PREFIX "%" PRId64, id);
}

/* {used, error}: when it last worked, how it last ended; a new reference. */
static json_t *
state_of(int64_t id)
{
	char *name = name_of(id), *text = store_value(core_store(), name);
	json_t *state = NULL;

	if (text != NULL)
		state = json_parse(text, strlen(text), NULL);
	free(text);
	free(name);
	return state != NULL ? state : json_object();
}

void
keychain_state_tried(int64_t id, int error)
{
	json_t *state;
	char *name, *text;

	if (core_store() == NULL ||
	    store_get(core_store(), keychain_resource.name, id) == NULL)
		return;
	state = state_of(id);
	if (error == 0)
		json_object_set_new(state, "used", json_integer(time(NULL)));
	json_object_set_new(state, "error", json_integer(error));
	name = name_of(id);
	text = json_text(state);
	if (store_set_value(core_store(), name, text) == -1)
		core_problem("keychain",
		    "It cannot be remembered that a credential was used: %s",
		    strerror(errno));
	free(text);
	free(name);
	json_decref(state);
}

void
keychain_state_review(void)
{
	json_t *states = store_values(core_store(), PREFIX), *state;
	const char *id;
	char *name;

	json_object_foreach(states, id, state) {
		if (store_get(core_store(), keychain_resource.name,
			strtoll(id, NULL, 10)) != NULL)
			continue;
		name = xasprintf(PREFIX "%s", id);
		/* Tried again by the next change. */
		(void)store_set_value(core_store(), name, NULL);
		free(name);
	}
	json_decref(states);
}

/* --- What should be looked at --------------------------------------------- */

static void
add(json_t *list, enum finding f)
{
	json_array_append_new(list,
	    json_pack("{s:s, s:s}", "code", findings[f].code, "text",
		findings[f].text));
}

static void
look_at_key(json_t *list, const json_t *attributes)
{
	const char *public = json_str(attributes, "public_key", "");
	size_t bits = ssh_key_rsa_bits(public);

	if (json_str(attributes, "private_key", NULL) != NULL &&
	    json_str(attributes, "passphrase", NULL) == NULL)
		add(list, NO_PASSPHRASE);
	if (bits > 0 && bits < RSA_BITS_MIN)
		add(list, SHORT_KEY);
}

static void
look_at_outcome(json_t *list, int64_t error)
{
	if (error == EKEYREJECTED)
		add(list, HOST_KEY_CHANGED);
	else if (error == EACCES)
		add(list, REFUSED);
	else if (error != 0)
		add(list, UNREACHABLE);
}

/* A new array. */
static json_t *
findings_of(const json_t *entry, const json_t *state, int64_t days)
{
	int64_t used = json_int(state, "used", 0);
	json_t *list = json_array();

	if (used == 0)
		add(list, NEVER_USED);
	else if ((int64_t)time(NULL) - used >= days * DAY)
		add(list, NOT_USED);
	if (keychain_is(entry, KEY_PAIR))
		look_at_key(list, json_object_get(entry, "attributes"));
	look_at_outcome(list, json_int(state, "error", 0));
	return list;
}

void
keychain_stale_run(struct call *call)
{
	int64_t days = json_int(call_param(call, 0), "days", 90), used;
	json_t *all, *entry, *state, *found, *told = json_array();
	size_t i;

	if (core_store() == NULL) {
		json_decref(told);
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	all = store_list(core_store(), keychain_resource.name);
	json_array_foreach(all, i, entry) {
		state = state_of(json_int(entry, "id", -1));
		used = json_int(state, "used", 0);
		found = findings_of(entry, state, days);
		if (json_array_size(found) > 0)
			json_array_append_new(told,
			    json_pack("{s:O, s:O, s:O, s:o, s:O}", "id",
				json_object_get(entry, "id"), "name",
				json_object_get(entry, "name"), "type",
				json_object_get(entry, "type"), "last_used",
				used != 0 ? json_date(used) : json_null(),
				"findings", found));
		json_decref(found);
		json_decref(state);
	}
	json_decref(all);
	call_reply(call, told);
}
