/*
 * Edits of sshd_config by others: see ssh_edits.h.
 *
 * sshd_config is ours when it is, by digest, what was installed last.  The
 * files in sshd_config.d, which ours does not include, are known by digests
 * too: of what was there first, and of what was dealt with since.
 */
#include "services/ssh/ssh_edits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/installed.h"
#include "core/op.h"
#include "core/resource.h"
#include "core/scheduler.h"
#include "lib/digest.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_diff.h"
#include "services/ssh/ssh_files.h"
#include "services/ssh/ssh_first.h"
#include "services/ssh/ssh_import.h"

#define TASK "ssh.edits"
#define METHOD "ssh.foreign_edits"
#define ALERT "ConfigurationFileEdited"
#define ALERT_DROP_INS "sshd_config.d"
#define KNOWN "ssh.drop_ins" /* in the store: {path: digest} */

static const char *const actions[] = { "IMPORT", "DISCARD", NULL };
#define LAST "ssh.import_report" /* in the store */

/* clang-format off */
static const struct field edits_data[] = {
	{ .name = "action", .type = F_ENUM, .choices = actions,
	  .flags = FF_REQUIRED,
	  .doc = "IMPORT: it becomes settings, and auxiliary parameters. "
	  "DISCARD: the file is written anew from the settings." },
	FIELD_END
};
const struct field ssh_edits_params[] = {
	{ .name = "data", .type = F_OBJECT, .fields = edits_data,
	  .flags = FF_REQUIRED, .model = "SSHForeignEdits",
	  .doc = "What becomes of the edits." },
	FIELD_END
};

