/*
 * holdfastd: the command line, and the way into each role.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/openrpc.h"
#include "lib/json.h"
#include "lib/sandbox.h"
#include "lib/startup.h"
#include "monitor/listen.h"
#include "monitor/take_back.h"
#include "roles.h"

#define EXIT_USAGE 2
#define LISTEN_DEFAULT "127.0.0.1:8443"

static const char help[] =
    "usage: holdfastd --instance DIR | --machine [options]\n"
    "       holdfastd --version | --help\n"
    "       holdfastd --print-openrpc | --print-own | --take-back\n"
    "\n"
    "  --instance DIR      serve from this folder; every write lands in it\n"
    "  --machine           serve on this machine itself, which is given to "
    "Holdfast\n"
    "  --listen ADDR:PORT  of the web interface (" LISTEN_DEFAULT ")\n"
    "  --ready-fd N        write \"READY\" to this descriptor once serving\n"
    "  --ssh-port N        first TCP port of the SSH service (22)\n"
    "  --expose            services of an instance may listen on every "
    "address\n"
    "  --import            an instance takes over the machine's sshd_config, "
    "its host\n"
    "                      keys and the keys in homes, at its first start\n"
    "  --kernel-audit      an instance records what the kernel audits; one a "
    "machine\n"
    "  --journal           an instance reads the journal in its "
    "/run/log/journal\n"
    "  --take-back         put back what was not confirmed before the "
    "machine's start\n"
    "  --print-openrpc     describe the API as an OpenRPC document\n"
    "  --print-own         describe what of it TrueNAS does not have\n";

static int
usage(const char *problem, const char *what)
{
	fprintf(stderr, "holdfastd: %s%s%s; see --help\n", problem,
	    what == NULL ? "" : ": ", what == NULL ? "" : what);
	return EXIT_USAGE;
}

/* A decimal number from min to max; -1 when it is not one. */
static long
number(const char *text, long min, long max)
{
	size_t len = strlen(text);
	long value;

	if (len == 0 || len > 9 || strspn(text, "0123456789") != len)
		return -1;
	value = strtol(text, NULL, 10);
	return value < min || value > max ? -1 : value;
}

/* Takes over the document.  0, or 1 when it did not arrive. */
static int
print_document(json_t *document)
{
	int rc = json_dumpf(document, stdout, JSON_INDENT(1));

	json_decref(document);
	if (rc == -1 || putchar('\n') == EOF || fflush(stdout) == EOF) {
		fprintf(stderr, "holdfastd: the output can not be written\n");
		return 1;
	}
	return 0;
}

/* An option with its value; 0, or the exit code after a line. */
static int
take_option(int c, struct monitor_options *chosen)
{
	struct listen_address address;
	long value;

	switch (c) {
	case 'i':
		chosen->instance = optarg;
		return 0;
	case 'l':
		chosen->listen = optarg;
		if (listen_parse(optarg, &address) == -1)
			return usage("--listen is not ADDRESS:PORT with a "
				     "numeric address",
			    optarg);
		return 0;
	case 'r':
		value = number(optarg, 0, INT_MAX);
		if (value == -1 || fcntl((int)value, F_SETFD, FD_CLOEXEC) == -1)
			return usage(
			    "--ready-fd is not an open descriptor", optarg);
		chosen->ready_fd = (int)value;
		return 0;
	case 's':
		if ((value = number(optarg, 1, UINT16_MAX)) == -1)
			return usage("--ssh-port is not a port", optarg);
		chosen->ssh_port = (uint16_t)value;
		return 0;
	case 'p':
		chosen->import = true;
		return 0;
	case 'k':
		chosen->kernel_audit = true;
		return 0;
	case 'j':
		chosen->journal = true;
		return 0;
	default:
		chosen->expose = true;
		return 0;
	}
}

static int
main_monitor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "machine", no_argument, NULL, 'm' },
		{ "listen", required_argument, NULL, 'l' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "ssh-port", required_argument, NULL, 's' },
		{ "expose", no_argument, NULL, 'e' },
		{ "import", no_argument, NULL, 'p' },
		{ "kernel-audit", no_argument, NULL, 'k' },
		{ "journal", no_argument, NULL, 'j' },
		{ "print-openrpc", no_argument, NULL, 'o' },
		{ "print-own", no_argument, NULL, 'w' },
		{ "take-back", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	struct monitor_options chosen = { .listen = LISTEN_DEFAULT,
		.ready_fd = -1 };
	bool machine = false;
	int c, rc;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (c == 'v') {
			printf("holdfastd %s\n", HF_VERSION);
			return 0;
		} else if (c == 'h') {
			fputs(help, stdout);
			return 0;
		} else if (c == 'o') {
			return print_document(openrpc_document());
		} else if (c == 'w') {
			return print_document(openrpc_own());
		} else if (c == 't') {
			return take_back_main();
		} else if (c == 'm') {
			machine = true;
		} else if (c == ':') {
			return usage("a value is missing", argv[optind - 1]);
		} else if (c == '?') {
			return usage("unknown option", argv[optind - 1]);
		} else if ((rc = take_option(c, &chosen)) != 0) {
			return rc;
		}
	}
	if (optind != argc)
		return usage("unexpected argument", argv[optind]);
	if (machine &&
	    (chosen.instance != NULL || chosen.expose || chosen.ssh_port != 0 ||
		chosen.import || chosen.kernel_audit || chosen.journal))
		return usage("--instance, --ssh-port, --expose, --import, "
			     "--kernel-audit and --journal do not go with "
			     "--machine",
		    NULL);
	if (!machine && (chosen.instance == NULL || chosen.instance[0] == '\0'))
		return usage("--instance DIR or --machine is missing", NULL);
	return monitor_main(&chosen);
}

/* Roles are started by the monitor alone: it leaves them a channel. */
static bool
has_channel(void)
{
	socklen_t len = sizeof(int);
	int type, domain;

	return getsockopt(STARTUP_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET &&
	    getsockopt(STARTUP_FD, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	    domain == AF_UNIX && fcntl(STARTUP_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static int
main_role(int argc, char **argv)
{
	enum role role = argc > 2 ? role_by_name(argv[2]) : ROLE_COUNT;

	if (role == ROLE_COUNT || role == ROLE_MONITOR ||
	    argc != (role == ROLE_WORKER ? 4 : 3) || !has_channel())
		return usage("--role is for holdfastd itself", NULL);
	prctl(PR_SET_NAME, "holdfastd");
	sandbox_no_io_uring();
	json_secure();
	switch (role) {
	case ROLE_WEB:
	case ROLE_LOCAL:
		return web_main(role);
	case ROLE_CORE:
		return core_main();
	case ROLE_WORKER:
		return worker_main(argv[3]);
	case ROLE_AUDIT:
		return audit_main();
	case ROLE_JOURNAL:
		return journal_main();
	default:
		return EXIT_USAGE;
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--role") == 0)
		return main_role(argc, argv);
	return main_monitor(argc, argv);
}
