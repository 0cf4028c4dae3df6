/*
 * Operations on rendered files: the daemon's own check, installing, going
 * back, reading, and what the daemon makes of the installed one.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base64.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/sandbox.h"
#include "lib/xalloc.h"
#include "monitor/accountfiles.h"
#include "monitor/held_file.h"
#include "monitor/operations.h"
#include "monitor/output_guard.h"
#include "monitor/output_mark.h"
#include "services/catalog.h"

#define CHECK_FOLDER "/run/holdfast/check"
#define CONTENT_MAX (16 * 1024 * 1024)
#define COMPLAINT_MAX (64 * 1024)
#define EFFECTIVE_MAX (1024 * 1024)
#define CHECK_SECONDS 10
#define SPECS_MAX 4
#define CONNECTIONS_MAX 64
#define SPEC_MAX 512
#define ARGV_MAX (8 + 2 * SPECS_MAX + 1)

/*
 * What every daemon's checker may open, besides the folders of its output: its
 * program and libraries, and what name lookups need.  Nothing of it can be written
 * but the null device.
 */
static const struct {
	const char *path;
	int writable;
} checker_paths[] = {
	{ "/usr", 0 },
	{ "/lib", 0 },
	{ "/lib64", 0 },
	{ "/etc/ld.so.cache", 0 },
	{ "/etc/ssl", 0 },
	{ "/etc/passwd", 0 },
	{ "/etc/group", 0 },
	{ "/etc/nsswitch.conf", 0 },
	{ "/etc/localtime", 0 },
	{ "/etc/hosts", 0 },
	{ "/etc/resolv.conf", 0 },
	{ "/dev/null", 1 },
	{ "/dev/urandom", 0 },
	{ "/proc/self", 0 },
	{ CHECK_FOLDER, 0 },
};
#define NPATHS (sizeof(checker_paths) / sizeof(checker_paths[0]))

static const struct output *
get_output(struct operation_call *call)
{
	uint32_t index = wire_get_u32(&call->body);

	return call->body.bad || index >= (uint32_t)output_count ?
	    NULL :
	    &outputs[index];
}

/* The folder of an output, from our own table; no link on the way. */
static int
open_folder(const struct output *output)
{
	int root, fd;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return -1;
	fd =
	    file_open_beneath(root, output->dir + 1, O_RDONLY | O_DIRECTORY, 0);
	close(root);
	return fd;
}

/* What cannot be opened is not allowed. */
static void
allow(struct sandbox_path *paths, size_t *n, const char *path, int writable)
{
	int fd = path != NULL ? open(path, O_PATH | O_CLOEXEC) : -1;

	if (fd == -1)
		return;
	paths[*n].fd = fd;
	paths[(*n)++].writable = writable;
}

static int
limit_checker(void *arg)
{
	const struct output *output = arg;
	struct sandbox_path paths[NPATHS + 3];
	size_t i, n = 0;

	for (i = 0; i < NPATHS; i++)
		allow(paths, &n, checker_paths[i].path,
		    checker_paths[i].writable);
	allow(paths, &n, output->dir, 0);
	allow(paths, &n, output->run_folder, 0);
	paths[n].fd = -1;
	paths[n].writable = 0;
	return sandbox_files_only(paths);
}

/* See catalog.h; what stands there already is the daemon's to judge. */
static void
make_run_folder(const struct output *output)
{
	if (output->run_folder != NULL && mkdir(output->run_folder, 0700) == 0)
		chmod(output->run_folder, 0755);
}

/* "%f" becomes the file; specs are sshd's -C. */
static void
build_argv(const char *const *template, const char *path, char **specs,
    size_t nspecs, const char **argv)
{
	size_t i, n = 0;

	for (i = 0; i < 8 && template[i] != NULL; i++)
		argv[n++] = strcmp(template[i], "%f") == 0 ? path : template[i];
	for (i = 0; i < nspecs; i++) {
		argv[n++] = "-C";
		argv[n++] = specs[i];
	}
	argv[n] = NULL;
}

/* People know the file by its name, not by the place of its check. */
static char *
shorten(const char *text, const char *path, const char *name)
{
	char *out = NULL;
	const char *at;
	size_t size = 0;
	FILE *file;

	if ((file = open_memstream(&out, &size)) == NULL)
		abort();
	while ((at = strstr(text, path)) != NULL) {
		fwrite(text, 1, (size_t)(at - text), file);
		fputs(name, file);
		text = at + strlen(path);
	}
	fputs(text, file);
	if (fclose(file) != 0)
		abort();
	return out;
}

