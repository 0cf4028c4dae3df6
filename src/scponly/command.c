/*
 * What an account that only transfers files may run: see command.h.
 */
#include "scponly/command.h"

#include <string.h>

#define SCP_FLAGS "rpdvq" /* none of them takes a value */
#define SFTP_FLAGS "eR"
#define SFTP_VALUES "dflPpu"

static const char meant_for_a_shell[] =
    "it has characters that are a shell's, and none is here: quote them";
static const char refused_option[] = "it has an option that is not allowed";

struct words {
	char *word[COMMAND_WORDS];
	size_t count;
};

struct program {
	const char *name, *path;
	const char *(*check)(const struct words *, struct command *);
};

/* --- Words, as sh(1) has them --------------------------------------------- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Of the characters that sh(1) looks for outside of quotes. */
static bool
is_special(char c, bool first)
{
	return strchr("|&;<>()$`*?[", c) != NULL ||
	    (first && strchr("#~", c) != NULL);
}

static const char *
in_single(const char **at, char **to)
{
	for (++*at; **at != '\''; ++*at) {
		if (**at == '\0')
			return "a quote is open";
		*(*to)++ = **at;
	}
	return NULL;
}

static const char *
in_double(const char **at, char **to)
{
	for (++*at; **at != '"'; ++*at) {
		if (**at == '$' || **at == '`')
			return meant_for_a_shell;
		if (**at == '\\' && strchr("$`\"\\", (*at)[1]) != NULL)
			++*at;
		if (**at == '\0')
			return "a quote is open";
		*(*to)++ = **at;
	}
	return NULL;
}

static const char *
escaped(const char **at, char **to)
{
	if (*++*at == '\0')
		return "a backslash stands at its end";
	*(*to)++ = **at;
	return NULL;
}

/* A word, from its first character to behind its last. */
static const char *
take_word(const char **at, char **to)
{
	const char *begin = *at, *why = NULL;

	for (; why == NULL && **at != '\0' && !is_blank(**at); ++*at) {
		if (**at == '\'')
			why = in_single(at, to);
		else if (**at == '"')
			why = in_double(at, to);
		else if (**at == '\\')
			why = escaped(at, to);
		else if (is_special(**at, *at == begin))
			why = meant_for_a_shell;
		else
			*(*to)++ = **at;
		if (**at == '\0')
			break;
	}
	*(*to)++ = '\0';
	return why;
}

static bool
has_controls(const char *line)
{
	for (; *line != '\0'; line++)
		if (((unsigned char)*line < 0x20 && *line != '\t') ||
		    *line == 0x7f)
			return true;
	return false;
}

/* No word is longer than what it was written as. */
static const char *
split(const char *line, char *to, struct words *words)
{
	const char *why = NULL;

	if (strlen(line) >= COMMAND_TEXT)
		return "it is too long";
	if (has_controls(line))
		return "it has control characters";
	for (words->count = 0; why == NULL; words->count++) {
		while (is_blank(*line))
			line++;
		if (*line == '\0')
			return NULL;
		if (words->count == COMMAND_WORDS - 2)
			return "it has too many words";
		words->word[words->count] = to;
		why = take_word(&line, &to);
	}
	return why;
}

/* --- The programs --------------------------------------------------------- */

static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* One word of options: its letters, or why not. */
static const char *
scp_flags(const char *word, char *directionp)
{
	for (word++; *word != '\0'; word++) {
		if ((*word == 't' || *word == 'f') && *directionp == '\0')
			*directionp = *word;
		else if (strchr(SCP_FLAGS, *word) == NULL)
			return refused_option;
	}
	return NULL;
}

/* Its options, a "--" of ours, the names: none of them is an option then. */
static const char *
check_scp(const struct words *words, struct command *command)
{
	static char end[] = "--";
	const char *why;
	char direction = '\0';
	size_t i, n = 1, names;

	for (i = 1; i < words->count && is_option(words->word[i]); i++) {
		if (strcmp(words->word[i], end) == 0) {
			i++;
			break;
		}
		if ((why = scp_flags(words->word[i], &direction)) != NULL)
			return why;
		command->argv[n++] = words->word[i];
	}
	names = words->count - i;
	if (direction == '\0')
		return "scp is for -t and -f alone";
	if (names == 0 || (direction == 't' && names != 1))
		return "it names no file, or too many";
	command->argv[n++] = end;
	for (; i < words->count; i++)
		command->argv[n++] = words->word[i];
	command->argv[n] = NULL;
	return NULL;
}

static const char *
check_sftp(const struct words *words, struct command *command)
{
	const char *word;
	size_t i;

	for (i = 1; i < words->count; i++) {
		word = words->word[i];
		command->argv[i] = words->word[i];
		if (!is_option(word) || word[2] != '\0')
			return refused_option;
		if (strchr(SFTP_FLAGS, word[1]) != NULL)
			continue;
		if (strchr(SFTP_VALUES, word[1]) == NULL ||
		    ++i == words->count || words->word[i][0] == '-')
			return refused_option;
		command->argv[i] = words->word[i];
	}
	command->argv[i] = NULL;
	command->logs = true;
	return NULL;
}

/* clang-format off */
static const struct program programs[] = {
	{ "scp", "/usr/bin/scp", check_scp },
	{ "/usr/bin/scp", "/usr/bin/scp", check_scp },
	{ "sftp-server", "/usr/lib/openssh/sftp-server", check_sftp },
	{ "/usr/lib/sftp-server", "/usr/lib/openssh/sftp-server", check_sftp },
	{ "/usr/lib/openssh/sftp-server", "/usr/lib/openssh/sftp-server",
	  check_sftp },
};
/* clang-format on */

const char *
command_parse(const char *line, struct command *command)
{
	struct words words;
	const char *why = split(line, command->text, &words);
	size_t i;

	if (why != NULL)
		return why;
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (words.count == 0 ||
		    strcmp(words.word[0], programs[i].name) != 0)
			continue;
		command->path = programs[i].path;
		command->argv[0] = words.word[0];
		command->logs = false;
		return programs[i].check(&words, command);
	}
	return "it is no transfer";
}
