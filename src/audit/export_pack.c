/*
 * The second half of an export: its heads, and all parts into the archive, in
 * steps, as compressing takes its time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/export_files.h"
#include "audit/export_internal.h"
#include "lib/xalloc.h"

#define TEMPORARY ".export.tmp"
#define PIECE ((size_t)64 * 1024)
#define SYNC_EACH ((size_t)8 << 20) /* so that no sync takes long */

/* clang-format off */
static const char *const part_names[PARTS] = {
	[HEADS] = EXPORT_HEADS, [PROOF] = EXPORT_PROOF,
	[RECORDS] = EXPORT_RECORDS
};
/* clang-format on */

/* --- Heads ------------------------------------------------------------------ */

struct chain {
	FILE *file;
	const struct tree_head *last;
	uint64_t next; /* number that may come */
};

static int
take_head(const char *line, size_t len, const char *where, void *arg)
{
	struct chain *c = arg;
	struct tree_head head;
	const char *why;

	(void)where;
	if (tree_head_read(line, len, &head, &why) == -1 || !head.seals ||
	    strcmp(head.log, c->last->log) != 0 || head.number < c->next ||
	    head.number >= c->last->number)
		return 0;
	c->next = head.number + 1;
	return fprintf(c->file, "%.*s\n", (int)len, line) < 0 ? -1 : 0;
}

static int
write_heads(const struct export *e)
{
	const struct heads *heads = tree_heads(e->tree);
	struct chain c = { .file = e->parts[HEADS], .last = heads_last(heads) };

	if (heads_each(e->dirfd, take_head, &c) != 0)
		return -1;
	return fprintf(c.file, "%s\n", heads_last_line(heads)) < 0 ? -1 : 0;
}

/* --- The archive ------------------------------------------------------------ */

static int
add_sizes(struct export *e)
{
	struct stat st;
	size_t i;

	for (i = 0; i < PARTS; i++) {
		if (fflush(e->parts[i]) == EOF || ferror(e->parts[i]) ||
		    fstat(fileno(e->parts[i]), &st) == -1 ||
		    fseeko(e->parts[i], 0, SEEK_SET) == -1)
			return -1;
		e->packing.size += (uint64_t)st.st_size;
	}
	return 0;
}

int
export_pack_begin(struct export *e)
{
	struct packing *p = &e->packing;

	if (write_heads(e) == -1 || add_sizes(e) == -1)
		return -1;
	p->folder = export_folder(
	    e->dirfd, json_string_value(json_object_get(e->request, "user")));
	if (p->folder == -1)
		return -1;
	p->fd = openat(p->folder, TEMPORARY,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->fd == -1 || (p->archive = archive_new(p->fd)) == NULL)
		return -1;
	return 0;
}

void
export_pack_end(struct export *e)
{
	struct packing *p = &e->packing;

	archive_free(p->archive);
	p->archive = NULL;
	if (p->fd != -1) {
		close(p->fd);
		(void)unlinkat(p->folder, TEMPORARY, 0);
	}
	if (p->folder != -1)
		close(p->folder);
	p->fd = p->folder = -1;
}

static int
begin_part(struct export *e)
{
	struct packing *p = &e->packing;
	char *name = NULL;
	struct stat st;
	int rc;

	if (p->part == REPORT)
		name = export_report_name(e);
	rc = fstat(fileno(e->parts[p->part]), &st);
	if (rc == 0)
		rc = archive_member(p->archive,
		    name != NULL ? name : part_names[p->part],
		    (uint64_t)st.st_size, (int64_t)time(NULL));
	free(name);
	p->begun = true;
	return rc;
}

/* A piece of the part: its bytes, 0 at its end, -1 with errno. */
static ssize_t
pack_piece(struct export *e, char *piece)
{
	struct packing *p = &e->packing;
	FILE *file = e->parts[p->part];
	size_t n;

	if (!p->begun && begin_part(e) == -1)
		return -1;
	if ((n = fread(piece, 1, PIECE, file)) == 0) {
		p->part++;
		p->begun = false;
		return ferror(file) ? -1 : 0;
	}
	if (archive_write(p->archive, piece, n) == -1)
		return -1;
	p->done += n;
	if ((p->unsynced += n) >= SYNC_EACH) {
		p->unsynced = 0;
		if (fdatasync(p->fd) == -1)
			return -1;
	}
	return (ssize_t)n;
}

/* Under its name, for good. */
static int
install(struct export *e)
{
	struct packing *p = &e->packing;
	char *name = export_report_name(e), *whole;
	int rc = -1;

	whole = xasprintf("%s.tar.gz", name);
	if (archive_finish(p->archive) == 0 && fsync(p->fd) == 0 &&
	    renameat(p->folder, TEMPORARY, p->folder, whole) == 0)
		rc = fsync(p->folder);
	if (rc == 0) {
		export_limit(p->folder);
		close(p->fd);
		p->fd = -1; /* it stays */
	}
	free(whole);
	free(name);
	return rc;
}

bool
export_pack_step(struct export *e, size_t bytes)
{
	char *piece = xmalloc(PIECE);
	size_t done = 0;
	ssize_t n = 0;

	while (n != -1 && done < bytes && e->packing.part < PARTS)
		if ((n = pack_piece(e, piece)) > 0)
			done += (size_t)n;
	free(piece);
	if (n != -1 && e->packing.part < PARTS)
		return false;
	if (n == -1 || install(e) == -1)
		export_fail_write(e, errno, "The export cannot be written");
	return true;
}