/* Content under the output's name where nobody else looks. */
struct temporary {
	char folder[64], path[PATH_MAX];
};

static void
temporary_remove(const struct temporary *t)
{
	unlink(t->path);
	rmdir(t->folder);
}

static int
temporary_make(struct operation_call *call, const struct output *output,
    const void *content, size_t len, struct temporary *t)
{
	int fd, rc = 0;

	snprintf(t->folder, sizeof(t->folder), CHECK_FOLDER "/XXXXXX");
	if (mkdtemp(t->folder) == NULL)
		return operation_fail(
		    call, errno, "%s: %s", t->folder, strerror(errno));
	snprintf(t->path, sizeof(t->path), "%s/%s", t->folder, output->file);
	fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || file_write_all(fd, content, len) == -1) {
		rc = operation_fail(
		    call, errno, "%s: %s", t->path, strerror(errno));
		temporary_remove(t);
	}
	if (fd != -1)
		close(fd);
	return rc;
}

/*
 * 0 when the daemon accepts it; else an errno: EINVAL with its complaint in
 * *complaintp (caller frees), another when it could not be asked.
 */
static int
daemon_check(struct operation_call *call, const struct output *output,
    const void *content, size_t len, char **complaintp)
{
	struct process_result result = { 0 };
	const char *argv[ARGV_MAX];
	struct temporary temporary;
	const char *path = temporary.path;
	int rc;

	if (output->check[0] == NULL)
		return 0;
	rc = temporary_make(call, output, content, len, &temporary);
	if (rc != 0)
		return rc;
	build_argv(output->check, path, NULL, 0, argv);
	make_run_folder(output);
	if (process_run(argv, -1, NULL, COMPLAINT_MAX, CHECK_SECONDS,
		limit_checker, (void *)(uintptr_t)output, &result) == -1) {
		rc = operation_fail(
		    call, errno, "%s: %s", argv[0], strerror(errno));
	} else if (result.timed_out) {
		rc = operation_fail(call, ETIMEDOUT, "%s did not end", argv[0]);
	} else if (result.status != 0 ||
	    (output->complaint != NULL &&
		strstr(result.output, output->complaint) != NULL)) {
		*complaintp = shorten(result.output, path, output->name);
		rc = EINVAL;
	}
	free(result.output);
	temporary_remove(&temporary);
	return rc;
}

/* Would they collide with what others wrote into the account files? */
static int
accounts_check(struct operation_call *call, const void *content, size_t len,
    char **complaintp)
{
	char *text = xstrndup(content, len);
	int rc = op_accounts_check(text, call->why, sizeof(call->why));

	if (rc == EEXIST || rc == EINVAL)
		*complaintp = xstrdup(call->why);
	freezero_str(text);
	return rc == 0 || *complaintp == NULL ? rc : EINVAL;
}

/* Our own look first: the daemon must not even read what it refuses. */
static int
vet_and_check(struct operation_call *call, const struct output *output,
    const void *content, size_t len, char **complaintp)
{
	if (len > CONTENT_MAX || memchr(content, '\0', len) != NULL) {
		*complaintp = xstrdup("too long, or holds a NUL");
		return EINVAL;
	}
	if (output->vet != NULL && output->vet(content, len, complaintp) != 0)
		return EINVAL;
	if (output->accounts)
		return accounts_check(call, content, len, complaintp);
	return daemon_check(call, output, content, len, complaintp);
}

