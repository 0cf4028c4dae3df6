/*
 * The instance's mount namespace: overlays over what a server changes, and a
 * private /run, /mnt and /dev.  Every write lands under DIR.
 */
#ifndef HF_MONITOR_INSTANCE_H
#define HF_MONITOR_INSTANCE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

struct namespace_id {
	dev_t	device;
	ino_t	inode;
};

/* The mount namespace of a process, by its /proc folder; 0 or -1. */
int	instance_namespace(int proc_fd, struct namespace_id *);
bool	namespace_same(const struct namespace_id *,
	    const struct namespace_id *);

/*
 * Leaves the host's mount namespace for a new one.  The folder must be opened
 * again after it (folder_reopen).
 */
int	instance_unshare(char *why, size_t size);

/* Mounts everything, from the folder dir_fd; 0 or -1 with why. */
int	instance_mount(int dir_fd, char *why, size_t size);

/*
 * The Unix socket DIR/middlewared.sock, also reachable as PATH_SOCKET inside,
 * and /dev/log of the instance.  The descriptor or -1 with why.
 */
int	instance_socket(int dir_fd, char *why, size_t size);
int	instance_syslog(char *why, size_t size);

#endif
