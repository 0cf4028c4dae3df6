/*
 * A change that takes itself back after a minute unless it is confirmed: how
 * long it waits, what became of it, confirming it and taking it back.
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

/* Seconds left to confirm it, 0: it is taken back; -1: nothing waits. */
static enum exit_code
time_left(struct errand *e, json_int_t *secondsp)
{
	json_t *answer = NULL;
	enum exit_code code =
	    errand_call(e, "config.checkin_waiting", json_array(), &answer);

	*secondsp = json_is_integer(answer) ? json_integer_value(answer) : -1;
	json_decref(answer);
	return code;
}

/* Has the entry (of a query, the first) what the change made of it? */
static bool
is_as_changed(const json_t *now, const json_t *changed)
{
	json_t *there, *value;
	const char *name;

	if (json_is_array(now))
		now = json_array_get(now, 0);
	json_object_foreach((json_t *)(uintptr_t)changed, name, value) {
		there = json_object_get(now, name);
		if (there != NULL && !json_equal(there, value))
			return false;
	}
	return true;
}

/* It no longer waits: was it confirmed? */
static enum exit_code
outcome(struct errand *e, const struct waiting_for *what)
{
	json_t *now = NULL;
	enum exit_code code =
	    errand_call(e, what->method, json_incref(what->params), &now);

	if (code == EXIT_DONE && !is_as_changed(now, what->changed)) {
		complain("nobody confirmed it: all is as before");
		code = EXIT_SERVER;
	} else if (code == EXIT_DONE)
		fputs("Confirmed.\n", stderr);
	json_decref(now);
	return code;
}

static enum exit_code
count_down(struct errand *e, const struct waiting_for *what, json_int_t whole)
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
	return code == EXIT_DONE ? outcome(e, what) : code;
}

enum exit_code
noun_await(struct errand *e, const struct waiting_for *what)
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
	return count_down(e, what, left);
}

bool
noun_take_word(char **arguments, const char *word)
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

void
noun_confirmed(char **arguments, json_t *data)
{
	bool final = noun_take_word(arguments, FINAL);

	if (!final && json_object_get(data, "rollback_timeout") == NULL)
		json_object_set_new(
		    data, "rollback_timeout", json_integer(ROLLBACK_SECONDS));
}

enum exit_code
noun_checkin(struct errand *e)
{
	const char *word = e->arguments[0];

	if (word != NULL && strcmp(word, "unverified") != 0) {
		complain("unverified?  Not %s", word);
		return EXIT_USAGE;
	}
	return errand_call(e, "config.checkin",
	    json_pack("[{s:b}]", "unverified", word != NULL), NULL);
}

enum exit_code
noun_take_back(struct errand *e)
{
	return errand_call(e, "config.take_back", json_array(), NULL);
}
