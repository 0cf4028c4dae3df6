/*
 * Heads and keys of the audit log: see heads.h.
 *
 * What a crash leaves: a torn last line of heads is cut off (no head that was
 * told to anybody is lost: it is on disk before it is told); a key.new that no
 * head names is forgotten; one that the last head names becomes the key.
 */
#include "audit/heads.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"

#define NUMBER_MAX 999999u
#define NAME_SIZE sizeof("heads-000001.jsonl")
#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define FILE_KEY "key"
#define FILE_NEW_KEY "key.new"
#define FILE_PLACE "place"

struct heads {
	int dirfd;
	char *place;
	uint32_t number; /* of the newest file; 0: none */
	int fd; /* of it; -1: the next head makes one */
	EVP_PKEY *key;
	unsigned char public[TREE_HEAD_KEY];
	struct tree_head last;
	char *line; /* NULL: no head yet */
	int64_t epoch_began;
	const char *why; /* a new log begins */
};

static void
file_name(char name[NAME_SIZE], uint32_t number)
{
	int len = snprintf(name, NAME_SIZE, "heads-%06u.jsonl",
	    (unsigned int)number % (NUMBER_MAX + 1));

	if (len != (int)NAME_SIZE - 1)
		abort();
}

static uint32_t
file_number(const char *name)
{
	char again[NAME_SIZE];
	unsigned long number;

	if (strncmp(name, "heads-", strlen("heads-")) != 0)
		return 0;
	number = strtoul(name + strlen("heads-"), NULL, 10);
	if (number == 0 || number > NUMBER_MAX)
		return 0;
	file_name(again, (uint32_t)number);
	return strcmp(again, name) == 0 ? (uint32_t)number : 0;
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Of the files there are, ascending, malloc'd; 0 or -1 with errno. */
static int
list_files(int dirfd, uint32_t **numbersp, size_t *countp)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	uint32_t number;

	*numbersp = NULL;
	*countp = 0;
	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	errno = 0;
	while ((entry = readdir(dir)) != NULL)
		if ((number = file_number(entry->d_name)) != 0) {
			*numbersp = xreallocarray(
			    *numbersp, *countp + 1, sizeof(**numbersp));
			(*numbersp)[(*countp)++] = number;
		}
	error = errno;
	closedir(dir);
	if (*countp > 0)
		qsort(*numbersp, *countp, sizeof(**numbersp), compare_numbers);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* --- Keys ------------------------------------------------------------------ */

static int
key_public(EVP_PKEY *key, unsigned char public[TREE_HEAD_KEY])
{
	size_t len = TREE_HEAD_KEY;

	return EVP_PKEY_get_raw_public_key(key, public, &len) == 1 &&
		len == TREE_HEAD_KEY ?
	    0 :
	    -1;
}

/* The private key of a file; NULL: there is none, or it is damaged. */
static EVP_PKEY *
key_read(int dirfd, const char *name)
{
	EVP_PKEY *key = NULL;
	char *data = NULL;
	size_t len = 0;

	if (file_read_at(dirfd, name, TREE_HEAD_KEY, &data, &len) == 0 &&
	    len == TREE_HEAD_KEY)
		key = EVP_PKEY_new_raw_private_key(
		    EVP_PKEY_ED25519, NULL, (const unsigned char *)data, len);
	freezero(data, len);
	return key;
}

/* A new one, kept in that file; NULL with errno. */
static EVP_PKEY *
key_make(int dirfd, const char *name)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	unsigned char raw[TREE_HEAD_KEY];
	size_t len = sizeof(raw);

	errno = EIO;
	if (key == NULL || EVP_PKEY_get_raw_private_key(key, raw, &len) != 1 ||
	    file_install(dirfd, name, raw, len, 0600, FILE_OWN_UID,
		FILE_OWN_GID, NULL) == -1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	explicit_bzero(raw, sizeof(raw));
	return key;
}

/*
 * What the file held is written over before its name goes: as good as one can
 * do from above a file system.
 */
static void
key_erase(int dirfd)
{
	static const unsigned char zeros[TREE_HEAD_KEY];
	int fd = openat(dirfd, FILE_KEY, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return;
	if (file_write_all(fd, zeros, sizeof(zeros)) == 0)
		(void)fdatasync(fd);
	close(fd);
}

/* The next epoch's key is the key now. */
static int
key_replace(struct heads *h)
{
	key_erase(h->dirfd);
	if (renameat(h->dirfd, FILE_NEW_KEY, h->dirfd, FILE_KEY) == -1)
		return -1;
	return fsync(h->dirfd);
}

static void
use_key(struct heads *h, EVP_PKEY *key)
{
	EVP_PKEY_free(h->key);
	h->key = key;
	if (key != NULL && key_public(key, h->public) == -1) {
		EVP_PKEY_free(key);
		h->key = NULL;
	}
}

/* --- Reading what is there ------------------------------------------------- */

static void
remember(
    struct heads *h, const struct tree_head *head, const char *line, size_t len)
{
	if (h->line == NULL || head->epoch != h->last.epoch ||
	    strcmp(head->log, h->last.log) != 0)
		h->epoch_began = head->time_us;
	free(h->line);
	h->line = xmemdup(line, len + 1);
	h->line[len] = '\0';
	h->last = *head;
}

/* Cuts off what a crash tore, so that the next line begins one. */
static int
cut(int fd, size_t size)
{
	return ftruncate(fd, (off_t)size) == -1 ? -1 : fdatasync(fd);
}

/*
 * The last line of the newest file; and its first, for the epoch's age.  -1
 * with errno.
 */
static int
resume(struct heads *h)
{
	struct tree_head head;
	char *data, *line, *end;
	const char *why;
	size_t len;

	if (file_read_fd(h->fd, FILE_MAX_BYTES, &data, &len) == -1)
		return -1;
	for (line = data;
	     (end = memchr(line, '\n', len - (size_t)(line - data))) != NULL;
	     line = end + 1) {
		/* What is no head is for who verifies; we go on behind it. */
		if (tree_head_read(line, (size_t)(end - line), &head, &why) ==
		    0)
			remember(h, &head, line, (size_t)(end - line));
		else
			h->why = "damaged heads";
	}
	end = data + len;
	len = (size_t)(line - data);
	if (line != end && cut(h->fd, len) == -1) {
		free(data);
		return -1;
	}
	free(data);
	return 0;
}

static int
open_newest(struct heads *h, uint32_t number)
{
	char name[NAME_SIZE];

	file_name(name, number);
	h->number = number;
	h->fd =
	    openat(h->dirfd, name, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	return h->fd == -1 ? -1 : resume(h);
}

/*
 * The newest files, until one has a head: a crash may have left the newest one
 * empty.
 */
static int
open_files(struct heads *h)
{
	uint32_t *numbers;
	size_t count;
	int rc = list_files(h->dirfd, &numbers, &count);

	while (rc == 0 && count > 0 && h->line == NULL) {
		if (h->fd != -1)
			close(h->fd);
		rc = open_newest(h, numbers[--count]);
	}
	free(numbers);
	return rc;
}

static bool
same_place(const struct heads *h)
{
	char *data = NULL;
	size_t len = 0;
	bool same;

	if (file_read_at(h->dirfd, FILE_PLACE, 4096, &data, &len) == -1)
		return false;
	same = strcmp(data, h->place) == 0;
	free(data);
	return same;
}

static int
keep_place(const struct heads *h)
{
	return file_install(h->dirfd, FILE_PLACE, h->place, strlen(h->place),
	    0600, FILE_OWN_UID, FILE_OWN_GID, NULL);
}

static bool
has_public(const struct heads *h, const unsigned char *wanted)
{
	return h->key != NULL && memcmp(h->public, wanted, TREE_HEAD_KEY) == 0;
}

/* The key that goes on from the last head, if it is there. */
static void
find_key(struct heads *h)
{
	const unsigned char *wanted =
	    h->last.seals ? h->last.next : h->last.key;

	use_key(h, key_read(h->dirfd, FILE_KEY));
	if (h->line == NULL || has_public(h, wanted)) {
		(void)unlinkat(h->dirfd, FILE_NEW_KEY, 0);
		return;
	}
	use_key(h, key_read(h->dirfd, FILE_NEW_KEY));
	if (!has_public(h, wanted) || key_replace(h) == -1)
		use_key(h, NULL);
}

struct heads *
heads_open(int dirfd, const char *place)
{
	struct heads *h = xcalloc(1, sizeof(*h));
	int error;

	h->dirfd = dirfd;
	h->fd = -1;
	h->place = xstrdup(place);
	if (open_files(h) == -1) {
		error = errno;
		heads_close(h);
		errno = error;
		return NULL;
	}
	find_key(h);
	if (h->line != NULL && h->why == NULL && h->key == NULL)
		h->why = "its key is gone";
	if (h->line != NULL && !same_place(h))
		h->why = "another machine or folder";
	if (h->why != NULL)
		heads_begin_log(h);
	return h;
}

void
heads_close(struct heads *h)
{
	if (h == NULL)
		return;
	if (h->fd != -1)
		close(h->fd);
	EVP_PKEY_free(h->key);
	free(h->line);
	free(h->place);
	free(h);
}

const struct tree_head *
heads_last(const struct heads *h)
{
	return h->line != NULL ? &h->last : NULL;
}

const char *
heads_last_line(const struct heads *h)
{
	return h->line;
}

void
heads_begin_log(struct heads *h)
{
	if (h->why == NULL)
		h->why = "other records";
	use_key(h, NULL);
}

const char *
heads_why(const struct heads *h)
{
	return h->why != NULL ? h->why : "";
}

int64_t
heads_epoch_began(const struct heads *h)
{
	return h->epoch_began;
}

/* --- Signing --------------------------------------------------------------- */

/* The first head of a log: the first at all, or the child of the one before. */
static void
first_head(const struct heads *h, struct tree_head *head)
{
	memset(head, 0, sizeof(*head));
	head->epoch = 1;
	uuid_new(head->log);
	if (h->line == NULL)
		return;
	memcpy(head->parent.log, h->last.log, sizeof(head->parent.log));
	head->parent.number = h->last.number;
	tree_head_hash(h->line, strlen(h->line), &head->parent.head);
}

/* The one after the last. */
static void
next_head(const struct heads *h, struct tree_head *head)
{
	struct merkle_hash previous;

	*head = h->last;
	memset(&head->parent, 0, sizeof(head->parent));
	memset(head->next, 0, sizeof(head->next));
	head->seals = false;
	head->number++;
	tree_head_hash(h->line, strlen(h->line), &previous);
	head->previous = previous;
	if (h->last.seals) {
		head->epoch++;
		head->sealed = previous;
	}
}

/* Each epoch has a file of its own; it is there, durably, when this is 0. */
static int
next_file(struct heads *h)
{
	char name[NAME_SIZE];
	int fd;

	if (h->number >= NUMBER_MAX) {
		errno = EFBIG;
		return -1;
	}
	file_name(name, h->number + 1);
	fd = openat(h->dirfd, name,
	    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		return -1;
	if (fsync(fd) == -1 || fsync(h->dirfd) == -1) {
		(void)unlinkat(h->dirfd, name, 0);
		close(fd);
		return -1;
	}
	if (h->fd != -1)
		close(h->fd);
	h->fd = fd;
	h->number++;
	return 0;
}

/* On disk as a whole, or not at all. */
static int
append_line(struct heads *h, const char *line)
{
	char *text = xasprintf("%s\n", line);
	struct stat st;
	int rc, error;

	rc = fstat(h->fd, &st);
	if (rc == 0) {
		rc = file_write_all(h->fd, text, strlen(text));
		if (rc == 0)
			rc = fdatasync(h->fd);
		error = errno;
		if (rc == -1)
			(void)cut(h->fd, (size_t)st.st_size);
		errno = error;
	}
	free(text);
	return rc;
}

static int
append(struct heads *h, const struct tree_head *head)
{
	char *line = tree_head_sign(head, h->key);
	int rc = -1;

	if (line == NULL)
		errno = EIO;
	else if ((rc = append_line(h, line)) == 0)
		remember(h, head, line, strlen(line));
	free(line);
	return rc;
}

/* A new log has a new key, and a place that it is known by. */
static int
begin(struct heads *h, struct tree_head *head)
{
	first_head(h, head);
	if (keep_place(h) == -1)
		return -1;
	key_erase(h->dirfd);
	use_key(h, key_make(h->dirfd, FILE_KEY));
	return h->key != NULL ? 0 : -1;
}

static int
prepare_seal(struct heads *h, struct tree_head *head, EVP_PKEY **nextp)
{
	if ((*nextp = key_make(h->dirfd, FILE_NEW_KEY)) == NULL)
		return -1;
	head->seals = true;
	return key_public(*nextp, head->next);
}

int
heads_sign(
    struct heads *h, const struct merkle *tree, int64_t time_us, bool seal)
{
	bool fresh = h->line == NULL || h->why != NULL;
	struct tree_head head;
	EVP_PKEY *next = NULL;

	if (fresh && begin(h, &head) == -1)
		return -1;
	if (!fresh)
		next_head(h, &head);
	if ((fresh || h->last.seals || h->fd == -1) && next_file(h) == -1)
		return -1;
	head.size = tree->size;
	merkle_root(tree, &head.root);
	head.time_us = time_us;
	memcpy(head.key, h->public, TREE_HEAD_KEY);
	if ((seal && prepare_seal(h, &head, &next) == -1) ||
	    append(h, &head) == -1) {
		EVP_PKEY_free(next);
		return -1;
	}
	h->why = NULL;
	if (!seal)
		return 0;
	use_key(h, next);
	return key_replace(h);
}

/* --- Old ones -------------------------------------------------------------- */

struct last_line {
	char *line;
	size_t len;
};

/* The last line of a file, malloc'd; 0 or -1 with errno. */
static int
read_last(int dirfd, const char *name, struct last_line *last)
{
	char *data, *newline, *start;
	size_t len;

	memset(last, 0, sizeof(*last));
	if (file_read_at(dirfd, name, FILE_MAX_BYTES, &data, &len) == -1)
		return -1;
	newline = memrchr(data, '\n', len);
	if (newline != NULL) {
		start = memrchr(data, '\n', (size_t)(newline - data));
		start = start != NULL ? start + 1 : data;
		last->len = (size_t)(newline - start) + 1;
		last->line = xmemdup(start, last->len);
	}
	free(data);
	return 0;
}

/* Kept for ever: the ends of epochs hold the chain together. */
static int
keep_end(const struct heads *h, const struct last_line *last)
{
	int fd = openat(h->dirfd, HEADS_ENDS,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = -1;

	if (fd == -1)
		return -1;
	if (file_write_all(fd, last->line, last->len) == 0 && fsync(fd) == 0)
		rc = fsync(h->dirfd);
	close(fd);
	return rc;
}

/* 1: dropped, 0: it is still needed, -1 with errno. */
static int
prune_file(const struct heads *h, uint32_t number, uint64_t size)
{
	struct last_line last;
	struct tree_head head;
	char name[NAME_SIZE];
	const char *why;
	int rc = 0;

	file_name(name, number);
	if (read_last(h->dirfd, name, &last) == -1)
		return -1;
	if (last.line != NULL &&
	    tree_head_read(last.line, last.len - 1, &head, &why) == 0 &&
	    head.size < size) {
		rc = -1;
		if (keep_end(h, &last) == 0 && unlinkat(h->dirfd, name, 0) == 0)
			rc = 1;
	}
	free(last.line);
	return rc;
}

int
heads_prune(struct heads *h, uint64_t size)
{
	uint32_t *numbers;
	size_t count, i;
	int rc = list_files(h->dirfd, &numbers, &count);

	/* The newest one is in use. */
	for (i = 0, rc = rc == 0 ? 1 : -1; rc == 1 && i + 1 < count; i++)
		rc = prune_file(h, numbers[i], size);
	free(numbers);
	return rc == -1 ? -1 : 0;
}

/* --- For who verifies ------------------------------------------------------ */

static int
each_of_file(int dirfd, const char *name,
    int (*each)(const char *, size_t, const char *, void *), void *arg)
{
	unsigned int number = 0;
	char *data, *line, *end, *where;
	size_t len;
	int rc = 0;

	if (file_read_at(dirfd, name, FILE_MAX_BYTES, &data, &len) == -1)
		return errno == ENOENT ? 0 : -1;
	for (line = data; rc == 0 && line < data + len; line = end + 1) {
		end = memchr(line, '\n', len - (size_t)(line - data));
		if (end == NULL)
			break; /* being written, or torn */
		where = xasprintf("%s line %u", name, ++number);
		rc = each(line, (size_t)(end - line), where, arg);
		free(where);
	}
	free(data);
	return rc;
}

int
heads_each(int dirfd, int (*each)(const char *, size_t, const char *, void *),
    void *arg)
{
	char name[NAME_SIZE];
	uint32_t *numbers;
	size_t count, i;
	int rc = list_files(dirfd, &numbers, &count);

	if (rc == 0)
		rc = each_of_file(dirfd, HEADS_ENDS, each, arg);
	for (i = 0; rc == 0 && i < count; i++) {
		file_name(name, numbers[i]);
		rc = each_of_file(dirfd, name, each, arg);
	}
	free(numbers);
	return rc;
}
