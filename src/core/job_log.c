/*
 * The logs of jobs: see job_log.h.
 */
#include "core/job_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "lib/file.h"
#include "lib/xalloc.h"

#define FOLDER "jobs"
#define SHOWN 10 /* lines at each end */
#define CUT "... the log is full, the rest is not kept ...\n"

static int folder = -1;
static char *folder_path;

int
job_log_initialise(const char *state)
{
	char *path = xasprintf("%s/" FOLDER, state);
	int fd = -1;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		fd =
		    open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		free(path);
		return -1;
	}
	if (folder != -1)
		close(folder);
	free(folder_path);
	folder = fd;
	folder_path = path;
	return 0;
}

static char *
name_of(int64_t id)
{
	return xasprintf("%lld.log", (long long)id);
}

char *
job_log_path(int64_t id)
{
	return xasprintf("%s/%lld.log", folder_path, (long long)id);
}

static int
open_log(int64_t id, int flags)
{
	char *name = name_of(id);
	int fd = -1;

	if (folder == -1)
		errno = ENOENT;
	else
		fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	free(name);
	return fd;
}

int
job_log_line(struct job_log *log, int64_t id, const char *line)
{
	size_t len = strlen(line), i;
	int result;
	char *text;

	if (log->full)
		return 0;
	if (log->fd == 0 &&
	    (log->fd = open_log(id, O_WRONLY | O_CREAT | O_TRUNC)) == -1) {
		log->fd = 0;
		log->full = true;
		return -1;
	}
	if (log->len + len + 1 > LIMIT_JOB_LOG) {
		log->full = true;
		return file_write_all(log->fd, CUT, strlen(CUT));
	}
	text = xasprintf("%s\n", line);
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
	log->len += len + 1;
	result = file_write_all(log->fd, text, len + 1);
	log->full = result == -1;
	free(text);
	return result;
}

void
job_log_close(struct job_log *log)
{
	if (log->fd != 0)
		close(log->fd);
	log->fd = 0;
}

int
job_log_open(int64_t id)
{
	return open_log(id, O_RDONLY);
}

/* The end of the n-th line from start; its end when there are fewer. */
static const char *
skip_lines(const char *start, size_t n)
{
	const char *end;

	while (n-- > 0 && (end = strchr(start, '\n')) != NULL)
		start = end + 1;
	return start;
}

static char *
excerpt(const char *text)
{
	const char *at, *tail;
	size_t lines = 0;

	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	if (lines <= 2 * SHOWN)
		return xstrdup(text);
	at = skip_lines(text, SHOWN);
	tail = skip_lines(at, lines - 2 * SHOWN);
	return xasprintf("%.*s... %zu more lines ...\n%s", (int)(at - text),
	    text, lines - 2 * SHOWN, tail);
}

char *
job_log_excerpt(int64_t id)
{
	int fd = job_log_open(id);
	char *text, *short_text;
	size_t len;

	if (fd == -1)
		return NULL;
	if (file_read_fd(fd, LIMIT_JOB_LOG + sizeof(CUT), &text, &len) == -1)
		text = NULL;
	close(fd);
	short_text = text != NULL ? excerpt(text) : NULL;
	free(text);
	return short_text;
}

void
job_log_remove(int64_t id)
{
	char *name = name_of(id);

	if (folder != -1)
		unlinkat(folder, name, 0);
	free(name);
}

void
job_log_clean(bool (*keep)(int64_t))
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char *end;
	long long id;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		id = strtoll(entry->d_name, &end, 10);
		if (end != entry->d_name && strcmp(end, ".log") == 0 &&
		    !keep(id))
			unlinkat(folder, entry->d_name, 0);
	}
	closedir(dir);
}
