/*
 * The files of sshd's configuration: see ssh_files.h.
 */
#include "services/ssh/ssh_files.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "core/installed.h"
#include "core/op.h"
#include "lib/xalloc.h"

#define PATH_LEN 512
#define PROBLEM_LEN 256

struct question {
	void (*done)(struct ssh_files *, const char *, void *);
	void *arg;
};

static struct ssh_file *
find(const struct ssh_files *files, const char *path)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (strcmp(files->list[i].path, path) == 0)
			return &files->list[i];
	return NULL;
}

static void
file_free(struct ssh_file *file)
{
	free(file->path);
	free(file->content);
	free(file->problem);
}

void
ssh_files_free(struct ssh_files *files)
{
	size_t i;

	if (files == NULL)
		return;
	for (i = 0; i < files->count; i++)
		file_free(&files->list[i]);
	free(files->list);
	free(files);
}

/* NULL: malformed. */
static struct ssh_files *
parse(struct wire_in body)
{
	struct ssh_files *files = xcalloc(1, sizeof(*files));
	struct ssh_file *file;
	const char *content;

	files->debians = wire_get_u8(&body) != 0;
	files->at_boot = wire_get_u8(&body) != 0;
	while (!body.bad && body.at < body.len) {
		files->list = xreallocarray(
		    files->list, files->count + 1, sizeof(*files->list));
		file = &files->list[files->count++];
		memset(file, 0, sizeof(*file));
		file->path = wire_get_str(&body, PATH_LEN);
		content = wire_get_bytes(&body, &file->len);
		if (content != NULL) {
			file->content = xmalloc(file->len + 1);
			memcpy(file->content, content, file->len);
			file->content[file->len] = '\0';
		}
		file->problem = wire_get_str(&body, PROBLEM_LEN);
	}
	if (wire_end(&body) == 0)
		return files;
	ssh_files_free(files);
	return NULL;
}

/*
 * What had to make room is looked at as what it was written as, unless there
 * is a newer edit to be dealt with first.
 */
static void
arrange(struct ssh_files *files)
{
	struct ssh_file *main = find(files, SSH_MAIN_FILE);
	struct ssh_file *aside = find(files, SSH_ASIDE_FILE), swap;

	if (main != NULL && *main->problem == '\0')
		digest_text(main->content, main->len, files->there);
	if (aside == NULL)
		return;
	if (main != NULL &&
	    installed_ours(OUTPUT_SSHD_CONFIG, main->content, main->len)) {
		swap = *main;
		*main = *aside;
		*aside = swap;
		aside->path = main->path;
		main->path = swap.path;
		files->aside = true;
	}
	file_free(aside);
	*aside = files->list[--files->count];
}

static void
answered(const struct op_reply *reply, void *arg)
{
	struct question *q = arg;
	struct ssh_files *files = reply->error == 0 ? parse(reply->body) : NULL;

	if (files != NULL)
		arrange(files);
	q->done(files,
	    reply->error != 0 ? reply->text :
		files == NULL ? "a malformed answer" :
				NULL,
	    q->arg);
	free(q);
}

void
ssh_files_ask(void (*done)(struct ssh_files *, const char *, void *), void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->done = done;
	q->arg = arg;
	op_request(MSG_OP_SSH_FILES, NULL, -1, answered, q);
}

const struct ssh_file *
ssh_files_find(const struct ssh_files *files, const char *path)
{
	return find(files, path);
}

bool
ssh_file_is_drop_in(const struct ssh_file *file)
{
	return fnmatch(SSH_DROP_INS, file->path, FNM_PATHNAME) == 0;
}
