/* MSG_OP_INSTALL_ACCOUNTS: managed users and groups into the account files. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "monitor/accountfiles.h"
#include "monitor/operations.h"

/* "/home/NAME" only: what else a home may be is made by somebody else. */
static const char *
home_name(const struct account *user)
{
	static const char base[] = "/home/";
	const char *name;

	if (strncmp(user->home, base, sizeof(base) - 1) != 0)
		return NULL;
	name = user->home + sizeof(base) - 1;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return NULL;
	return name;
}

/* Empty, 0700, the user's; one that is there stays as it is. */
static int
make_home(int homes, const struct account *user)
{
	const char *name = home_name(user);
	int fd, rc;

	if (name == NULL)
		return 0;
	if (mkdirat(homes, name, 0700) == -1)
		return errno == EEXIST ? 0 : -1;
	fd = file_open_beneath(homes, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		return -1;
	rc = fchown(fd, user->uid, user->gid);
	close(fd);
	return rc;
}

static int
make_homes(struct operation_call *call, const struct accounts *accounts)
{
	size_t i;
	int homes, rc = 0;

	homes = open("/home", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (homes == -1)
		return operation_fail(
		    call, errno, "/home: %s", strerror(errno));
	for (i = 0; i < accounts->nusers && rc == 0; i++)
		if (make_home(homes, &accounts->users[i]) == -1)
			rc = operation_fail(call, errno, "%s: %s",
			    accounts->users[i].home, strerror(errno));
	close(homes);
	return rc;
}

static int
install(struct operation_call *call, const struct accounts *accounts)
{
	struct account_texts texts;
	int rc = 0;

	if (lckpwdf() == -1)
		return operation_fail(call, EBUSY,
		    "the account files are locked by another program");
	errno = EIO;
	if (accountfiles_read(&texts, call->why, sizeof(call->why)) == -1)
		rc = errno;
	else if (accounts_conflict(texts.text[FILE_PASSWD],
		     texts.text[FILE_GROUP], accounts, call->why,
		     sizeof(call->why)) == -1)
		rc = EEXIST;
	else if (accountfiles_merge(
		     &texts, accounts, call->why, sizeof(call->why)) == -1)
		rc = errno;
	accountfiles_free(&texts);
	ulckpwdf();
	return rc == 0 ? make_homes(call, accounts) : rc;
}

int
op_install_accounts(struct operation_call *call)
{
	struct accounts accounts;
	int rc;

	if (accounts_get(
		&call->body, &accounts, call->why, sizeof(call->why)) == -1)
		rc = EINVAL;
	else
		rc = install(call, &accounts);
	accounts_free(&accounts);
	return rc;
}
