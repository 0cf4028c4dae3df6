/*
 * What a program that transfers files may still ask of the kernel.
 */
#ifndef HF_SCPONLY_CONFINE_H
#define HF_SCPONLY_CONFINE_H

#include <stdbool.h>

/*
 * From here on this process makes no other, has no sockets (those of the
 * machine itself, if it writes to the system log), and executes one file,
 * once: the one whose name stands where the pointer returned points to, a copy
 * of path's.  That place is drawn at random and gone with the execve(2), so
 * nobody finds it again; trying ends the process.  NULL when it fails: nothing
 * may be run.
 *
 * Who can write a process's memory can do what it can: an account's sftp
 * writes /proc/PID/mem of that account's scp.
 */
const char	*confine(const char *path, bool logs);

#endif
