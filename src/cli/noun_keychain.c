/* holdfast keychain: trying connections, and what should be looked at. */
#include <stdio.h>

#include "cli/job.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "lib/json.h"

enum exit_code
noun_keychain_test(struct errand *e)
{
	json_t *entry = NULL, *number = NULL, *answer = NULL;
	enum exit_code code = errand_entry(e, e->arguments[0], &entry);
	enum client_answer got;

	if (code == EXIT_DONE)
		code = errand_call(e, "keychaincredential.test",
		    json_pack("[O]", json_object_get(entry, "id")), &number);
	if (code == EXIT_DONE) {
		got = job_await(
		    e->client, json_integer_value(number), JOB_BAR, &answer);
		code = client_outcome(got, answer, e->invocation->json);
	}
	if (code == EXIT_DONE && !e->invocation->json)
		puts("The other machine lets us in.");
	else if (code == EXIT_DONE)
		print_result(answer, true);
	json_decref(entry);
	json_decref(number);
	json_decref(answer);
	return code;
}

/* For people a line each. */
static void
tell(const json_t *entry)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(entry, "findings"), i, finding) {
		print_text(stdout, json_str(entry, "name", ""));
		printf(": %s\n", json_str(finding, "text", ""));
	}
}

enum exit_code
noun_keychain_stale(struct errand *e)
{
	json_t *answer = NULL, *entry;
	enum exit_code code =
	    errand_call(e, "keychaincredential.stale", json_array(), &answer);
	size_t i;

	if (code == EXIT_DONE && e->invocation->json)
		print_result(answer, true);
	else
		json_array_foreach(answer, i, entry)
			tell(entry);
	json_decref(answer);
	return code;
}
