/*
 * The import of a foreign sshd_config, without sshd: trees of files (golden/
 * import/NAME.tree) and what becomes of them (NAME.plan).  What sshd says of
 * the file and of ours stands in the tree too, as far as it matters.  Where
 * there is an sshd, it has to make the same of the tree and of the one piece
 * that it was made into.
 *
 * HF_UPDATE_GOLDEN=1 writes the plans anew; look at the difference.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/json.h"
#include "golden.h"
#include "installed.h"
#include "real_sshd.h"
#include "services/ssh/ssh_import_plan.h"
#include "services/ssh/ssh_render.h"
#include "ssh_tree.h"

/* Sections that are no files: sshd -T of the file, and of ours alone. */
#define BEFORE "(before)"
#define BASE "(base)"
#define FOLDER "import"

static const char *const names[] = { "debian", "include", "match", "words",
	"obstacles", "loop", "ours" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static struct ssh_files *
tree_of(const char *name)
{
	char *file = xasprintf("%s.tree", name), *text;
	struct ssh_files *files;
	size_t len;

	text = golden_read(FOLDER, file, &len);
	files = tree_parse(text, len);
	free(text);
	free(file);
	return files;
}

static const char *
section(const struct ssh_files *files, const char *name)
{
	const struct ssh_file *file = ssh_files_find(files, name);

	return file == NULL ? "port 22\n" : file->content;
}

/* What is rendered of the settings alone. */
static char *
base_text(void)
{
	static char *none[] = { NULL };
	static char empty[] = "";
	struct ssh_config c = { .bindiface = none,
		.tcpport = 22,
		.password_login_groups = none,
		.options = empty };
	struct ssh_surroundings around = { .installed = installed_debian_12 };
	char *why = NULL, *text = ssh_render(&c, &around, &why);

	assert_non_null(text);
	return text;
}

static void
print_lines(FILE *out, const char *title, const struct flat_lines *lines)
{
	const struct flat_line *line;
	size_t i;

	fprintf(out, "%s:\n", title);
	for (i = 0; i < lines->count; i++) {
		line = &lines->list[i];
		fprintf(out, "\t%s [%s:%u]%s\n", line->text, line->file,
		    line->number, line->dropped ? " left out" : "");
	}
}

static void
print_reasons(FILE *out, const char *title, const json_t *list)
{
	const json_t *one;
	size_t i;

	fprintf(out, "%s:\n", title);
	json_array_foreach(list, i, one)
		fprintf(out, "\t%s:%lld %s: %s\n", json_str(one, "file", "?"),
		    (long long)json_int(one, "line", 0),
		    json_str(one, "text", "?"), json_str(one, "reason", "?"));
}

static void
print_specs(FILE *out, const struct flat_lines *lines)
{
	size_t i;
	char *spec;

	fputs("connections:\n", out);
	for (i = 0; i < lines->count; i++) {
		if (!flat_is_match(&lines->list[i]))
			continue;
		spec = import_spec(lines->list[i].text);
		fprintf(out, "\t%s\n", spec == NULL ? "none" : spec);
		free(spec);
	}
}

/* Which line of the file each of the text is. */
static void
print_options(FILE *out, struct flat *flat, const char *options)
{
	char *copy = xstrdup(options), *rest = copy, *line;
	struct flat_line *from;
	unsigned int number = 0;

	fputs("options:\n", out);
	while (*options != '\0' && (line = strsep(&rest, "\n")) != NULL) {
		from = import_line(flat, options, ++number);
		if (from != NULL)
			assert_string_equal(from->text, line);
		fprintf(out, "\t%s%s\n", line,
		    from == NULL ? " [sshd's default]" : "");
	}
	free(copy);
}

static void
print_rest(FILE *out, struct flat *flat, const struct ssh_files *files)
{
	const char *before = section(files, BEFORE);
	const char *is = section(files, BASE);
	json_t *fields = import_fields(before), *not_taken = json_array();
	char *base = base_text(), *text = json_text(fields), *options;

	import_choose(flat, before, base, is, NULL, not_taken);
	options = import_options(flat, before, is);
	fprintf(out, "fields:\n\t%s\n", text);
	print_reasons(out, "not taken", not_taken);
	print_options(out, flat, options);
	free(options);
	free(text);
	free(base);
	json_decref(not_taken);
	json_decref(fields);
}

static char *
plan_of(const struct ssh_files *files)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *obstacles;
	struct flat flat;

	assert_non_null(out);
	flat_make(files, NULL, &flat);
	obstacles = import_obstacles(&flat);
	if (json_array_size(obstacles) > 0)
		print_reasons(out, "obstacles", obstacles);
	else
		print_rest(out, &flat, files);
	print_lines(out, "global", &flat.global);
	print_lines(out, "match", &flat.match);
	print_specs(out, &flat.match);
	json_decref(obstacles);
	flat_free(&flat);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
test_plans(void **state)
{
	char *text, *file, *wanted;
	int dir = golden_folder(FOLDER);
	struct ssh_files *files;
	size_t i, len;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		files = tree_of(names[i]);
		text = plan_of(files);
		file = xasprintf("%s.plan", names[i]);
		if (getenv("HF_UPDATE_GOLDEN") != NULL)
			assert_int_equal(
			    file_install(dir, file, text, strlen(text), 0644,
				geteuid(), getegid(), NULL),
			    0);
		wanted = golden_read(FOLDER, file, &len);
		assert_string_equal(text, wanted);
		free(wanted);
		free(file);
		free(text);
		ssh_files_free(files);
	}
	close(dir);
}

