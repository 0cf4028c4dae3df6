/*
 * config.*: the configuration as a whole.
 */
#include "core/backup.h"
#include "core/confirm.h"
#include "core/query.h"
#include "lib/xalloc.h"
#include "system/config.h"
#include "system/system.h"

/* clang-format off */
static const struct field revisions = { .name = "result", .type = F_ANY,
	.flags = FF_REQUIRED, .doc = "Revisions, as the query asks for them." };
static const struct field differences = { .name = "result", .type = F_ARRAY,
	.flags = FF_REQUIRED, .doc = "Entries that differ: resource, entry, "
	"before, after, changed." };
static const struct field entry = { .name = "result", .type = F_ANY,
	.flags = FF_REQUIRED, .doc = "The entry as it is now." };
static const struct field copies = { .name = "result", .type = F_ARRAY,
	.flags = FF_REQUIRED, .doc = "Copies: name, schema, time, size, "
	"usable." };

/* clang-format on */

static char *
reset_lock(const json_t *params)
{
	(void)params;
	return xstrdup("config_reset");
}

/* clang-format off */
/* All of it FULL_ADMIN's: what is shown is everybody's settings. */
static const struct method methods[] = {
	{ .name = "config.history", .auth = AUTH_ROLE, .own = true,
	  .kind = KIND_QUERY, .params = query_params, .result = &revisions,
	  .doc = "The revisions of the configuration: who changed what, when "
	  "and from where.", .run = config_history_run },
	{ .name = "config.diff", .auth = AUTH_ROLE, .own = true,
	  .params = config_diff_params, .result = &differences,
	  .doc = "What differs between two revisions, or a revision and now.",
	  .run = config_diff_run },
	{ .name = "config.rollback", .auth = AUTH_ROLE, .own = true,
	  .params = config_rollback_params, .result = &entry,
	  .doc = "Takes back what one revision changed.",
	  .audit = "Rolled back revision",
	  .audit_suffix = config_rollback_suffix, .run = config_rollback_run },
	/* Who changed it may, too: these look themselves. */
	{ .name = "config.checkin", .auth = AUTH_SESSION, .own = true,
	  .params = confirm_params,
	  .doc = "Confirms the change that waits to be.",
	  .audit = "Confirmed a change", .run = confirm_checkin_run },
	{ .name = "config.checkin_waiting", .auth = AUTH_SESSION,
	  .own = true, .result = &confirm_seconds,
	  .doc = "How long a change still waits for config.checkin.",
	  .run = confirm_waiting_run },
	{ .name = "config.pending", .auth = AUTH_ROLE, .own = true,
	  .result = &confirm_shown,
	  .doc = "The change that waits to be confirmed.",
	  .run = confirm_pending_run },
	{ .name = "config.take_back", .auth = AUTH_SESSION, .own = true,
	  .doc = "Takes back the change that waits, before its time.",
	  .audit = "Took back a change", .run = confirm_take_back_run },
	{ .name = "config.copies", .auth = AUTH_ROLE, .own = true,
	  .result = &copies,
	  .doc = "The copies of the configuration that are kept.",
	  .run = config_copies_run },
	{ .name = "config.restore_copy", .auth = AUTH_ROLE, .own = true,
	  .params = config_restore_params,
	  .doc = "Puts a copy in place of a configuration that was refused.",
	  .audit = "Restored a copy of the configuration",
	  .audit_suffix = config_restore_suffix,
	  .run = config_restore_copy_run },
	{ .name = "config.forget_secrets", .auth = AUTH_ROLE, .own = true,
	  .doc = "Begins anew without the secrets, when their key is lost.",
	  .audit = "Gave up the secrets of the configuration",
	  .run = config_forget_secrets_run },
	{ .name = "config.save", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_OUTPUT, .params = config_save_params,
	  .doc = "The configuration as a file to keep.",
	  .audit = "Saved the configuration", .run = config_save_run },
	{ .name = "config.upload", .auth = AUTH_ROLE, .job = true,
	  .job_lock = reset_lock, .pipe = PIPE_INPUT,
	  .input_max = BACKUP_MAX, .params = config_upload_params,
	  .doc = "Puts a saved configuration in place of this one.",
	  .audit = "Uploaded a configuration", .run = config_upload_run },
	{ .name = "config.reset", .auth = AUTH_ROLE, .job = true,
	  .job_lock = reset_lock, .params = config_reset_params,
	  .doc = "All settings as at the first start; accounts, groups and "
	  "the audit log stay.", .audit = "Reset the configuration",
	  .run = config_reset_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "config.checkin_waiting", .own = true, .auth = AUTH_SESSION,
	  .doc = "A change begins to wait, or no longer does." },
	EVENT_END
};

const struct resource config_resource = {
	.name = "config", .doc = "The configuration as a whole.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Configuration",
	.methods = methods, .events = events
};
/* clang-format on */
