/*
 * holdfast renew-2fa: a new second factor, shown on the terminal as the QR
 * code that authenticator apps scan, and nowhere else.
 *
 * One's own takes effect once a code of it was typed in, so that nobody shuts
 * himself out; another's at once.
 */
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define MARGIN 2 /* modules around it */
#define CODE_SIZE 32

static bool
is_dark(const QRcode *qr, int x, int y)
{
	if (x < 0 || y < 0 || x >= qr->width || y >= qr->width)
		return false;
	return (qr->data[y * qr->width + x] & 1) != 0;
}

/*
 * Two rows of modules a line, light ones drawn: so it is read on a terminal of
 * dark ground, and by most apps on a light one.
 */
static int
draw(const char *text)
{
	static const char *const blocks[] = { "\xe2\x96\x88", "\xe2\x96\x80",
		"\xe2\x96\x84", " " };
	QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	int x, y;

	if (qr == NULL)
		return -1;
	for (y = -MARGIN; y < qr->width + MARGIN; y += 2) {
		for (x = -MARGIN; x < qr->width + MARGIN; x++)
			fputs(blocks[2 * is_dark(qr, x, y) +
				  is_dark(qr, x, y + 1)],
			    stdout);
		putchar('\n');
	}
	explicit_bzero(qr->data, (size_t)qr->width * (size_t)qr->width);
	QRcode_free(qr);
	return 0;
}

static void
show(const json_t *user)
{
	const json_t *config = json_object_get(user, "twofactor_config");
	const char *uri = json_str(config, "provisioning_uri", "");

	if (draw(uri) == -1)
		complain("no QR code could be drawn");
	printf("%s\n", uri);
	fflush(stdout);
}

/* Until a code is right, or the end of input. */
static enum exit_code
confirm(const struct invocation *invocation, struct client *client)
{
	char code[CODE_SIZE];
	enum client_answer got;
	enum exit_code outcome;
	json_t *answer;
	bool right;

	for (;;) {
		fputs("A code of it, to put it in force: ", stderr);
		if (fgets(code, sizeof(code), stdin) == NULL) {
			complain("the former second factor stays in force");
			return EXIT_SERVER;
		}
		code[strcspn(code, "\r\n")] = '\0';
		answer = NULL;
		got = client_call(client, "auth.twofactor.confirm",
		    json_pack("[s]", code), &answer);
		explicit_bzero(code, sizeof(code));
		outcome = client_outcome(got, answer, invocation->json);
		right = json_is_true(answer);
		json_decref(answer);
		if (outcome != EXIT_DONE || right)
			break;
		fputs("That was none of it.\n", stderr);
	}
	if (outcome == EXIT_DONE)
		puts("It is in force now.");
	return outcome;
}

/* The caller's own name, malloc'd; NULL, which was said. */
static char *
own_name(const struct invocation *invocation, struct client *client)
{
	json_t *answer = NULL;
	char *name = NULL;

	if (client_outcome(
		client_call(client, "auth.me", json_array(), &answer), answer,
		invocation->json) == EXIT_DONE)
		name = xstrdup(json_str(answer, "pw_name", ""));
	json_decref(answer);
	return name;
}

static enum exit_code
renew(const struct invocation *invocation, struct client *client,
    const char *name, bool own)
{
	enum client_answer got;
	enum exit_code outcome;
	json_t *answer = NULL;

	got = client_call(client, "user.renew_2fa_secret",
	    json_pack("[s, {s:b}]", name, "confirm", own), &answer);
	outcome = client_outcome(got, answer, invocation->json);
	if (outcome == EXIT_DONE)
		show(answer);
	json_decref(answer);
	if (outcome == EXIT_DONE && own)
		outcome = confirm(invocation, client);
	return outcome;
}

enum exit_code
command_renew_2fa(const struct invocation *invocation)
{
	const char *name = invocation->argc > 0 ? invocation->argv[0] : NULL;
	enum exit_code outcome = EXIT_SERVER;
	struct client *client;
	char *own;

	if (invocation->argc > 1) {
		complain("renew-2fa: of one account");
		return EXIT_USAGE;
	}
	/* A secret in a file or a pipe is one too many. */
	if (!isatty(STDOUT_FILENO)) {
		complain("renew-2fa shows a secret: on a terminal alone");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	if ((own = own_name(invocation, client)) != NULL)
		outcome = renew(invocation, client, name != NULL ? name : own,
		    name == NULL || strcmp(name, own) == 0);
	free(own);
	client_close(client);
	return outcome;
}
