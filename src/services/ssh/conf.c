/*
 * The typed writer of sshd_config's syntax.
 */
#include "services/ssh/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static void
append(struct conf *conf, const char *data, size_t len)
{
	if (conf->problem != NULL)
		return;
	if (conf->size - conf->len <= len) {
		conf->size = (conf->len + len + 1) * 2;
		conf->text = xreallocarray(conf->text, conf->size, 1);
	}
	memcpy(conf->text + conf->len, data, len);
	conf->len += len;
	conf->text[conf->len] = '\0';
}

static void
append_str(struct conf *conf, const char *text)
{
	append(conf, text, strlen(text));
}

static void
fail(struct conf *conf, const char *keyword, const char *why)
{
	if (conf->problem == NULL)
		conf->problem = xasprintf("%s: %s", keyword, why);
}

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == '\177';
}

/* A word that sshd reads as exactly these characters. */
static bool
word_ok(const char *word)
{
	const char *p;

	if (*word == '\0' || *word == '#' || *word == '=')
		return false;
	for (p = word; *p != '\0'; p++)
		if (is_control(*p) || strchr(" \"'\\", *p) != NULL)
			return false;
	return true;
}

static void
begin(struct conf *conf, const char *keyword)
{
	if (conf->indent)
		append_str(conf, "\t");
	append_str(conf, keyword);
}

static void
append_word(struct conf *conf, const char *keyword, const char *word)
{
	if (!word_ok(word))
		fail(conf, keyword, "a value that is no plain word");
	append_str(conf, word);
}

void
conf_word(struct conf *conf, const char *keyword, const char *word)
{
	conf_words(conf, keyword, 1, &word);
}

void
conf_int(struct conf *conf, const char *keyword, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	conf_word(conf, keyword, digits);
}

void
conf_bool(struct conf *conf, const char *keyword, bool value)
{
	conf_word(conf, keyword, value ? "yes" : "no");
}

void
conf_list(struct conf *conf, const char *keyword, char separator,
    const char *const *words)
{
	size_t i;

	begin(conf, keyword);
	for (i = 0; words[i] != NULL; i++) {
		append(conf, i == 0 ? " " : &separator, 1);
		append_word(conf, keyword, words[i]);
	}
	if (i == 0)
		fail(conf, keyword, "an empty list");
	append_str(conf, "\n");
}

void
conf_words(struct conf *conf, const char *keyword, size_t count,
    const char *const *words)
{
	size_t i;

	begin(conf, keyword);
	for (i = 0; i < count; i++) {
		append_str(conf, " ");
		append_word(conf, keyword, words[i]);
	}
	append_str(conf, "\n");
}

bool
conf_name_ok(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if (is_control(*p) || strchr("\"'\\*?!,", *p) != NULL)
			return false;
	return *name != '\0';
}

static void
append_name(struct conf *conf, const char *criterion, const char *name)
{
	if (!conf_name_ok(name))
		fail(conf, criterion,
		    "a name that sshd would take for a pattern");
	append_str(conf, name);
}

void
conf_match(struct conf *conf, const char *criterion, const char *name)
{
	conf->indent = false;
	append_str(conf, "Match ");
	append_str(conf, criterion);
	append_str(conf, " \"");
	append_name(conf, criterion, name);
	append_str(conf, "\"\n");
	conf->indent = true;
}

void
conf_match_users(struct conf *conf, const char *group, const char *const *users)
{
	size_t i;

	conf->indent = false;
	append_str(conf, "Match ");
	if (group != NULL) {
		append_str(conf, "Group \"");
		append_name(conf, "Group", group);
		append_str(conf, "\" ");
	}
	append_str(conf, "User \"");
	for (i = 0; users[i] != NULL; i++) {
		append_str(conf, i == 0 ? "" : ",");
		append_name(conf, "User", users[i]);
	}
	append_str(conf, "\"\n");
	conf->indent = true;
}

void
conf_comment(struct conf *conf, const char *text, size_t len)
{
	size_t i;

	append_str(conf, "# ");
	for (i = 0; i < len; i++)
		append(conf, is_control(text[i]) ? "?" : &text[i], 1);
	append_str(conf, "\n");
}

void
conf_line(struct conf *conf, const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_control(line[i]) && line[i] != '\t')
			fail(conf, "Auxiliary parameters",
			    "a control character");
	append(conf, line, len);
	append_str(conf, "\n");
}

char *
conf_finish(struct conf *conf, char **whyp)
{
	char *text = conf->text;

	if (conf->problem != NULL) {
		free(text);
		*whyp = conf->problem;
		text = NULL;
	} else if (text == NULL)
		text = xstrdup("");
	memset(conf, 0, sizeof(*conf));
	return text;
}
