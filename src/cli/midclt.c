/*
 * midclt: see midclt.h.  Its words are those that the README of TrueNAS's
 * api_client and its --help tell; the server is always this machine's own, or
 * that of the instance in HOLDFAST_INSTANCE.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/argument.h"
#include "cli/client.h"
#include "cli/job.h"
#include "cli/midclt.h"
#include "cli/output.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define FAILED 1
#define USAGE 2

struct words {
	bool help, quiet, job;
	enum job_progress progress;
	int timeout, number; /* 0: none */
	size_t count;
	const char **positional; /* the command and its arguments */
};

/* clang-format off */
static const struct option_row {
	const char	*names[3];
	char		 id;
	bool		 value;
} options[] = {
	{ { "-h", "--help" }, 'h', false },
	{ { "-j", "--job", "-job" }, 'j', false },
	{ { "-jp", "--job-print" }, 'p', true },
	{ { "-n", "--number" }, 'n', true },
	{ { "-q", "--quiet" }, 'q', false },
	{ { "-t", "--timeout" }, 't', true },
	{ { NULL }, '\0', false }
};

static const char usage[] =
"usage: midclt [-h] [-t SECONDS] COMMAND\n"
"\n"
"  call [-q] [-j] [-jp {progressbar,description}] METHOD [ARGUMENT...]\n"
"\tCall a method and print its result; -j waits for a job.\n"
"  ping\n"
"\tIs the server there?\n"
"  subscribe [-n NUMBER] [-t SECONDS] EVENT\n"
"\tPrint events, one a line.\n"
"\n"
"Always speaks to this machine's own server, or to that of the instance in\n"
"HOLDFAST_INSTANCE.  See holdfast(1).\n";
/* clang-format on */

static const struct option_row *
option_find(const char *word)
{
	const struct option_row *row;
	size_t i, len = strcspn(word, "=");

	for (row = options; row->names[0] != NULL; row++)
		for (i = 0; i < 3 && row->names[i] != NULL; i++)
			if (strcmp(word, row->names[i]) == 0 ||
			    (row->value && len > 2 && word[len] == '=' &&
				strncmp(word, row->names[i], len) == 0 &&
				row->names[i][len] == '\0'))
				return row;
	return NULL;
}

/* A whole number above 0, or -1. */
static int
positive(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != '\0' || value < 1 ||
	    value > INT_MAX)
		return -1;
	return (int)value;
}

/* 0, or -1 when the value does not fit the option. */
static int
take(struct words *words, char id, const char *value)
{
	switch (id) {
	case 'h':
		words->help = true;
		return 0;
	case 'j':
		words->job = true;
		return 0;
	case 'q':
		words->quiet = true;
		return 0;
	case 'n':
		words->number = positive(value);
		return words->number == -1 ? -1 : 0;
	case 't':
		words->timeout = positive(value);
		return words->timeout == -1 ? -1 : 0;
	default:
		words->progress = strcmp(value, "description") == 0 ?
		    JOB_DESCRIPTIONS :
		    JOB_BAR;
		return words->progress == JOB_BAR &&
			strcmp(value, "progressbar") != 0 ?
		    -1 :
		    0;
	}
}

/* "-5" is a number for a method, "-" its standard input. */
static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && word[1] != '.' &&
	    !isdigit((unsigned char)word[1]);
}

/*
 * Options stand anywhere, as TrueNAS's client takes them, up to "--".  0, or
 * -1 which was said.
 */
static int
words_read(char **argv, struct words *words)
{
	const struct option_row *row;
	const char *value, *equals;
	bool over = false;

	for (; *argv != NULL; argv++) {
		if (!over && strcmp(*argv, "--") == 0) {
			over = true;
			continue;
		}
		if (over || !is_option(*argv)) {
			words->positional[words->count++] = *argv;
			continue;
		}
		if ((row = option_find(*argv)) == NULL) {
			complain("unknown option: %s; see midclt -h", *argv);
			return -1;
		}
		value = "";
		if (row->value && (equals = strchr(*argv, '=')) != NULL)
			value = equals + 1;
		else if (row->value && (value = *++argv) == NULL) {
			complain("%s needs a value", argv[-1]);
			return -1;
		}
		if (take(words, row->id, value) == -1) {
			complain("%s: wrong value: %s", row->names[0], value);
			return -1;
		}
	}
	return 0;
}

/* As Python prints it: numbers and texts bare, the rest as its JSON. */
static void
print_python(const json_t *value)
{
	json_malloc_t allocate;
	json_free_t release;
	char *text;

	if (json_is_boolean(value)) {
		puts(json_is_true(value) ? "True" : "False");
	} else if (json_is_string(value) && !isatty(STDOUT_FILENO)) {
		puts(json_string_value(value));
	} else if (json_is_string(value)) {
		print_text(stdout, json_string_value(value));
		putchar('\n');
	} else {
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		puts(text != NULL ? text : "null");
		json_get_alloc_funcs(&allocate, &release);
		release(text);
	}
}

