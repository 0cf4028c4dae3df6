/*
 * holdfast setup-admin: the first administrator's password, read without echo
 * and sent over the Unix socket.
 */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/password.h"
#include "lib/json.h"

static enum exit_code
setup(const struct invocation *invocation, struct client *client,
    const char *password)
{
	const char *name = invocation->argv[0];
	enum client_answer got;
	enum exit_code code;
	json_t *params, *answer = NULL;

	params = json_pack("[s, s]", name, password);
	if (params == NULL) {
		complain("name and password must be UTF-8");
		return EXIT_USAGE;
	}
	got = client_call(
	    client, "user.setup_local_administrator", params, &answer);
	code = client_outcome(got, answer, invocation->json);
	if (code == EXIT_DONE)
		printf("%s can log in now.\n", name);
	json_decref(answer);
	return code;
}

enum exit_code
command_setup_admin(const struct invocation *invocation)
{
	enum exit_code code;
	struct client *client;
	char password[PASSWORD_SIZE] = "";

	if (invocation->argc != 1) {
		complain("setup-admin: root or truenas_admin?");
		return EXIT_USAGE;
	}
	/* Before anybody types: is there somebody to tell it to? */
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	if (password_read("password", password) == -1)
		code = EXIT_USAGE;
	else
		code = setup(invocation, client, password);
	explicit_bzero(password, sizeof(password));
	client_close(client);
	return code;
}
