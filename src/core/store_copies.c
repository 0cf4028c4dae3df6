/*
 * Copies of the store's file: see store_copies.h.
 */
#include "core/store_copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/store_internal.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define FOLDER "copies"
#define TEMPORARY "new"
#define SUFFIX ".db"
#define CHUNK 65536
/* Of the file's header, SQLite's fileformat2.html, section 1.3. */
#define HEADER_LEN 100
#define HEADER_MAGIC "SQLite format 3"
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION 68

struct copy {
	char *name;
	int schema; /* -1: not one of ours */
	int64_t time;
	int64_t size;
};

static uint32_t
big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

/* What the file's header says, or -1 when it is no store. */
static int
schema_of(int fd)
{
	uint8_t header[HEADER_LEN];

	if (pread(fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0 ||
	    big_endian(header + HEADER_APPLICATION) != STORE_APPLICATION)
		return -1;
	return (int)big_endian(header + HEADER_USER_VERSION);
}

/* The folder, made when it is not there; -1 with errno. */
static int
open_folder(const char *path)
{
	char *name = xasprintf("%s/" FOLDER, path);
	int fd;

	if (mkdir(name, 0700) == -1 && errno != EEXIST)
		fd = -1;
	else
		fd =
		    open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	free(name);
	return fd;
}

static bool
read_copy(int dir, const char *name, struct copy *copy)
{
	size_t len = strlen(name);
	struct stat st;
	int fd;

	if (len <= strlen(SUFFIX) || name[0] == '.' ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	*copy = (struct copy){ .name = xstrdup(name),
		.schema = schema_of(fd),
		.time = st.st_mtime,
		.size = st.st_size };
	close(fd);
	return true;
}

/* By name, which begins with the time: the newest first. */
static int
compare(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return strcmp(y->name, x->name);
}

static struct copy *
list_copies(int dir, size_t *countp)
{
	struct copy *list = NULL, copy;
	struct dirent *entry;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open_dir = fd != -1 ? fdopendir(fd) : NULL;

	*countp = 0;
	if (open_dir == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	while ((entry = readdir(open_dir)) != NULL) {
		if (!read_copy(dir, entry->d_name, &copy))
			continue;
		list = xreallocarray(list, *countp + 1, sizeof(*list));
		list[(*countp)++] = copy;
	}
	closedir(open_dir);
	if (*countp > 0)
		qsort(list, *countp, sizeof(*list), compare);
	return list;
}

static void
free_copies(struct copy *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(list[i].name);
	free(list);
}

static void
remove_old(int dir)
{
	size_t count, i;
	struct copy *list = list_copies(dir, &count);

	for (i = STORE_COPIES; i < count; i++)
		unlinkat(dir, list[i].name, 0);
	free_copies(list, count);
}

/* SQLite writes into an empty file, whose mode is ours, but does not sync. */
static int
vacuum_into(const struct store *s, const char *file)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "VACUUM INTO ?1", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 1, file, -1, SQLITE_TRANSIENT);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	sqlite3_finalize(st);
	if (rc == SQLITE_DONE)
		return 0;
	errno = sql_error(s);
	return -1;
}

static int
sync_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* An empty file in place of any other of that name; descriptor or -1. */
static int
make_empty(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	return openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int
make_copy(const struct store *s, const char *path, int dir, const char *name)
{
	char *file = xasprintf("%s/" FOLDER "/" TEMPORARY, path);
	int fd = make_empty(dir, TEMPORARY), rc = -1, error;

	if (fd != -1) {
		close(fd);
		rc = vacuum_into(s, file);
	}
	if (rc == 0)
		rc = sync_file(dir, TEMPORARY);
	if (rc == 0)
		rc = renameat(dir, TEMPORARY, dir, name);
	if (rc == 0)
		rc = fsync(dir);
	error = errno;
	if (rc == -1)
		unlinkat(dir, TEMPORARY, 0);
	free(file);
	errno = error;
	return rc;
}

/* The time first, so that names sort by it. */
static char *
copy_name(int schema)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return xasprintf("%s-schema%d" SUFFIX, text, schema);
}

int
store_copy(struct store *s, const char *path, char **whyp)
{
	sqlite3_stmt *st = NULL;
	int schema = STORE_SCHEMA, dir = open_folder(path), rc = -1;
	char *name;

	*whyp = NULL;
	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		schema = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	name = copy_name(schema);
	if (dir != -1)
		rc = make_copy(s, path, dir, name);
	if (rc == -1)
		*whyp = xasprintf("The configuration cannot be copied to "
				  "%s/" FOLDER " (%s): make room",
		    path, strerror(errno));
	else
		remove_old(dir);
	if (dir != -1)
		close(dir);
	free(name);
	return rc;
}

/* As a database: its schema is of this Holdfast, and it is whole. */
static bool
is_whole(const char *file)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	char *uri = xasprintf("file:%s?immutable=1", file);
	bool whole = false;

	if (sqlite3_open_v2(uri, &db,
		SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
		NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		whole =
		    strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(uri);
	return whole;
}

static bool
usable(const char *path, const struct copy *copy)
{
	char *file;
	bool whole;

	if (copy->schema < 1 || copy->schema > STORE_SCHEMA)
		return false;
	file = xasprintf("%s/" FOLDER "/%s", path, copy->name);
	whole = is_whole(file);
	free(file);
	return whole;
}

json_t *
store_copies(const char *path)
{
	json_t *result = json_array();
	int dir = open_folder(path);
	struct copy *list, *c;
	size_t count, i;

	if (dir == -1)
		return result;
	list = list_copies(dir, &count);
	for (i = 0; i < count; i++) {
		c = &list[i];
		json_array_append_new(result,
		    json_pack("{s:s, s:o, s:o, s:I, s:b}", "name", c->name,
			"schema",
			c->schema == -1 ? json_null() : json_integer(c->schema),
			"time", json_date(c->time), "size", (json_int_t)c->size,
			"usable", usable(path, c)));
	}
	free_copies(list, count);
	close(dir);
	return result;
}

static int
transfer(int from, int to)
{
	char *buffer = xmalloc(CHUNK);
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = read(from, buffer, CHUNK)) != 0)
		rc = n == -1 ? -1 : file_write_all(to, buffer, (size_t)n);
	freezero(buffer, CHUNK);
	return rc == 0 ? fsync(to) : -1;
}

