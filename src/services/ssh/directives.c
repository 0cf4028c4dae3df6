/*
 * Reads sshd_config texts line by line and checks them against the table of
 * directives.
 */
#include "services/ssh/directives.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/file.h"
#include "lib/xalloc.h"

#define ERRORS_MAX 20 /* of one text; then their number is told */
#define QUOTE_MAX 80 /* bytes of the sender's text in a message */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Independent of the locale. */
static bool
is_keyword(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* Why the bytes of a line are refused, or NULL. */
static const char *
bad_bytes(const char *line, size_t len)
{
	size_t i;

	if (len > DIRECTIVE_LINE_MAX)
		return "the line is too long";
	for (i = 0; i < len; i++) {
		if (line[i] == '\r')
			return "a carriage return; lines end with a newline "
			       "alone";
		if (line[i] == '\0')
			return "a NUL character";
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return "a control character";
		if (line[i] == '\177')
			return "a control character";
	}
	return NULL;
}

static void
parse_line(struct config_line *line)
{
	const char *p = line->start, *end = p + line->len;

	line->kind = LINE_BAD;
	line->problem = bad_bytes(line->start, line->len);
	if (line->problem != NULL)
		return;
	while (p < end && is_blank(*p))
		p++;
	if (p == end || *p == '#') {
		line->kind = LINE_EMPTY;
		return;
	}
	line->keyword = p;
	while (p < end && is_keyword(*p))
		p++;
	line->keyword_len = (size_t)(p - line->keyword);
	if (line->keyword_len == 0 || (p < end && !is_blank(*p) && *p != '=')) {
		line->problem =
		    "a line begins with the plain name of a directive";
		return;
	}
	while (p < end && is_blank(*p))
		p++;
	if (p < end && *p == '=')
		p++;
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	line->rest = p;
	line->rest_len = (size_t)(end - p);
	line->kind = LINE_DIRECTIVE;
}

bool
config_next_line(const char *text, size_t len, size_t *at, unsigned int *number,
    struct config_line *line)
{
	const char *end;

	memset(line, 0, sizeof(*line));
	if (*at >= len)
		return false;
	line->start = text + *at;
	end = memchr(line->start, '\n', len - *at);
	line->len = end == NULL ? len - *at : (size_t)(end - line->start);
	*at += line->len + 1;
	line->number = ++*number;
	parse_line(line);
	return true;
}

/*
 * One word from *p on (no blank before it) into word; false when a quote
 * stays open.
 */
static bool
split_word(const char **p, const char *end, char *word)
{
	char quote = '\0';
	const char *s;

	for (s = *p; s < end; s++) {
		if (*s == '\\' && s + 1 < end &&
		    (strchr("'\"\\", s[1]) != NULL ||
			(quote == '\0' && s[1] == ' ')))
			*word++ = *++s;
		else if (quote == '\0' && is_blank(*s))
			break;
		else if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote != '\0' && *s == quote)
			quote = '\0';
		else
			*word++ = *s;
	}
	*word = '\0';
	*p = s;
	return quote == '\0';
}

char **
arguments_split(const char *rest, size_t len)
{
	const char *p = rest, *end = rest + len;
	char **words = xcalloc(1, sizeof(*words)), *word;
	size_t n = 0;
	bool closed;

	for (;;) {
		while (p < end && is_blank(*p))
			p++;
		if (p == end || *p == '#')
			return words;
		word = xmalloc((size_t)(end - p) + 1);
		closed = split_word(&p, end, word);
		words = xreallocarray(words, n + 2, sizeof(*words));
		words[n++] = word;
		words[n] = NULL;
		if (!closed) {
			arguments_free(words);
			return NULL;
		}
	}
}

