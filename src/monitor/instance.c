/*
 * The instance's mount namespace: overlays over what a server changes, and a
 * private /run, /mnt and /dev.  Every write lands under DIR.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/paths.h"
#include "monitor/instance.h"
#include "monitor/listen.h"

#define STAGING "/run/holdfast/dev"

static const char *const overlays[] = { "etc", "var", "home", "root" };

static const struct {
	const char *path;
	mode_t mode;
} run_folders[] = {
	{ "/run/holdfast", 0755 },
	{ PATH_STATE, 0700 },
	{ PATH_AUDIT, 0700 },
	{ PATH_HELD, 0700 },
	{ "/run/holdfast/check", 0700 },
	{ STAGING, 0755 },
	{ "/run/middleware", 0755 },
	{ "/run/sshd", 0755 },
	{ "/run/lock", 01777 },
};

static const struct {
	const char *name;
	unsigned int minor;
} memory_devices[] = {
	/* major 1 */
	{ "null", 3 },
	{ "zero", 5 },
	{ "full", 7 },
	{ "random", 8 },
	{ "urandom", 9 },
};

static const struct {
	const char *name, *target;
} device_links[] = {
	{ "ptmx", "pts/ptmx" },
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

int
instance_namespace(int proc_fd, struct namespace_id *id)
{
	struct stat st;

	if (fstatat(proc_fd, "ns/mnt", &st, 0) == -1)
		return -1;
	id->device = st.st_dev;
	id->inode = st.st_ino;
	return 0;
}

bool
namespace_same(const struct namespace_id *a, const struct namespace_id *b)
{
	return a->device == b->device && a->inode == b->inode;
}

int
instance_unshare(char *why, size_t size)
{
	if (unshare(CLONE_NEWNS) == -1) {
		snprintf(why, size,
		    "a mount namespace of its own: %s (root with CAP_SYS_ADMIN "
		    "is needed)",
		    strerror(errno));
		return -1;
	}
	/* What the host mounts later arrives; nothing of ours gets out. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == -1) {
		snprintf(why, size,
		    "mount propagation of /: %s (in a chroot, use pivot_root)",
		    strerror(errno));
		return -1;
	}
	return 0;
}

/*
 * A new folder with the owner and mode of another, whole or not at all: the
 * merged folder has those of the upper one.
 */
static int
folder_like(const char *path, const char *fresh, const char *model)
{
	struct stat st;

	if (access(path, F_OK) == 0)
		return 0;
	if (stat(model, &st) == -1 ||
	    (mkdir(fresh, 0700) == -1 && errno != EEXIST) ||
	    chown(fresh, st.st_uid, st.st_gid) == -1 ||
	    chmod(fresh, st.st_mode & 07777) == -1)
		return -1;
	return rename(fresh, path);
}

/*
 * Paths are relative to DIR, the working folder: its name may be long or hold
 * characters that mount options do not take.
 */
static int
mount_overlay(const char *name, char *why, size_t size)
{
	char base[64], upper[80], fresh[80], work[80], target[32];
	char options[256];

	snprintf(base, sizeof(base), "fs/%s", name);
	snprintf(upper, sizeof(upper), "fs/%s/upper", name);
	snprintf(fresh, sizeof(fresh), "fs/%s/new", name);
	snprintf(work, sizeof(work), "fs/%s/work", name);
	snprintf(target, sizeof(target), "/%s", name);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s",
	    target, upper, work);
	if ((mkdir(base, 0755) == -1 && errno != EEXIST) ||
	    (mkdir(work, 0700) == -1 && errno != EEXIST) ||
	    folder_like(upper, fresh, target) == -1) {
		snprintf(why, size, "the folder %s of the instance: %s", base,
		    strerror(errno));
		return -1;
	}
	if (mount("overlay", target, "overlay", MS_NODEV, options) == 0)
		return 0;
	if (errno == ENODEV)
		snprintf(why, size,
		    "this kernel has no overlayfs: load the module overlay, or "
		    "use a kernel that has it");
	else
		snprintf(why, size,
		    "an overlay over %s: %s (the instance's folder must be on "
		    "a file system such as ext4, xfs or btrfs, not itself an "
		    "overlay)",
		    target, strerror(errno));
	return -1;
}

static int
bind_mount(const char *from, const char *to)
{
	return mount(from, to, NULL, MS_BIND, NULL);
}

static int
mount_run(void)
{
	size_t i;

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV,
		"mode=0755,size=25%") == -1)
		return -1;
	for (i = 0; i < sizeof(run_folders) / sizeof(run_folders[0]); i++)
		if (mkdir(run_folders[i].path, 0700) == -1 ||
		    chmod(run_folders[i].path, run_folders[i].mode) == -1)
			return -1;
	if (bind_mount("state", PATH_STATE) == -1 ||
	    bind_mount("audit", PATH_AUDIT) == -1 ||
	    bind_mount("held", PATH_HELD) == -1)
		return -1;
	return 0;
}

