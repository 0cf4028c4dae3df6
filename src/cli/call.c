/*
 * holdfast call: any method of the API, with its job awaited; and completion,
 * the methods' names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define INPUT_MAX ((size_t)16 * 1024 * 1024)
#define POLL_FIRST_MS 50
#define POLL_LAST_MS 500

/* One argument: JSON, or "-" for JSON on standard input. */
static json_t *
argument_read(const char *argument, const char **problem)
{
	json_t *value;
	char *text;
	size_t len;

	if (strcmp(argument, "-") != 0)
		return json_parse(argument, strlen(argument), problem);
	if (file_read_fd(STDIN_FILENO, INPUT_MAX, &text, &len) == -1) {
		*problem = "standard input can not be read";
		return NULL;
	}
	value = json_parse(text, len, problem);
	freezero(text, len);
	return value;
}

/* The parameters; NULL, said why, when one is no JSON. */
static json_t *
arguments_read(char **argv)
{
	const char *problem;
	json_t *params = json_array(), *value;
	int i;

	for (i = 0; argv[i] != NULL; i++) {
		value = argument_read(argv[i], &problem);
		if (value == NULL) {
			complain("argument %d is no JSON (%s): %s\n"
				 "A string needs its quotes: '\"text\"'",
			    i + 1, problem, argv[i]);
			json_decref(params);
			return NULL;
		}
		json_array_append_new(params, value);
	}
	return params;
}

/* 1 when the method is a job, 0 when not or unknown, -1 when lost. */
static int
method_is_job(struct client *client, const char *method)
{
	const char *dot = strrchr(method, '.');
	enum client_answer kind;
	json_t *methods;
	int result;

	if (dot == NULL)
		return 0;
	kind = client_call(client, "core.get_methods",
	    json_pack("[s%]", method, (size_t)(dot - method)), &methods);
	if (kind == ANSWER_LOST)
		return -1;
	result = kind == ANSWER_RESULT &&
	    json_bool(json_object_get(methods, method), "job", false);
	json_decref(methods);
	return result;
}

static void
progress_show(const json_t *job, bool *shown)
{
	const json_t *progress = json_object_get(job, "progress");
	const char *description = json_str(progress, "description", "");

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(
	    stderr, "\r\033[K%3d%% ", (int)json_int(progress, "percent", 0));
	if (strpbrk(description, "\n\t") == NULL)
		print_text(stderr, description);
	fflush(stderr);
	*shown = true;
}

/* A failed job's error in the form of a call's. */
static json_t *
job_error(const json_t *job)
{
	const json_t *info = json_object_get(job, "exc_info");
	const char *state = json_str(job, "state", "");
	const char *reason = json_str(job, "error", NULL);
	bool validation;
	json_t *extra;

	validation = strcmp(json_str(info, "type", ""), "VALIDATION") == 0;
	if (reason == NULL && strcmp(state, "ABORTED") == 0)
		reason = "The job was aborted";
	else if (reason == NULL)
		reason = "The job failed";
	extra = json_object_get(info, "extra");
	return json_pack("{s:i, s:s, s:{s:I, s:s, s:O?}}", "code",
	    validation ? -32602 : -32001, "message",
	    validation ? "Invalid params" : "Method call error", "data",
	    "error", json_int(info, "errno", 14), "reason", reason, "extra",
	    extra);
}

static void
wait_a_little(long milliseconds)
{
	struct timespec time = { .tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

/*
 * Waits for the job's end.  *answerp becomes its result or its error, as of
 * client_call().
 */
static enum client_answer
job_await(struct client *client, json_int_t id, json_t **answerp)
{
	enum client_answer kind;
	const char *state;
	bool shown = false;
	json_t *job;
	long pause = POLL_FIRST_MS;

	for (;;) {
		kind = client_call(client, "core.get_jobs",
		    json_pack("[[[s, s, I]], {s:b}]", "id", "=", id, "get", 1),
		    &job);
		if (kind != ANSWER_RESULT) {
			*answerp = job;
			break;
		}
		state = json_str(job, "state", "");
		if (strcmp(state, "SUCCESS") == 0) {
			*answerp = json_incref(json_object_get(job, "result"));
			if (*answerp == NULL)
				*answerp = json_null();
			json_decref(job);
			break;
		}
		if (strcmp(state, "FAILED") == 0 ||
		    strcmp(state, "ABORTED") == 0) {
			*answerp = job_error(job);
			kind = ANSWER_ERROR;
			json_decref(job);
			break;
		}
		progress_show(job, &shown);
		json_decref(job);
		wait_a_little(pause);
		pause =
		    pause * 3 / 2 > POLL_LAST_MS ? POLL_LAST_MS : pause * 3 / 2;
	}
	if (shown)
		fputs("\r\033[K", stderr);
	return kind;
}

/* Calls; a job is awaited unless that is not wanted. */
static enum client_answer
call_and_wait(struct client *client, const struct invocation *invocation,
    json_t *params, json_t **answerp)
{
	const char *method = invocation->argv[0];
	enum client_answer kind;
	json_int_t id;

	kind = client_call(client, method, params, answerp);
	if (kind != ANSWER_RESULT || invocation->no_wait ||
	    !json_is_integer(*answerp))
		return kind;
	switch (method_is_job(client, method)) {
	case -1:
		json_decref(*answerp);
		*answerp = NULL;
		return ANSWER_LOST;
	case 0:
		return kind;
	default:
		id = json_integer_value(*answerp);
		json_decref(*answerp);
		return job_await(client, id, answerp);
	}
}

enum exit_code
command_call(const struct invocation *invocation)
{
	enum client_answer got;
	enum exit_code code;
	struct client *client;
	json_t *params, *answer = NULL;

	if (invocation->argc < 1) {
		complain("call: which method?");
		return EXIT_USAGE;
	}
	if ((params = arguments_read(invocation->argv + 1)) == NULL)
		return EXIT_USAGE;
	if ((client = client_open(invocation->instance)) == NULL) {
		json_decref(params);
		return EXIT_UNREACHABLE;
	}
	got = call_and_wait(client, invocation, params, &answer);
	code = client_outcome(got, answer, invocation->json);
	if (code == EXIT_DONE)
		print_json(stdout, answer);
	json_decref(answer);
	client_close(client);
	return code;
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
print_names(json_t *methods)
{
	size_t count = 0, i;
	const char **names, *name;
	json_t *method;

	names = xcalloc(json_object_size(methods) + 1, sizeof(*names));
	json_object_foreach(methods, name, method)
		names[count++] = name;
	qsort(names, count, sizeof(*names), name_compare);
	for (i = 0; i < count; i++) {
		print_text(stdout, names[i]);
		putchar('\n');
	}
	free(names);
}

enum exit_code
command_completion(const struct invocation *invocation)
{
	enum client_answer got;
	enum exit_code code;
	struct client *client;
	json_t *answer = NULL;

	if (invocation->argc != 0) {
		complain("completion takes no arguments");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	got = client_call(client, "core.get_methods", json_array(), &answer);
	code = client_outcome(got, answer, invocation->json);
	if (code == EXIT_DONE)
		print_names(answer);
	json_decref(answer);
	client_close(client);
	return code;
}
