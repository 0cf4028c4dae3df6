/*
 * Single lines of the segments: see line.h.
 */
#include "audit/line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/tree.h"
#include "lib/xalloc.h"

#define FILES_MAX 8

/* Of one segment. */
struct line_file {
	uint32_t segment; /* 0: free */
	int lines, hashes;
	uint64_t first; /* the number of its first record */
	uint64_t used;
};

struct line_files {
	int dirfd;
	const struct segments *segments;
	struct line_file files[FILES_MAX];
	uint64_t uses;
	struct line_place last; /* whose line is in the buffer */
	char *buffer; /* RECORD_MAX */
};

struct line_files *
line_files_new(int dirfd, const struct segments *segments)
{
	struct line_files *files = xcalloc(1, sizeof(*files));

	files->dirfd = dirfd;
	files->segments = segments;
	files->buffer = xmalloc(RECORD_MAX);
	return files;
}

static void
line_file_close(struct line_file *file)
{
	if (file->segment == 0)
		return;
	if (file->lines != -1)
		close(file->lines);
	if (file->hashes != -1)
		close(file->hashes);
	file->segment = 0;
}

void
line_files_free(struct line_files *files)
{
	size_t i;

	if (files == NULL)
		return;
	for (i = 0; i < FILES_MAX; i++)
		line_file_close(&files->files[i]);
	freezero(files->buffer, RECORD_MAX);
	free(files);
}

static int
line_file_open(
    const struct line_files *files, uint32_t segment, struct line_file *file)
{
	struct merkle before;

	if (tree_before(files->dirfd, segment, &before) == -1)
		return -1;
	file->first = before.size;
	file->segment = segment;
	file->hashes = -1;
	file->lines = segment_file(files->segments, segment);
	if (file->lines != -1)
		file->hashes = tree_hashes_file(files->dirfd, segment);
	if (file->hashes != -1)
		return 0;
	line_file_close(file);
	return -1;
}

/* The segment's files; the ones not used for longest are closed for it. */
static struct line_file *
line_file_of(struct line_files *files, uint32_t segment)
{
	struct line_file *file = &files->files[0];
	size_t i;

	for (i = 0; i < FILES_MAX; i++) {
		if (files->files[i].segment == segment) {
			file = &files->files[i];
			file->used = ++files->uses;
			return file;
		}
		if (files->files[i].used < file->used)
			file = &files->files[i];
	}
	line_file_close(file);
	file->used = 0;
	if (line_file_open(files, segment, file) == -1)
		return NULL;
	file->used = ++files->uses;
	return file;
}

/* 0, or -1 with errno; EBADMSG: there is not so much. */
static int
read_at(int fd, void *data, size_t len, uint64_t at)
{
	char *to = data;
	ssize_t got;

	while (len > 0) {
		got = pread(fd, to, len, (off_t)at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				errno = EBADMSG;
			return -1;
		}
		to += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return 0;
}

static int
read_into(struct line_files *files, const struct line_place *place)
{
	const struct line_file *file;
	struct merkle_hash kept, hash;

	errno = EBADMSG;
	if (place->segment == 0 || place->length > RECORD_MAX ||
	    place->at > INT64_MAX - RECORD_MAX)
		return -1;
	if ((file = line_file_of(files, place->segment)) == NULL)
		return -1;
	errno = EBADMSG;
	if (place->leaf < file->first ||
	    place->leaf - file->first > SEGMENT_SIZE)
		return -1;
	if (read_at(file->hashes, &kept, sizeof(kept),
		(place->leaf - file->first) * sizeof(kept)) == -1 ||
	    read_at(file->lines, files->buffer, place->length, place->at) == -1)
		return -1;
	merkle_leaf(files->buffer, place->length, &hash);
	errno = EBADMSG;
	return memcmp(&hash, &kept, sizeof(hash)) == 0 ? 0 : -1;
}

int
line_read(struct line_files *files, const struct line_place *place,
    const char **linep)
{
	const struct line_place *last = &files->last;

	*linep = files->buffer;
	if (place->leaf == last->leaf && place->segment == last->segment &&
	    place->at == last->at && place->length == last->length)
		return 0;
	files->last.segment = 0;
	if (read_into(files, place) == -1)
		return -1;
	files->last = *place;
	return 0;
}
