/*
 * holdfast call: any method of the API, with its job awaited.
 */
#include <string.h>

#include "cli/argument.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job.h"
#include "cli/output.h"
#include "lib/json.h"

/* The parameters; NULL, said why, when one is no JSON. */
static json_t *
arguments_read(char **argv)
{
	const char *problem;
	json_t *params = json_array(), *value;
	int i;

	for (i = 0; argv[i] != NULL; i++) {
		value = argument_json(argv[i], &problem);
		if (value == NULL) {
			complain("argument %d is no JSON (%s): %s\n"
				 "A text that is no plain word needs quotes: "
				 "'\"two words\"'",
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
		return job_await(client, id, JOB_BAR, answerp);
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
		print_result(answer, invocation->json);
	json_decref(answer);
	client_close(client);
	return code;
}