void
arguments_free(char **words)
{
	size_t i;

	for (i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

static bool
control_character(char c)
{
	return (unsigned char)c < ' ' || c == '\177';
}

/* Text of the sender for a message: bounded, printable, whole characters. */
static char *
quoted(const char *text, size_t len)
{
	char *copy;
	size_t i, cut = len;

	if (cut > QUOTE_MAX) {
		cut = QUOTE_MAX;
		while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
			cut--;
	}
	copy = xmalloc(cut + sizeof("..."));
	for (i = 0; i < cut; i++)
		copy[i] = control_character(text[i]) ? '?' : text[i];
	memcpy(copy + cut, len > cut ? "..." : "", len > cut ? 4 : 1);
	return copy;
}

static const char *
file_problem(int error)
{
	switch (error) {
	case EPERM:
		return "others than root can change it or a folder above it";
	case ENOENT:
	case ENOTDIR:
		return "it does not exist";
	case ELOOP:
		return "a symbolic link leads to it";
	default:
		return strerror(error);
	}
}

/* Root alone can change path; with parent, its folder when it is not there. */
static const char *
check_path(const char *path, bool parent)
{
	char *folder, *slash;
	int r;

	if (path[0] != '/')
		return "the path has to be absolute";
	if (strchr(path, '%') != NULL)
		return "tokens are not accepted here";
	r = file_root_only(path);
	if (r == -1 && errno == ENOENT && parent) {
		folder = xstrdup(path);
		slash = strrchr(folder, '/');
		slash[slash == folder ? 1 : 0] = '\0';
		r = file_root_only(folder);
		free(folder);
	}
	return r == 0 ? NULL : file_problem(errno);
}

/* AuthorizedKeysFile and its like: in the users' homes, or root's alone. */
static const char *
check_home_path(const char *path)
{
	const char *why, *token, *p;
	char *folder;

	for (p = path; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == path || p[-1] == '/') &&
		    (p[2] == '/' || p[2] == '\0'))
			return "\"..\" leads out of its folder";
	if (path[0] != '/')
		return NULL;
	token = strchr(path, '%');
	if (token == NULL)
		return check_path(path, false);
	while (token > path && *token != '/')
		token--;
	folder = xstrndup(path, token == path ? 1 : (size_t)(token - path));
	why = check_path(folder, false);
	free(folder);
	return why;
}

static bool
is_built_in(const char *word)
{
	return strcasecmp(word, "none") == 0 ||
	    strcmp(word, "internal-sftp") == 0 || strcmp(word, "internal") == 0;
}

static const char *
check_program(const struct directive *d, char **words)
{
	size_t i = d->flags & DF_PROGRAM_2 ? 1 : 0;

	if (words[0] == NULL || words[i] == NULL || is_built_in(words[i]))
		return NULL; /* what is missing, sshd itself says */
	if (d->flags & DF_SHELL && strchr(words[i], '/') == NULL)
		return NULL;
	return check_path(words[i], false);
}

static const char *
check_files(const struct directive *d, char **words)
{
	const char *why = NULL;
	size_t i;

	for (i = 0; words[i] != NULL && why == NULL; i++) {
		if (strcasecmp(words[i], "none") == 0)
			continue;
		if (d->flags & DF_HOME_FILE)
			why = check_home_path(words[i]);
		else
			why = check_path(words[i], d->flags & DF_NEW_FILE);
	}
	return why;
}

/* What is wrong with a directive wherever it stands; static text or NULL. */
static const char *
check_directive(const struct directive *d, const struct config_line *line)
{
	char **words;
	const char *why = NULL;

	if (d->class == CLASS_REFUSED)
		return "not accepted, it would read another file";
	words = arguments_split(line->rest, line->rest_len);
	if (words == NULL)
		return "a quote is not closed";
	if (d->class == CLASS_FILE)
		why = check_files(d, words);
	else if (d->flags & (DF_PROGRAM | DF_PROGRAM_2))
		why = check_program(d, words);
	arguments_free(words);
	return why;
}

int
directives_vet(const char *content, size_t len, char **whyp)
{
	struct config_line line;
	const struct directive *d;
	const char *why;
	size_t at = 0;
	unsigned int number = 0;
	char *text;

	while (config_next_line(content, len, &at, &number, &line)) {
		if (line.kind == LINE_EMPTY)
			continue;
		if (line.kind == LINE_BAD) {
			*whyp = xasprintf("line %u: %s", number, line.problem);
			return -1;
		}
		d = directive_find(line.keyword, line.keyword_len);
		text = quoted(line.keyword, line.keyword_len);
		if (d == NULL) {
			*whyp =
			    xasprintf("line %u: Bad configuration option: %s",
				number, text);
			free(text);
			return -1;
		}
		why = check_directive(d, &line);
		if (why != NULL)
			*whyp = xasprintf("line %u: %s: %s", number, text, why);
		free(text);
		if (why != NULL)
			return -1;
	}
	return 0;
}

static bool
is_keyword_named(const struct config_line *line, const char *name)
{
	return strlen(name) == line->keyword_len &&
	    strncasecmp(line->keyword, name, line->keyword_len) == 0;
}

static bool
rest_is(const struct config_line *line, const char *text)
{
	return strlen(text) == line->rest_len &&
	    strncasecmp(line->rest, text, line->rest_len) == 0;
}

/*
 * NoneEnabled is of a patched sshd that old instructions were written for;
 * what they ask for, no cipher "none", is so in every OpenSSH.
 */
static bool
is_none_enabled(const struct config_line *line)
{
	return is_keyword_named(line, "NoneEnabled");
}

char *
directive_met_by_comment(const struct config_line *line)
{
	const struct directive *d;
	char *text, *comment;

	if (line->kind != LINE_DIRECTIVE)
		return NULL;
	d = directive_find(line->keyword, line->keyword_len);
	text = quoted(line->start, line->len);
	if (is_none_enabled(line) && rest_is(line, "no"))
		comment = xasprintf("%s: OpenSSH has no none cipher", text);
	else if (d != NULL && d->class == CLASS_IGNORED &&
	    is_keyword_named(line, "Protocol"))
		comment =
		    xasprintf("%s: OpenSSH speaks no other protocol", text);
	else if (d != NULL && d->class == CLASS_IGNORED)
		comment = xasprintf("%s: OpenSSH ignores this directive", text);
	else
		comment = NULL;
	free(text);
	return comment;
}

struct checking {
	struct verr *errors;
	unsigned int count;
	bool full_admin;
	bool in_match;
};

static void __attribute__((format(printf, 3, 4))) complain(
    struct checking *c, const struct config_line *line, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	if (c->count++ >= ERRORS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		abort();
	va_end(ap);
	verr_add(c->errors, "options", "line %u: %s", line->number, text);
	free(text);
}

/* The rules that need no look at the file system. */
static void
check_known(struct checking *c, const struct config_line *line,
    const struct directive *d)
{
	char **words = arguments_split(line->rest, line->rest_len);

	if (words == NULL)
		complain(c, line, "%s: a quote is not closed", d->name);
	arguments_free(words);
	if (line->rest_len == 0)
		complain(c, line, "no argument after keyword \"%s\"", d->name);
	if (c->in_match && d->match == 0)
		complain(c, line,
		    "Directive '%s' is not allowed within a Match block",
		    d->name);
	if (d->class == CLASS_REFUSED)
		complain(c, line,
		    "%s is not accepted, it would read another file", d->name);
	else if (d->class != CLASS_PLAIN && d->class != CLASS_IGNORED &&
	    !c->full_admin)
		complain(c, line, "%s %s: only a full administrator may set it",
		    d->name, directive_class_text(d->class));
	if (is_keyword_named(line, "Protocol") && !rest_is(line, "2"))
		complain(c, line, "Protocol: OpenSSH speaks protocol 2 only");
}

static void
check_line(struct checking *c, const struct config_line *line)
{
	const struct directive *d;
	char *text;

	if (line->kind == LINE_EMPTY)
		return;
	if (line->kind == LINE_BAD) {
		text = quoted(line->start, line->len);
		complain(c, line, "%s: \"%s\"", line->problem, text);
		free(text);
		return;
	}
	d = directive_find(line->keyword, line->keyword_len);
	if (d != NULL) {
		if (is_keyword_named(line, "Match"))
			c->in_match = true;
		check_known(c, line, d);
	} else if (is_none_enabled(line)) {
		if (!rest_is(line, "no"))
			complain(c, line,
			    "NoneEnabled: OpenSSH has no none cipher, it can "
			    "not be enabled");
	} else {
		text = quoted(line->keyword, line->keyword_len);
		complain(c, line, "Bad configuration option: %s", text);
		free(text);
	}
}

void
directives_check_auxiliary(
    const char *text, bool full_admin, struct verr *errors)
{
	struct checking c = { .errors = errors, .full_admin = full_admin };
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0;

	while (config_next_line(text, strlen(text), &at, &number, &line))
		check_line(&c, &line);
	if (c.count > ERRORS_MAX)
		verr_add(errors, "options", "and %u more errors",
		    c.count - ERRORS_MAX);
}

bool
directives_has_global(const char *text, const char *name, const char *first)
{
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0;
	char **words;
	bool found = false;

	while (!found &&
	    config_next_line(text, strlen(text), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE)
			continue;
		if (is_keyword_named(&line, "Match"))
			break;
		if (!is_keyword_named(&line, name))
			continue;
		words = arguments_split(line.rest, line.rest_len);
		found = first == NULL ||
		    (words != NULL && words[0] != NULL &&
			strcasecmp(words[0], first) == 0);
		arguments_free(words);
	}
	return found;
}
