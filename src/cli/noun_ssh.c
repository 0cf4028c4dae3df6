/*
 * holdfast ssh: the settings, of which a change takes itself back after a
 * minute unless it is confirmed, but for who says that it is final.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/job.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/upload.h"
#include "lib/json.h"

#define DRY_RUN "--dry-run"

enum exit_code
noun_ssh_show(struct errand *e)
{
	json_t *answer = NULL;
	enum exit_code code =
	    errand_call(e, "ssh.config", json_array(), &answer);

	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	return code;
}

static void
print_overridden(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		printf("Line %lld of the auxiliary parameters, ",
		    (long long)json_int(one, "line", 0));
		print_text(stdout, json_str(one, "directive", "?"));
		fputs(", says otherwise than ", stdout);
		print_text(stdout, json_str(one, "field", "?"));
		puts(json_bool(one, "everybody", true) ? "." : ", for some.");
	}
}

/* What it would do: the lines that change, and who could log in how. */
static void
print_dry_run(const json_t *answer, bool json)
{
	if (json || !isatty(STDOUT_FILENO)) {
		print_result(answer, json);
		return;
	}
	print_text(stdout, json_str(answer, "diff", ""));
	print_overridden(json_object_get(answer, "overridden"));
	print_result(json_object_get(answer, "accounts"), false);
}

/* The settings are changed: says so, and what waits. */
static enum exit_code
changed(struct errand *e, const json_t *answer)
{
	struct waiting_for what = { .method = "ssh.config",
		.params = json_array(),
		.changed = answer };
	enum exit_code code;

	print_result(answer, e->invocation->json);
	code = noun_await(e, &what);
	json_decref(what.params);
	return code;
}

enum exit_code
noun_ssh_update(struct errand *e)
{
	bool dry = noun_take_word(e->arguments, DRY_RUN);
	json_t *options = json_object(), *data = NULL, *answer = NULL;
	enum exit_code code;

	noun_confirmed(e->arguments, options);
	code = errand_fields(e, "ssh.update", 0, e->arguments, &data);
	if (code == EXIT_DONE && dry)
		json_object_set_new(data, "dry_run", json_true());
	else if (code == EXIT_DONE)
		json_object_update_missing(data, options);
	if (code == EXIT_DONE)
		code = errand_call(
		    e, "ssh.update", json_pack("[o]", data), &answer);
	if (code == EXIT_DONE && dry)
		print_dry_run(answer, e->invocation->json);
	else if (code == EXIT_DONE)
		code = changed(e, answer);
	json_decref(options);
	json_decref(answer);
	return code;
}

/* data is stolen. */
static enum exit_code
send_options(struct errand *e, json_t *data, const char *text)
{
	json_t *number = NULL, *answer = NULL;
	enum client_answer got;
	enum exit_code code;

	got = upload_file(e->invocation->instance, "ssh.upload_options",
	    json_pack("[o]", data), text, &number);
	if (got == ANSWER_RESULT)
		got = job_await(
		    e->client, json_integer_value(number), JOB_BAR, &answer);
	else
		answer = json_incref(number);
	code = client_outcome(got, answer, e->invocation->json);
	if (code == EXIT_DONE)
		code = changed(e, answer);
	json_decref(number);
	json_decref(answer);
	return code;
}

enum exit_code
noun_ssh_options(struct errand *e)
{
	json_t *options = json_object(), *data = NULL;
	enum exit_code code = EXIT_USAGE;
	char *text = NULL;

	noun_confirmed(e->arguments, options);
	if (e->arguments[0] == NULL)
		complain("which file?");
	else if ((text = noun_read_file(e->arguments[0])) != NULL)
		code =
		    errand_fields(e, "ssh.update", 0, e->arguments + 1, &data);
	if (code == EXIT_DONE) {
		json_object_update_missing(data, options);
		code = send_options(e, data, text);
	}
	json_decref(options);
	free(text);
	return code;
}

/* For people: each file, and what it has that ours has not. */
static void
print_edits(const json_t *files)
{
	const json_t *file;
	size_t i;

	json_array_foreach(files, i, file) {
		print_text(stdout, json_str(file, "file", ""));
		puts(":");
		print_text(stdout, json_str(file, "diff", ""));
	}
}

enum exit_code
noun_ssh_edits(struct errand *e)
{
	const char *word = e->arguments[0];
	bool import = word != NULL && strcmp(word, "import") == 0;
	json_t *answer = NULL;
	enum exit_code code;

	if (word != NULL && !import && strcmp(word, "discard") != 0) {
		complain("import, discard, or nothing?  Not %s", word);
		return EXIT_USAGE;
	}
	if (word == NULL)
		code =
		    errand_call(e, "ssh.edited_files", json_array(), &answer);
	else
		code = errand_call(e, "ssh.foreign_edits",
		    json_pack(
			"[{s:s}]", "action", import ? "IMPORT" : "DISCARD"),
		    &answer);
	if (code == EXIT_DONE && word == NULL && !e->invocation->json)
		print_edits(answer);
	else if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	return code;
}

enum exit_code
noun_ssh_host_keys(struct errand *e)
{
	json_t *answer = NULL;
	enum exit_code code =
	    errand_call(e, "ssh.host_keys", json_array(), &answer);

	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	return code;
}

/* Which setting a certificate is of, by the type that it begins with. */
static const char *
certificate_field(const char *line)
{
	static const char *const fields[][2] = {
		{ "ssh-ed25519-cert-", "host_ed25519_certificate" },
		{ "ecdsa-sha2-", "host_ecdsa_certificate" },
		{ "ssh-rsa-cert-", "host_rsa_certificate" },
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(line, fields[i][0], strlen(fields[i][0])) == 0)
			return fields[i][1];
	return NULL;
}

enum exit_code
noun_ssh_host_certificate(struct errand *e)
{
	char *text = noun_read_file(e->arguments[0]);
	enum exit_code code = EXIT_USAGE;
	const char *field;
	json_t *line;

	if (text == NULL)
		return EXIT_USAGE;
	field = certificate_field(text);
	line = json_stringn(text, strcspn(text, "\r\n"));
	if (field == NULL || line == NULL)
		complain("%s is no certificate of a host key", e->arguments[0]);
	else
		code = errand_call(
		    e, "ssh.update", json_pack("[{s:O}]", field, line), NULL);
	json_decref(line);
	free(text);
	return code;
}

/* "undo", "finish", or the types to begin with. */
enum exit_code
noun_ssh_rotate(struct errand *e)
{
	json_t *options = json_object(), *types, *answer = NULL;
	char **word = e->arguments;
	enum exit_code code;

	if (*word != NULL && word[1] == NULL && strcmp(*word, "undo") == 0)
		json_object_set_new(options, "action", json_string("UNDO"));
	else if (*word != NULL && word[1] == NULL &&
	    strcmp(*word, "finish") == 0)
		json_object_set_new(options, "action", json_string("FINISH"));
	else if (*word != NULL) {
		types = json_array();
		for (; *word != NULL; word++)
			json_array_append_new(types, json_string(*word));
		json_object_set_new(options, "types", types);
	}
	code = errand_call(
	    e, "ssh.rotate_host_keys", json_pack("[o]", options), &answer);
	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	return code;
}
