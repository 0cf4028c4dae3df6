/*
 * holdfast audit head: the newest signed head, to be kept elsewhere; and
 * holdfast reidentify: another identity for the log of a copied machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit_head.h"
#include "cli/client.h"
#include "cli/output.h"
#include "lib/json.h"

/* It counts as kept only when it was printed. */
static enum exit_code
print_head(
    const struct invocation *invocation, struct client *client, json_t *head)
{
	enum exit_code outcome;
	json_t *answer = NULL;

	if (puts(json_string_value(head)) == EOF || fflush(stdout) == EOF) {
		complain("the head can not be written");
		return EXIT_SERVER;
	}
	outcome = client_outcome(client_call(client, "audit.head_kept",
				     json_pack("[O]", head), &answer),
	    answer, invocation->json);
	json_decref(answer);
	return outcome;
}

enum exit_code
audit_head(const struct invocation *invocation)
{
	struct client *client;
	enum exit_code outcome;
	json_t *head = NULL;

	if (invocation->argc != 1) {
		complain("audit head takes no arguments");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	outcome = client_outcome(
	    client_call(client, "audit.head", json_array(), &head), head,
	    invocation->json);
	if (outcome == EXIT_DONE)
		outcome = print_head(invocation, client, head);
	json_decref(head);
	client_close(client);
	return outcome;
}

enum exit_code
command_reidentify(const struct invocation *invocation)
{
	struct client *client;
	enum exit_code outcome;
	json_t *answer = NULL;

	if (invocation->argc != 0) {
		complain("reidentify takes no arguments");
		return EXIT_USAGE;
	}
	if (geteuid() != 0) {
		complain("reidentify: only root may do this");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	outcome = client_outcome(
	    client_call(client, "audit.reidentify", json_array(), &answer),
	    answer, invocation->json);
	if (outcome == EXIT_DONE && invocation->json)
		print_json(stdout, answer);
	else if (outcome == EXIT_DONE)
		printf("The audit log %s goes on as %s, with a new key.\n",
		    json_str(answer, "parent", ""),
		    json_str(answer, "log", ""));
	json_decref(answer);
	client_close(client);
	return outcome;
}
