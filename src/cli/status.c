/*
 * holdfast status: how Holdfast is doing, for people.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/show.h"
#include "cli/status.h"
#include "cli/table.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define COLUMNS_MAX 8

/* A table of some members of all objects of a list, under these heads. */
static void
print_members(FILE *file, const json_t *list, const char *const heads[],
    const char *const members[], size_t columns)
{
	struct table *table = table_new(columns);
	char *cells[COLUMNS_MAX];
	json_t *object, *value;
	size_t i, j;

	table_row(table, heads);
	json_array_foreach(list, i, object) {
		for (j = 0; j < columns; j++) {
			value = json_object_get(object, members[j]);
			if (json_is_integer(value))
				table_right(table, j);
			cells[j] = json_is_boolean(value) ?
			    xstrdup(json_is_true(value) ? "yes" : "no") :
			    show_line(value);
		}
		table_row(table, (const char *const *)cells);
		for (j = 0; j < columns; j++)
			free(cells[j]);
	}
	putc('\n', file);
	table_print(file, table, 0, INT_MAX); /* nothing is cut */
	table_free(table);
}

static void
print_roles(FILE *file, const json_t *roles)
{
	static const char *const heads[] = { "ROLE", "PID", "RESTARTS",
		"SINCE" };
	static const char *const members[] = { "role", "pid", "restarts",
		"since" };

	print_members(file, roles, heads, members, 4);
}

static void
print_services(FILE *file, const json_t *services)
{
	static const char *const heads[] = { "SERVICE", "STATE", "AT START",
		"PIDS", "LISTENING", "LAST EXIT" };
	static const char *const members[] = { "service", "state", "enable",
		"pids", "listening", "last_exit" };

	print_members(file, services, heads, members, 6);
}

static void
print_ends(FILE *file, const json_t *services)
{
	json_t *service;
	char *text;
	size_t i;

	json_array_foreach(services, i, service) {
		if (json_object_get(
			json_object_get(service, "stops"), "$date") == NULL)
			continue;
		putc('\n', file);
		print_text(file, json_str(service, "service", "?"));
		text = show_line(json_object_get(service, "stops"));
		fputs(" runs until ", file);
		print_text(file, text);
		putc('\n', file);
		free(text);
	}
}

static void
print_lines(FILE *file, const char *before, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) {
		fputs(before, file);
		print_text(
		    file, json_is_string(line) ? json_string_value(line) : "?");
		putc('\n', file);
	}
}

/* Of the levels two are for information only. */
static bool
is_urgent(const json_t *alert)
{
	const char *level = json_str(alert, "level", "");

	return strcmp(level, "INFO") != 0 && strcmp(level, "NOTICE") != 0;
}

static void
print_alerts(FILE *file, const json_t *alerts)
{
	static const char *const heads[] = { "ALERT", "SINCE", "" };
	static const char *const members[] = { "level", "datetime",
		"formatted" };

	if (json_array_size(alerts) > 0)
		print_members(file, alerts, heads, members, 3);
}

static void
print_reboot(FILE *file, const json_t *reasons)
{
	json_t *reason;
	size_t i;

	if (json_array_size(reasons) > 0)
		fputs("\nStart the machine anew, so that it takes effect:\n",
		    file);
	json_array_foreach(reasons, i, reason) {
		fputs("    ", file);
		print_text(file, json_str(reason, "reason", "?"));
		putc('\n', file);
	}
}

static void
print_set_up(FILE *file, const json_t *status, const char *instance)
{
	const char *code = json_str(status, "setup_code", NULL);

	if (json_bool(status, "administrator", true))
		return;
	fputs("\nThere is no administrator yet.  Set the first password:\n"
	      "    holdfast ",
	    file);
	if (instance != NULL) {
		fputs("-i ", file);
		print_text(file, instance);
		putc(' ', file);
	}
	fputs("setup-admin truenas_admin\n", file);
	if (code != NULL) {
		fputs("Over the network it needs the code ", file);
		print_text(file, code);
		putc('\n', file);
	}
}

static void
print_pending(FILE *file, const json_t *pending)
{
	if (!json_is_object(pending))
		return;
	fputs("\nA change of ", file);
	print_text(file, json_str(pending, "resource", "?"));
	fputs(" by ", file);
	print_text(file, json_str(pending, "username", "?"));
	fprintf(file,
	    " takes itself back in %" JSON_INTEGER_FORMAT
	    " s unless it is confirmed.\n",
	    json_int(pending, "seconds", 0));
}

/* How others would know that the audit log was written anew. */
static void
print_audit(FILE *file, const json_t *audit)
{
	const json_t *left = json_object_get(audit, "head_left");
	const char *failure = json_str(audit, "head_webhook_error", NULL);
	json_int_t waiting = json_int(audit, "waiting", 0);
	char *at;

	if (waiting > 0)
		fprintf(file,
		    "Audit records not yet written: %" JSON_INTEGER_FORMAT "\n",
		    waiting);
	if (json_is_null(left)) {
		fputs("No head of the audit log has left this machine: "
		      "holdfast audit head\n",
		    file);
	} else if (left != NULL) {
		at = show_line(json_object_get(left, "at"));
		fprintf(file,
		    "The last head of the audit log left %s "
		    "(number %" JSON_INTEGER_FORMAT ", ",
		    at, json_int(left, "head", 0));
		print_text(file, json_str(left, "way", "?"));
		fputs(")\n", file);
		free(at);
	}
	if (failure != NULL) {
		fputs("The last one for the webhook did not: ", file);
		print_text(file, failure);
		putc('\n', file);
	}
}

