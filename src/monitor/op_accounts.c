/* The account files: managed users and groups into them, and what they hold. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"
#include "monitor/accountfiles.h"
#include "monitor/operations.h"
#include "services/catalog.h"

#define RECORD outputs[OUTPUT_ACCOUNTS].file
#define RECORD_PREVIOUS "accounts.holdfast-previous"
#define RECORD_MAX (16 * 1024 * 1024)

/*
 * What was installed last and, where a merge was cut short, the time before:
 * whoever is in it and no longer wanted is taken out of the account files.
 */
static int
read_record(int dir, const char *name, struct accounts *accounts, char *why,
    size_t size)
{
	char *text = NULL;
	size_t len;
	int rc;

	memset(accounts, 0, sizeof(*accounts));
	if (file_read_at(dir, name, RECORD_MAX, &text, &len) == -1) {
		if (errno == ENOENT)
			return 0;
		snprintf(why, size, "%s: %s", name, strerror(errno));
		return -1;
	}
	rc = accounts_parse(text, accounts, why, size);
	freezero_str(text);
	return rc;
}

static void
move_all(struct accounts *to, struct accounts *from)
{
	to->users = xreallocarray(
	    to->users, to->nusers + from->nusers + 1, sizeof(*to->users));
	memcpy(to->users + to->nusers, from->users,
	    from->nusers * sizeof(*to->users));
	to->nusers += from->nusers;
	to->groups = xreallocarray(
	    to->groups, to->ngroups + from->ngroups + 1, sizeof(*to->groups));
	memcpy(to->groups + to->ngroups, from->groups,
	    from->ngroups * sizeof(*to->groups));
	to->ngroups += from->ngroups;
	free(from->users);
	free(from->groups);
	memset(from, 0, sizeof(*from)); /* transferred */
}

static int
read_gone(int dir, struct accounts *gone, char *why, size_t size)
{
	struct accounts previous;
	int rc;

	if (read_record(dir, RECORD, gone, why, size) == -1)
		return -1;
	rc = read_record(dir, RECORD_PREVIOUS, &previous, why, size);
	if (rc == 0 && previous.users != NULL)
		move_all(gone, &previous);
	accounts_free(&previous);
	return rc;
}

