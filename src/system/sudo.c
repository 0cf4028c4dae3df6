/*
 * sudo.*: what is to be said of the commands that users and groups may run
 * with sudo, and how these lists are checked and become a file of sudoers.d.
 *
 * Rules name accounts by their numbers: those are never used again, so that
 * no order of files and names gives a rule to somebody else for a moment.
 */
#include "system/sudo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define ALERT "SudoCommandUnsafe"
#define PATH_LENGTH 4096
#define ASK_MAX 4096 /* commands of one question */
#define REVIEW_MS 200 /* a change tells of itself more than once */

static const char header[] =
    "# Written by Holdfast; changes made here are overwritten.\n";

static const char *const members[] = { "sudo_commands",
	"sudo_commands_nopasswd", NULL };

/* --- What an entry may say ------------------------------------------------ */

static bool
contains(const json_t *list, const json_t *text)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_equal(item, text))
			return true;
	return false;
}

/* "sudo_commands.0", malloc'd. */
static char *
place(const char *member, size_t index)
{
	return xasprintf("%s.%zu", member, index);
}

static void
check_member(struct change *c, const char *member)
{
	const json_t *list = json_object_get(c->after, member), *item;
	const json_t *old = json_object_get(c->before, member);
	const char *problem;
	char *attribute;
	size_t i;

	json_array_foreach(list, i, item) {
		problem = sudo_command_problem(json_string_value(item));
		if (problem == NULL || contains(old, item))
			continue;
		attribute = place(member, i);
		verr_add(c->errors, attribute, "%s", problem);
		free(attribute);
	}
}

void
sudo_check(struct change *c)
{
	size_t i;

	for (i = 0; c->after != NULL && members[i] != NULL; i++)
		check_member(c, members[i]);
}

/* What was asked about: places and commands, in the order of the question. */
struct lookup {
	struct change *change;
	void (*then)(struct change *);
	json_t *places, *commands;
};

static void
put_question(struct wire_out *out, const json_t *commands)
{
	json_t *command;
	size_t i;

	wire_put_u32(out, (uint32_t)json_array_size(commands));
	json_array_foreach(commands, i, command)
		wire_put_str(out, json_string_value(command));
}

/* An answer's next; false: there is none, or none that is right. */
static bool
get_state(struct wire_in *body, enum command_state *state, char **pathp)
{
	uint8_t value = wire_get_u8(body);

	*pathp = wire_get_str(body, PATH_LENGTH);
	if (*pathp == NULL || value >= COMMAND_STATE_COUNT)
		return false;
	*state = (enum command_state)value;
	return true;
}

static void
looked_up(const struct op_reply *reply, void *arg)
{
	struct lookup *l = arg;
	struct wire_in body = reply->body;
	struct change *c = l->change;
	enum command_state state;
	const char *where, *command;
	char *path = NULL;
	size_t i;

	for (i = 0; i < json_array_size(l->places); i++) {
		where = json_string_value(json_array_get(l->places, i));
		command = json_string_value(json_array_get(l->commands, i));
		if (reply->error != 0 || !get_state(&body, &state, &path))
			verr_add_errno(c->errors, EAGAIN, where,
			    "The command could not be looked up: %s",
			    reply->text);
		else if (state == COMMAND_ABSENT)
			verr_add(c->errors, where,
			    "No paths matching '%.*s' exist",
			    (int)strcspn(command, " "), command);
		free(path);
		path = NULL;
	}
	json_decref(l->places);
	json_decref(l->commands);
	l->then(c);
	free(l);
}

static void
note_new(struct lookup *l, const char *member)
{
	const json_t *list = json_object_get(l->change->after, member), *item;
	const json_t *old = json_object_get(l->change->before, member);
	char *attribute;
	size_t i;

	json_array_foreach(list, i, item) {
		if (contains(old, item) ||
		    strcmp(json_string_value(item), "ALL") == 0)
			continue;
		attribute = place(member, i);
		json_array_append_new(l->places, json_string(attribute));
		json_array_append_new(
		    l->commands, json_string(json_string_value(item)));
		free(attribute);
	}
}

void
sudo_lookup(struct change *c, void (*then)(struct change *))
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	struct wire_out out = { 0 };
	size_t i;

	l->change = c;
	l->then = then;
	l->places = json_array();
	l->commands = json_array();
	if (!change_is_faulty(c) && c->after != NULL && c->all == NULL)
		for (i = 0; members[i] != NULL; i++)
			note_new(l, members[i]);
	if (json_array_size(l->commands) == 0) {
		json_decref(l->places);
		json_decref(l->commands);
		free(l);
		then(c);
		return;
	}
	put_question(&out, l->commands);
	op_request(MSG_OP_CHECK_COMMANDS, &out, -1, looked_up, l);
	wire_free(&out);
}

