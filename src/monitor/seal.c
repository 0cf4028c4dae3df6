/*
 * The attribute of sealed segments: see seal.h.
 */
#include "monitor/seal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE sizeof("segment-000001.jsonl")

/* What the walk over the folder does with each segment. */
struct sealing {
	int dirfd;
	uint32_t first, newest;
	time_t now;
	char *why;
	size_t size;
};

static int
failed(const struct sealing *s, const char *name, int error, const char *text)
{
	(void)snprintf(s->why, s->size, "%s: %s", name, text);
	return error;
}

/* The number in a segment's name, or 0 when it is none. */
static uint32_t
number_of(const char *name)
{
	static const char begin[] = "segment-";
	char again[NAME_SIZE];
	unsigned int number;

	if (strlen(name) != NAME_SIZE - 1 ||
	    strncmp(name, begin, sizeof(begin) - 1) != 0)
		return 0;
	number =
	    (unsigned int)strtoul(name + sizeof(begin) - 1, NULL, 10) % 1000000;
	(void)snprintf(again, sizeof(again), "segment-%06u.jsonl", number);
	return strcmp(again, name) == 0 ? number : 0;
}

static int
set_attribute(const struct sealing *s, const char *name, int fd, bool sealed)
{
	int flags, wanted;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == -1)
		return failed(s, name, errno, strerror(errno));
	wanted = sealed ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	if (wanted != flags && ioctl(fd, FS_IOC_SETFLAGS, &wanted) == -1)
		return failed(s, name, errno, strerror(errno));
	return 0;
}

static int
seal_one(const struct sealing *s, const char *name, uint32_t number)
{
	bool sealed = number >= s->first;
	struct stat st;
	int fd, error;

	fd = openat(s->dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ?
		    0 :
		    failed(s, name, errno, strerror(errno));
	if (fstat(fd, &st) == -1)
		error = failed(s, name, errno, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		error = failed(s, name, EINVAL, "not a file");
	else if (!sealed && st.st_mtime > s->now - SEAL_AGE)
		error = failed(s, name, EPERM, "too young to be dropped");
	else
		error = set_attribute(s, name, fd, sealed);
	close(fd);
	return error;
}

/* Calls for each segment, the newest left out; or finds which that is. */
static int
walk(struct sealing *s,
    int (*call)(const struct sealing *, const char *, uint32_t))
{
	struct dirent *entry;
	uint32_t number;
	int fd, error = 0;
	DIR *dir;

	fd = openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		error = failed(s, ".", errno, strerror(errno));
		if (fd != -1)
			close(fd);
		return error;
	}
	while (error == 0 && (entry = readdir(dir)) != NULL) {
		number = number_of(entry->d_name);
		if (call == NULL && number > s->newest)
			s->newest = number;
		else if (call != NULL && number > 0 && number < s->newest)
			error = call(s, entry->d_name, number);
	}
	closedir(dir);
	return error;
}

int
seal_segments(int dirfd, uint32_t first, time_t now, char *why, size_t size)
{
	struct sealing s = { .dirfd = dirfd,
		.first = first,
		.now = now,
		.why = why,
		.size = size };
	int error;

	if ((error = walk(&s, NULL)) == 0)
		error = walk(&s, seal_one);
	return error;
}
