/*
 * holdfast: the command line of an instance.  Reads the options and hands
 * over to the command; under the name midclt, to midclt.c.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/midclt.h"
#include "cli/output.h"
#include "lib/json.h"

struct command {
	const char *name;
	const char *arguments;
	const char *doc;
	bool takes_no_wait;
	enum exit_code (*run)(const struct invocation *);
};

/* clang-format off */
static const struct command commands[] = {
	{ .name = "audit", .arguments = "verify [FILE] [--against HEAD] | head",
	  .doc = "Prove the audit log, or an export, from files; print its "
	  "newest head.",
	  .run = command_audit },
	{ .name = "call", .arguments = "[--no-wait] METHOD [ARGUMENT...]",
	  .doc = "Call a method of the API and print its result.",
	  .takes_no_wait = true, .run = command_call },
	{ .name = "describe", .arguments = "[METHOD | NAMESPACE]",
	  .doc = "List the methods, or say what one of them takes.",
	  .run = command_describe },
	{ .name = "enter", .arguments = "[COMMAND...]",
	  .doc = "Run a command or a shell inside the instance, as root.",
	  .run = command_enter },
	{ .name = "user", .arguments = "VERB [NAME] [FIELD=VALUE...]",
	  .doc = "List, show, make, change, lock, remove accounts.",
	  .run = command_noun },
	{ .name = "group", .arguments = "VERB [NAME] [FIELD=VALUE...]",
	  .doc = "The same for groups.", .run = command_noun },
	{ .name = "privilege", .arguments = "VERB [NAME] [FIELD=VALUE...]",
	  .doc = "The same for what groups may do.", .run = command_noun },
	{ .name = "api-key", .arguments = "VERB [NAME] [FIELD=VALUE...]",
	  .doc = "The same for API keys.", .run = command_noun },
	{ .name = "keychain", .arguments = "VERB [NAME] [FIELD=VALUE...]",
	  .doc = "The same for SSH key pairs, and where they are used.",
	  .run = command_noun },
	{ .name = "service", .arguments = "VERB [NAME]",
	  .doc = "Start or stop services, now and with the machine: list, "
	  "show, start,\n\tstop, restart, reload, enable, disable.",
	  .run = command_noun },
	{ .name = "session", .arguments = "VERB [ID...]",
	  .doc = "List or end sessions, those of SSH too.",
	  .run = command_noun },
	{ .name = "recover",
	  .arguments = "NAME [password] [unlock] [second-factor]",
	  .doc = "Let an administrator in again, whatever keeps him out.",
	  .run = command_recover },
	{ .name = "reidentify", .arguments = "",
	  .doc = "Give the audit log of a copied machine a new identity.",
	  .run = command_reidentify },
	{ .name = "renew-2fa", .arguments = "[NAME]",
	  .doc = "Give an account, or yourself, a new second factor.",
	  .run = command_renew_2fa },
	{ .name = "setup-admin", .arguments = "NAME",
	  .doc = "Set the first administrator's password.",
	  .run = command_setup_admin },
	{ .name = "ssh", .arguments = "VERB [FIELD=VALUE...]",
	  .doc = "Show or change the settings of SSH; confirm a change; probe "
	  "[HOST[:PORT]]\n\tsees from outside what a server offers.",
	  .run = command_ssh },
	{ .name = "status", .arguments = "",
	  .doc = "Say how Holdfast is doing.", .run = command_status },
	{ .name = NULL }
};

static const struct option options[] = {
	{ "instance",	required_argument,	NULL, 'i' },
	{ "json",	no_argument,		NULL, 'j' },
	{ "no-wait",	no_argument,		NULL, 'n' },
	{ "help",	no_argument,		NULL, 'h' },
	{ "version",	no_argument,		NULL, 'v' },
	{ NULL,		0,			NULL, 0 }
};
/* clang-format on */

static void
usage(FILE *file)
{
	const struct command *command;

	fputs("usage: holdfast [-i DIR] [--json] COMMAND [ARGUMENT...]\n\n",
	    file);
	for (command = commands; command->name != NULL; command++)
		fprintf(file, "  %s%s%s\n\t%s\n", command->name,
		    *command->arguments == '\0' ? "" : " ", command->arguments,
		    command->doc);
	fputs("\nWithout -i the folder is that of HOLDFAST_INSTANCE; without "
	      "both, this\nmachine's own server is meant.  See holdfast(1).\n",
	    file);
}

/*
 * Reads options up to the first word.  -1 to go on, otherwise the exit code.
 */
static int
read_options(int argc, char **argv, struct invocation *invocation)
{
	int option;

	optind = 0; /* glibc: begin anew */
	while (
	    (option = getopt_long(argc, argv, "+i:h", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			invocation->instance = optarg;
			break;
		case 'j':
			invocation->json = true;
			break;
		case 'n':
			invocation->no_wait = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_DONE;
		case 'v':
			puts("holdfast " HF_VERSION);
			return EXIT_DONE;
		default:
			return EXIT_USAGE;
		}
	}
	return -1;
}

static const struct command *
command_by_name(const char *name)
{
	const struct command *command;

	for (command = commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* What was printed must have arrived: a full disk is no success. */
static int
finish(int code)
{
	if (fflush(stdout) == EOF || ferror(stdout)) {
		complain("the output can not be written");
		return code == EXIT_DONE ? EXIT_SERVER : code;
	}
	return code;
}

int
main(int argc, char **argv)
{
	struct invocation invocation = { 0 };
	const struct command *command;
	int code;

	json_secure();
	if (strcmp(program_invocation_short_name, "midclt") == 0)
		return finish(midclt_main(argv));
	invocation.instance = getenv("HOLDFAST_INSTANCE");
	if ((code = read_options(argc, argv, &invocation)) != -1)
		return finish(code);
	argc -= optind;
	argv += optind;
	if (argc == 0) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if ((command = command_by_name(argv[0])) == NULL) {
		complain(
		    "there is no command %s; see holdfast --help", argv[0]);
		return EXIT_USAGE;
	}
	if ((code = read_options(argc, argv, &invocation)) != -1)
		return finish(code);
	if (invocation.no_wait && !command->takes_no_wait) {
		complain("%s knows no --no-wait", command->name);
		return EXIT_USAGE;
	}
	if (invocation.instance != NULL && *invocation.instance == '\0')
		invocation.instance = NULL;
	invocation.command = command->name;
	invocation.argc = argc - optind;
	invocation.argv = argv + optind;
	return finish((int)command->run(&invocation));
}