static int
make_devices(void)
{
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(memory_devices) / sizeof(memory_devices[0]);
	     i++) {
		snprintf(
		    path, sizeof(path), STAGING "/%s", memory_devices[i].name);
		if (mknod(path, S_IFCHR | 0666,
			makedev(1, memory_devices[i].minor)) == -1 ||
		    chmod(path, 0666) == -1)
			return -1;
	}
	if (mknod(STAGING "/tty", S_IFCHR | 0666, makedev(5, 0)) == -1 ||
	    chmod(STAGING "/tty", 0666) == -1)
		return -1;
	for (i = 0; i < sizeof(device_links) / sizeof(device_links[0]); i++) {
		snprintf(
		    path, sizeof(path), STAGING "/%s", device_links[i].name);
		if (symlink(device_links[i].target, path) == -1)
			return -1;
	}
	return 0;
}

/* Built aside, then moved over /dev as a whole. */
static int
mount_dev(void)
{
	if (mount("tmpfs", STAGING, "tmpfs", MS_NOSUID | MS_NOEXEC,
		"mode=0755,size=4m") == -1 ||
	    make_devices() == -1)
		return -1;
	if (mkdir(STAGING "/pts", 0755) == -1 ||
	    mount("devpts", STAGING "/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=0620,gid=5") == -1)
		return -1;
	if (mkdir(STAGING "/shm", 0755) == -1 ||
	    mount("tmpfs", STAGING "/shm", "tmpfs", MS_NOSUID | MS_NODEV,
		"mode=1777,size=25%") == -1)
		return -1;
	if (mount(STAGING, "/dev", NULL, MS_MOVE, NULL) == -1)
		return -1;
	return rmdir(STAGING);
}

int
instance_mount(int dir_fd, char *why, size_t size)
{
	mode_t before = umask(0);
	size_t i;
	int rc = -1;

	if (fchdir(dir_fd) == -1) {
		snprintf(
		    why, size, "the instance's folder: %s", strerror(errno));
		goto out;
	}
	for (i = 0; i < sizeof(overlays) / sizeof(overlays[0]); i++)
		if (mount_overlay(overlays[i], why, size) == -1)
			goto out;
	if (mount_run() == -1) {
		snprintf(why, size, "a private /run: %s", strerror(errno));
		goto out;
	}
	if (bind_mount("fs/mnt", "/mnt") == -1) {
		snprintf(why, size, "a private /mnt: %s", strerror(errno));
		goto out;
	}
	if (mount_dev() == -1) {
		snprintf(why, size, "a private /dev: %s", strerror(errno));
		goto out;
	}
	rc = 0;
out:
	if (chdir("/") == -1)
		rc = -1;
	umask(before);
	return rc;
}

int
instance_socket(int dir_fd, char *why, size_t size)
{
	char path[64];
	int fd, place;

	/* By the descriptor: DIR may be longer than a socket's path may be. */
	snprintf(
	    path, sizeof(path), "/proc/self/fd/%d/middlewared.sock", dir_fd);
	if ((fd = listen_unix(SOCK_STREAM, path, 0666)) == -1)
		goto fail;
	place =
	    open(PATH_SOCKET, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (place == -1)
		goto fail;
	close(place);
	if (bind_mount(path, PATH_SOCKET) == -1)
		goto fail;
	return fd;
fail:
	snprintf(
	    why, size, "the Unix socket of the instance: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}

int
instance_syslog(char *why, size_t size)
{
	int fd, on = 1;

	fd = listen_unix(SOCK_DGRAM, "/dev/log", 0666);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1) {
		snprintf(
		    why, size, "/dev/log of the instance: %s", strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}
