/*
 * Secrets from standard input or the terminal: see password.h.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/password.h"

#define PROMPT_SIZE 64

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

int
password_read(const char *what, char password[PASSWORD_SIZE])
{
	char again[PASSWORD_SIZE] = "", prompt[PROMPT_SIZE];
	int result = -1;

	if (!isatty(STDIN_FILENO)) {
		if (line_read(password, PASSWORD_SIZE) == 0 &&
		    *password != '\0')
			return 0;
		complain("the %s is read, one line, from standard input", what);
		return -1;
	}
	snprintf(prompt, sizeof(prompt), "The %s: ", what);
	if (terminal_ask(prompt, password, PASSWORD_SIZE) == -1 ||
	    *password == '\0')
		complain("no %s given", what);
	else if (terminal_ask("The same again: ", again, sizeof(again)) == -1 ||
	    strcmp(password, again) != 0)
		complain("the two are not the same");
	else
		result = 0;
	explicit_bzero(again, sizeof(again));
	return result;
}
