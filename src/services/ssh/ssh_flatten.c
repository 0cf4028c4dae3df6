/*
 * sshd_config in one piece: see ssh_flatten.h.
 *
 * As servconf.c has it: an included file's Match blocks end with the file; a
 * Match block in a file that is included from within one holds where both do;
 * a pattern that no file matches names none.
 */
#include "services/ssh/ssh_flatten.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"

#define DEPTH_MAX 16 /* servconf.c, SERVCONF_MAX_DEPTH */
#define READS_MAX 1024 /* of files, each as often as it is included */
#define BLANKS " \t\r\f"

struct flattening {
	const struct ssh_files *files;
	struct flat *flat;
	unsigned int depth, reads;
	bool stopped; /* sshd would read no further */
};

/* Where a file is read. */
struct place {
	const struct ssh_file *file;
	unsigned int number; /* of the line */
	char *criteria; /* of the Match block, NULL: global */
	bool broken; /* the block has to be begun again */
};

static void read_file(
    struct flattening *, const struct ssh_file *, const char *criteria);

static struct flat_line *
add(struct flat_lines *lines, const struct place *p, char *text)
{
	struct flat_line *line;

	lines->list =
	    xreallocarray(lines->list, lines->count + 1, sizeof(*line));
	line = &lines->list[lines->count++];
	*line = (struct flat_line){
		.text = text, .file = p->file->path, .number = p->number
	};
	return line;
}

bool
flat_is_match(const struct flat_line *line)
{
	return line->directive != NULL &&
	    strcmp(line->directive->name, "Match") == 0;
}

/*
 * Without blanks at its ends (a carriage return is one there), the keyword
 * without quotes: malloc'd.
 */
static char *
plain(const char *line, size_t len)
{
	const char *end = line + len, *close;

	while (end > line && strchr(BLANKS, end[-1]) != NULL && end[-1] != '\0')
		end--;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	if (line < end && *line == '"' &&
	    (close = memchr(line + 1, '"', (size_t)(end - line - 1))) != NULL)
		return xasprintf("%.*s %.*s", (int)(close - line - 1), line + 1,
		    (int)(end - close - 1), close + 1);
	return xstrndup(line, (size_t)(end - line));
}

/* Where a comment begins, outside of quotes. */
static size_t
without_comment(const char *text, size_t len)
{
	char quote = '\0';
	size_t i;

	for (i = 0; i < len; i++)
		if (quote != '\0')
			quote = text[i] == quote ? '\0' : quote;
		else if (text[i] == '"' || text[i] == '\'')
			quote = text[i];
		else if (text[i] == '#' && i > 0 &&
		    (text[i - 1] == ' ' || text[i - 1] == '\t'))
			break;
	while (i > 0 && i < len && (text[i - 1] == ' ' || text[i - 1] == '\t'))
		i--;
	return i;
}

/* Both have to hold; "all" cannot stand beside others. */
static char *
combined(const char *outer, const char *inner)
{
	if (outer == NULL || strcasecmp(outer, "all") == 0)
		return xstrdup(inner);
	if (strcasecmp(inner, "all") == 0)
		return xstrdup(outer);
	return xasprintf("%s %s", outer, inner);
}

static void
add_match(struct flattening *f, struct place *p)
{
	struct flat_line *line =
	    add(&f->flat->match, p, xasprintf("Match %s", p->criteria));

	line->directive = directive_find("Match", 5);
	p->broken = false;
}

static void
begin_match(struct flattening *f, struct place *p, const char *outer,
    const struct config_line *line)
{
	char *inner =
	    xstrndup(line->rest, without_comment(line->rest, line->rest_len));

	free(p->criteria);
	p->criteria = combined(outer, inner);
	free(inner);
	add_match(f, p);
}

/* Of which folders all files are known that the pattern can name. */
static bool
is_known_place(const char *pattern)
{
	static const char drop_ins[] = SSH_FOLDER "/sshd_config.d/";
	const char *name = strrchr(pattern, '/') + 1;
	size_t folder = (size_t)(name - pattern), len = strlen(name);

	if (folder == sizeof(drop_ins) - 1)
		return memcmp(pattern, drop_ins, folder) == 0;
	return folder == sizeof(SSH_FOLDER) &&
	    memcmp(pattern, SSH_FOLDER "/", folder) == 0 && len > 5 &&
	    strcmp(name + len - 5, ".conf") == 0;
}

static const char *
include_pattern(struct flattening *f, struct place *p, const char *pattern)
{
	char *absolute;
	bool matches;
	size_t i;

	if (!is_known_place(pattern))
		return "only files of " SSH_FOLDER "/sshd_config.d, and those "
		       "of " SSH_FOLDER " named *.conf, are read";
	for (i = 0; i < f->files->count; i++) {
		if (f->stopped)
			return NULL; /* which was said */
		absolute = xasprintf(SSH_FOLDER "/%s", f->files->list[i].path);
		matches =
		    fnmatch(pattern, absolute, FNM_PATHNAME | FNM_PERIOD) == 0;
		free(absolute);
		if (!matches)
			continue;
		if (*f->files->list[i].problem != '\0')
			return "it names a file that cannot be read";
		if (f->depth >= DEPTH_MAX || f->reads >= READS_MAX) {
			f->stopped = true;
			return "files include each other";
		}
		read_file(f, &f->files->list[i], p->criteria);
	}
	return NULL;
}

