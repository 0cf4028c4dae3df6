/*
 * Landlock: which files and which network actions are left.  The list of
 * rights is written out per ABI, whatever the headers of the build know, so
 * that no kernel's newer right is forgotten silently.
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/sandbox_internal.h"

/* linux/landlock.h of ABI 6; Debian 12's ends with ABI 2. */
struct ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

#define FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP (1ULL << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1) /* ABI 4 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1) /* ABI 6 */

#define FS_ABI_1 ((1ULL << 13) - 1) /* EXECUTE to MAKE_SYM */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |         \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |     \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER |         \
	    FS_TRUNCATE)
/* What can be said of a file; the others are of folders only. */
#define FS_OF_FILES                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |          \
	    LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)

/* What each ABI handles; above the last, as the last. */
static const struct ruleset by_abi[] = {
	{ 0, 0, 0 },
	{ FS_ABI_1, 0, 0 },
	{ FS_ABI_1 | LANDLOCK_ACCESS_FS_REFER, 0, 0 },
	{ FS_ABI_1 | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE, 0, 0 },
	{ FS_ABI_1 | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE,
	    NET_BIND_TCP | NET_CONNECT_TCP, 0 },
	{ FS_ABI_1 | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV,
	    NET_BIND_TCP | NET_CONNECT_TCP, 0 },
	{ FS_ABI_1 | LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV,
	    NET_BIND_TCP | NET_CONNECT_TCP,
	    SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL },
};

#define ABI_LAST ((int)(sizeof(by_abi) / sizeof(by_abi[0])) - 1)

/* By ABI: what a kernel with a lower one does not cover. */
static const char *const lacking[] = {
	NULL,
	"Landlock is missing: files are kept by users and modes alone",
	"Landlock ABI 2: linking and moving between folders is refused "
	"altogether",
	"Landlock ABI 3: truncation is not covered",
	"Landlock ABI 4: TCP is kept by seccomp alone",
	"Landlock ABI 5: ioctl on devices is kept by seccomp alone",
	"Landlock ABI 6: signals and abstract Unix sockets are kept by users "
	"and seccomp alone",
};

int
sandbox_landlock_abi(void)
{
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

const char *const *
sandbox_missing(void)
{
	static const char *texts[ABI_LAST + 1];
	int abi = sandbox_landlock_abi(), n = 0;

	for (abi++; abi <= ABI_LAST; abi++)
		texts[n++] = lacking[abi];
	texts[n] = NULL;
	return texts;
}

static int
add_path(int ruleset, const struct sandbox_path *path, uint64_t handled,
    uint64_t read_rights)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = read_rights, .parent_fd = path->fd
	};
	struct stat st;

	if (path->writable)
		rule.allowed_access |= FS_WRITE;
	rule.allowed_access &= handled;
	if (fstat(path->fd, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	return (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int
restrict_self(const struct ruleset *wanted, const struct sandbox_path *paths,
    uint64_t read_rights)
{
	int fd, error, r = -1;

	/* A kernel with a lower ABI takes the longer struct if the rest is 0. */
	fd = (int)syscall(
	    SYS_landlock_create_ruleset, wanted, sizeof(*wanted), 0);
	if (fd == -1)
		return -1;
	for (; paths != NULL && paths->fd != -1; paths++)
		if (add_path(fd, paths, wanted->handled_access_fs,
			read_rights) == -1)
			goto out;
	r = (int)syscall(SYS_landlock_restrict_self, fd, 0);
out:
	error = errno;
	close(fd);
	errno = error;
	return r;
}

/* What to handle here; NULL with errno when there is no Landlock. */
static const struct ruleset *
handled(void)
{
	int abi = sandbox_landlock_abi();

	if (abi < 1) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	return &by_abi[abi < ABI_LAST ? abi : ABI_LAST];
}

int
landlock_enter(const struct sandbox_path *paths, enum sandbox_network network)
{
	const struct ruleset *all = handled();
	struct ruleset wanted;

	if (all == NULL)
		return -1;
	wanted = *all;
	if (network == SANDBOX_CONNECT)
		wanted.handled_access_net &= ~NET_CONNECT_TCP;
	return restrict_self(&wanted, paths, FS_READ);
}

int
landlock_files(const struct sandbox_path *paths)
{
	const struct ruleset *all = handled();
	struct ruleset wanted = { 0, 0, 0 };

	if (all == NULL)
		return -1;
	wanted.handled_access_fs = all->handled_access_fs;
	return restrict_self(
	    &wanted, paths, FS_READ | LANDLOCK_ACCESS_FS_EXECUTE);
}
