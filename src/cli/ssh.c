/*
 * holdfast ssh probe: what an SSH server offers, seen from outside.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/job.h"
#include "cli/output.h"
#include "cli/show.h"
#include "lib/json.h"
#include "lib/xalloc.h"

struct target {
	char *host; /* NULL: this machine's own */
	long port;
};

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT" or "ADDRESS" of IPv6: 0 or -1. */
static int
parse_target(const char *text, struct target *target)
{
	const char *end = text + strlen(text), *colon = strrchr(text, ':');
	char *rest;

	target->port = 22;
	if (*text == '[') {
		if ((end = strchr(++text, ']')) == NULL ||
		    (end[1] != '\0' && end[1] != ':'))
			return -1;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && colon == strchr(text, ':'))
		end = colon;
	else
		colon = NULL;
	if (colon != NULL) {
		target->port = strtol(colon + 1, &rest, 10);
		if (rest == colon + 1 || *rest != '\0' || target->port < 1 ||
		    target->port > 65535)
			return -1;
	}
	if (end == text)
		return -1;
	target->host = xstrndup(text, (size_t)(end - text));
	return 0;
}

static void
print_line(const char *label, const json_t *value)
{
	char *text = show_line(value);

	printf("%-16s", label);
	print_text(stdout, *text == '\0' ? "-" : text);
	putchar('\n');
	free(text);
}

static void
print_host_keys(const json_t *keys)
{
	const json_t *key;
	size_t i;

	json_array_foreach(keys, i, key) {
		printf("%-16s", i == 0 ? "Host keys" : "");
		print_text(stdout, json_str(key, "algorithm", "?"));
		printf(", %lld bits, ", (long long)json_int(key, "bits", 0));
		print_text(stdout, json_str(key, "fingerprint", "not seen"));
		putchar('\n');
	}
}

static void
print_checks(const json_t *checks)
{
	const json_t *check;
	size_t i;

	if (json_array_size(checks) > 0)
		puts("\nChecks:");
	json_array_foreach(checks, i, check) {
		printf("    %s  ",
		    json_bool(check, "met", false) ? "met    " : "NOT MET");
		print_text(stdout, json_str(check, "check", "?"));
		fputs(": ", stdout);
		print_text(stdout, json_str(check, "seen", "?"));
		putchar('\n');
	}
}

static void
print_findings(const json_t *findings)
{
	const json_t *finding;
	size_t i;

	puts(json_array_size(findings) > 0 ? "\nFindings:" : "\nNo findings.");
	json_array_foreach(findings, i, finding) {
		printf("    %-8s  ", json_str(finding, "severity", "?"));
		print_text(stdout, json_str(finding, "name", "?"));
		fputs(": ", stdout);
		print_text(stdout, json_str(finding, "reason", "?"));
		fputs(" (", stdout);
		print_text(stdout, json_str(finding, "source", "?"));
		fputs(")\n              ", stdout);
		print_text(stdout, json_str(finding, "remedy", "?"));
		putchar('\n');
	}
}

static void
print_probe(const json_t *result)
{
	static const char *const lists[][2] = { { "Key exchanges", "kex" },
		{ "Ciphers", "ciphers" }, { "MACs", "macs" },
		{ "Compression", "compression" },
		{ "Authentication", "auth_methods" } };
	const json_t *timing = json_object_get(result, "timing");
	const char *problem = json_str(result, "problem", NULL);
	size_t i;

	print_text(stdout, json_str(result, "address", "?"));
	printf(" port %lld: ", (long long)json_int(result, "port", 0));
	print_text(stdout, json_str(result, "banner", "?"));
	putchar('\n');
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		print_line(lists[i][0], json_object_get(result, lists[i][1]));
	print_host_keys(json_object_get(result, "host_keys"));
	printf("%-16s%.1f ms to its offer, %.1f ms in all\n", "Time",
	    json_number_value(json_object_get(timing, "offered")),
	    json_number_value(json_object_get(timing, "finished")));
	if (problem != NULL) {
		printf("%-16s", "Not seen");
		print_text(stdout, problem);
		putchar('\n');
	}
	print_checks(json_object_get(result, "checks"));
	print_findings(json_object_get(result, "findings"));
}

static enum exit_code
probe(
    const struct invocation *invocation, const struct target *target, bool json)
{
	json_t *params = json_array(), *answer = NULL;
	struct client *client = client_open(invocation->instance);
	enum client_answer got;
	enum exit_code code;
	json_int_t id;

	if (target->host != NULL) {
		json_array_append_new(params, json_string(target->host));
		json_array_append_new(params, json_integer(target->port));
	}
	if (client == NULL) {
		json_decref(params);
		return EXIT_UNREACHABLE;
	}
	got = client_call(client, "ssh.probe", params, &answer);
	if (got == ANSWER_RESULT && json_is_integer(answer)) {
		id = json_integer_value(answer);
		json_decref(answer);
		got = job_await(client, id, JOB_BAR, &answer);
	}
	code = client_outcome(got, answer, json);
	if (code == EXIT_DONE && json)
		print_json(stdout, answer);
	else if (code == EXIT_DONE)
		print_probe(answer);
	if (code == EXIT_DONE &&
	    json_array_size(json_object_get(answer, "findings")) > 0)
		code = EXIT_SERVER;
	json_decref(answer);
	client_close(client);
	return code;
}

enum exit_code
command_ssh(const struct invocation *invocation)
{
	struct target target = { 0 };
	bool json = invocation->json;
	enum exit_code code;
	int i, words = 0;

	/* The other verbs are those of its settings. */
	if (invocation->argc < 1 || strcmp(invocation->argv[0], "probe") != 0)
		return command_noun(invocation);
	for (i = 1; i < invocation->argc; i++)
		if (strcmp(invocation->argv[i], "--json") == 0)
			json = true;
		else if (words++ > 0 ||
		    parse_target(invocation->argv[i], &target) == -1) {
			complain("ssh probe takes one HOST[:PORT]");
			free(target.host);
			return EXIT_USAGE;
		}
	code = probe(invocation, &target, json);
	free(target.host);
	return code;
}
