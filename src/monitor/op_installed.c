/*
 * MSG_OP_SSH_INSTALLED: version and algorithms of the installed OpenSSH, told
 * by its client, which is of the same package as the server (Debian's
 * openssh-server depends on that very version).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/process.h"
#include "monitor/operations.h"

#define SSH "/usr/bin/ssh"
#define SECONDS 10
#define LIST_MAX (16 * 1024)

/* In the order of enum ssh_algorithms. */
static const char *const queries[] = { "kex", "HostKeyAlgorithms", "cipher",
	"mac" };

/* Its output (malloc'd), or NULL with the error told. */
static char *
ask_ssh(struct operation_call *call, const char *flag, const char *query)
{
	const char *argv[] = { SSH, flag, query, NULL };
	struct process_result result = { 0 };

	if (process_run(
		argv, -1, NULL, LIST_MAX, SECONDS, NULL, NULL, &result) == -1)
		operation_fail(call, errno, SSH ": %s", strerror(errno));
	else if (result.timed_out || result.status != 0)
		operation_fail(call, EIO, SSH " %s failed", flag);
	else
		return result.output;
	free(result.output);
	return NULL;
}

/* One name a line becomes a name-list. */
static void
join_lines(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	while ((text = strchr(text, '\n')) != NULL)
		*text = ',';
}

/* "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL ..." is 902. */
static unsigned int
parse_version(const char *text)
{
	static const char name[] = "OpenSSH_";
	unsigned long major, minor;
	char *end;

	if (strncmp(text, name, sizeof(name) - 1) != 0)
		return 0;
	major = strtoul(text + sizeof(name) - 1, &end, 10);
	if (*end != '.' || major > 999)
		return 0;
	minor = strtoul(end + 1, NULL, 10);
	return minor < 100 ? (unsigned int)(major * 100 + minor) : 0;
}

int
op_ssh_installed(struct operation_call *call)
{
	char *text;
	size_t i;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if ((text = ask_ssh(call, "-V", NULL)) == NULL)
		return EIO;
	wire_put_u32(&call->reply, parse_version(text));
	free(text);
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		if ((text = ask_ssh(call, "-Q", queries[i])) == NULL)
			return EIO;
		join_lines(text);
		wire_put_str(&call->reply, text);
		free(text);
	}
	return 0;
}
