/* The account files on disk: read, merged, written one atomic step each. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/xalloc.h"
#include "monitor/accountfiles.h"

#define FILE_MAX (16 * 1024 * 1024)

int
accountfiles_read(struct account_texts *texts, char *why, size_t size)
{
	size_t len;
	int i;

	memset(texts, 0, sizeof(*texts));
	texts->etc_fd = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < ACCOUNT_FILES && texts->etc_fd != -1; i++) {
		if (file_read_at(texts->etc_fd,
			accounts_file_name((enum account_file)i), FILE_MAX,
			&texts->text[i], &len) == -1)
			break;
		if (strlen(texts->text[i]) != len) {
			errno = EINVAL;
			break;
		}
	}
	if (i == ACCOUNT_FILES)
		return 0;
	snprintf(why, size, "/etc/%s: %s",
	    accounts_file_name((enum account_file)i), strerror(errno));
	return -1;
}

void
accountfiles_free(struct account_texts *texts)
{
	int i;

	for (i = 0; i < ACCOUNT_FILES; i++)
		freezero_str(texts->text[i]);
	if (texts->etc_fd != -1)
		close(texts->etc_fd);
	memset(texts, 0, sizeof(*texts));
	texts->etc_fd = -1;
}

int
accountfiles_write(struct account_texts *texts, enum account_file file,
    char *text, char *why, size_t size)
{
	const char *name = accounts_file_name(file);
	struct stat st;

	if (strcmp(text, texts->text[file]) == 0) {
		freezero_str(text);
		return 0;
	}
	if (fstatat(texts->etc_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    file_install(texts->etc_fd, name, text, strlen(text),
		st.st_mode & 07777, st.st_uid, st.st_gid, NULL) == -1) {
		snprintf(why, size, "/etc/%s: %s", name, strerror(errno));
		freezero_str(text);
		return -1;
	}
	freezero_str(texts->text[file]);
	texts->text[file] = text; /* transferred */
	return 0;
}

int
accountfiles_merge(struct account_texts *texts, const struct accounts *accounts,
    const struct accounts *gone, char *why, size_t size)
{
	static const enum account_file order[ACCOUNT_FILES] = { FILE_SHADOW,
		FILE_GSHADOW, FILE_GROUP, FILE_PASSWD };
	int i;

	if (accounts_conflict(texts->text, accounts, gone, why, size) == -1)
		return -1;
	for (i = 0; i < ACCOUNT_FILES; i++)
		if (accountfiles_write(texts, order[i],
			accounts_merge(
			    order[i], texts->text[order[i]], accounts, gone),
			why, size) == -1)
			return -1;
	return 0;
}
