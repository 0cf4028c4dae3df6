/*
 * Operations on homes of accounts: the arguments of home.h, checked again.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/message.h"
#include "lib/xalloc.h"
#include "monitor/accounts.h"
#include "monitor/home.h"
#include "monitor/operations.h"

#define KEYS_MAX (2 * 1024 * 1024)

/* What every one of them begins with; the path is the caller's to free. */
static void
get_home(struct operation_call *call, struct home *home, char **pathp)
{
	*pathp = wire_get_str(&call->body, PATH_MAX);
	home->path = *pathp;
	home->uid = wire_get_u32(&call->body);
	home->gid = wire_get_u32(&call->body);
	home->root = -1;
}

/* Of a text of many lines; a fresh string, NULL when it is none. */
static char *
get_keys(struct operation_call *call)
{
	const char *text;
	size_t len;

	text = wire_get_bytes(&call->body, &len);
	if (text == NULL || len > KEYS_MAX || memchr(text, '\0', len) != NULL)
		return NULL;
	return xstrndup(text, len);
}

/* All was read; 0, and the root folder open, or an errno. */
static int
ready(struct operation_call *call, struct home *home)
{
	if (wire_end(&call->body) == -1 || home->path == NULL ||
	    home->path[0] != '/')
		return operation_fail(call, EINVAL, "malformed request");
	if (home->uid == 0 ?
		home->gid != 0 :
		!accounts_uid_ours(home->uid) || !accounts_gid_ours(home->gid))
		return operation_fail(call, EPERM, "not an account of ours");
	home->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return home->root == -1 ?
	    operation_fail(call, errno, "/: %s", strerror(errno)) :
	    0;
}

int
op_check_home(struct operation_call *call)
{
	struct home home;
	uint8_t make, rooted;
	char *path;
	int rc;

	get_home(call, &home, &path);
	make = wire_get_u8(&call->body);
	rooted = wire_get_u8(&call->body);
	rc = ready(call, &home);
	if (rc == 0)
		rc = home_check(&home, make, call->why, sizeof(call->why));
	if (rc == 0 && rooted)
		rc = home_check_rooted(&home, call->why, sizeof(call->why));
	free(path);
	return rc;
}

int
op_stage_home(struct operation_call *call)
{
	struct home home;
	char *path, *from, *keys;
	uint16_t mode;
	int rc;

	get_home(call, &home, &path);
	mode = wire_get_u16(&call->body);
	from = wire_get_str(&call->body, PATH_MAX);
	keys = get_keys(call);
	rc = ready(call, &home);
	if (rc == 0 && (keys == NULL || mode > 0777 || home.uid == 0))
		rc = operation_fail(call, EINVAL, "malformed request");
	if (rc == 0)
		rc = home_stage(&home, mode, *from != '\0' ? from : NULL, keys,
		    call->why, sizeof(call->why));
	free(path);
	free(from);
	free(keys);
	return rc;
}

int
op_settle_home(struct operation_call *call)
{
	struct home home;
	uint8_t use;
	char *path;
	int rc;

	get_home(call, &home, &path);
	use = wire_get_u8(&call->body);
	rc = ready(call, &home);
	if (rc == 0)
		rc = home_settle(&home, use, call->why, sizeof(call->why));
	free(path);
	return rc;
}

int
op_update_home(struct operation_call *call)
{
	struct home home;
	char *path, *keys;
	uint16_t mode;
	uint8_t set;
	int rc;

	get_home(call, &home, &path);
	mode = wire_get_u16(&call->body);
	set = wire_get_u8(&call->body);
	keys = get_keys(call);
	rc = ready(call, &home);
	if (rc == 0 &&
	    (keys == NULL || (mode > 0777 && mode != HOME_MODE_KEEP)))
		rc = operation_fail(call, EINVAL, "malformed request");
	if (rc == 0)
		rc = home_update(&home, mode == HOME_MODE_KEEP ? -1 : mode,
		    set ? keys : NULL, call->why, sizeof(call->why));
	free(path);
	free(keys);
	return rc;
}
