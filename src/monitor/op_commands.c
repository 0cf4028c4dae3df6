/*
 * The programs that sudo is to run: are they there, and can others than root
 * put something else in their place?  Looked at along the whole path, through
 * every symbolic link, as root without a capability.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/message.h"
#include "lib/xalloc.h"
#include "monitor/operations.h"

#define COMMANDS_MAX 4096
#define COMMAND_MAX 8192
#define LINKS_MAX 40 /* as the kernel */
#define MATCHES_MAX 256

/* What is still to be walked of a path, and where that leads from. */
struct path_walk {
	char rest[PATH_MAX];
	char done[PATH_MAX]; /* "" is the root */
	unsigned int links;
};

static bool
writable(const struct stat *st)
{
	if (st->st_uid != 0)
		return true;
	return !S_ISLNK(st->st_mode) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* The link's target instead of its name; a relative one is beside it. */
static enum command_state
follow(struct path_walk *w, const char *link)
{
	char target[PATH_MAX], next[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n == -1 || ++w->links > LINKS_MAX)
		return COMMAND_ABSENT;
	target[n] = '\0';
	if (snprintf(next, sizeof(next), "%s/%s", target, w->rest) >=
	    (int)sizeof(next))
		return COMMAND_ABSENT;
	if (target[0] == '/')
		w->done[0] = '\0';
	memcpy(w->rest, next, sizeof(next));
	return COMMAND_SAFE;
}

/* The next name of the path; false: there is none. */
static bool
take_name(struct path_walk *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/");
	size_t len = strcspn(w->rest + skip, "/");

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	memmove(
	    w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return true;
}

static enum command_state
take_step(struct path_walk *w, const char *name)
{
	char path[PATH_MAX], *slash;
	struct stat st;

	if (strcmp(name, ".") == 0)
		return COMMAND_SAFE;
	if (strcmp(name, "..") == 0) {
		if ((slash = strrchr(w->done, '/')) != NULL)
			*slash = '\0';
		return COMMAND_SAFE;
	}
	if (snprintf(path, sizeof(path), "%s/%s", w->done, name) >=
	    (int)sizeof(path))
		return COMMAND_ABSENT;
	if (lstat(path, &st) == -1)
		return COMMAND_ABSENT;
	if (writable(&st)) {
		memcpy(w->done, path, sizeof(path));
		return COMMAND_WRITABLE;
	}
	if (S_ISLNK(st.st_mode))
		return follow(w, path);
	memcpy(w->done, path, sizeof(path));
	return COMMAND_SAFE;
}

/* Where it leads, or what is at fault, is in at afterwards. */
static enum command_state
path_state(const char *path, char at[PATH_MAX])
{
	enum command_state state = COMMAND_SAFE;
	struct path_walk w = { .links = 0 };
	char name[NAME_MAX + 1];

	snprintf(w.rest, sizeof(w.rest), "%s", path);
	while (state == COMMAND_SAFE && take_name(&w, name))
		state = take_step(&w, name);
	memcpy(at, w.done, PATH_MAX);
	return state;
}

/* The gravest of all that the pattern stands for. */
static enum command_state
pattern_state(const char *pattern, char at[PATH_MAX])
{
	enum command_state state = COMMAND_ABSENT;
	glob_t found;
	size_t i;

	at[0] = '\0';
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return COMMAND_ABSENT;
	for (i = 0;
	     i < found.gl_pathc && i < MATCHES_MAX && state != COMMAND_WRITABLE;
	     i++)
		state = path_state(found.gl_pathv[i], at);
	globfree(&found);
	return state;
}

static enum command_state
command_state(const char *command, char at[PATH_MAX])
{
	size_t len = strcspn(command, " \t");
	enum command_state state;
	char *program;

	at[0] = '\0';
	if (command[0] != '/' || len >= PATH_MAX)
		return COMMAND_ABSENT;
	program = xstrndup(command, len);
	state = strpbrk(program, "*?[\\") != NULL ? pattern_state(program, at) :
						    path_state(program, at);
	free(program);
	return state;
}

int
op_check_commands(struct operation_call *call)
{
	uint32_t count = wire_get_u32(&call->body), i;
	char at[PATH_MAX], *command;

	for (i = 0; i < count && count <= COMMANDS_MAX; i++) {
		command = wire_get_str(&call->body, COMMAND_MAX);
		if (command == NULL)
			break;
		wire_put_u8(&call->reply, (uint8_t)command_state(command, at));
		wire_put_str(&call->reply, at);
		free(command);
	}
	if (count > COMMANDS_MAX || wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	return 0;
}
