/*
 * libFuzzer target: what an account that only transfers files asks to run.
 * Whatever it is, scp gets letters that have no program run, one "--" of ours,
 * and names behind it; sftp-server no operand.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scponly/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
look_at_scp(const struct command *command)
{
	size_t i, directions = 0;
	const char *p;

	for (i = 1; strcmp(command->argv[i], "--") != 0; i++) {
		expect(command->argv[i][0] == '-');
		for (p = command->argv[i] + 1; *p != '\0'; p++) {
			expect(strchr("rpdvqtf", *p) != NULL);
			directions += *p == 't' || *p == 'f';
		}
	}
	expect(directions == 1 && command->argv[i + 1] != NULL);
}

static void
look_at_sftp(const struct command *command)
{
	size_t i;

	for (i = 1; command->argv[i] != NULL; i++) {
		expect(strlen(command->argv[i]) == 2 &&
		    command->argv[i][0] == '-');
		if (strchr("eR", command->argv[i][1]) == NULL)
			expect(command->argv[++i] != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct command command;
	char *line = malloc(len + 1);

	expect(line != NULL);
	memcpy(line, data, len);
	line[len] = '\0';
	if (command_parse(line, &command) == NULL) {
		if (strcmp(command.path, "/usr/bin/scp") == 0)
			look_at_scp(&command);
		else
			look_at_sftp(&command);
	}
	free(line);
	return 0;
}
