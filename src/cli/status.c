/*
 * holdfast status: how Holdfast is doing, for people.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/status.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define COLUMNS_MAX 8

/* Rows of texts; the first is the head. */
struct table {
	size_t columns, rows;
	bool right[COLUMNS_MAX]; /* numbers stand at the right */
	char **cells;
};

/* Takes over the texts, one for each column. */
static void
table_row(struct table *table, char *const cells[])
{
	size_t at = table->rows * table->columns;

	table->rows++;
	table->cells = xreallocarray(
	    table->cells, table->rows * table->columns, sizeof(*table->cells));
	memcpy(table->cells + at, cells, table->columns * sizeof(*cells));
}

/* A head's texts are static. */
static void
table_head(struct table *table, const char *const names[])
{
	char *cells[COLUMNS_MAX];
	size_t i;

	for (i = 0; i < table->columns; i++)
		cells[i] = xstrdup(names[i]);
	table_row(table, cells);
}

/* Characters, roughly: bytes that do not continue one. */
static size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
print_blanks(FILE *file, size_t count)
{
	while (count-- > 0)
		putc(' ', file);
}

/* Prints and frees. */
static void
table_print(FILE *file, struct table *table)
{
	size_t widths[COLUMNS_MAX] = { 0 }, row, i, width, last;
	char *cell;

	for (row = 0; row < table->rows; row++)
		for (i = 0; i < table->columns; i++) {
			width =
			    text_width(table->cells[row * table->columns + i]);
			if (width > widths[i])
				widths[i] = width;
		}
	for (row = 0; row < table->rows; row++) {
		last = table->columns - 1;
		while (last > 0 &&
		    *table->cells[row * table->columns + last] == '\0')
			last--;
		for (i = 0; i <= last; i++) {
			cell = table->cells[row * table->columns + i];
			width = widths[i] - text_width(cell);
			print_blanks(file, i > 0 ? 2 : 0);
			print_blanks(file, table->right[i] ? width : 0);
			print_text(file, cell);
			if (!table->right[i] && i < last)
				print_blanks(file, width);
		}
		putc('\n', file);
	}
	for (i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
}

/* A member as text, whatever it is; caller frees. */
static char *
cell_of(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (json_is_string(member))
		return xstrdup(json_string_value(member));
	if (json_is_integer(member))
		return xasprintf(
		    "%" JSON_INTEGER_FORMAT, json_integer_value(member));
	if (json_is_boolean(member))
		return xstrdup(json_is_true(member) ? "yes" : "no");
	return xstrdup("");
}

/* An array's members with a blank between. */
static char *
cell_of_list(const json_t *list)
{
	char *text = xstrdup(""), *longer, *one;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (json_is_integer(item))
			one = xasprintf(
			    "%" JSON_INTEGER_FORMAT, json_integer_value(item));
		else if (json_is_string(item))
			one = xstrdup(json_string_value(item));
		else
			one = xstrdup("?");
		longer = xasprintf("%s%s%s", text, i > 0 ? " " : "", one);
		free(one);
		free(text);
		text = longer;
	}
	return text;
}

/* {"$date": ms} in local time. */
static char *
cell_of_date(const json_t *date)
{
	time_t seconds;
	struct tm tm;
	char text[32];

	seconds = (time_t)(json_int(date, "$date", 0) / 1000);
	if (seconds == 0 || localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return xstrdup("");
	return xstrdup(text);
}

static void
print_roles(FILE *file, const json_t *roles)
{
	static const char *const names[] = { "ROLE", "PID", "RESTARTS",
		"SINCE" };
	struct table table = { .columns = 4,
		.right = { false, true, true, false } };
	char *cells[4];
	json_t *role;
	size_t i;

	table_head(&table, names);
	json_array_foreach(roles, i, role) {
		cells[0] = cell_of(role, "role");
		cells[1] = cell_of(role, "pid");
		cells[2] = cell_of(role, "restarts");
		cells[3] = cell_of_date(json_object_get(role, "since"));
		table_row(&table, cells);
	}
	putc('\n', file);
	table_print(file, &table);
}

static void
print_services(FILE *file, const json_t *services)
{
	static const char *const names[] = { "SERVICE", "STATE", "AT START",
		"PIDS", "LISTENING", "LAST EXIT" };
	struct table table = { .columns = 6 };
	char *cells[6];
	json_t *service;
	size_t i;

	table_head(&table, names);
	json_array_foreach(services, i, service) {
		cells[0] = cell_of(service, "service");
		cells[1] = cell_of(service, "state");
		cells[2] = cell_of(service, "enable");
		cells[3] = cell_of_list(json_object_get(service, "pids"));
		cells[4] = cell_of_list(json_object_get(service, "listening"));
		cells[5] = cell_of(service, "last_exit");
		table_row(&table, cells);
	}
	putc('\n', file);
	table_print(file, &table);
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
	static const char *const names[] = { "ALERT", "SINCE", "" };
	struct table table = { .columns = 3 };
	char *cells[3];
	json_t *alert;
	size_t i;

	if (json_array_size(alerts) == 0)
		return;
	table_head(&table, names);
	json_array_foreach(alerts, i, alert) {
		cells[0] = cell_of(alert, "level");
		cells[1] = cell_of_date(json_object_get(alert, "datetime"));
		cells[2] = cell_of(alert, "formatted");
		table_row(&table, cells);
	}
	putc('\n', file);
	table_print(file, &table);
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
	json_int_t waiting;
	char *text;

	fputs("Holdfast ", file);
	print_text(file, json_str(status, "version", "?"));
	fputs(json_bool(status, "ready", false) ? ", ready\n" : ", not ready\n",
	    file);
	print_roles(file, json_object_get(status, "roles"));
	print_services(file, json_object_get(status, "services"));
	text = cell_of_list(listening);
	if (*text == '\0')
		fputs("\nNot listening on the network.", file);
	else
		fputs("\nListening on ", file);
	print_text(file, text);
	putc('\n', file);
	free(text);
	waiting = json_int(json_object_get(status, "audit"), "waiting", 0);
	if (waiting > 0)
		fprintf(file,
		    "Audit records not yet written: %" JSON_INTEGER_FORMAT "\n",
		    waiting);
	print_lines(file, "Note, missing in this kernel: ", missing);
	print_set_up(file, status, instance);
	if (!status_needs_attention(status))
		fputs("\nNo problems.\n", file);
	print_alerts(file, json_object_get(status, "alerts"));
	print_reboot(file, json_object_get(status, "reboot_required"));
	if (json_array_size(problems) > 0) {
		fputs("\nProblems:\n", file);
		print_lines(file, "    ", problems);
	}
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
	else if (code == EXIT_DONE)
		status_print(stdout, answer, invocation->instance);
	if (code == EXIT_DONE && status_needs_attention(answer))
		code = EXIT_SERVER;
	json_decref(answer);
	client_close(client);
	return code;
}