static const struct field edited_fields[] = {
	{ .name = "file", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Its path." },
	{ .name = "diff", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Lines that are gone (-) and that came (+)." },
	FIELD_END
};
static const struct field edited_file = { .name = "file", .type = F_OBJECT,
	.fields = edited_fields, .doc = "A file that was edited." };
const struct field ssh_edited_list = { .name = "result", .type = F_ARRAY,
	.fields = &edited_file, .flags = FF_REQUIRED,
	.doc = "The files that were edited by somebody else." };

static const struct field result_fields[] = {
	{ .name = "files", .type = F_ARRAY, .fields = &edited_file,
	  .flags = FF_REQUIRED, .doc = "What had been edited." },
	SSH_IMPORT_REPORT_ROWS,
	FIELD_END
};
const struct field ssh_edits_result = { .name = "result", .type = F_OBJECT,
	.fields = result_fields, .flags = FF_REQUIRED,
	.doc = "What became of them." };
const struct field ssh_import_last = { .name = "result", .type = F_OBJECT,
	.fields = result_fields, .flags = FF_REQUIRED | FF_NULL,
	.doc = "The last import; null: there was none." };
/* clang-format on */

/* --- What is known -------------------------------------------------------- */

/* {path: digest} of those that are there; a new reference. */
static json_t *
drop_ins_of(const struct ssh_files *files)
{
	json_t *digests = json_object();
	char text[DIGEST_TEXT];
	const struct ssh_file *file;
	size_t i;

	for (i = 0; i < files->count; i++) {
		file = &files->list[i];
		if (!ssh_file_is_drop_in(file))
			continue;
		digest_text(file->content, file->len, text);
		json_object_set_new(digests, file->path, json_string(text));
	}
	return digests;
}

static void
keep_known(const json_t *digests)
{
	char *text = json_text(digests);

	if (store_set_value(core_store(), KNOWN, text) == -1)
		log_warn("ssh.edits", "%s", strerror(errno));
	free(text);
}

/* A new reference, or NULL: nothing was looked at yet. */
static json_t *
known_drop_ins(void)
{
	char *text = store_value(core_store(), KNOWN);
	json_t *known = NULL;

	if (text != NULL)
		known = json_parse(text, strlen(text), NULL);
	free(text);
	return known;
}

/* --- What is edited ------------------------------------------------------- */

static json_t *
edited_entry(const char *path, json_t *diff)
{
	return json_pack(
	    "{s:o, s:o}", "file", ssh_path_text(path), "diff", diff);
}

/* What it has that the text before has not, or why it cannot be read. */
static json_t *
diff_of(const char *before, const struct ssh_file *file)
{
	json_t *text, *diff;

	if (*file->problem != '\0')
		return json_string(file->problem);
	text = ssh_text(file->content, file->len);
	diff = ssh_diff(before, json_string_value(text));
	json_decref(text);
	return diff;
}

/* As of what the store says, which is what was installed. */
static json_t *
main_diff(const struct ssh_file *file)
{
	char *why = NULL, *ours = change_render(OUTPUT_SSHD_CONFIG, NULL, &why);
	json_t *diff = diff_of(ours != NULL ? ours : "", file);

	free(why);
	freezero_str(ours);
	return diff;
}

static bool
is_main_edited(const struct ssh_file *file)
{
	return file != NULL &&
	    !installed_ours(OUTPUT_SSHD_CONFIG, file->content, file->len);
}

/* [{file, diff}]; a new reference. */
static json_t *
edited(const struct ssh_files *files)
{
	const struct ssh_file *file = ssh_files_find(files, SSH_MAIN_FILE);
	json_t *list = json_array(), *known = known_drop_ins();
	json_t *now = drop_ins_of(files), *digest;
	const char *path;

	if (is_main_edited(file))
		json_array_append_new(
		    list, edited_entry(SSH_MAIN_FILE, main_diff(file)));
	json_object_foreach(now, path, digest) {
		if (known == NULL ||
		    json_equal(digest, json_object_get(known, path)))
			continue;
		file = ssh_files_find(files, path);
		json_array_append_new(
		    list, edited_entry(path, diff_of("", file)));
	}
	json_decref(known);
	json_decref(now);
	return list;
}

/* The alerts follow what is seen. */
static void
tell(const json_t *list)
{
	static const char main_path[] = SSH_FOLDER "/" SSH_MAIN_FILE;
	const char *name = outputs[OUTPUT_SSHD_CONFIG].name, *path;
	char *drop_ins = NULL, *longer;
	bool main_edited = false;
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry) {
		path = json_str(entry, "file", "");
		if (strcmp(path, main_path) == 0) {
			main_edited = true;
			continue;
		}
		longer = xasprintf("%s%s%s", drop_ins == NULL ? "" : drop_ins,
		    drop_ins == NULL ? "" : ", ", path);
		free(drop_ins);
		drop_ins = longer;
	}
	if (main_edited)
		alert_raise(ALERT, name, json_pack("{s:s}", "file", main_path));
	else
		alert_clear(ALERT, name);
	if (drop_ins != NULL)
		alert_raise(ALERT, ALERT_DROP_INS,
		    json_pack("{s:s}", "file", drop_ins));
	else
		alert_clear(ALERT, ALERT_DROP_INS);
	free(drop_ins);
}

/* --- At start and now and then -------------------------------------------- */

struct looking {
	void (*done)(void *);
	void *arg;
	struct task_run *run;
};

static void
looked(struct ssh_files *files, const char *why, void *arg)
{
	struct looking *l = arg;
	json_t *list, *known;

	if (files != NULL) {
		if (l->done != NULL && ssh_first_begin(files))
			installed_disown(OUTPUT_SSHD_CONFIG);
		else if ((known = known_drop_ins()) == NULL) {
			known = drop_ins_of(files);
			keep_known(known);
			json_decref(known);
		} else
			json_decref(known);
		list = edited(files);
		tell(list);
		json_decref(list);
	} else
		log_warn("ssh.edits", "%s", why);
	ssh_files_free(files);
	if (l->run != NULL)
		task_done(l->run, why);
	if (l->done != NULL)
		l->done(l->arg);
	free(l);
}

static void
look(struct looking what)
{
	struct looking *l = xcalloc(1, sizeof(*l));

	*l = what;
	ssh_files_ask(looked, l);
}

void
ssh_edits_gather(void (*done)(void *), void *arg)
{
	json_t *often = json_pack("{s:s}", "minute", "*/10");

	if (scheduler_cron(TASK, often, TASK, NULL) == -1)
		log_warn("ssh.schedule", "%s", strerror(errno));
	json_decref(often);
	look((struct looking){ .done = done, .arg = arg });
}

void
ssh_edits_task(struct task_run *run, const json_t *args)
{
	(void)args;
	look((struct looking){ .run = run });
}

/* --- Before a change ------------------------------------------------------ */

bool
ssh_edits_replaced_by(const struct change *change)
{
	return change->call->method != NULL &&
	    strcmp(change->call->method->name, METHOD) == 0;
}

/* What a call of ssh.foreign_edits deals with. */
struct handling {
	char main[DIGEST_TEXT]; /* "": there is none */
	json_t *drop_ins; /* {path: digest} */
	json_t *report;
	struct ssh_files *files;
	int root_password; /* as of import_result */
};

static void
handling_free(void *arg)
{
	struct handling *h = arg;

	json_decref(h->drop_ins);
	json_decref(h->report);
	ssh_files_free(h->files);
	free(h);
}

/* What PermitRootLogin said of passwords is the account's to say. */
void
ssh_edits_account(struct change *change)
{
	const struct resource *accounts = resource_find("user");
	const struct handling *h = change->call->data;
	json_t *users, *user;
	struct edit *e;
	size_t i;

	if (h->root_password == -1)
		return;
	users = change_view_all(change, accounts);
	json_array_foreach(users, i, user) {
		if (json_int(user, "uid", -1) != 0)
			continue;
		e = change_edit(change, accounts, json_int(user, "id", -1));
		if (e != NULL)
			json_object_set_new(e->after, "ssh_password_enabled",
			    json_boolean(h->root_password == 1));
	}
	json_decref(users);
}

static void
digest_main(const struct ssh_files *files, char text[static DIGEST_TEXT])
{
	const struct ssh_file *file = ssh_files_find(files, SSH_MAIN_FILE);

	if (file == NULL)
		*text = '\0';
	else
		digest_text(file->content, file->len, text);
}

static bool
is_what_is_handled(const struct change *change, const struct ssh_files *files)
{
	const struct handling *h = change->call->data;
	char now[DIGEST_TEXT];
	json_t *drop_ins = drop_ins_of(files);
	bool same;

	digest_main(files, now);
	same = strcmp(now, h->main) == 0 && json_equal(drop_ins, h->drop_ins);
	json_decref(drop_ins);
	return same;
}

/* What lies there was judged, and so was what is dealt with. */
static void
go_on(struct change *change, const struct ssh_files *files)
{
	char handled[DIGEST_TEXT];

	if (*files->there != '\0')
		change_replaces(change, files->there);
	if (*files->there != '\0' && ssh_edits_replaced_by(change)) {
		digest_main(files, handled);
		change_replaces(change, handled);
	}
	change_looked(change, NULL, NULL);
}

/* What is put back was so before; what made room for it waits. */
static bool
is_back_already(const struct change *change, const struct ssh_files *files)
{
	return change->taking_back && files->aside;
}

static void
before_change(struct ssh_files *files, const char *why, void *arg)
{
	struct change *change = arg;
	json_t *list = files != NULL ? edited(files) : NULL;

	if (files == NULL)
		change_looked(change, why, NULL);
	else if (ssh_edits_replaced_by(change) &&
	    !is_what_is_handled(change, files))
		change_looked(change,
		    "Nothing was changed: it was edited again meanwhile", NULL);
	else if (ssh_edits_replaced_by(change) || json_array_size(list) == 0 ||
	    is_back_already(change, files))
		go_on(change, files);
	else {
		tell(list);
		change_looked(change,
		    "Nothing was changed: sshd_config was edited by somebody "
		    "else; " METHOD " says what becomes of that",
		    change->full_admin ? json_pack("{s:O}", "files", list) :
					 NULL);
	}
	json_decref(list);
	ssh_files_free(files);
}

void
ssh_edits_look(struct change *change)
{
	ssh_files_ask(before_change, change);
}

/* --- The methods ---------------------------------------------------------- */

char *
ssh_edits_suffix(const json_t *params)
{
	return xstrdup(json_str(json_array_get(params, 0), "action", ""));
}

static bool is_import(const struct call *);

static void
keep_report(const json_t *report)
{
	char *text = json_text(report);
	size_t left = json_array_size(json_object_get(report, "not_taken"));
	size_t other = json_array_size(json_object_get(report, "differences"));

	if (store_set_value(core_store(), LAST, text) == -1)
		log_warn("ssh.import", "%s", strerror(errno));
	free(text);
	log_info("ssh.imported",
	    "sshd_config was taken over: %zu directives do something else, "
	    "%zu lines were left out (ssh.import_report)",
	    other, left);
	alert_raise("SshImported", NULL,
	    json_pack("{s:I, s:I}", "differences", (json_int_t)other, "left",
		(json_int_t)left));
}

static void
replaced(struct change *change)
{
	struct handling *h = change->call->data;

	keep_known(h->drop_ins);
	if (is_import(change->call))
		keep_report(h->report);
	alert_clear(ALERT, ALERT_DROP_INS);
	change->result = json_incref(h->report);
}

static void
give_up(struct call *call, int error, const char *text)
{
	call_fail(call, error, "%s", text);
}

/* The change that replaces the file; data: of ssh.update. */
static void
replace(struct call *call, const json_t *data)
{
	installed_disown(OUTPUT_SSHD_CONFIG);
	change_submit(call, &ssh_resource, CHANGE_UPDATE, ssh_resource.entry,
	    data, replaced);
}

static void
imported(const struct import_result *result, void *arg)
{
	struct call *call = arg;
	struct handling *h = call->data;

	if (result->error != 0) {
		call_fail_extra(call, result->error, json_incref(result->extra),
		    "Nothing was changed: %s", result->text);
		return;
	}
	json_object_update(h->report, result->report);
	h->root_password = result->root_password;
	replace(call, result->data);
}

static bool
is_import(const struct call *call)
{
	return strcmp(json_str(call_param(call, 0), "action", ""), "IMPORT") ==
	    0;
}

/* {path: digest} of drop-ins that were edited; a new reference. */
static json_t *
edited_drop_ins(const struct ssh_files *files)
{
	json_t *known = known_drop_ins(), *now = drop_ins_of(files), *digest;
	const char *path;
	void *next;

	json_object_foreach_safe(now, next, path,
	    digest) if (json_equal(digest, json_object_get(known, path)))
	    json_object_del(now, path);
	json_decref(known);
	return now;
}

static void
files_known(struct ssh_files *files, const char *why, void *arg)
{
	struct call *call = arg;
	struct handling *h;
	json_t *list, *data, *also = NULL;

	if (files == NULL) {
		give_up(call, EIO, why);
		return;
	}
	list = edited(files);
	if (json_array_size(list) == 0) {
		give_up(call, ENOENT, "Nobody else edited sshd_config");
		json_decref(list);
		ssh_files_free(files);
		return;
	}
	h = xcalloc(1, sizeof(*h));
	digest_main(files, h->main);
	h->drop_ins = drop_ins_of(files);
	h->report = json_pack("{s:o, s:[], s:[], s:[]}", "files", list,
	    "not_taken", "differences", "not_compared");
	h->files = files;
	h->root_password = -1;
	call->data = h;
	call->free_data = handling_free;
	if (is_import(call)) {
		/* Files beside ours mean something once they are imported. */
		if (!is_main_edited(ssh_files_find(files, SSH_MAIN_FILE)))
			also = edited_drop_ins(files);
		ssh_import(files, also, imported, call);
		json_decref(also);
		return;
	}
	data = json_object();
	replace(call, data);
	json_decref(data);
}

void
ssh_edits_run(struct call *call)
{
	ssh_files_ask(files_known, call);
}

void
ssh_import_report_run(struct call *call)
{
	char *text = store_value(core_store(), LAST);

	call_reply(call,
	    text == NULL ? json_null() : json_parse(text, strlen(text), NULL));
	free(text);
}

static void
list_edited(struct ssh_files *files, const char *why, void *arg)
{
	struct call *call = arg;
	json_t *list;

	if (files == NULL) {
		call_fail(call, EIO, "The files could not be read: %s", why);
		return;
	}
	list = edited(files);
	tell(list);
	ssh_files_free(files);
	call_reply(call, list);
}

void
ssh_edited_run(struct call *call)
{
	ssh_files_ask(list_edited, call);
}
