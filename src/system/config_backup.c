/*
 * config.save, config.upload, config.reset: the configuration as a file, put
 * in place of what there is, or set to what it was at the first start.  What
 * they change goes through the pipeline like any change, all or none; a copy
 * of the store is kept before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/backup.h"
#include "core/change.h"
#include "core/core.h"
#include "core/pipe.h"
#include "core/resource.h"
#include "core/schema.h"
#include "core/store_copies.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/xalloc.h"
#include "system/config.h"

/* clang-format off */
static const struct field save_options[] = {
	{ .name = "secretseed", .type = F_BOOL, .def = "false",
	  .doc = "With the key of the secrets in it: good on any machine, and "
	  "to be kept like a password." },
	{ .name = "pool_keys", .type = F_BOOL, .def = "false",
	  .doc = "No effect: there are no pools." },
	{ .name = "root_authorized_keys", .type = F_BOOL, .def = "false",
	  .doc = "No effect: keys are part of the accounts." },
	{ .name = "passphrase", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET | FF_OWN, .min = 8, .max = STRING_MAX,
	  .doc = "Seals all of it: good on any machine, with this word." },
	FIELD_END
};

static const struct field upload_options[] = {
	{ .name = "passphrase", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET | FF_OWN,
	  .doc = "The one it was saved with." },
	{ .name = "dry_run", .type = F_BOOL, .def = "false", .flags = FF_OWN,
	  .doc = "Only tell what it would change." },
	{ .name = "lose_secrets", .type = F_BOOL, .def = "false",
	  .flags = FF_OWN, .doc = "Secrets that do not open become what they "
	  "are in a new entry." },
	LOCKOUT_ROW,
	FIELD_END
};

static const struct field reset_options[] = {
	{ .name = "reboot", .type = F_BOOL, .def = "true",
	  .doc = "No effect: it is in force at once." },
	LOCKOUT_ROW,
	FIELD_END
};

const struct field config_save_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = save_options,
	  .def = "{}", .model = "ConfigSave", .doc = "What to save." },
	FIELD_END
};

const struct field config_upload_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = upload_options,
	  .def = "{}", .model = "ConfigUpload", .flags = FF_OWN,
	  .doc = "How to take it." },
	FIELD_END
};

const struct field config_reset_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = reset_options,
	  .def = "{}", .model = "ConfigReset", .doc = "How." },
	FIELD_END
};
/* clang-format on */

static void
supplied(struct call *call, int error)
{
	if (error != 0)
		call_fail(call, error, "The configuration was not taken: %s",
		    strerror(error));
	else
		call_reply(call, NULL);
}

void
config_save_run(struct call *call)
{
	const json_t *options = call_param(call, 0);
	char *text;

	if (!config_usable(call))
		return;
	text =
	    backup_write(core_store(), json_bool(options, "secretseed", false),
		json_str(options, "passphrase", NULL));
	pipe_supply(call, text, strlen(text), supplied);
	freezero_str(text);
}

/* One side of a difference, as it may be shown. */
static json_t *
side(const struct resource *r, const json_t *document)
{
	if (json_is_null(document))
		return json_null();
	return schema_redact(r->fields, document);
}

static json_t *
shown(const json_t *differences)
{
	json_t *list = json_array(), *item, *before, *after, *names;
	const struct resource *r;
	size_t i;

	json_array_foreach(differences, i, item) {
		r = resource_find(json_str(item, "resource", ""));
		before = json_object_get(item, "before");
		after = json_object_get(item, "after");
		names = json_is_null(before) || json_is_null(after) ?
		    json_array() :
		    config_changed(r, before, after);
		json_array_append_new(list,
		    json_pack("{s:s, s:O, s:o, s:o, s:o}", "resource", r->name,
			"entry", json_object_get(item, "entry"), "changed",
			names, "before", side(r, before), "after",
			side(r, after)));
	}
	return list;
}

/* Whoever asks stays: nobody locks himself out by a file. */
static void
check_way_in(
    const struct call *call, const json_t *differences, struct verr *errors)
{
	json_t *item, *before;
	char *attribute;
	size_t i;

	json_array_foreach(differences, i, item) {
		before = json_object_get(item, "before");
		if (strcmp(json_str(item, "resource", ""), "user") != 0 ||
		    !json_is_null(json_object_get(item, "after")) ||
		    strcmp(json_str(before, "username", ""), call_user(call)) !=
			0)
			continue;
		attribute = xasprintf(
		    "file.user.%lld", (long long)json_int(item, "entry", 0));
		verr_add(errors, attribute,
		    "The account that uploads this is not in it");
		free(attribute);
	}
}

/* Steals the differences; a copy of what there is comes first. */
static void
apply(struct call *call, json_t *differences)
{
	char *why;

	if (store_copy(core_store(), PATH_STATE, &why) == -1) {
		call_fail(call, ENOSPC, "Nothing was changed: %s", why);
		free(why);
	} else
		change_submit_all(call, differences);
	json_decref(differences);
}

static void
take(struct call *call, const char *text, size_t len)
{
	const json_t *options = call_param(call, 0);
	struct verr *errors = verr_new();
	json_t *entries, *differences = NULL;

	entries = backup_read(core_store(), text, len,
	    json_str(options, "passphrase", NULL),
	    json_bool(options, "lose_secrets", false), errors);
	if (entries != NULL) {
		differences = backup_differences(core_store(), entries);
		check_way_in(call, differences, errors);
	}
	json_decref(entries);
	if (verr_any(errors)) {
		json_decref(differences);
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	if (json_bool(options, "dry_run", false)) {
		call_reply(call, shown(differences));
		json_decref(differences);
	} else
		apply(call, differences);
}

static void
collected(struct call *call, int error, void *data, size_t len)
{
	if (error == EFBIG)
		call_fail(call, EFBIG, "A configuration has at most %u bytes",
		    BACKUP_MAX);
	else if (error != 0)
		call_fail(call, error, "The upload was cut short: %s",
		    strerror(error));
	else if (config_usable(call))
		take(call, data, len);
	freezero(data, data != NULL ? len : 0);
}

void
config_upload_run(struct call *call)
{
	pipe_collect(call, 0, BACKUP_MAX, collected);
}

/* Settings as of a first start; who may come in, and as what, stays. */
static json_t *
defaults(void)
{
	const struct resource *const *at, *r;
	json_t *entries = json_array(), *document;

	for (at = resources; (r = *at) != NULL; at++) {
		if (r->kind != RESOURCE_CONFIG || r->fields == NULL ||
		    r->apply != NULL)
			continue;
		document = schema_defaults(r->fields);
		if (r->initial != NULL)
			r->initial(document);
		json_array_append_new(entries,
		    json_pack("{s:s, s:I, s:o}", "resource", r->name, "entry",
			(json_int_t)r->entry, "document", document));
	}
	return entries;
}

void
config_reset_run(struct call *call)
{
	json_t *entries;

	if (!config_usable(call))
		return;
	entries = defaults();
	apply(call, backup_differences(core_store(), entries));
	json_decref(entries);
}