static int
open_record_folder(void)
{
	const char *path = outputs[OUTPUT_ACCOUNTS].dir;

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nothing to write is no reason to fail: see undo.c. */
static int
write_record(int dir, const char *content)
{
	char *text = NULL;
	size_t len;
	bool same;

	same = file_read_at(dir, RECORD, RECORD_MAX, &text, &len) == 0 &&
	    strcmp(text, content) == 0;
	freezero_str(text);
	if (same)
		return 0;
	return file_install(
	    dir, RECORD, content, strlen(content), 0600, 0, 0, RECORD_PREVIOUS);
}

/*
 * The record first: what a merge that is cut short adds to the account files
 * is then known to be ours.  The one before goes in the end: who is removed
 * is ours no longer, another program may use the name.
 */
static int
install_locked(struct operation_call *call, int dir, const char *content,
    const struct accounts *accounts)
{
	struct account_texts texts = { .etc_fd = -1 };
	struct accounts gone;
	int rc = 0;

	errno = EIO;
	if (read_gone(dir, &gone, call->why, sizeof(call->why)) == -1 ||
	    accountfiles_read(&texts, call->why, sizeof(call->why)) == -1)
		rc = errno;
	else if (accounts_conflict(texts.text, accounts, &gone, call->why,
		     sizeof(call->why)) == -1)
		rc = EEXIST;
	else if (write_record(dir, content) == -1)
		rc = operation_fail(
		    call, errno, "%s: %s", RECORD, strerror(errno));
	else if (accountfiles_merge(&texts, accounts, &gone, call->why,
		     sizeof(call->why)) == -1)
		rc = errno;
	else if (unlinkat(dir, RECORD_PREVIOUS, 0) == -1 && errno != ENOENT)
		rc = operation_fail(
		    call, errno, "%s: %s", RECORD_PREVIOUS, strerror(errno));
	accountfiles_free(&texts);
	accounts_free(&gone);
	return rc;
}

static int
install(struct operation_call *call, const char *content,
    const struct accounts *accounts)
{
	int dir, rc;

	if ((dir = open_record_folder()) == -1)
		return operation_fail(call, errno, "%s: %s",
		    outputs[OUTPUT_ACCOUNTS].dir, strerror(errno));
	if (lckpwdf() == -1) {
		close(dir);
		return operation_fail(call, EBUSY,
		    "the account files are locked by another program");
	}
	rc = install_locked(call, dir, content, accounts);
	ulckpwdf();
	close(dir);
	return rc;
}

/* The list as text, a fresh string; NULL when it is none. */
static char *
get_content(struct operation_call *call)
{
	uint32_t output = wire_get_u32(&call->body);
	const void *content;
	size_t len;

	content = wire_get_bytes(&call->body, &len);
	if (output != OUTPUT_ACCOUNTS || wire_end(&call->body) == -1 ||
	    len > RECORD_MAX || memchr(content, '\0', len) != NULL)
		return NULL;
	return xstrndup(content, len);
}

int
op_install_accounts(struct operation_call *call)
{
	char *content = get_content(call);
	struct accounts accounts;
	int rc;

	if (content == NULL)
		return operation_fail(call, EINVAL, "malformed request");
	if (accounts_parse(content, &accounts, call->why, sizeof(call->why)) ==
	    -1)
		rc = EINVAL;
	else
		rc = install(call, content, &accounts);
	accounts_free(&accounts);
	freezero_str(content);
	return rc;
}

int
op_accounts_check(const char *content, char *why, size_t size)
{
	struct accounts accounts, gone = { 0 };
	struct account_texts texts = { .etc_fd = -1 };
	int dir = open_record_folder(), rc = EINVAL;

	if (accounts_parse(content, &accounts, why, size) == 0) {
		if (dir == -1 || read_gone(dir, &gone, why, size) == -1 ||
		    accountfiles_read(&texts, why, size) == -1)
			rc = EIO;
		else if (accounts_conflict(
			     texts.text, &accounts, &gone, why, size) == -1)
			rc = EEXIST;
		else
			rc = 0;
	}
	accountfiles_free(&texts);
	if (dir != -1)
		close(dir);
	accounts_free(&gone);
	accounts_free(&accounts);
	return rc;
}

static void
put_members(struct wire_out *out, const struct group *group)
{
	uint32_t count = 0;
	char **at;

	for (at = group->gr_mem; *at != NULL; at++)
		count++;
	wire_put_u32(out, count);
	for (at = group->gr_mem; *at != NULL; at++)
		wire_put_str(out, *at);
}

static uint32_t
put_groups(struct wire_out *out, FILE *file, const struct account_names *ours)
{
	struct group *group;
	uint32_t count = 0;

	while ((group = fgetgrent(file)) != NULL) {
		wire_put_str(out, group->gr_name);
		wire_put_u8(out, accounts_names_have(ours, group->gr_name));
		wire_put_u32(out, group->gr_gid);
		put_members(out, group);
		count++;
	}
	return count;
}

static uint32_t
put_users(struct wire_out *out, FILE *file, const struct account_names *ours)
{
	struct passwd *user;
	uint32_t count = 0;

	while ((user = fgetpwent(file)) != NULL) {
		wire_put_str(out, user->pw_name);
		wire_put_u8(out, accounts_names_have(ours, user->pw_name));
		wire_put_u32(out, user->pw_uid);
		wire_put_u32(out, user->pw_gid);
		wire_put_str(out, user->pw_gecos);
		wire_put_str(out, user->pw_dir);
		wire_put_str(out, user->pw_shell);
		count++;
	}
	return count;
}

/* A list with its count before it; 0 or an errno. */
static int
put_file(struct operation_call *call, const char *path,
    uint32_t (*put)(struct wire_out *, FILE *, const struct account_names *),
    const struct account_names *ours)
{
	FILE *file = fopen(path, "re");
	struct wire_out list = { 0 };

	if (file == NULL)
		return operation_fail(
		    call, errno, "%s: %s", path, strerror(errno));
	wire_put_u32(&call->reply, put(&list, file, ours));
	wire_put_raw(&call->reply, list.data, list.len);
	wire_free(&list);
	fclose(file);
	return 0;
}

/* Without /etc/shells the library has a list of its own. */
static void
put_shells(struct wire_out *out)
{
	struct wire_out list = { 0 };
	uint32_t count = 0;
	const char *shell;

	setusershell();
	while ((shell = getusershell()) != NULL) {
		if (access(shell, X_OK) == -1)
			continue;
		wire_put_str(&list, shell);
		count++;
	}
	endusershell();
	wire_put_u32(out, count);
	wire_put_raw(out, list.data, list.len);
	wire_free(&list);
}

static int
put_accounts(struct operation_call *call, const struct accounts *managed)
{
	struct account_names *users = accounts_names(managed, false);
	struct account_names *groups = accounts_names(managed, true);
	int rc;

	rc = put_file(call, "/etc/passwd", put_users, users);
	if (rc == 0)
		rc = put_file(call, "/etc/group", put_groups, groups);
	accounts_names_free(users);
	accounts_names_free(groups);
	return rc;
}

int
op_read_accounts(struct operation_call *call)
{
	struct accounts managed = { 0 };
	int dir, rc = EIO;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	dir = open(outputs[OUTPUT_ACCOUNTS].dir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Without the folder nothing was ever managed. */
	if (dir == -1 ||
	    read_gone(dir, &managed, call->why, sizeof(call->why)) == 0)
		rc = put_accounts(call, &managed);
	if (rc == 0)
		put_shells(&call->reply);
	accounts_free(&managed);
	if (dir != -1)
		close(dir);
	return rc;
}
