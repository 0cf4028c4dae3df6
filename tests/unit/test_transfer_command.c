/*
 * What an account that only transfers files may run: commands as the clients
 * send them, what is refused, and the confinement itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/xalloc.h"
#include "scponly/command.h"
#include "scponly/confine.h"

#define SFTP "/usr/lib/openssh/sftp-server"

/* The words with a bar between them. */
static char *
joined(const struct command *command)
{
	char *text = xstrdup(""), *longer;
	size_t i;

	for (i = 0; command->argv[i] != NULL; i++) {
		longer = xasprintf(
		    "%s%s%s", text, i == 0 ? "" : "|", command->argv[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* clang-format off */
static const struct {
	const char *line, *path, *words;
} accepted[] = {
	/* OpenSSH */
	{ "scp -t .", "/usr/bin/scp", "scp|-t|--|." },
	{ "scp -v -r -p -d -t /home/a", "/usr/bin/scp",
	  "scp|-v|-r|-p|-d|-t|--|/home/a" },
	{ "scp -t -- -x", "/usr/bin/scp", "scp|-t|--|-x" },
	{ "scp -f -- -o ProxyCommand=x", "/usr/bin/scp",
	  "scp|-f|--|-o|ProxyCommand=x" },
	{ "scp -f a b", "/usr/bin/scp", "scp|-f|--|a|b" },
	/* libssh2, others */
	{ "scp -pf '/a b'", "/usr/bin/scp", "scp|-pf|--|/a b" },
	{ "/usr/bin/scp -qrt x", "/usr/bin/scp", "/usr/bin/scp|-qrt|--|x" },
	/* quoting */
	{ "scp\t-t  a\\ b ", "/usr/bin/scp", "scp|-t|--|a b" },
	{ "scp -t \"a;b\"'$(id)'\\`", "/usr/bin/scp", "scp|-t|--|a;b$(id)`" },
	{ "scp -t \"\\$\\\\\\a\"", "/usr/bin/scp", "scp|-t|--|$\\\\a" },
	{ "scp -t a~#\\~", "/usr/bin/scp", "scp|-t|--|a~#~" },
	{ "scp -f ''", "/usr/bin/scp", "scp|-f|--|" },
	{ "scp -t host:x", "/usr/bin/scp", "scp|-t|--|host:x" },
	{ SFTP, SFTP, SFTP },
	{ "sftp-server", SFTP, "sftp-server" },
	{ "/usr/lib/sftp-server -e -l INFO -u 022", SFTP,
	  "/usr/lib/sftp-server|-e|-l|INFO|-u|022" },
};
static const char *const refused[] = {
	"", " ", "id", "scp", "scp x", "scp -t", "scp -f", "scp -t a b",
	"scp -r a b", "scp -S /bin/sh -t x", "scp -t -S /bin/sh",
	"scp -tS /bin/sh", "scp -o ProxyCommand=id -t x", "scp -F x -t x",
	"scp -oProxyCommand=id -t x", "scp -D /bin/id -t x", "scp -J x -t x",
	"scp -t -f x", "scp -T -t x", "scp -- -t x", "scp --help",
	"scp -t x;id", "scp -t x|id", "scp -t x & id", "scp -t `id`",
	"scp -t $(id)", "scp -t \"$(id)\"", "scp -t \"`id`\"", "scp -t $HOME",
	"scp -t >x", "scp -t <x", "scp -f *", "scp -f a?", "scp -f [a]",
	"scp -t ~/x", "scp -t #x", "scp -t (x)", "scp -t \\\\;id",
	"scp -t 'x", "scp -t \"x", "scp -t x\\", "scp -t \"x\\",
	"scp -t x\nid", "scp -t 'x\nid'", "scp -t x\rid", "scp -t x\033",
	"'scp -t' x", "scp\\ -t x", "./scp -t x", "../../usr/bin/scp -t x",
	"/tmp/scp -t x", "/bin/sh", "sh -c 'scp -t x'", "internal-sftp",
	"SHELL=/bin/sh scp -t x", "exec scp -t x", "scp-t x",
	SFTP " x", SFTP " -Q requests", SFTP " -h", SFTP " -d", SFTP " -d -e",
	SFTP " -lINFO", SFTP " --", SFTP " -", SFTP ";id",
};
/* clang-format on */

static void
test_accepted(void **state)
{
	struct command command;
	const char *why;
	char *words;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		why = command_parse(accepted[i].line, &command);
		if (why != NULL)
			fail_msg("%s: %s", accepted[i].line, why);
		assert_string_equal(command.path, accepted[i].path);
		words = joined(&command);
		assert_string_equal(words, accepted[i].words);
		free(words);
	}
}

static void
test_refused(void **state)
{
	struct command command;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (command_parse(refused[i], &command) == NULL)
			fail_msg("accepted: %s", refused[i]);
}

/* A line of so many characters, with a blank at every n-th place. */
static char *
long_line(size_t len, size_t every)
{
	static const char begin[] = "scp -f ";
	char *line = xmalloc(len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		line[i] = (i + 1) % every == 0 ? ' ' : 'x';
	line[len] = '\0';
	memcpy(line, begin, sizeof(begin) - 1);
	return line;
}

static void
test_limits(void **state)
{
	struct command command;
	char *line;

	(void)state;
	line = long_line(COMMAND_TEXT - 1, COMMAND_TEXT + 1);
	assert_null(command_parse(line, &command));
	assert_int_equal(strlen(command.argv[3]), COMMAND_TEXT - 1 - 7);
	free(line);
	line = long_line(COMMAND_TEXT, COMMAND_TEXT + 1);
	assert_non_null(command_parse(line, &command));
	free(line);
	line = long_line(7 + 2 * (COMMAND_WORDS - 4), 2);
	assert_null(command_parse(line, &command));
	free(line);
	line = long_line(7 + 2 * (COMMAND_WORDS + 1), 2);
	assert_non_null(command_parse(line, &command));
	free(line);
}

/* --- The confinement ------------------------------------------------------ */

static char *const nothing[] = { NULL };
static char *const true_words[] = { (char *)"true", NULL };

static int
runs_its_program(const char *path)
{
	execve(path, true_words, nothing);
	return 1;
}

static int
runs_another(const char *path)
{
	(void)path;
	execve("/usr/bin/true", true_words, nothing);
	return 1;
}

static int
is_refused(const char *path)
{
	(void)path;
	if (fork() != -1 || errno != EPERM)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM)
		return 2;
	if (socket(AF_INET6, SOCK_DGRAM, 0) != -1 || errno != EPERM)
		return 3;
	return 0;
}

static int
reaches_the_log(const char *path)
{
	(void)path;
	return socket(AF_UNIX, SOCK_DGRAM, 0) == -1 ? 1 : 0;
}

/* What becomes of a process that is confined and then does that. */
static int
confined(int (*act)(const char *path), bool logs)
{
	const char *path;
	int status;
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (child == 0) {
		path = confine("/usr/bin/true", logs);
		_exit(path == NULL ? 99 : act(path));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
test_confined(void **state)
{
	int status;

	(void)state;
	assert_int_equal(confined(runs_its_program, false), 0);
	assert_int_equal(confined(is_refused, false), 0);
	assert_int_equal(confined(is_refused, true), 0);
	assert_int_equal(confined(reaches_the_log, true), 0);
	assert_int_not_equal(confined(reaches_the_log, false), 0);
	status = confined(runs_another, true);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
