/*
 * holdfast ssh: the settings, and confirming a change of them.  A change takes
 * itself back after a minute unless it is confirmed, but for who says that it
 * is final.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define ROLLBACK_SECONDS 60
#define FINAL "--no-confirm"
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

/* Seconds left to confirm it, 0: it is taken back; -1: nothing waits. */
static enum exit_code
time_left(struct errand *e, json_int_t *secondsp)
{
	json_t *answer = NULL;
	enum exit_code code =
	    errand_call(e, "ssh.checkin_waiting", json_array(), &answer);

	*secondsp = json_is_integer(answer) ? json_integer_value(answer) : -1;
	json_decref(answer);
	return code;
}

/* It no longer waits: was it confirmed? */
static enum exit_code
outcome(struct errand *e, const json_t *changed)
{
	json_t *now = NULL;
	enum exit_code code = errand_call(e, "ssh.config", json_array(), &now);

	if (code == EXIT_DONE && !json_equal(now, changed)) {
		complain("nobody confirmed it: the settings are as before");
		code = EXIT_SERVER;
	} else if (code == EXIT_DONE)
		fputs("Confirmed.\n", stderr);
	json_decref(now);
	return code;
}

static enum exit_code
count_down(struct errand *e, const json_t *changed, json_int_t whole)
{
	json_int_t left = whole;
	enum exit_code code = EXIT_DONE;
	char *text;

	while (code == EXIT_DONE && left >= 0) {
		text = xasprintf("%lld s left to confirm it", (long long)left);
		bar_draw(whole > 0 ? (int)(100 * left / whole) : 0, text);
		free(text);
		sleep(1);
		code = time_left(e, &left);
	}
	bar_clear();
	return code == EXIT_DONE ? outcome(e, changed) : code;
}

/* Says what waits; on a terminal, until it does no longer. */
static enum exit_code
await(struct errand *e, const json_t *changed)
{
	json_int_t left = -1;
	enum exit_code code = time_left(e, &left);

	if (code != EXIT_DONE || left == -1)
		return code;
	fprintf(stderr,
	    "This takes itself back in %lld s unless it is confirmed: log in "
	    "by SSH, stay\nthere, and say \"holdfast ssh checkin\".\n",
	    (long long)left);
	if (e->invocation->json || !isatty(STDERR_FILENO) ||
	    !isatty(STDIN_FILENO))
		return EXIT_DONE;
	return count_down(e, changed, left);
}

/* True: the word is there, and is none of the fields. */
static bool
take_word(char **arguments, const char *word)
{
	char **to = arguments;
	bool found = false;

	for (; *arguments != NULL; arguments++)
		if (strcmp(*arguments, word) == 0)
			found = true;
		else
			*to++ = *arguments;
	*to = NULL;
	return found;
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
	bool dry = take_word(e->arguments, DRY_RUN);
	bool final = take_word(e->arguments, FINAL) || dry;
	json_t *data = NULL, *answer = NULL;
	enum exit_code code;

	code = errand_fields(e, "ssh.update", 0, e->arguments, &data);
	if (code == EXIT_DONE && !final &&
	    json_object_get(data, "rollback_timeout") == NULL)
		json_object_set_new(
		    data, "rollback_timeout", json_integer(ROLLBACK_SECONDS));
	if (code == EXIT_DONE && dry)
		json_object_set_new(data, "dry_run", json_true());
	if (code == EXIT_DONE)
		code = errand_call(
		    e, "ssh.update", json_pack("[o]", data), &answer);
	if (code == EXIT_DONE && dry)
		print_dry_run(answer, e->invocation->json);
	else if (code == EXIT_DONE) {
		print_result(answer, e->invocation->json);
		code = await(e, answer);
	}
	json_decref(answer);
	return code;
}

enum exit_code
noun_ssh_checkin(struct errand *e)
{
	const char *word = e->arguments[0];

	if (word != NULL && strcmp(word, "unverified") != 0) {
		complain("unverified?  Not %s", word);
		return EXIT_USAGE;
	}
	return errand_call(e, "ssh.checkin",
	    json_pack("[{s:b}]", "unverified", word != NULL), NULL);
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

enum exit_code
noun_ssh_take_back(struct errand *e)
{
	return errand_call(e, "config.take_back", json_array(), NULL);
}
