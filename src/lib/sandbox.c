/*
 * The drop of a role, step by step: user, capabilities, no_new_privs,
 * Landlock, seccomp; and what the kernel has of it.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_internal.h"

#ifdef HF_SANITIZERS
static int entered;

/*
 * The leak checker of the test build stops the process with ptrace() to look
 * at it, which no sandboxed process can do.
 */
int __attribute__((visibility("default"))) __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return entered;
}
#endif

static void __attribute__((noreturn)) failed(enum role role, const char *step)
{
	fatal("%s can not enter its sandbox: %s: %s", role_info(role)->name,
	    step, strerror(errno));
}

/* As group(5) has it, without the name service and its modules. */
static bool
find_group(const char *name, gid_t *gid)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group = NULL;

	if (file == NULL)
		return false;
	while ((group = fgetgrent(file)) != NULL)
		if (strcmp(group->gr_name, name) == 0)
			break;
	if (group != NULL)
		*gid = group->gr_gid;
	fclose(file);
	return group != NULL;
}

/*
 * Groups, then user; afterwards there must be no way back.  What its group
 * would give it, a role without that group cannot open.
 */
static void
drop_user(enum role role)
{
	const struct role_info *info = role_info(role);
	uid_t id = info->uid;
	gid_t more;
	bool has = info->group != NULL && find_group(info->group, &more);

	if (setgroups(has ? 1 : 0, has ? &more : NULL) == -1)
		failed(role, "setgroups");
	if (setresgid(id, id, id) == -1)
		failed(role, "setresgid");
	if (setresuid(id, id, id) == -1)
		failed(role, "setresuid");
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 ||
	    setresgid((gid_t)-1, 0, (gid_t)-1) == 0)
		fatal("%s could become root again", info->name);
}

/* The bounding set while that is still allowed; the others with the user. */
static void
drop_bounding_set(enum role role)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		failed(role, "bounding set");
}

static void
drop_capabilities(enum role role)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0)
		failed(role, "capabilities");
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_ALL) != CAPNG_NONE)
		fatal("%s still has capabilities", role_info(role)->name);
}

/* No dump, no ptrace by others of our user, no privileges by exec. */
static void
drop_ways_back(enum role role)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		failed(role, "no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		failed(role, "core dumps");
}

void
sandbox_enter(enum role role, const struct sandbox_path *paths,
    enum sandbox_network network)
{
	pid_t parent = getppid();
	int death_signal = 0;

	if (role == ROLE_MONITOR || role >= ROLE_COUNT)
		fatal("there is no sandbox for role %d", (int)role);
	if (network != SANDBOX_NO_NETWORK && role != ROLE_WORKER)
		fatal("%s may not connect", role_info(role)->name);
	if (prctl(PR_GET_PDEATHSIG, &death_signal) == -1)
		failed(role, "death signal");
	drop_bounding_set(role);
	drop_user(role);
	drop_capabilities(role);
	/* The kernel forgets it with the user; our parent may be gone now. */
	if (prctl(PR_SET_PDEATHSIG, death_signal) == -1)
		failed(role, "death signal");
	if (death_signal != 0 && getppid() != parent)
		_exit(1);
	drop_ways_back(role);
	if (landlock_enter(paths, network) == -1)
		failed(role, "Landlock");
#ifdef HF_SANITIZERS
	entered = 1;
#endif
	seccomp_enter(role, network);
}

int
sandbox_files_only(const struct sandbox_path *paths)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return landlock_files(paths);
}

int
sandbox_supported(const char **reason)
{
	const uint32_t action = SECCOMP_RET_ERRNO;

	*reason = NULL;
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == -1) {
		*reason = "the kernel has no seccomp filter "
			  "(CONFIG_SECCOMP_FILTER): start one that has";
		return -1;
	}
	if (sandbox_landlock_abi() < 1) {
		*reason = "the kernel has no Landlock: start one of 5.13 or "
			  "newer, with landlock in the list of lsm=";
		return -1;
	}
	return 0;
}
