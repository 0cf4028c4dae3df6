/*
 * A machine that was given to Holdfast: the same places as in an instance
 * (paths.h), without a namespace, its state in a folder of the machine's.
 */
#ifndef HF_MONITOR_PACKAGED_H
#define HF_MONITOR_PACKAGED_H

#include <stddef.h>

/* 0, or -1 with why: systemd does not run this machine. */
int	packaged_check(char *why, size_t size);

/*
 * The folders below /run, and in them the ways into PATH_PACKAGED, which the
 * roles pass but cannot list.  0 or -1 with why.
 */
int	packaged_places(int dir_fd, char *why, size_t size);

/* The Unix socket PATH_SOCKET, listening; the descriptor or -1 with why. */
int	packaged_socket(char *why, size_t size);

#endif
