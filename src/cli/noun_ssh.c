/*
 * holdfast ssh: the settings, of which a change takes itself back after a
 * minute unless it is confirmed, but for who says that it is final.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/noun.h"
#include "cli/output.h"
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

enum exit_code
noun_ssh_update(struct errand *e)
{
	bool dry = noun_take_word(e->arguments, DRY_RUN);
	json_t *options = json_object(), *data = NULL, *answer = NULL;
	struct waiting_for what = { .method = "ssh.config" };
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
	else if (code == EXIT_DONE) {
		print_result(answer, e->invocation->json);
		what.params = json_array();
		what.changed = answer;
		code = noun_await(e, &what);
	}
	json_decref(what.params);
	json_decref(options);
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
