/*
 * The files of the host keys: see ssh_key_files.h.
 */
#include "services/ssh/ssh_key_files.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/process.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_render.h"

#define KEY_FOLDER "/etc/ssh"
#define KEYGEN "/usr/bin/ssh-keygen"
#define KEYGEN_SECONDS 60
#define OUTPUT_MAX 8192

static const char *const suffixes[SSH_KEY_SLOTS] = { "", "_2" };

char *
ssh_key_file(unsigned int type, unsigned int slot)
{
	return xasprintf(KEY_FOLDER "/ssh_host_%s_key%s",
	    ssh_host_key_types[type], suffixes[slot]);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

int
ssh_key_type_at(const char *text)
{
	unsigned int type, slot;
	char *file;
	bool found;

	for (type = 0; type < SSH_KEY_TYPES; type++)
		for (slot = 0; slot < SSH_KEY_SLOTS; slot++) {
			file = ssh_key_file(type, slot);
			found = ends_with(text, file);
			free(file);
			if (found)
				return (int)type;
		}
	return -1;
}

/* --- Making one ----------------------------------------------------------- */

static int
run_keygen(const char *type, const char *file, char **whyp)
{
	const char *argv[] = { KEYGEN, "-q", "-t", type, "-N", "", "-C", "",
		"-f", file, NULL, NULL, NULL };
	struct process_result result = { 0 };
	int r = -1;

	if (strcmp(type, "rsa") == 0) {
		argv[10] = "-b";
		argv[11] = "3072";
	}
	if (process_run(argv, -1, NULL, OUTPUT_MAX, KEYGEN_SECONDS, NULL, NULL,
		&result) == -1)
		*whyp = xasprintf("%s: %s", KEYGEN, strerror(errno));
	else if (result.timed_out)
		*whyp = xasprintf("%s took too long", KEYGEN);
	else if (result.status != 0)
		*whyp = xasprintf("%s failed: %.200s", KEYGEN,
		    result.output == NULL ? "" : result.output);
	else
		r = 0;
	free(result.output);
	return r;
}

/*
 * Renames the new pair: the public key first, so that a private key which is
 * there always has its public one.
 */
static int
put_in_place(const char *temporary, const char *file)
{
	char *temporary_public = xasprintf("%s.pub", temporary);
	char *public = xasprintf("%s.pub", file);
	int r = -1;

	if (file_sync(temporary) == 0 && file_sync(temporary_public) == 0 &&
	    rename(temporary_public, public) == 0 &&
	    rename(temporary, file) == 0 && file_sync(KEY_FOLDER) == 0)
		r = 0;
	free(public);
	free(temporary_public);
	return r;
}

static void
remove_pair(const char *temporary)
{
	char *public = xasprintf("%s.pub", temporary);
	int saved = errno;

	unlink(temporary);
	unlink(public);
	errno = saved;
	free(public);
}

int
ssh_key_make(unsigned int type, unsigned int slot, char **whyp)
{
	char *file = ssh_key_file(type, slot);
	char *temporary = xasprintf("%s.new", file);
	int r = -1;

	remove_pair(temporary); /* of an interrupted run */
	if (run_keygen(ssh_host_key_types[type], temporary, whyp) == -1)
		goto out;
	if (put_in_place(temporary, file) == -1) {
		*whyp = xasprintf("%s: %s", file, strerror(errno));
		goto out;
	}
	r = 0;
out:
	if (r == -1)
		remove_pair(temporary);
	free(temporary);
	free(file);
	return r;
}

/* The private key first: what is left of an interrupted one is no secret. */
int
ssh_key_drop(unsigned int type, unsigned int slot, char **whyp)
{
	char *file = ssh_key_file(type, slot);
	char *public = xasprintf("%s.pub", file);
	char *temporary = xasprintf("%s.new", file);
	int r = 0;

	remove_pair(temporary); /* of an interrupted run */
	if ((unlink(file) == -1 && errno != ENOENT) ||
	    (unlink(public) == -1 && errno != ENOENT) ||
	    file_sync(KEY_FOLDER) == -1) {
		*whyp = xasprintf("%s: %s", file, strerror(errno));
		r = -1;
	}
	free(temporary);
	free(public);
	free(file);
	return r;
}

/* --- Looking at one ------------------------------------------------------- */

/* "type base64" of the text, if it begins with a key of that type. */
static char *
public_of(const char *text, const char *type)
{
	char *prefix =
	    xasprintf("%s%s", strcmp(type, "ecdsa") == 0 ? "" : "ssh-", type);
	size_t len = strcspn(text, " \n"), whole;
	bool same = strncmp(text, prefix, strlen(prefix)) == 0;

	free(prefix);
	if (!same || text[len] != ' ')
		return NULL;
	whole = len + 1 + strcspn(text + len + 1, " \n");
	return xstrndup(text, whole);
}

/* Its last line, where it says why; the file is named by who tells of it. */
static char *
complaint_of(char *text)
{
	size_t len = strlen(text);
	const char *line;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line == NULL ? text : line + 1;
	if (strncmp(line, "Load key \"", 10) == 0 && strchr(line, ':') != NULL)
		line = strchr(line, ':') + 2;
	return xasprintf("%.200s", line);
}

enum ssh_key_state
ssh_key_look(unsigned int type, unsigned int slot, char **publicp, char **whyp)
{
	char *file = ssh_key_file(type, slot);
	const char *argv[] = { KEYGEN, "-y", "-P", "", "-f", file, NULL };
	struct process_result result = { 0 };
	enum ssh_key_state state = SSH_KEY_DAMAGED;
	struct stat st;

	*publicp = *whyp = NULL;
	if (lstat(file, &st) == -1 && errno == ENOENT)
		state = SSH_KEY_ABSENT;
	else if (process_run(argv, -1, NULL, OUTPUT_MAX, KEYGEN_SECONDS, NULL,
		     NULL, &result) == -1)
		*whyp = xasprintf("%s: %s", KEYGEN, strerror(errno));
	else if (result.timed_out)
		*whyp = xasprintf("%s took too long", KEYGEN);
	else if (result.status != 0)
		*whyp = complaint_of(result.output);
	else if ((*publicp = public_of(
		      result.output, ssh_host_key_types[type])) != NULL)
		state = SSH_KEY_GOOD;
	else
		*whyp = xstrdup("it is a key of another type");
	free(result.output);
	free(file);
	return state;
}

/* The keyword's other spelling is an alias of sshd's. */
static bool
names_host_key(const struct config_line *line)
{
	const struct directive *d;

	if (line->kind != LINE_DIRECTIVE)
		return false;
	d = directive_find(line->keyword, line->keyword_len);
	return d != NULL &&
	    (strcasecmp(d->name, "HostKey") == 0 ||
		strcasecmp(d->name, "HostDSAKey") == 0);
}

bool
ssh_key_is_named(unsigned int type, unsigned int slot, const char *config)
{
	char *file = ssh_key_file(type, slot), **words;
	struct config_line line;
	unsigned int number = 0;
	bool named = false;
	size_t at = 0;

	while (!named &&
	    config_next_line(config, strlen(config), &at, &number, &line)) {
		if (!names_host_key(&line))
			continue;
		words = arguments_split(line.rest, line.rest_len);
		named = words != NULL && words[0] != NULL &&
		    strcmp(words[0], file) == 0;
		arguments_free(words);
	}
	free(file);
	return named;
}
