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
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)
#define BULK 50 /* calls in one message, which has its limit */

struct import {
	struct errand *e;
	const json_t *schema; /* of what user.create takes */
	json_t *heads; /* the first record */
	json_t *calls; /* parameters of each user.create */
	json_t *lines; /* and its line */
	json_t *names; /* of the file: line */
	json_t *known; /* of the server: anything */
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

/* A password in a file is everybody's: it is made, or there is none. */
static void
check_account(struct import *im, json_t *account, unsigned int line)
{
	const char *name = json_str(account, "username", NULL);

	if (name == NULL)
		complain_of(im, line, "username is missing");
	else if (json_object_get(im->known, name) != NULL)
		complain_of(im, line, "there is an account of that name");
	else if (json_object_get(im->names, name) != NULL)
		complain_of(im, line, "a line before has that name");
	else
		json_object_set_new(im->names, name, json_integer(line));
	if (json_object_get(account, "full_name") == NULL && name != NULL)
		json_object_set_new(account, "full_name", json_string(name));
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
		check_account(im, account, csv.line);
		json_array_append_new(im->calls, json_pack("[o]", account));
		json_array_append_new(im->lines, json_integer(csv.line));
	}
	if (csv.problem != NULL)
		complain_of(im, csv.line, csv.problem);
	else if (json_array_size(im->calls) == 0 && im->wrong == 0)
		complain_of(im, 1, "no accounts follow");
	return im->wrong > 0 ? EXIT_USAGE : EXIT_DONE;
}

/* --- Making them ---------------------------------------------------------- */

/* What core.bulk says of each call of it. */
static void
tell(struct import *im, const json_t *results, size_t from)
{
	const char *error, *password, *name;
	json_t *one;
	size_t i;

	json_array_foreach(results, i, one) {
		error = json_str(one, "error", NULL);
		password =
		    json_str(json_object_get(one, "result"), "password", NULL);
		name = json_str(
		    json_array_get(json_array_get(im->calls, from + i), 0),
		    "username", "");
		if (error != NULL)
			complain_of(im,
			    (unsigned int)json_integer_value(
				json_array_get(im->lines, from + i)),
			    error);
		else if (password != NULL)
			printf("%s %s\n", name, password);
	}
}

static enum exit_code
make_some(struct import *im, size_t from)
{
	json_t *some = json_array(), *answer = NULL;
	enum client_answer got;
	enum exit_code code;
	json_int_t id;
	size_t i;

	for (i = from; i < from + BULK && i < json_array_size(im->calls); i++)
		json_array_append(some, json_array_get(im->calls, i));
	code = errand_call(im->e, "core.bulk",
	    json_pack("[s, o]", "user.create", some), &answer);
	if (code != EXIT_DONE)
		return code;
	id = json_integer_value(answer);
	json_decref(answer);
	answer = NULL;
	got = job_await(im->e->client, id, JOB_BAR, &answer);
	code = client_outcome(got, answer, im->e->invocation->json);
	if (code == EXIT_DONE)
		tell(im, answer, from);
	json_decref(answer);
	return code;
}

static enum exit_code
make_all(struct import *im)
{
	enum exit_code code = EXIT_DONE;
	size_t from;

	for (from = 0; code == EXIT_DONE && from < json_array_size(im->calls);
	     from += BULK)
		code = make_some(im, from);
	if (code == EXIT_DONE && im->wrong > 0)
		code = EXIT_SERVER;
	return code;
}

static char *
read_file(const char *path)
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

/* What is needed of the server; *methodsp holds the schema. */
static enum exit_code
ask_server(struct import *im, json_t **methodsp)
{
	json_t *users = NULL, *user;
	enum exit_code code;
	size_t i;

	code = errand_call(
	    im->e, "core.get_methods", json_pack("[s]", "user"), methodsp);
	if (code == EXIT_DONE)
		code = errand_call(im->e, "user.query",
		    json_pack("[[], {s:[s]}]", "select", "username"), &users);
	json_array_foreach(users, i, user)
		json_object_set_new(
		    im->known, json_str(user, "username", ""), json_true());
	json_decref(users);
	im->schema = json_array_get(
	    json_object_get(
		json_object_get(*methodsp, "user.create"), "accepts"),
	    0);
	return code;
}

enum exit_code
noun_user_import(struct errand *e)
{
	bool dry = e->arguments[1] != NULL;
	struct import im = { .e = e,
		.calls = json_array(),
		.lines = json_array(),
		.names = json_object(),
		.known = json_object() };
	enum exit_code code = EXIT_USAGE;
	json_t *methods = NULL;
	char *text;

	if (dry && strcmp(e->arguments[1], "dry-run") != 0)
		complain("dry-run, or nothing?  Not %s", e->arguments[1]);
	else if ((text = read_file(e->arguments[0])) != NULL) {
		code = ask_server(&im, &methods);
		if (code == EXIT_DONE)
			code = read_records(&im, text);
		if (code == EXIT_DONE && dry)
			printf("%zu accounts can be made.\n",
			    json_array_size(im.calls));
		else if (code == EXIT_DONE)
			code = make_all(&im);
		free(text);
	}
	json_decref(methods);
	json_decref(im.heads);
	json_decref(im.calls);
	json_decref(im.lines);
	json_decref(im.names);
	json_decref(im.known);
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