/* --- The file ------------------------------------------------------------- */

static void
put_all(FILE *out, const json_t *entries, const char *sign, const char *number,
    const char *name)
{
	char id[32];
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry) {
		if (json_bool(entry, "locked", false))
			continue;
		snprintf(id, sizeof(id), "%s%lld", sign,
		    (long long)json_int(entry, number, -1));
		sudo_put_rules(out, id, json_str(entry, name, ""), entry);
	}
}

char *
sudo_render_output(const struct change *c, char **whyp)
{
	json_t *users = change_view_all(c, &user_resource);
	json_t *groups = change_view_all(c, &group_resource);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)whyp;
	if (out == NULL)
		abort();
	fputs(header, out);
	put_all(out, users, "#", "uid", "username");
	put_all(out, groups, "%#", "gid", "name");
	if (fclose(out) != 0)
		abort();
	json_decref(users);
	json_decref(groups);
	return text;
}

/* --- What is to be said of them ------------------------------------------- */

struct review {
	json_t *rules; /* {account, group, command, password}, each one */
	void (*done)(json_t *findings, int error, const char *text, void *);
	void *arg;
};

static void
note_rules(json_t *rules, const json_t *entries, const char *name, bool group)
{
	json_t *entry, *command;
	size_t i, k, m;

	json_array_foreach(entries, i, entry)
		for (m = 0; members[m] != NULL; m++)
			json_array_foreach(
			    json_object_get(entry, members[m]), k, command)
				if (json_array_size(rules) < ASK_MAX)
					json_array_append_new(rules,
					    json_pack("{s:s, s:b, s:O, s:b}",
						"account",
						json_str(entry, name, ""),
						"group", group, "command",
						command, "password", m == 0));
}

static json_t *
all_rules(void)
{
	json_t *rules = json_array();
	json_t *users = store_list(core_store(), "user");
	json_t *groups = store_list(core_store(), "group");

	note_rules(rules, users, "username", false);
	note_rules(rules, groups, "name", true);
	json_decref(users);
	json_decref(groups);
	return rules;
}

static void
add(json_t *findings, const json_t *rule, const char *finding, json_t *reason)
{
	json_t *entry = json_copy((json_t *)(uintptr_t)rule);

	json_object_set_new(entry, "finding", json_string(finding));
	json_object_set_new(entry, "reason", reason);
	json_array_append_new(findings, entry);
}

static void
judge(json_t *findings, const json_t *rule, enum command_state state,
    const char *path)
{
	const char *command = json_str(rule, "command", "");
	struct sudo_risk risk;

	if (state == COMMAND_WRITABLE)
		add(findings, rule, "WRITABLE",
		    json_sprintf("others than root may write to %s", path));
	else if (state == COMMAND_ABSENT && strcmp(command, "ALL") != 0)
		add(findings, rule, "ABSENT",
		    json_string("there is no such program"));
	if (sudo_command_risk(command, &risk))
		add(findings, rule, risk.finding, json_string(risk.reason));
}

static void
reviewed(const struct op_reply *reply, void *arg)
{
	struct review *r = arg;
	struct wire_in body = reply->body;
	enum command_state state;
	json_t *findings = json_array(), *rule;
	const char *text = reply->text;
	int error = reply->error;
	char *path = NULL;
	size_t i;

	json_array_foreach(r->rules, i, rule) {
		if (error == 0 && !get_state(&body, &state, &path)) {
			error = EPROTO;
			text = "malformed answer";
		}
		if (error == 0)
			judge(findings, rule, state, path);
		free(path);
		path = NULL;
	}
	r->done(findings, error, text, r->arg);
	json_decref(findings);
	json_decref(r->rules);
	free(r);
}

static void
review(void (*done)(json_t *, int, const char *, void *), void *arg)
{
	struct review *r = xcalloc(1, sizeof(*r));
	json_t *commands = json_array(), *rule;
	struct wire_out out = { 0 };
	size_t i;

	r->rules = all_rules();
	r->done = done;
	r->arg = arg;
	json_array_foreach(r->rules, i, rule)
		json_array_append(commands, json_object_get(rule, "command"));
	put_question(&out, commands);
	op_request(MSG_OP_CHECK_COMMANDS, &out, -1, reviewed, r);
	wire_free(&out);
	json_decref(commands);
}