int
op_check_output(struct operation_call *call)
{
	const struct output *output = get_output(call);
	char *complaint = NULL;
	const void *content;
	size_t len;
	int rc;

	content = wire_get_bytes(&call->body, &len);
	if (output == NULL || wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	rc = vet_and_check(call, output, content, len, &complaint);
	if (rc != 0 && complaint == NULL)
		return rc;
	wire_put_u8(&call->reply, rc == 0);
	wire_put_str(&call->reply, complaint);
	free(complaint);
	return 0;
}

static void
previous_name(const struct output *output, char *name, size_t size)
{
	snprintf(name, size, "%s.holdfast-previous", output->file);
}

/* How a file gets there. */
struct installing {
	int folder;
	const struct output_ours *ours;
	bool *asidep; /* of output_guard_install() */
	bool replaced; /* that of somebody else made room for ours */
};

/* 0 or -1 with errno. */
static int
install(const struct output *output, const void *content, size_t len,
    struct installing *how)
{
	int folder = how->folder;
	char previous[NAME_MAX];

	previous_name(output, previous, sizeof(previous));
	if (output->mark != NULL)
		return output_mark_install(
		    folder, output, content, len, previous, &how->replaced);
	if (output->shared)
		return output_guard_install(folder, output, content, len,
		    previous, how->ours, how->asidep);
	return file_install(
	    folder, output->file, content, len, output->mode, 0, 0, previous);
}

/* The same for one whose content is sent as Base64. */
static int
install_decoded(const struct output *output, const void *content, size_t len,
    struct installing *how)
{
	char *text = xstrndup(content, len);
	uint8_t *data = base64_decode(text, CONTENT_MAX, &len);
	int rc = -1, error;

	errno = EBADMSG;
	if (data != NULL)
		rc = install(output, data, len, how);
	error = errno;
	freezero(data, data != NULL ? len : 0);
	freezero_str(text);
	errno = error;
	return rc;
}

/* Why it is refused, told; 0: it is not. */
static int
refuse_content(struct operation_call *call, const struct output *output,
    const void *content, size_t len)
{
	char *complaint = NULL;
	int rc = 0;

	if (len > CONTENT_MAX || memchr(content, '\0', len) != NULL ||
	    (output->vet != NULL && output->vet(content, len, &complaint) != 0))
		rc = operation_fail(call, EINVAL, "%s",
		    complaint != NULL ? complaint : "too long, or holds a NUL");
	free(complaint);
	return rc;
}

int
output_put(struct operation_call *call, const struct output *output,
    const void *content, size_t len, const struct output_ours *ours,
    bool *asidep)
{
	struct installing how = { .ours = ours, .asidep = asidep };
	int rc = refuse_content(call, output, content, len);

	if (rc != 0)
		return rc;
	if ((how.folder = open_folder(output)) == -1)
		return operation_fail(
		    call, errno, "%s: %s", output->dir, strerror(errno));
	if ((output->base64 ? install_decoded : install)(
		output, content, len, &how) == 0) {
		output_guard_settle(how.folder, output, ours);
	} else if (errno == ESTALE)
		rc = operation_fail(call, ESTALE,
		    "somebody else edited %s/%s meanwhile, and it stays so",
		    output->dir, output->file);
	else
		rc = operation_fail(
		    call, errno, "%s: %s", output->name, strerror(errno));
	close(how.folder);
	wire_put_u8(&call->reply, how.replaced);
	return rc;
}

/* To the end of the request. */
static void
get_ours(struct wire_in *in, struct output_ours *ours)
{
	char *text;

	while (!in->bad && in->at < in->len) {
		text = wire_get_str(in, DIGEST_TEXT - 1);
		if (text == NULL || ours->count == OUTPUT_OURS_MAX)
			in->bad = true;
		else
			output_ours_add(ours, text);
		free(text);
	}
}

int
op_install_output(struct operation_call *call)
{
	const struct output *output = get_output(call);
	struct output_ours ours = { .count = 0 };
	const void *content;
	size_t len;

	content = wire_get_bytes(&call->body, &len);
	get_ours(&call->body, &ours);
	if (output == NULL || output->accounts || wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (output->shared &&
	    held_note((int)(output - outputs), content, len) == -1)
		return operation_fail(
		    call, errno, "what is held: %s", strerror(errno));
	return output_put(call, output, content, len, &ours, NULL);
}

int
op_restore_output(struct operation_call *call)
{
	const struct output *output = get_output(call);
	struct output_ours ours = { .count = 0 };
	char previous[NAME_MAX];
	bool aside = false;
	int fd, rc = 0;

	get_ours(&call->body, &ours);
	if (output == NULL || output->accounts || wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	previous_name(output, previous, sizeof(previous));
	if ((fd = open_folder(output)) == -1)
		return operation_fail(
		    call, errno, "%s: %s", output->dir, strerror(errno));
	if (output_guard_restore(fd, output, previous, &ours, &aside) == -1)
		rc = operation_fail(call, errno, "the previous %s: %s",
		    output->name, strerror(errno));
	close(fd);
	wire_put_u8(&call->reply, aside);
	return rc;
}

/* Of a file that somebody else wrote only that it is there. */
static void
put_content(struct wire_out *out, const struct output *output,
    const char *content, size_t len)
{
	size_t mark = output->mark != NULL ? strlen(output->mark) : 0;
	char *text;

	if (len < mark ||
	    (mark > 0 && memcmp(content, output->mark, mark) != 0))
		len = 0;
	if (!output->base64) {
		wire_put_bytes(out, content, len);
		return;
	}
	text = base64_encode(content, len);
	wire_put_bytes(out, text, strlen(text));
	freezero_str(text);
}

int
op_read_output(struct operation_call *call)
{
	const struct output *output = get_output(call);
	char *content = NULL;
	size_t len = 0;
	int fd, rc = 0;

	if (output == NULL || wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if ((fd = open_folder(output)) == -1 ||
	    file_read_at(fd, output->file, CONTENT_MAX, &content, &len) == -1)
		rc = errno;
	if (fd != -1)
		close(fd);
	if (rc != 0 && rc != ENOENT)
		return operation_fail(
		    call, rc, "%s: %s", output->name, strerror(rc));
	wire_put_u8(&call->reply, rc == 0);
	put_content(&call->reply, output, content, len);
	freezero(content, len);
	return 0;
}

/* One line of name=value pairs; it becomes an argument of the daemon. */
static bool
spec_valid(const char *spec)
{
	if (spec == NULL || spec[0] == '-' || strchr(spec, '=') == NULL)
		return false;
	for (; *spec != '\0'; spec++)
		if ((unsigned char)*spec <= ' ' || (unsigned char)*spec >= 127)
			return false;
	return true;
}

static int
effective(struct operation_call *call, const struct output *output,
    const char *path, char **specs, size_t nspecs)
{
	struct process_result result = { 0 };
	const char *argv[ARGV_MAX];
	int rc = 0;

	build_argv(output->effective, path, specs, nspecs, argv);
	if (argv[0] == NULL)
		return operation_fail(
		    call, ENOSYS, "%s cannot be asked", output->name);
	make_run_folder(output);
	if (process_run(argv, -1, NULL, EFFECTIVE_MAX, CHECK_SECONDS,
		limit_checker, (void *)(uintptr_t)output, &result) == -1)
		rc = operation_fail(
		    call, errno, "%s: %s", argv[0], strerror(errno));
	else if (result.timed_out || result.status != 0)
		rc = operation_fail(
		    call, EIO, "%s: %.*s", argv[0], WHY_MAX / 2, result.output);
	else
		wire_put_bytes(&call->reply, result.output, result.output_len);
	free(result.output);
	return rc;
}

int
op_effective(struct operation_call *call)
{
	const struct output *output = get_output(call);
	char *specs[SPECS_MAX] = { NULL }, path[PATH_MAX];
	uint32_t count, i;
	int rc;

	count = wire_get_u32(&call->body);
	for (i = 0; i < count && i < SPECS_MAX && !call->body.bad; i++)
		specs[i] = wire_get_str(&call->body, SPEC_MAX);
	if (output == NULL || count > SPECS_MAX || wire_end(&call->body) == -1)
		rc = operation_fail(call, EINVAL, "malformed request");
	else {
		for (i = 0, rc = 0; i < count && rc == 0; i++)
			if (!spec_valid(specs[i]))
				rc = operation_fail(
				    call, EINVAL, "malformed connection");
		snprintf(
		    path, sizeof(path), "%s/%s", output->dir, output->file);
		if (rc == 0)
			rc = effective(call, output, path, specs, count);
	}
	for (i = 0; i < SPECS_MAX; i++)
		free(specs[i]);
	return rc;
}

/* For each of the connections; the reply's count is that of the request. */
static int
each_effective(struct operation_call *call, const struct output *output,
    const char *path, uint32_t count)
{
	char *spec;
	int rc = 0;

	wire_put_u32(&call->reply, count);
	for (; count > 0 && rc == 0; count--) {
		spec = wire_get_str(&call->body, SPEC_MAX);
		if (spec != NULL && *spec == '\0')
			rc = effective(call, output, path, NULL, 0);
		else if (!spec_valid(spec))
			rc = operation_fail(
			    call, EINVAL, "malformed connection");
		else
			rc = effective(call, output, path, &spec, 1);
		free(spec);
	}
	if (rc == 0 && wire_end(&call->body) == -1)
		rc = operation_fail(call, EINVAL, "malformed request");
	return rc;
}

int
op_effective_of(struct operation_call *call)
{
	const struct output *output = get_output(call);
	struct temporary temporary;
	char *complaint = NULL;
	const void *content;
	uint32_t count;
	size_t len;
	int rc;

	content = wire_get_bytes(&call->body, &len);
	count = wire_get_u32(&call->body);
	if (output == NULL || output->accounts || call->body.bad ||
	    count > CONNECTIONS_MAX)
		return operation_fail(call, EINVAL, "malformed request");
	rc = vet_and_check(call, output, content, len, &complaint);
	free(complaint);
	if (rc != 0)
		return operation_fail(call, rc, "it is refused");
	rc = temporary_make(call, output, content, len, &temporary);
	if (rc != 0)
		return rc;
	rc = each_effective(call, output, temporary.path, count);
	temporary_remove(&temporary);
	return rc;
}
