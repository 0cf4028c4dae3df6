/*
 * holdfast user import and export: accounts as comma-separated values, whose
 * first line names the fields.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/assign.h"
#include "cli/csv.h"
#include "cli/job.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/upload.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)

struct import {
	struct errand *e;
	const json_t *schema; /* of what user.create takes */
	json_t *heads; /* the first record */
	json_t *accounts; /* as user.create takes them */
	json_t *lines; /* of each */
	unsigned int wrong;
};

static void
complain_of(struct import *im, unsigned int line, const char *what)
{
	complain("line %u: %s", line, what);
	im->wrong++;
}

/* ["alice", "", ...] as {"username": "alice"}: what is empty is not given. */
static json_t *
account_of(struct import *im, const json_t *record, unsigned int line)
{
	size_t n = json_array_size(record), i, given = 0;
	char **arguments = xcalloc(n + 1, sizeof(*arguments));
	enum exit_code code = EXIT_USAGE;
	json_t *account = NULL, *text;

	if (n != json_array_size(im->heads))
		complain_of(
		    im, line, "not as many fields as in the first line");
	else {
		json_array_foreach(record, i, text)
			if (json_string_length(text) > 0)
				arguments[given++] = xasprintf("%s=%s",
				    json_string_value(
					json_array_get(im->heads, i)),
				    json_string_value(text));
		account = assign_object(
		    im->e->client, "user", im->schema, arguments, &code);
		if (account == NULL)
			complain_of(im, line, "is wrong, as said above");
	}
	while (given > 0)
		free(arguments[--given]);
	free(arguments);
	return account;
}

/* What most files leave out. */
static void
fill_in(json_t *account)
{
	json_t *name = json_object_get(account, "username");

	if (json_object_get(account, "full_name") == NULL && name != NULL)
		json_object_set(account, "full_name", name);
	if (json_object_get(account, "group") == NULL &&
	    json_object_get(account, "group_create") == NULL)
		json_object_set_new(account, "group_create", json_true());
}

static enum exit_code
read_records(struct import *im, const char *text)
{
	struct csv csv = { .at = text };
	json_t *record, *account;

	im->heads = csv_read(&csv);
	while (im->heads != NULL && (record = csv_read(&csv)) != NULL) {
		account = account_of(im, record, csv.line);
		json_decref(record);
		if (account == NULL)
			continue;
		fill_in(account);
		json_array_append_new(im->accounts, account);
		json_array_append_new(im->lines, json_integer(csv.line));
	}
	if (csv.problem != NULL)
		complain_of(im, csv.line, csv.problem);
	else if (json_array_size(im->accounts) == 0 && im->wrong == 0)
		complain_of(im, 1, "no accounts follow");
	return im->wrong > 0 ? EXIT_USAGE : EXIT_DONE;
}

/* --- Making them ---------------------------------------------------------- */

/* "user_import.17.username" is said of line 19; false: it is no line's. */
static bool
tell_error(struct import *im, const json_t *error)
{
	static const char prefix[] = "user_import.";
	const char *attribute = json_string_value(json_array_get(error, 0));
	const char *text = json_string_value(json_array_get(error, 1));
	json_t *line;
	char *member, *what;
	unsigned long at;

	if (attribute == NULL || text == NULL ||
	    strncmp(attribute, prefix, strlen(prefix)) != 0)
		return false;
	at = strtoul(attribute + strlen(prefix), &member, 10);
	line = json_array_get(im->lines, at);
	if (line == NULL)
		return false;
	what = *member == '.' ? xasprintf("%s: %s", member + 1, text) :
				xstrdup(text);
	complain_of(im, (unsigned int)json_integer_value(line), what);
	free(what);
	return true;
}

static enum exit_code
tell_errors(struct import *im, const json_t *answer)
{
	json_t *errors =
		   json_object_get(json_object_get(answer, "data"), "extra"),
	       *error;
	bool all = json_array_size(errors) > 0;
	size_t i;

	json_array_foreach(errors, i, error)
		all = tell_error(im, error) && all;
	if (!all)
		print_failure(answer, im->e->invocation->json);
	return EXIT_SERVER;
}

static void
tell_passwords(const json_t *made)
{
	const char *password;
	json_t *one;
	size_t i;

	json_array_foreach(made, i, one) {
		password = json_str(one, "password", NULL);
		if (password != NULL)
			printf(
			    "%s %s\n", json_str(one, "username", ""), password);
	}
}

/* All of them in one change, or with dry none. */
static enum exit_code
make_all(struct import *im, bool dry)
{
	json_t *answer = NULL, *id = NULL;
	enum exit_code code = EXIT_DONE;
	enum client_answer got;
	char *text = json_text(im->accounts);

	got = upload_file(im->e->invocation->instance, "user.import",
	    json_pack("[[], {s:b}]", "dry_run", dry), text, &id);
	freezero_str(text);
	if (got == ANSWER_RESULT)
		got = job_await(
		    im->e->client, json_integer_value(id), JOB_BAR, &answer);
	else
		answer = json_incref(id);
	if (got == ANSWER_ERROR)
		code = tell_errors(im, answer);
	else if (got == ANSWER_LOST)
		code = EXIT_UNREACHABLE;
	else if (dry && im->wrong == 0)
		printf("%zu accounts can be made.\n",
		    json_array_size(im->accounts));
	else
		tell_passwords(answer);
	json_decref(id);
	json_decref(answer);
	return code;
}

