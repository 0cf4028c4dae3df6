/*
 * The files of /etc/ssh as one text: "=== PATH" begins a file, whose lines
 * follow.  For golden files and fuzzing of the import.
 */
#ifndef HF_TEST_SSH_TREE_H
#define HF_TEST_SSH_TREE_H

#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_files.h"

#define TREE_MARK "=== "

static inline struct ssh_file *
tree_add(struct ssh_files *files, const char *path, size_t len)
{
	struct ssh_file *file;

	files->list = xreallocarray(
	    files->list, files->count + 1, sizeof(*files->list));
	file = &files->list[files->count++];
	memset(file, 0, sizeof(*file));
	file->path = xstrndup(path, len);
	file->content = xstrdup("");
	file->problem = xstrdup("");
	return file;
}

static inline void
tree_append(struct ssh_file *file, const char *line, size_t len)
{
	char *longer = xmalloc(file->len + len + 1);

	memcpy(longer, file->content, file->len);
	memcpy(longer + file->len, line, len);
	file->len += len;
	longer[file->len] = '\0';
	free(file->content);
	file->content = longer;
}

/* What stands before the first mark is nobody's.  Free: ssh_files_free(). */
static inline struct ssh_files *
tree_parse(const char *text, size_t len)
{
	struct ssh_files *files = xcalloc(1, sizeof(*files));
	const char *end = text + len, *next;
	struct ssh_file *file = NULL;
	size_t mark = strlen(TREE_MARK), line_len;

	for (; text < end; text = next) {
		next = memchr(text, '\n', (size_t)(end - text));
		next = next == NULL ? end : next + 1;
		line_len = (size_t)(next - text);
		if (line_len > mark && memcmp(text, TREE_MARK, mark) == 0)
			file = tree_add(files, text + mark,
			    line_len - mark - (next[-1] == '\n'));
		else if (file != NULL)
			tree_append(file, text, line_len);
	}
	return files;
}

#endif