static void
include(struct flattening *f, struct place *p, const struct config_line *line,
    const char *text)
{
	char **words = arguments_split(line->rest, line->rest_len), *pattern;
	size_t before = f->flat->match.count, i;
	const char *why = words == NULL ? "a quote is not closed" : NULL;
	struct flat_line *added;

	for (i = 0; why == NULL && words[i] != NULL; i++) {
		pattern = *words[i] == '/' ?
		    xstrdup(words[i]) :
		    xasprintf(SSH_FOLDER "/%s", words[i]);
		why = include_pattern(f, p, pattern);
		free(pattern);
	}
	arguments_free(words);
	/* Its own Match lines ended the block that we are in. */
	for (i = before; i < f->flat->match.count; i++)
		p->broken |= flat_is_match(&f->flat->match.list[i]);
	if (why == NULL)
		return;
	added = add(p->criteria == NULL ? &f->flat->global : &f->flat->match, p,
	    xstrdup(text));
	added->problem = why;
}

static void
read_line(struct flattening *f, struct place *p, const char *outer,
    const char *start, size_t len)
{
	char *text = plain(start, len);
	struct config_line line;
	struct flat_line *added;
	unsigned int number = 0;
	size_t at = 0;

	if (memchr(start, '\0', len) != NULL) {
		add(&f->flat->global, p, text)->problem = "a NUL character";
		return;
	}

	if (!config_next_line(text, strlen(text), &at, &number, &line) ||
	    line.kind == LINE_EMPTY) {
		free(text);
		return;
	}
	if (line.kind == LINE_DIRECTIVE && line.keyword_len == 5 &&
	    strncasecmp(line.keyword, "Match", 5) == 0) {
		begin_match(f, p, outer, &line);
		free(text);
		return;
	}
	if (line.kind == LINE_DIRECTIVE && line.keyword_len == 7 &&
	    strncasecmp(line.keyword, "Include", 7) == 0) {
		include(f, p, &line, text);
		free(text);
		return;
	}
	if (p->criteria != NULL && p->broken)
		add_match(f, p);
	added = add(
	    p->criteria == NULL ? &f->flat->global : &f->flat->match, p, text);
	if (line.kind == LINE_BAD)
		added->problem = line.problem;
	else {
		added->directive =
		    directive_find(line.keyword, line.keyword_len);
		if (added->directive == NULL)
			added->problem = "not a directive of OpenSSH's";
	}
}

static void
read_file(
    struct flattening *f, const struct ssh_file *file, const char *criteria)
{
	struct place p = { .file = file, .broken = true };
	const char *at = file->content, *end = at + file->len, *line_end;

	if (criteria != NULL)
		p.criteria = xstrdup(criteria);
	f->depth++;
	f->reads++;
	for (; at < end && !f->stopped; at = line_end + 1) {
		line_end = memchr(at, '\n', (size_t)(end - at));
		if (line_end == NULL)
			line_end = end;
		p.number++;
		read_line(f, &p, criteria, at, (size_t)(line_end - at));
	}
	f->depth--;
	free(p.criteria);
}

void
flat_make(const struct ssh_files *files, const json_t *also, struct flat *flat)
{
	const struct ssh_file *file = ssh_files_find(files, SSH_MAIN_FILE);
	struct flattening f = { .files = files, .flat = flat };
	size_t i;

	memset(flat, 0, sizeof(*flat));
	for (i = 0; i < files->count; i++)
		if (json_object_get(also, files->list[i].path) != NULL)
			read_file(&f, &files->list[i], NULL);
	if (file != NULL)
		read_file(&f, file, NULL);
}

static void
free_lines(struct flat_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		free(lines->list[i].text);
	free(lines->list);
}

void
flat_free(struct flat *flat)
{
	free_lines(&flat->global);
	free_lines(&flat->match);
	memset(flat, 0, sizeof(*flat));
}

char *
flat_text(const struct flat_lines *lines)
{
	size_t i, len = 0, n;
	char *text;

	for (i = 0; i < lines->count; i++)
		len += strlen(lines->list[i].text) + 1;
	text = xmalloc(len + 1);
	for (i = 0, len = 0; i < lines->count; i++) {
		if (lines->list[i].dropped)
			continue;
		n = strlen(lines->list[i].text);
		memcpy(text + len, lines->list[i].text, n);
		text[len + n] = '\n';
		len += n + 1;
	}
	text[len] = '\0';
	return text;
}