char *
noun_read_file(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
					  open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len;

	if (fd == -1 || file_read_fd(fd, FILE_MAX, &text, &len) == -1)
		complain("%s can not be read", path);
	else if (strlen(text) != len) {
		complain("%s is no text", path);
		free(text);
		text = NULL;
	}
	if (fd != -1)
		close(fd);
	return text;
}

/* The schema of an account, borrowed from *methodsp. */
static enum exit_code
ask_schema(struct import *im, json_t **methodsp)
{
	enum exit_code code;

	code = errand_call(
	    im->e, "core.get_methods", json_pack("[s]", "user"), methodsp);
	im->schema = json_array_get(
	    json_object_get(
		json_object_get(*methodsp, "user.create"), "accepts"),
	    0);
	return code;
}

/* The server looks at the lines that can be read, whatever the others are. */
static enum exit_code
import_text(struct import *im, const char *text, bool dry)
{
	enum exit_code code = read_records(im, text);

	if (json_array_size(im->accounts) == 0)
		return code;
	if (code == EXIT_DONE)
		return make_all(im, dry);
	(void)make_all(im, true);
	return code;
}

enum exit_code
noun_user_import(struct errand *e)
{
	bool dry = e->arguments[1] != NULL;
	struct import im = {
		.e = e, .accounts = json_array(), .lines = json_array()
	};
	enum exit_code code = EXIT_USAGE;
	json_t *methods = NULL;
	char *text;

	if (dry && strcmp(e->arguments[1], "dry-run") != 0)
		complain("dry-run, or nothing?  Not %s", e->arguments[1]);
	else if ((text = noun_read_file(e->arguments[0])) != NULL) {
		code = ask_schema(&im, &methods);
		if (code == EXIT_DONE)
			code = import_text(&im, text, dry);
		free(text);
	}
	json_decref(methods);
	json_decref(im.heads);
	json_decref(im.accounts);
	json_decref(im.lines);
	return code;
}

/* --- The other way -------------------------------------------------------- */

static const char *const exported[] = { "username", "uid", "full_name", "home",
	"shell", "email", "group", "groups", "password_disabled",
	"ssh_password_enabled", "locked", "smb", "sshpubkey", NULL };

/* As import reads it: names for groups, nothing for null. */
static json_t *
export_text(const json_t *user, const char *field, const json_t *groups)
{
	json_t *value = json_object_get(user, field), *one, *list;
	char *text, *longer;
	size_t i;

	if (strcmp(field, "group") == 0)
		return json_string(json_str(value, "bsdgrp_group", ""));
	if (json_is_string(value))
		return json_incref(value);
	if (json_is_null(value) || value == NULL)
		return json_string("");
	if (!json_is_array(value)) {
		text = json_text(value);
	} else {
		text = xstrdup("");
		json_array_foreach(value, i, one) {
			longer = json_text(one);
			list = json_object_get(groups, longer);
			free(longer);
			longer = xasprintf("%s%s%s", text, i > 0 ? "," : "",
			    json_string_value(list));
			free(text);
			text = longer;
		}
	}
	value = json_string(text);
	free(text);
	return value;
}

/* {"55": "builtin_administrators", ...} */
static enum exit_code
group_names(struct errand *e, json_t *names)
{
	json_t *groups = NULL, *group;
	enum exit_code code;
	char *id;
	size_t i;

	code = errand_call(e, "group.query", json_array(), &groups);
	json_array_foreach(groups, i, group) {
		id = json_text(json_object_get(group, "id"));
		json_object_set(names, id, json_object_get(group, "name"));
		free(id);
	}
	json_decref(groups);
	return code;
}

static void
export_record(const json_t *user, const json_t *groups)
{
	json_t *record = json_array();
	size_t i;

	for (i = 0; exported[i] != NULL; i++)
		json_array_append_new(record,
		    user != NULL ? export_text(user, exported[i], groups) :
				   json_string(exported[i]));
	csv_write(stdout, record);
	json_decref(record);
}

enum exit_code
noun_user_export(struct errand *e)
{
	json_t *users = NULL, *user, *names = json_object();
	enum exit_code code = group_names(e, names);
	size_t i;

	if (code == EXIT_DONE)
		code = errand_call(e, "user.query",
		    json_pack("[[[s, s, b]]]", "builtin", "=", 0), &users);
	if (code == EXIT_DONE)
		export_record(NULL, NULL);
	json_array_foreach(users, i, user)
		export_record(user, names);
	json_decref(users);
	json_decref(names);
	return code;
}
