/*
 * What is changed once, before anything runs: the accounts that Holdfast
 * needs; and in the overlays of a new instance, that no password, key or host
 * key of the machine below counts inside.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/role.h"
#include "lib/xalloc.h"
#include "monitor/accountfiles.h"
#include "monitor/firststart.h"
#include "monitor/folder.h"

#define MARKER "initialised"
#define WARNINGS_MAX 32

static const char pam_service[] =
    "# How Holdfast verifies a password: without a delay of PAM's own.\n"
    "auth required pam_unix.so nodelay\n"
    "account required pam_unix.so\n";

static const char *warnings[WARNINGS_MAX + 1];
static size_t nwarnings;

const char *const *
firststart_warnings(void)
{
	return warnings;
}

static void
warn(char *text)
{
	if (nwarnings < WARNINGS_MAX)
		warnings[nwarnings++] = text;
	else
		free(text);
}

static int
lock_passwords(struct account_texts *texts, char *why, size_t size)
{
	int i;

	for (i = 0; i < ACCOUNT_FILES; i++)
		if (accountfiles_write(texts, (enum account_file)i,
			accounts_lock((enum account_file)i, texts->text[i]),
			why, size) == -1)
			return -1;
	return 0;
}

/* A group of TrueNAS whose name or id another holds is left out and told. */
static bool
group_free(const struct account_texts *texts, const struct known_group *group)
{
	const char *text = texts->text[FILE_GROUP];
	long there = accounts_find(text, group->name);
	char *holder;

	if (there == (long)group->gid)
		return false;
	if (there != -1) {
		warn(xasprintf("group %s exists with id %ld instead of %u",
		    group->name, there, group->gid));
		return false;
	}
	if ((holder = accounts_find_id(text, (long)group->gid)) != NULL) {
		warn(xasprintf("group id %u of %s belongs to %s", group->gid,
		    group->name, holder));
		free(holder);
		return false;
	}
	return true;
}

/* The ids of our roles are fixed: nobody else may have them. */
static int
role_free(const struct account_texts *texts, const struct role_info *info,
    char *why, size_t size)
{
	static const enum account_file files[] = { FILE_PASSWD, FILE_GROUP };
	const char *text;
	char *holder;
	long there;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		text = texts->text[files[i]];
		there = accounts_find(text, info->user);
		holder = accounts_find_id(text, (long)info->uid);
		if ((there != -1 && there != (long)info->uid) ||
		    (holder != NULL && strcmp(holder, info->user) != 0)) {
			snprintf(why, size,
			    "id %u must be that of user and group %s, but %s "
			    "has %s on this machine",
			    (unsigned int)info->uid, info->user,
			    there != -1 ? info->user : holder,
			    there != -1 ? "another" : "it");
			rc = -1;
		}
		free(holder);
	}
	return rc;
}

static int
add_accounts(struct account_texts *texts, char *why, size_t size)
{
	static char doc[] = "Holdfast", home[] = "/nonexistent";
	static char shell[] = "/usr/sbin/nologin", hash[] = "*";
	struct account users[ROLE_COUNT] = { 0 };
	struct account_group groups[ROLE_COUNT + 16] = { 0 };
	struct accounts accounts = { .users = users, .groups = groups };
	const struct known_group *known;
	const struct role_info *info;
	int role;

	for (role = 0; role < ROLE_COUNT; role++) {
		info = role_info((enum role)role);
		if (info->uid == 0)
			continue;
		if (role_free(texts, info, why, size) == -1)
			return -1;
		users[accounts.nusers++] =
		    (struct account){ .name = (char *)(uintptr_t)info->user,
			    .uid = info->uid,
			    .gid = info->uid,
			    .gecos = doc,
			    .home = home,
			    .shell = shell,
			    .hash = hash };
		groups[accounts.ngroups++] = (struct account_group){
			.name = (char *)(uintptr_t)info->user, .gid = info->uid
		};
	}
	for (known = known_groups; known->name != NULL; known++)
		if (group_free(texts, known))
			groups[accounts.ngroups++] = (struct account_group){
				.name = (char *)(uintptr_t)known->name,
				.gid = known->gid
			};
	return accountfiles_merge(texts, &accounts, NULL, why, size);
}

/* Only what lies in an overlay may be taken away; the rest is the host's. */
static bool
in_overlay(int fd)
{
	static const char *const tops[] = { "/home", "/root", "/var", "/etc" };
	struct stat st, top;
	size_t i;

	if (fstat(fd, &st) == -1)
		return false;
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		if (stat(tops[i], &top) == 0 && top.st_dev == st.st_dev)
			return true;
	return false;
}