bool
status_needs_attention(const json_t *status)
{
	json_t *alert;
	size_t i;

	json_array_foreach(json_object_get(status, "alerts"), i, alert)
		if (is_urgent(alert))
			return true;
	return !json_bool(status, "ready", false) ||
	    !json_bool(status, "administrator", true) ||
	    json_array_size(json_object_get(status, "reboot_required")) > 0 ||
	    json_array_size(json_object_get(status, "problems")) > 0;
}

void
status_print(FILE *file, const json_t *status, const char *instance)
{
	const json_t *listening = json_object_get(status, "listening");
	const json_t *missing = json_object_get(status, "sandbox_missing");
	const json_t *problems = json_object_get(status, "problems");
	const json_t *probe = json_object_get(status, "ssh_probe");
	char *text;

	fputs("Holdfast ", file);
	print_text(file, json_str(status, "version", "?"));
	fputs(json_bool(status, "ready", false) ? ", ready\n" : ", not ready\n",
	    file);
	print_roles(file, json_object_get(status, "roles"));
	print_services(file, json_object_get(status, "services"));
	print_ends(file, json_object_get(status, "services"));
	text = show_line(listening);
	if (*text == '\0')
		fputs("\nNot listening on the network.", file);
	else
		fputs("\nListening on ", file);
	print_text(file, text);
	putc('\n', file);
	free(text);
	if (json_is_object(probe))
		fprintf(file,
		    "Last probe of SSH: %" JSON_INTEGER_FORMAT " findings\n",
		    json_int(probe, "findings", 0));
	print_audit(file, json_object_get(status, "audit"));
	print_lines(file, "Note, missing in this kernel: ", missing);
	print_set_up(file, status, instance);
	print_pending(file, json_object_get(status, "pending"));
	if (!status_needs_attention(status))
		fputs("\nNo problems.\n", file);
	print_alerts(file, json_object_get(status, "alerts"));
	print_reboot(file, json_object_get(status, "reboot_required"));
	if (json_array_size(problems) > 0) {
		fputs("\nProblems:\n", file);
		print_lines(file, "    ", problems);
	}
}

static void
print_difference(FILE *file, const json_t *one)
{
	const char *match = json_str(one, "match", "");
	const char *after = json_str(one, "after", "");

	fputs("    ", file);
	print_text(file, json_str(one, "directive", "?"));
	fputs(*after == '\0' ? " is not set any more" : " is now ", file);
	print_text(file, after);
	fputs(", was ", file);
	print_text(file, json_str(one, "before", ""));
	if (*match != '\0') {
		fputs(" (", file);
		print_text(file, match);
		putc(')', file);
	}
	putc('\n', file);
}

static void
print_left_out(FILE *file, const json_t *line)
{
	fputs("    left out, ", file);
	print_text(file, json_str(line, "file", "?"));
	fprintf(file, " line %" JSON_INTEGER_FORMAT ": ",
	    json_int(line, "line", 0));
	print_text(file, json_str(line, "text", "?"));
	fputs(" (", file);
	print_text(file, json_str(line, "reason", "?"));
	fputs(")\n", file);
}

void
status_print_import(FILE *file, const json_t *report)
{
	const json_t *one;
	size_t i;

	if (!json_is_object(report))
		return;
	fputs("\nThe machine's sshd_config was taken over. Of it:\n", file);
	json_array_foreach(json_object_get(report, "differences"), i, one)
		print_difference(file, one);
	json_array_foreach(json_object_get(report, "not_taken"), i, one)
		print_left_out(file, one);
	print_lines(file,
	    "    not compared: ", json_object_get(report, "not_compared"));
	fputs("    all else is as it was\n", file);
}

/* As long as there is an alert of it. */
static bool
was_imported(const json_t *status)
{
	const json_t *alert;
	size_t i;

	json_array_foreach(json_object_get(status, "alerts"), i, alert)
		if (strcmp(json_str(alert, "klass", ""), "SshImported") == 0)
			return true;
	return false;
}

static void
print_import(struct client *client, const json_t *status)
{
	json_t *report = NULL;

	if (was_imported(status) &&
	    client_call(client, "ssh.import_report", json_array(), &report) ==
		ANSWER_RESULT)
		status_print_import(stdout, report);
	json_decref(report);
}

enum exit_code
command_status(const struct invocation *invocation)
{
	enum client_answer got;
	enum exit_code code;
	struct client *client;
	json_t *answer = NULL;

	if (invocation->argc != 0) {
		complain("status takes no arguments");
		return EXIT_USAGE;
	}
	if ((client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	got = client_call(client, "holdfast.status", json_array(), &answer);
	code = client_outcome(got, answer, invocation->json);
	if (code == EXIT_DONE && invocation->json)
		print_json(stdout, answer);
	else if (code == EXIT_DONE) {
		status_print(stdout, answer, invocation->instance);
		print_import(client, answer);
	}
	if (code == EXIT_DONE && status_needs_attention(answer))
		code = EXIT_SERVER;
	json_decref(answer);
	client_close(client);
	return code;
}