/* --- The same by sshd ------------------------------------------------------ */

static void
write_tree(const struct ssh_files *files)
{
	int folder = open(SSH_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	const struct ssh_file *file;

	assert_true(folder != -1);
	(void)mkdirat(folder, "sshd_config.d", 0755);
	for (file = files->list; file < files->list + files->count; file++) {
		if (*file->path == '(')
			continue;
		fd = openat(folder, file->path,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_true(fd != -1);
		assert_int_equal(
		    file_write_all(fd, file->content, file->len), 0);
		close(fd);
	}
	close(folder);
}

static void
remove_tree(const struct ssh_files *files)
{
	int folder = open(SSH_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	for (i = 0; i < files->count; i++)
		if (*files->list[i].path != '(')
			unlinkat(folder, files->list[i].path, 0);
	close(folder);
}

/* Behind the complaints about lines, which have other numbers. */
static const char *
shown(const char *output)
{
	const char *at = strstr(output, "\nport ");

	return at == NULL ? output : at + 1;
}

/* Of the whole, and of each connection that a Match block is told by. */
static void
compare(const char *tree, const char *whole, const char *spec)
{
	bool tree_ok, whole_ok;
	char *a = real_sshd_run("-T", tree, spec, &tree_ok);
	char *b = real_sshd_run("-T", whole, spec, &whole_ok);

	if (!tree_ok || !whole_ok)
		fail_msg("%s", tree_ok ? b : a);
	assert_string_equal(shown(a), shown(b));
	free(a);
	free(b);
}

static void
compare_all(const struct ssh_files *files)
{
	const char *tree = section(files, SSH_MAIN_FILE);
	char *global, *match, *whole, *spec;
	struct flat flat;
	size_t i;

	flat_make(files, NULL, &flat);
	global = flat_text(&flat.global);
	match = flat_text(&flat.match);
	whole = xasprintf("%s%s", global, match);
	compare(tree, whole, NULL);
	for (i = 0; i < flat.match.count; i++) {
		if (!flat_is_match(&flat.match.list[i]))
			continue;
		spec = import_spec(flat.match.list[i].text);
		if (spec != NULL)
			compare(tree, whole, spec);
		free(spec);
	}
	free(whole);
	free(match);
	free(global);
	flat_free(&flat);
}

static void
test_sshd_agrees(void **state)
{
	struct ssh_files *files;
	json_t *obstacles;
	struct flat flat;
	size_t i;

	(void)state;
	if (!real_sshd_enter())
		skip();
	for (i = 0; i < NAMES; i++) {
		files = tree_of(names[i]);
		flat_make(files, NULL, &flat);
		obstacles = import_obstacles(&flat);
		flat_free(&flat);
		write_tree(files);
		if (json_array_size(obstacles) == 0)
			compare_all(files);
		remove_tree(files);
		json_decref(obstacles);
		ssh_files_free(files);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_sshd_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
