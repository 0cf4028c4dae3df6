/*
 * holdfast setup-admin: the first administrator's password, read without echo
 * and sent over the Unix socket.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define PASSWORD_SIZE 1024

static volatile sig_atomic_t caught;

static void catch (int number)
{
	caught = number;
}

/*
 * Reads a line from standard input, byte by byte since what follows is not
 * ours.  0, or -1: nothing there, interrupted, a NUL, or longer than size - 1.
 */
static int
line_read(char *line, size_t size)
{
	size_t len = 0;
	ssize_t got;
	char c;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (c == '\0' || len + 1 >= size)
			return -1;
		line[len++] = c;
	}
	line[len] = '\0';
	explicit_bzero(&c, sizeof(c));
	return got == -1 || (got == 0 && len == 0) ? -1 : 0;
}

/*
 * Asks on the terminal with its echo off, which comes back whatever happens.
 * 0 or -1.
 */
static int
terminal_ask(const char *prompt, char *line, size_t size)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGTSTP };
	struct sigaction action = { .sa_handler = catch };
	struct sigaction before[sizeof(numbers) / sizeof(*numbers)];
	struct termios terminal, silent;
	size_t i;
	int result;

	if (tcgetattr(STDIN_FILENO, &terminal) == -1)
		return -1;
	silent = terminal;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	caught = 0;
	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, &before[i]);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	fputs(prompt, stderr);
	result = line_read(line, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal);
	putc('\n', stderr);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &before[i], NULL);
	if (caught != 0)
		raise(caught);
	return result;
}

/* 0, or -1 which was said. */
static int
password_read(char password[PASSWORD_SIZE])
{
	char again[PASSWORD_SIZE] = "";
	int result = -1;

	if (!isatty(STDIN_FILENO)) {
		if (line_read(password, PASSWORD_SIZE) == 0 &&
		    *password != '\0')
			return 0;
		complain("setup-admin reads the password, one line, from "
			 "standard input");
		return -1;
	}
	if (terminal_ask("Password: ", password, PASSWORD_SIZE) == -1 ||
	    *password == '\0')
		complain("no password given");
	else if (terminal_ask("The same again: ", again, sizeof(again)) == -1 ||
	    strcmp(password, again) != 0)
		complain("the two are not the same");
	else
		result = 0;
	explicit_bzero(again, sizeof(again));
	return result;
}

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
	if (password_read(password) == -1)
		code = EXIT_USAGE;
	else
		code = setup(invocation, client, password);
	explicit_bzero(password, sizeof(password));
	client_close(client);
	return code;
}
