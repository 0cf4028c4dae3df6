/*
 * libFuzzer target: a foreign sshd_config with what it includes, and what sshd
 * is said to make of it (tests/unit/ssh_tree.h).  However it is written, each
 * line that is taken over is one line, and found again by its number.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The parser stands beside what asks core, which wants its tables. */
#include "registry.c"

#include "../unit/ssh_tree.h"
#include "services/ssh/ssh_import_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char base[] = "Port 22\nUsePAM yes\nPrintMotd no\n"
			   "Match User \"bea\"\nPasswordAuthentication yes\n";
static const char base_effective[] =
    "port 22\nusepam yes\nprintmotd no\npasswordauthentication no\n";

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
check_lines(const struct flat_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++) {
		expect(strchr(lines->list[i].text, '\n') == NULL);
		expect(lines->list[i].problem != NULL ||
		    lines->list[i].directive != NULL);
	}
}

static size_t
kept(const struct flat_lines *lines)
{
	size_t i, n = 0;

	for (i = 0; i < lines->count; i++)
		n += !lines->list[i].dropped;
	return n;
}

/* What was taken over comes again, in its order. */
static void
check_options(struct flat *flat, const char *options)
{
	char *copy = xstrdup(options), *rest = copy, *line;
	struct flat_line *from;
	unsigned int number = 0;
	size_t found = 0;

	while (*options != '\0' && (line = strsep(&rest, "\n")) != NULL) {
		from = import_line(flat, options, ++number);
		if (from == NULL)
			continue;
		expect(!from->dropped && strcmp(from->text, line) == 0);
		found++;
	}
	expect(found == kept(&flat->global) + kept(&flat->match));
	expect(import_line(flat, options, 0) == NULL);
	expect(import_line(flat, options, number + 1) == NULL);
	free(copy);
}

static void
check_plan(struct flat *flat, const char *before)
{
	json_t *list = json_array(), *fields = import_fields(before);
	char *options, *spec;
	size_t i;

	import_choose(flat, before, base, base_effective, "127.0.0.1", list);
	options = import_options(flat, before, base_effective);
	check_options(flat, options);
	for (i = 0; i < flat->match.count; i++) {
		(void)import_is_harmless(&flat->match.list[i]);
		if (!flat_is_match(&flat->match.list[i]))
			continue;
		spec = import_spec(flat->match.list[i].text);
		expect(spec == NULL || strpbrk(spec, " \n") == NULL);
		free(spec);
	}
	import_differences(list, "", before, base_effective);
	(void)import_same_algorithms(before, base_effective);
	free(options);
	json_decref(fields);
	json_decref(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ssh_files *files = tree_parse((const char *)data, len);
	const struct ssh_file *before = ssh_files_find(files, "(before)");
	json_t *obstacles;
	struct flat flat;

	flat_make(files, NULL, &flat);
	check_lines(&flat.global);
	check_lines(&flat.match);
	obstacles = import_obstacles(&flat);
	if (json_array_size(obstacles) == 0)
		check_plan(&flat, before == NULL ? "" : before->content);
	json_decref(obstacles);
	flat_free(&flat);
	ssh_files_free(files);
	return 0;
}