static int
hide_keys(const char *home, char *why, size_t size)
{
	struct stat st;
	char *keys;
	bool link;
	int fd, root, rc = 0;

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = file_open_beneath(
	    root, home + strspn(home, "/"), O_RDONLY | O_DIRECTORY, 0);
	close(root);
	if (fd == -1) {
		link = errno == ELOOP;
		keys = xasprintf("%s/.ssh", home);
		if (link && access(keys, F_OK) == 0)
			warn(xasprintf("home %s is reached by a symbolic link; "
				       "its keys were not hidden",
			    home));
		free(keys);
		return 0;
	}
	if (fstatat(fd, ".ssh", &st, AT_SYMLINK_NOFOLLOW) == -1) {
		close(fd);
		return 0;
	}
	if (!in_overlay(fd)) {
		warn(xasprintf("home %s lies outside of the instance; its keys "
			       "were not hidden",
		    home));
	} else if (folder_remove(fd, ".ssh") == -1) {
		snprintf(
		    why, size, "hiding %s/.ssh: %s", home, strerror(errno));
		rc = -1;
	}
	close(fd);
	return rc;
}

/* Of every user, and of every folder in /home, whoever it belongs to. */
static int
hide_all_keys(const char *passwd, char *why, size_t size)
{
	struct dirent *entry;
	char *copy, *line, *rest, *home, *field;
	int i, rc = 0;
	DIR *dir;

	rest = copy = xstrdup(passwd);
	while (rc == 0 && (line = strsep(&rest, "\n")) != NULL) {
		for (i = 0, home = NULL; i < 6; i++)
			if ((field = strsep(&line, ":")) == NULL)
				break;
			else
				home = field;
		if (i == 6 && home != NULL && home[0] == '/' && home[1] != '\0')
			rc = hide_keys(home, why, size);
	}
	free(copy);
	if (rc == -1 || (dir = opendir("/home")) == NULL)
		return rc;
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		home = xasprintf("/home/%s", entry->d_name);
		rc = hide_keys(home, why, size);
		free(home);
	}
	closedir(dir);
	return rc;
}

static int
remove_host_keys(char *why, size_t size)
{
	struct dirent *entry;
	DIR *dir;
	int rc = 0;

	if ((dir = opendir("/etc/ssh")) == NULL) {
		if (errno == ENOENT)
			return 0;
		rc = -1;
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (fnmatch("ssh_host_*", entry->d_name, 0) == 0)
			rc = folder_remove(dirfd(dir), entry->d_name);
	if (rc == -1)
		snprintf(
		    why, size, "host keys in /etc/ssh: %s", strerror(errno));
	if (dir != NULL)
		closedir(dir);
	return rc;
}

static int
install_pam_service(char *why, size_t size)
{
	int fd, rc = -1;

	fd = open("/etc/pam.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		rc = file_install(fd, "holdfast", pam_service,
		    sizeof(pam_service) - 1, 0644, 0, 0, NULL);
	if (rc == -1)
		snprintf(why, size, "/etc/pam.d/holdfast: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return rc;
}

/* Of an instance: nobody of the machine below gets in, but by imported keys. */
static int
shut_out(struct account_texts *texts, bool import, char *why, size_t size)
{
	if (lock_passwords(texts, why, size) == -1)
		return -1;
	if (import)
		return 0;
	if (hide_all_keys(texts->text[FILE_PASSWD], why, size) == -1)
		return -1;
	return remove_host_keys(why, size);
}

int
firststart(int dir_fd, bool instance, bool import, char *why, size_t size)
{
	struct account_texts texts;
	struct stat st;
	int rc = -1;

	if (fstatat(dir_fd, MARKER, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (accountfiles_read(&texts, why, size) == -1 ||
	    (instance && shut_out(&texts, import, why, size) == -1) ||
	    add_accounts(&texts, why, size) == -1 ||
	    install_pam_service(why, size) == -1)
		goto out;
	/* Removals too must be on disk before the marker says so. */
	syncfs(dir_fd);
	/* Last: without it, the next start does all of this again. */
	if (file_install(dir_fd, MARKER, "1\n", 2, 0600, 0, 0, NULL) == -1) {
		snprintf(
		    why, size, "the instance's folder: %s", strerror(errno));
		goto out;
	}
	rc = 0;
out:
	accountfiles_free(&texts);
	return rc;
}