/* The reason, and what a method's own error says besides. */
static void
print_error(const json_t *error)
{
	const json_t *data = json_object_get(error, "data");
	const json_t *extra = json_object_get(data, "extra");
	const char *reason = json_str(
	    data, "reason", json_str(error, "message", "unknown error"));
	size_t len = strlen(reason);
	char *text;

	while (len > 0 && reason[len - 1] == '\n')
		len--;
	text = xasprintf("%.*s", (int)len, reason);
	print_text(stderr, text);
	free(text);
	putc('\n', stderr);
	if (json_int(error, "code", 0) != -32602 && extra != NULL &&
	    !json_is_null(extra))
		print_json(stderr, extra);
}

static int
outcome(enum client_answer kind, const json_t *answer, bool quiet)
{
	if (kind == ANSWER_RESULT)
		print_python(answer);
	else if (kind == ANSWER_ERROR && !quiet)
		print_error(answer);
	return kind == ANSWER_RESULT ? 0 : FAILED;
}

/* NULL, which was said, when one can not be sent. */
static json_t *
params_read(const struct words *words)
{
	json_t *params = json_array(), *value;
	const char *problem;
	size_t i;

	for (i = 2; i < words->count; i++) {
		value = argument_or_text(words->positional[i], &problem);
		if (value == NULL) {
			complain("argument %zu: %s", i - 1, problem);
			json_decref(params);
			return NULL;
		}
		json_array_append_new(params, value);
	}
	return params;
}

static int
run_call(struct client *client, const struct words *words)
{
	json_t *params = params_read(words), *answer = NULL;
	enum client_answer kind;
	json_int_t id;
	int code;

	if (params == NULL)
		return USAGE;
	client_patience(client, words->timeout);
	kind = client_call(client, words->positional[1], params, &answer);
	client_patience(client, 0);
	if (kind == ANSWER_RESULT && words->job && json_is_integer(answer)) {
		id = json_integer_value(answer);
		json_decref(answer);
		kind = job_await(client, id, words->progress, &answer);
	}
	code = outcome(kind, answer, words->quiet);
	json_decref(answer);
	return code;
}

static int
run_ping(struct client *client, const struct words *words)
{
	enum client_answer kind;
	json_t *answer = NULL;
	int code;

	client_patience(client, words->timeout);
	kind = client_call(client, "core.ping", json_array(), &answer);
	code = outcome(kind, answer, false);
	json_decref(answer);
	return code;
}

/* Prints what comes until there were enough, or it ends.  The exit code. */
static int
print_events(struct client *client, const char *event, int number)
{
	const char *method;
	json_t *message, *params, *error;
	int seen = 0, code = -1;

	while (code == -1) {
		if ((message = client_notification(client)) == NULL)
			return FAILED;
		method = json_str(message, "method", "");
		params = json_object_get(message, "params");
		error = json_object_get(params, "error");
		if (strcmp(method, "collection_update") == 0) {
			print_python(params);
			fflush(stdout);
			if (++seen == number)
				code = 0;
		} else if (strcmp(method, "notify_unsubscribed") == 0 &&
		    strcmp(json_str(params, "collection", ""), event) == 0) {
			code = json_is_object(error) ? FAILED : 0;
			if (code == FAILED)
				complain("%s",
				    json_str(error, "reason",
					"the subscription ended"));
		}
		json_decref(message);
	}
	return code;
}

static int
run_subscribe(struct client *client, const struct words *words)
{
	const char *event = words->positional[1];
	enum client_answer kind;
	json_t *answer = NULL;
	int code;

	client_patience(client, words->timeout);
	kind = client_call(
	    client, "core.subscribe", json_pack("[s]", event), &answer);
	if (kind == ANSWER_RESULT)
		code = print_events(client, event, words->number);
	else
		code = outcome(kind, answer, false);
	json_decref(answer);
	return code;
}

/* clang-format off */
static const struct midclt_command {
	const char	*name;
	size_t		 min, max;	/* of words after the name */
	int		(*run)(struct client *, const struct words *);
} commands[] = {
	{ "call", 1, SIZE_MAX, run_call },
	{ "ping", 0, 0, run_ping },
	{ "subscribe", 1, 1, run_subscribe },
	{ NULL, 0, 0, NULL }
};
/* clang-format on */

static int
run(const struct words *words)
{
	const struct midclt_command *command = commands;
	const char *instance = getenv("HOLDFAST_INSTANCE");
	struct client *client;
	int code;

	if (words->help || words->count == 0) {
		fputs(usage, stdout);
		return 0;
	}
	while (command->name != NULL &&
	    strcmp(command->name, words->positional[0]) != 0)
		command++;
	if (command->name == NULL || words->count - 1 < command->min ||
	    words->count - 1 > command->max) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (instance != NULL && *instance == '\0')
		instance = NULL;
	if ((client = client_open(instance)) == NULL)
		return FAILED;
	code = command->run(client, words);
	client_close(client);
	return code;
}

int
midclt_main(char **argv)
{
	struct words words = { .progress = JOB_BAR };
	size_t count = 0;
	int code;

	while (argv[count] != NULL)
		count++;
	words.positional = xcalloc(count + 1, sizeof(*words.positional));
	code = words_read(argv + 1, &words) == -1 ? USAGE : run(&words);
	free(words.positional);
	return code;
}
