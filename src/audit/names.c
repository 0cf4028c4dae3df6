/*
 * Names of users and groups: see names.h.
 */
#include "audit/names.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

#define LINE_BYTES ((size_t)256 * 1024) /* a group may have many members */

struct name {
	uint32_t id;
	char *name;
};

/* One of the files, as it was when it was read. */
struct name_list {
	const char *file;
	bool (*next)(FILE *, char *buffer, struct name *);
	struct name *names;
	size_t count;
	struct timespec changed;
	ino_t inode;
};

struct names {
	int fd;
	struct name_list users, groups;
	char unknown[32];
};

static bool
next_user(FILE *file, char *buffer, struct name *name)
{
	struct passwd entry, *found;

	if (fgetpwent_r(file, &entry, buffer, LINE_BYTES, &found) != 0)
		return false;
	name->id = entry.pw_uid;
	name->name = xstrdup(entry.pw_name);
	return true;
}

static bool
next_group(FILE *file, char *buffer, struct name *name)
{
	struct group entry, *found;

	if (fgetgrent_r(file, &entry, buffer, LINE_BYTES, &found) != 0)
		return false;
	name->id = entry.gr_gid;
	name->name = xstrdup(entry.gr_name);
	return true;
}

struct names *
names_new(int etc_fd)
{
	struct names *names = xcalloc(1, sizeof(*names));

	names->fd = etc_fd;
	names->users.file = "passwd";
	names->users.next = next_user;
	names->groups.file = "group";
	names->groups.next = next_group;
	return names;
}

static void
list_clear(struct name_list *list)
{
	while (list->count > 0)
		free(list->names[--list->count].name);
	free(list->names);
	list->names = NULL;
}

void
names_free(struct names *names)
{
	if (names == NULL)
		return;
	list_clear(&names->users);
	list_clear(&names->groups);
	if (names->fd != -1)
		close(names->fd);
	free(names);
}

static void
list_read(struct name_list *list, FILE *file)
{
	char *buffer = xmalloc(LINE_BYTES);
	struct name name;

	list_clear(list);
	while (list->next(file, buffer, &name)) {
		list->names = xreallocarray(
		    list->names, list->count + 1, sizeof(list->names[0]));
		list->names[list->count++] = name;
	}
	free(buffer);
}

/* What was read before stays when there is nothing else. */
static void
list_refresh(int fd, struct name_list *list)
{
	struct stat st;
	FILE *file;
	int at;

	if (fd == -1 || fstatat(fd, list->file, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (st.st_ino == list->inode &&
	    st.st_mtim.tv_sec == list->changed.tv_sec &&
	    st.st_mtim.tv_nsec == list->changed.tv_nsec)
		return;
	at = openat(fd, list->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (at == -1)
		return;
	if ((file = fdopen(at, "r")) == NULL) {
		close(at);
		return;
	}
	list_read(list, file);
	fclose(file);
	list->inode = st.st_ino;
	list->changed = st.st_mtim;
}

static const char *
name_of(struct names *names, struct name_list *list, uint32_t id)
{
	size_t i;

	if (id == NAME_UNSET)
		return "unset";
	list_refresh(names->fd, list);
	for (i = 0; i < list->count; i++)
		if (list->names[i].id == id)
			return list->names[i].name;
	snprintf(names->unknown, sizeof(names->unknown), "unknown(%u)", id);
	return names->unknown;
}

const char *
names_user(struct names *names, uint32_t uid)
{
	return name_of(names, &names->users, uid);
}

const char *
names_group(struct names *names, uint32_t gid)
{
	return name_of(names, &names->groups, gid);
}