/* A file's content under another name; the old one of that name is gone. */
static int
duplicate(int from_dir, const char *from, int dir, const char *name)
{
	int in = openat(
	    from_dir, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int out = in != -1 ? make_empty(dir, name) : -1, rc = -1, error;

	if (out != -1)
		rc = transfer(in, out);
	error = errno;
	if (rc == -1 && out != -1)
		unlinkat(dir, name, 0);
	if (in != -1)
		close(in);
	if (out != -1)
		close(out);
	errno = error;
	return rc;
}

/*
 * The new file is complete and on disk before anything is replaced, and takes
 * its place in one step; the log of the old one, which does not belong to it,
 * has to be gone by then.
 */
static int
replace(int dir, int copies, const char *name)
{
	if (duplicate(dir, STORE_FILE, dir, STORE_FILE ".refused") == -1 ||
	    duplicate(copies, name, dir, STORE_FILE ".new") == -1)
		return -1;
	if (renameat(dir, STORE_FILE "-wal", dir, STORE_FILE ".refused-wal") ==
		-1 &&
	    errno != ENOENT)
		return -1;
	if (renameat(dir, STORE_FILE ".new", dir, STORE_FILE) == -1)
		return -1;
	return fsync(dir);
}

static bool
find_copy(int dir, const char *name, struct copy *found)
{
	size_t count, i;
	struct copy *list = list_copies(dir, &count);
	bool there = false;

	for (i = 0; i < count; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		*found = list[i];
		found->name = xstrdup(list[i].name);
		there = true;
	}
	free_copies(list, count);
	return there;
}

int
store_copy_restore(const char *path, const char *name, char **whyp)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copies = open_folder(path), rc = -1;
	struct copy copy = { .schema = -1 };

	*whyp = NULL;
	if (dir == -1 || copies == -1)
		*whyp = xasprintf("%s: %s", path, strerror(errno));
	else if (!find_copy(copies, name, &copy))
		*whyp = xasprintf("There is no copy of this name");
	else {
		if (!usable(path, &copy))
			*whyp = xasprintf("This copy is damaged, or of a newer "
					  "Holdfast (schema %d, this one "
					  "knows %d)",
			    copy.schema, STORE_SCHEMA);
		else if ((rc = replace(dir, copies, name)) == -1)
			*whyp = xasprintf("The copy cannot be put in place: %s",
			    strerror(errno));
		free(copy.name);
	}
	if (dir != -1)
		close(dir);
	if (copies != -1)
		close(copies);
	return rc;
}