/* --- Alerts --------------------------------------------------------------- */

/* What an administrator says knowingly, and what cannot be run, is none. */
static bool
is_alarming(const json_t *finding)
{
	const char *what = json_str(finding, "finding", "");

	return strcmp(what, "ALL") != 0 && strcmp(what, "ABSENT") != 0;
}

static char *
key_of(const json_t *finding)
{
	return xasprintf("%s %s",
	    json_bool(finding, "group", false) ? "group" : "user",
	    json_str(finding, "account", ""));
}

/* Of each account the first: sudo.findings tells all. */
static json_t *
alarms_of(const json_t *findings)
{
	json_t *alarms = json_object(), *finding;
	char *key;
	size_t i;

	json_array_foreach(findings, i, finding) {
		if (!is_alarming(finding))
			continue;
		key = key_of(finding);
		if (json_object_get(alarms, key) == NULL)
			json_object_set(alarms, key, finding);
		free(key);
	}
	return alarms;
}

static void
clear_others(const json_t *alarms)
{
	json_t *raised = alert_list(), *alert;
	const char *key;
	size_t i;

	json_array_foreach(raised, i, alert) {
		key = json_str(alert, "key", "");
		if (strcmp(json_str(alert, "klass", ""), ALERT) == 0 &&
		    json_object_get(alarms, key) == NULL)
			alert_clear(ALERT, key);
	}
	json_decref(raised);
}

static void
alarm_all(json_t *findings, int error, const char *text, void *arg)
{
	json_t *alarms, *finding;
	const char *key;

	(void)arg;
	if (error != 0) {
		log_warn("sudo.review", "%s", text);
		return;
	}
	alarms = alarms_of(findings);
	clear_others(alarms);
	json_object_foreach(alarms, key, finding)
		alert_raise(ALERT, key,
		    json_pack("{s:s, s:O, s:O}", "account", key, "command",
			json_object_get(finding, "command"), "reason",
			json_object_get(finding, "reason")));
	json_decref(alarms);
}

static bool review_waits;

static void
review_now(void *arg)
{
	(void)arg;
	review_waits = false;
	if (core_store() != NULL && !core_stopping())
		review(alarm_all, NULL);
}

void
sudo_review(void)
{
	if (!review_waits)
		core_after(REVIEW_MS, review_now, NULL);
	review_waits = true;
}

/* Programs and folders may have changed while we were away. */
static void
boot(void (*done)(void))
{
	sudo_review();
	done();
}

/* --- Methods -------------------------------------------------------------- */

static void
findings_known(json_t *findings, int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (error != 0)
		call_fail(
		    call, error, "The commands cannot be looked at: %s", text);
	else
		call_reply(call, json_incref(findings));
}

static void
findings_run(struct call *call)
{
	if (core_store() == NULL)
		call_fail(call, EIO, "%s", core_store_refused());
	else
		review(findings_known, call);
}

static const char *const read_roles[] = { "ACCOUNT_READ", NULL };

/* clang-format off */
static const char *const findings[] = { "WRITABLE", "ABSENT", "ALL",
	"WILDCARD", "FOLDER", "SHELL", "EXPRESSION", NULL };

static const struct field finding_fields[] = {
	{ .name = "account", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Name of the user or group." },
	{ .name = "group", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it a group?" },
	{ .name = "command", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The command as it was given." },
	{ .name = "password", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is the password asked for?" },
	{ .name = "finding", .type = F_ENUM, .choices = findings,
	  .flags = FF_REQUIRED, .doc = "What speaks against it." },
	{ .name = "reason", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The same in words." },
	FIELD_END
};

static const struct field finding = { .name = "finding", .type = F_OBJECT,
	.fields = finding_fields, .model = "SudoFinding",
	.doc = "One finding." };
static const struct field result = { .name = "result", .type = F_ARRAY,
	.fields = &finding, .doc = "The findings." };

static const struct method methods[] = {
	{ .name = "sudo.findings", .auth = AUTH_ROLE, .roles = read_roles,
	  .result = &result, .own = true,
	  .doc = "What speaks against the commands that accounts may run with "
	  "sudo.", .run = findings_run },
	METHOD_END
};

const struct resource sudo_resource = {
	.name = "sudo", .doc = "Commands that accounts may run with sudo.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Sudo", .methods = methods,
	.boot = boot
};
/* clang-format on */
