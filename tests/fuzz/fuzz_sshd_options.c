/*
 * libFuzzer target: auxiliary parameters.  A text that the check accepts
 * becomes a file in which sshd, reading in its own way, finds no directive
 * that the table does not know or refuses, and all generated lines.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/verr.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_complaint.h"
#include "services/ssh/ssh_render.h"
#include "services/ssh/ssh_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/*
 * The next word as OpenSSH's strdelim() cuts it off: blanks, one '=', and
 * double quotes anywhere, which vanish.  NULL: sshd ignores the line.
 */
static char *
cut(char **rest)
{
	char *word = *rest, *at = strpbrk(word, " \t\r\n\"=");
	int equals;

	if (at == NULL) {
		*rest = word + strlen(word);
		return word;
	}
	if (*at == '"') {
		memmove(at, at + 1, strlen(at));
		at = strpbrk(at, "\"");
		if (at == NULL)
			return NULL;
		*at++ = '\0';
		*rest = at + strspn(at, " \t\r\n");
		return word;
	}
	equals = *at == '=';
	*at++ = '\0';
	at += strspn(at, " \t\r\n");
	if (*at == '=' && !equals)
		at += 1 + strspn(at + 1, " \t\r\n");
	*rest = at;
	return word;
}

/* The keyword that sshd would see in a line; NULL: none. */
static const char *
keyword(char *line)
{
	char *rest, *word;
	size_t len;

	line += strspn(line, " \t\r");
	for (len = strlen(line);
	     len > 1 && strchr(" \t\r\n\f", line[len - 1]) != NULL; len--)
		line[len - 1] = '\0';
	if (*line == '\0')
		return NULL;
	rest = line;
	word = cut(&rest);
	if (word != NULL && *word == '\0')
		word = cut(&rest);
	if (word == NULL || *word == '\0' || *word == '#')
		return NULL;
	return word;
}

static void
check_rendered(const char *rendered)
{
	char *copy = xstrdup(rendered), *rest = copy, *line;
	const char *word;
	const struct directive *d;
	int generated = 0, in_match = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!in_match && strcmp(line, "UsePAM yes") == 0)
			generated = 1;
		word = keyword(line);
		if (word == NULL)
			continue;
		d = directive_find(word, strlen(word));
		expect(d != NULL && d->class != CLASS_REFUSED);
		in_match = in_match || strcasecmp(word, "Match") == 0;
	}
	expect(generated);
	free(copy);
}

static char *no_names[] = { NULL };

static void
check_accepted(char *text)
{
	struct ssh_config c = { .bindiface = no_names,
		.tcpport = 22,
		.password_login_groups = no_names,
		.options = text };
	struct ssh_surroundings around = { 0 };
	char *why = NULL, *rendered = ssh_render(&c, &around, &why), *spec;
	char *message;
	unsigned int i;

	expect(rendered != NULL);
	check_rendered(rendered);
	if (ssh_verify_effective(rendered, rendered, &why) == -1)
		free(why);
	for (i = 0; i < 4 && (spec = ssh_verify_spec(rendered, i)) != NULL; i++)
		free(spec);
	message = ssh_complaint(rendered, rendered, text);
	expect(strchr(message, '\n') == NULL);
	free(message);
	free(rendered);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = xstrndup((const char *)data, len), *why = NULL, *reason;
	struct verr *errors = verr_new();

	directives_check_auxiliary(text, true, errors);
	if (!verr_any(errors))
		check_accepted(text);
	else {
		reason = verr_reason(errors);
		expect(*reason != '\0');
		free(reason);
	}
	verr_free(errors);
	/* The monitor's check sees any bytes. */
	if (directives_vet((const char *)data, len, &why) == -1)
		expect(why != NULL);
	free(why);
	free(text);
	return 0;
}
