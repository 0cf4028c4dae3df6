/*
 * Changes that take themselves back unless they are confirmed (design section
 * 2): what the monitor does of it, without core's help.  Before such a change
 * is installed, core has the monitor keep what its files are; when the time is
 * over, and nobody told the monitor to let go of it, they are put back and the
 * daemons that read them follow.  There is one at a time.
 *
 * The time counts by CLOCK_BOOTTIME within one boot of the kernel.  A start of
 * the machine, or of an instance, is the end of it.
 */
#ifndef HF_MONITOR_HELD_H
#define HF_MONITOR_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/*
 * Before any service is started.  boot_id: the kernel's (kept); instance: its
 * start is one of the machine.  0, or -1: it cannot be put back now, which
 * the loop tries again.
 */
int	held_boot(bool instance, const char *boot_id);
void	held_start(uv_loop_t *);
/* The file may be another one. */
void	held_look(void);
const char *held_boot_id(void);

/* Puts all of it back; for a child.  0, or -1 with why.  (op_held.c) */
int	held_restore(void *, char *why, size_t);

#endif
